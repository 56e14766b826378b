/** Clients' accounts of real processes on a real database. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { inject } from "vitest"
import * as TestDatabase from "../postgres/TestDatabase.ts"
import { call, eventually, kill, start, tryCall } from "./FlorinProcess.ts"

describe("florin serve", () => {
  it.live("keeps accounts over a kill, shares them with a second service, and each merchant has their own", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const [row] = yield* sql<{ name: string }>`select current_database() as name`
      const { socketDir, username } = inject("postgres")
      const settings = {
        DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}`,
        FLORIN_SNAPSHOT_EVERY: "3"
      }
      const path = "/v1/accounts/7/transactions"
      const deposit = (tx: number) => ({ body: { type: "deposit", tx, amount: "1.25" } })

      const first = yield* start("serve", settings)
      yield* call(first, "POST", path, deposit(1))
      yield* call(first, "POST", path, { key: "d", body: { type: "dispute", tx: 1 } })
      yield* call(first, "POST", path, { key: "r", body: { type: "resolve", tx: 1 } })
      yield* call(first, "POST", path, { key: "e", body: { type: "dispute", tx: 1 } })
      yield* eventually("a snapshot", () =>
        Effect.runPromise(
          Effect.map(sql`select 1 from florin.ledger_snapshots where kind = 'accounts'`, (rows) => rows[0])
        )
      )
      const asking = Array.from({ length: 50 }, (_, index) => tryCall(first, "POST", path, deposit(index + 10)))
      // What was answered before the kill, or not.
      yield* Effect.promise(() => Promise.race(asking))
      yield* kill(first, "SIGKILL")
      const answered = (yield* Effect.promise(() => Promise.all(asking))).filter((reply) => reply?.status === 201)

      const [second, third] = yield* Effect.all([start("serve", settings), start("serve", settings)], {
        concurrency: 2
      })
      // The one that was killed had taken snapshots; those after it begin with one.
      for (const service of [second, third]) {
        assert.match(
          `${service.stdout()}${service.stderr()}`,
          /restored from the snapshot after event \d+ and \d+ events/
        )
      }
      const other = yield* start("serve", { ...settings, FLORIN_MERCHANT: "other" })
      const { body } = yield* call(second, "GET", "/v1/accounts/7")
      assert.strictEqual(body.held, "1.2500")
      assert.isAtLeast(Number(body.available), answered.length * 1.25)
      const repeated = yield* call(third, "POST", path, { key: "d", body: { type: "dispute", tx: 1 } })
      assert.strictEqual(repeated.headers.get("idempotent-replayed"), "true")
      yield* Effect.forEach(
        asking,
        (_, index) => call(index % 2 === 0 ? second : third, "POST", path, deposit(index + 10)),
        { concurrency: 10 }
      )
      for (const service of [second, third]) {
        assert.deepInclude((yield* call(service, "GET", "/v1/accounts/7")).body, { available: "62.5000" })
      }
      assert.deepStrictEqual((yield* call(other, "GET", "/v1/accounts")).body, { accounts: [] })
      assert.strictEqual((yield* call(other, "GET", "/v1/accounts/7")).status, 404)
      const dispute = yield* call(other, "POST", path, { key: "d", body: { type: "dispute", tx: 1 } })
      assert.deepInclude(dispute.body, { status: 409, reason: "UnknownTx" })
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer()))
  )
})
