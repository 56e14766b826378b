/**
 * Makes a request once per key, and answers a repeat with the first answer.
 *
 * Only a settled answer is stored. A request that failed, was refused, or whose
 * end is still open releases its key, so that repeating it asks again; the
 * payment itself recognises what it has recorded already (R9).
 */
import { Effect, Exit, Schema } from "effect"
import type { Answer } from "../adapters/IdempotencyStore.ts"
import { IdempotencyStore } from "../adapters/IdempotencyStore.ts"
import * as Idempotency from "../domain/Idempotency.ts"
import { plus } from "../domain/Instant.ts"
import type { MerchantId } from "../domain/payment/PaymentEvent.ts"
import { PaymentId } from "../domain/payment/PaymentEvent.ts"
import { newRun, now } from "./Clocks.ts"

/** The same key was used with another request before. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { field: Schema.String }) {}

/** The first request under this key has no answer yet; if it began a payment, that can be asked about. */
export class InFlight extends Schema.TaggedError<InFlight>()("InFlight", {
  payment: Schema.optionalKey(PaymentId)
}) {}

export class IdempotencyError extends Schema.TaggedError<IdempotencyError>()("IdempotencyError", {
  key: Idempotency.IdempotencyKey,
  reason: Schema.Union([Conflict, InFlight])
}) {
  override get message() {
    return this.reason._tag === "Conflict"
      ? `this idempotency key was used with another request before: "${this.reason.field}" differs`
      : "the first request under this idempotency key is still being answered"
  }
}

export interface Once<A> {
  readonly answer: A
  readonly replayed: boolean
}

/** What a request does beside waiting: a few statements on a store that is slow. */
const marginMillis = 5000

/**
 * How long a key is held for a request that waits so long for its answer:
 * longer, so that only a dead one is overtaken, and not much, because nobody
 * else gets an answer under the key of a dead one. Overtaking one that lives
 * moves no money twice: the payment knows the request again.
 */
export const leaseMillis = (answerMillis: number): number => answerMillis + marginMillis

/** What a key that is taken says to a request, where it may not proceed. */
export const verdictOf = <A>(
  key: Idempotency.IdempotencyKey,
  entry: Idempotency.Entry<A> & { readonly payment?: PaymentId | undefined },
  request: Idempotency.Fingerprint
): Effect.Effect<A, IdempotencyError> => {
  const verdict = Idempotency.decide(entry, request)
  switch (verdict._tag) {
    case "Replay":
      return Effect.succeed(verdict.answer)
    case "Conflict":
      return Effect.fail(new IdempotencyError({ key, reason: new Conflict({ field: verdict.field }) }))
    case "InFlight":
    case "Proceed": {
      const begun = entry.payment === undefined ? {} : { payment: entry.payment }
      return Effect.fail(new IdempotencyError({ key, reason: new InFlight(begun) }))
    }
  }
}

/** `request` is what the fingerprint is made of: everything that makes two requests different. */
export const once = Effect.fn("IdempotentRequest.once")(function* <E, R>(
  of: {
    readonly merchant: MerchantId
    readonly key: Idempotency.IdempotencyKey
    readonly request: Schema.Json
    /** How long the request may wait for its answer. */
    readonly answerMillis: number
  },
  make: Effect.Effect<{ readonly answer: Answer; readonly settled: boolean }, E, R>
) {
  const store = yield* IdempotencyStore
  const { key, merchant } = of
  const owner = yield* newRun
  const at = yield* now
  const fingerprint = Idempotency.fingerprint(of.request)
  const until = plus(at, leaseMillis(of.answerMillis))
  const claimed = yield* store.claim({ merchant, key, fingerprint, owner, now: at, until })
  if (claimed._tag === "Taken") {
    const answer = yield* verdictOf(key, claimed, fingerprint)
    return { answer, replayed: true } satisfies Once<Answer>
  }
  const { answer } = yield* Effect.onExit(make, (exit) =>
    Effect.ignore(
      Exit.isSuccess(exit) && exit.value.settled
        ? store.complete(merchant, key, owner, exit.value.answer)
        : store.release(merchant, key, owner)
    )
  )
  return { answer, replayed: false } satisfies Once<Answer>
})
