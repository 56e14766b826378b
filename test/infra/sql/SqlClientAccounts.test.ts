/** The service for embedding over the SQL journal on a real PostgreSQL. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql/SqlClient"
import * as MemoryLedgerBooks from "../../../src/infra/memory/MemoryLedgerBooks.ts"
import * as SqlLedgerJournal from "../../../src/infra/sql/SqlLedgerJournal.ts"
import * as SqlLedgerSnapshots from "../../../src/infra/sql/SqlLedgerSnapshots.ts"
import * as ClientAccounts from "../../../src/orchestration/ClientAccounts.ts"
import { books, client, deposit, dispute, key, said, withdrawal } from "../../orchestration/LedgerWorld.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const start = Effect.fnUntraced(function* (ledger: string) {
  const layer = ClientAccounts.layer().pipe(
    Layer.provide([
      SqlLedgerJournal.layer({ ledger }),
      SqlLedgerSnapshots.layer({ ledger, kind: "accounts" }),
      MemoryLedgerBooks.layer,
      SecureRandom.layerWebCrypto
    ])
  )
  return Context.get(yield* Layer.build(Layer.fresh(layer)), ClientAccounts.ClientAccounts)
})

describe("accounts on PostgreSQL", () => {
  it.live("are the same to two services and to the next one, and a ledger knows nothing of another", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const [one, other, elsewhere] = [yield* start("shop"), yield* start("shop"), yield* start("other")]
      const ids = Array.from({ length: 200 }, (_, index) => index)
      const tell = (accounts: typeof one) =>
        Effect.forEach(ids, (id) => accounts.submit(deposit(id % 5, id, 2n)), { concurrency: "unbounded" })
      const answers = yield* Effect.all([tell(one), tell(other)], { concurrency: "unbounded" })
      // Each was recorded by one of the two.
      assert.deepStrictEqual(
        ids.map((id) => answers.map((each) => said(each[id]!)).toSorted()),
        ids.map(() => ["Deposited", "Deposited again"])
      )
      const [counted] = yield* sql<{ blocks: bigint; events: bigint }>`
        select count(*) as blocks, sum(count)::bigint as events from florin.ledger_blocks where ledger = 'shop'`
      assert.strictEqual(Number(counted?.events), 200)
      assert.isBelow(Number(counted?.blocks), 50)

      assert.strictEqual(said(yield* one.submit(dispute(1, 1), key("d"))), "Disputed")
      assert.strictEqual(said(yield* other.submit(withdrawal(1, 1000, 80n))), "InsufficientFunds")
      assert.strictEqual(said(yield* other.submit(withdrawal(1, 1000, 78n))), "Withdrawn")
      const expected = ["0 80 0 false", "1 0 2 false", "2 80 0 false", "3 80 0 false", "4 80 0 false"]
      const next = yield* start("shop")
      for (const each of [one, other, next]) assert.deepStrictEqual(yield* books(each), expected)
      assert.strictEqual(said(yield* next.submit(dispute(1, 1), key("d"))), "Disputed again")
      const history = Option.getOrThrow(yield* next.history(client(1), { after: 0, limit: 100 }))
      assert.strictEqual(history.events.length, 42)
      assert.deepStrictEqual(
        history.events.slice(-2).map(({ event }) => event._tag),
        ["Disputed", "Withdrawn"]
      )
      assert.deepStrictEqual(yield* books(elsewhere), [])
    }).pipe(Effect.scoped, Effect.provide(FlorinDatabase.layer))
  )

  it.live("are told to be away, and go on, when the server drops every connection", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const accounts = yield* start("shop")
      yield* accounts.submit(deposit(1, 1, 2n))
      const drop = Effect.ignore(sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`)
      const ids = Array.from({ length: 60 }, (_, index) => index + 2)
      yield* Effect.forEach(
        ids,
        (id) =>
          Effect.gen(function* () {
            if (id % 20 === 0) yield* drop
            // As any caller does: asked again until there is an answer.
            const answer = yield* Effect.retry(accounts.submit(deposit(1, id, 2n)), {
              while: ({ reason }) => reason._tag === "Unavailable",
              times: 20
            })
            assert.include(["Deposited", "Deposited again"], said(answer))
          }),
        { concurrency: 8 }
      )
      assert.deepStrictEqual(yield* books(yield* start("shop")), ["1 122 0 false"])
    }).pipe(Effect.scoped, Effect.provide(FlorinDatabase.layer))
  )
})
