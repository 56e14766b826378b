/** The moment, and names for runs: the two things that the domain takes as given. */
import { Clock, Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { Instant } from "../domain/Instant.ts"
import { RunId } from "../domain/payment/Operation.ts"
import { PaymentId } from "../domain/payment/PaymentEvent.ts"
import { EndpointId } from "../domain/webhook/WebhookEndpoint.ts"

export const now: Effect.Effect<Instant> = Effect.map(Clock.currentTimeMillis, (millis) => Instant.make(millis))

const ulid = Effect.gen(function* () {
  const random = yield* SecureRandom.SecureRandom
  return (yield* random.ulid).toLowerCase()
})

/** A new run: who holds a claim, and what it begins. Its name never reaches a gateway. */
export const newRun = Effect.map(ulid, (text) => RunId.make(`run_${text}`))

/** A new payment's id. Ids sort by time, which keeps the newest rows of every index together. */
export const newPayment = Effect.map(ulid, (text) => PaymentId.make(`pay_${text}`))

/** Florin's own name of what a gateway delivered. */
export const newReceived = Effect.map(ulid, (text) => `wh_${text}`)

/** A new webhook endpoint's id. */
export const newEndpoint = Effect.map(ulid, (text) => EndpointId.make(`we_${text}`))
