/** `IdempotencyStore` on PostgreSQL, in the table that creations claim their keys in as well. */
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Claimed } from "../../adapters/IdempotencyStore.ts"
import { IdempotencyStore } from "../../adapters/IdempotencyStore.ts"
import { Fingerprint } from "../../domain/Idempotency.ts"
import { toTimestamp, unavailable } from "./SqlStorage.ts"

const encodeAnswer = Schema.encodeSync(Schema.fromJsonString(Schema.Json))
const decodeAnswer = Schema.decodeUnknownSync(Schema.Json)

export const layer: Layer.Layer<IdempotencyStore, never, SqlClient> = Layer.effect(
  IdempotencyStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    return IdempotencyStore.of({
      claim: Effect.fn("SqlIdempotencyStore.claim")(function* ({ fingerprint, key, merchant, now, owner, until }) {
        const claimed = yield* sql`
          insert into florin.idempotency as old (merchant, key, fingerprint, owner, lease_until)
          values (${merchant}, ${key}, ${fingerprint}, ${owner}, ${toTimestamp(until)})
          on conflict (merchant, key) do update set owner = excluded.owner, lease_until = excluded.lease_until
          where old.payment is null and old.answer is null and old.lease_until <= ${toTimestamp(now)}
            and old.fingerprint = excluded.fingerprint
          returning key`.pipe(unavailable("claim"))
        if (claimed.length > 0) return { _tag: "Claimed" } satisfies Claimed
        const [taken] = yield* sql<{ readonly fingerprint: string; readonly answer: unknown }>`
          select fingerprint, case when payment is null then answer end as answer
          from florin.idempotency where merchant = ${merchant} and key = ${key}`.pipe(unavailable("claim"))
        // Released in between: as good as in flight, for whoever repeats the request.
        if (taken === undefined) return { _tag: "Taken", fingerprint, answer: undefined } satisfies Claimed
        return {
          _tag: "Taken",
          fingerprint: Fingerprint.make(taken.fingerprint),
          answer: taken.answer === null ? undefined : decodeAnswer(taken.answer)
        } satisfies Claimed
      }),
      complete: Effect.fn("SqlIdempotencyStore.complete")(function* (merchant, key, owner, answer) {
        yield* sql`
          update florin.idempotency set answer = ${encodeAnswer(answer)}::jsonb
          where merchant = ${merchant} and key = ${key} and owner = ${owner}`.pipe(unavailable("complete"))
      }),
      release: Effect.fn("SqlIdempotencyStore.release")(function* (merchant, key, owner) {
        yield* sql`
          delete from florin.idempotency
          where merchant = ${merchant} and key = ${key} and owner = ${owner} and answer is null`.pipe(
          unavailable("release")
        )
      })
    })
  })
)
