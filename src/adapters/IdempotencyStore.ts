/**
 * Idempotency keys of requests other than creation, which claims its key with
 * the payment itself (`PaymentRepository.create`).
 *
 * A key is in flight under a lease, so that a worker that died does not hold
 * it for ever; then it is completed with what was answered, or released when
 * the failure was transient and the request may be made again.
 */
import { Context } from "effect"
import type { Effect, Schema } from "effect"
import type { Fingerprint, IdempotencyKey } from "../domain/Idempotency.ts"
import type { Instant } from "../domain/Instant.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import type { MerchantId } from "../domain/payment/PaymentEvent.ts"
import type { StorageUnavailable } from "./Storage.ts"

/** What was answered, as JSON. */
export type Answer = Schema.Json

export type Claimed =
  | { readonly _tag: "Claimed" }
  | { readonly _tag: "Taken"; readonly fingerprint: Fingerprint; readonly answer: Answer | undefined }

export class IdempotencyStore extends Context.Service<
  IdempotencyStore,
  {
    /** Takes a key that is absent, or in flight under a lease that ended before `now` for the same request. */
    readonly claim: (request: {
      readonly merchant: MerchantId
      readonly key: IdempotencyKey
      readonly fingerprint: Fingerprint
      readonly owner: RunId
      readonly now: Instant
      readonly until: Instant
    }) => Effect.Effect<Claimed, StorageUnavailable>
    /** Stores the answer, if `owner` still holds the key. */
    readonly complete: (
      merchant: MerchantId,
      key: IdempotencyKey,
      owner: RunId,
      answer: Answer
    ) => Effect.Effect<void, StorageUnavailable>
    /** Forgets the key, if `owner` still holds it and it has no answer. */
    readonly release: (
      merchant: MerchantId,
      key: IdempotencyKey,
      owner: RunId
    ) => Effect.Effect<void, StorageUnavailable>
  }
>()("florin/adapters/IdempotencyStore") {}
