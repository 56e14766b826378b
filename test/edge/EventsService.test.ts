/** `GET /v1/events` of a real process on a real database, over its death and over its end. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { inject } from "vitest"
import * as TestDatabase from "../postgres/TestDatabase.ts"
import { kill, pay, start } from "./FlorinProcess.ts"
import type { Service } from "./FlorinProcess.ts"
import * as Server from "./http/Server.ts"

const within = Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => Effect.die(new Error("waited in vain")) })

const follow = (service: Service, headers: Record<string, string> = {}) =>
  Effect.acquireRelease(within(Effect.promise(() => Server.read(`${service.url}/v1/events`, headers))), ({ close }) =>
    Effect.sync(close)
  )

describe("florin serve, followed", () => {
  it.live(
    "a reader that comes back after kill -9 has every event once, in order; one that is there at the end hears it",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const [row] = yield* sql<{ name: string }>`select current_database() as name`
        const { socketDir, username } = inject("postgres")
        const settings = {
          DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}`,
          // More than the test would wait for.
          FLORIN_DRAIN_MILLIS: "60000"
        }
        const first = yield* start("serve", settings)
        const one = yield* follow(first)
        yield* within(Effect.promise(() => one.next(({ id }) => id !== undefined)))
        const paid = [yield* pay(() => first, "a", "tok_visa"), yield* pay(() => first, "b", "tok_lost_answer")]
        const before = yield* within(Effect.promise(() => one.events(3)))
        yield* kill(first, "SIGKILL")
        assert.strictEqual(yield* within(Effect.promise(() => one.ended)), "broken")

        const second = yield* start("serve", settings)
        paid.push(yield* pay(() => second, "c", "tok_visa"))
        const recorded = yield* sql<{ id: string }>`
          select payment || '/' || version as id from florin.events order by xid, position`
        const two = yield* follow(second, { "last-event-id": before.at(-1)!.id! })
        const after = yield* within(Effect.promise(() => two.events(recorded.length - before.length)))
        const heard = [...before, ...after].map(({ data }) => data!.id)
        assert.deepStrictEqual(
          heard,
          recorded.map(({ id }) => id)
        )
        for (const { body } of paid) {
          const versions = heard.filter((id) => id.startsWith(`${String(body.id)}/`)).map((id) => id.split("/")[1])
          assert.deepStrictEqual(
            versions,
            Array.from({ length: Number(body.version) }, (_, index) => String(index + 1))
          )
        }

        const { code } = yield* within(kill(second, "SIGTERM"))
        assert.strictEqual(code, 0)
        assert.strictEqual(yield* within(Effect.promise(() => two.ended)), "ended")
      }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer())),
    60_000
  )
})
