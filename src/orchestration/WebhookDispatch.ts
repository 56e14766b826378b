/**
 * Tells merchants' endpoints what happened: at least once, in the order of
 * each payment.
 *
 *     outbox -> relay -> bus -> queued for each endpoint -> claimed -> breaker -> sent -> marked
 *
 * Any number of processes may dispatch. One that dies after it sent and before
 * it marked leaves the delivery to be sent again, under the same id.
 *
 * What fails is tried again by `DeliverySchedule`; an endpoint that has not
 * taken an event by its end, or that says it is gone for good (410), is
 * disabled, with a notice that says why. What waits for it stays, and goes on
 * when the merchant enables it again.
 *
 * Every delivery runs by itself, few at a time at one endpoint, and behind a
 * breaker for each: a slow endpoint delays nobody but itself.
 */
import { Clock, Context, Duration, Effect, FiberSet, Layer, Queue, Random, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { CircuitBreaker } from "effect/persistence"
import type { Envelope } from "../adapters/EventBus.ts"
import { EventBus, fromEnvelope, PublishedEvent } from "../adapters/EventBus.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import type { Address, Attempt, Claimed } from "../adapters/WebhookDeliveries.ts"
import { WebhookDeliveries } from "../adapters/WebhookDeliveries.ts"
import { WebhookEndpoints } from "../adapters/WebhookEndpoints.ts"
import { WebhookSender } from "../adapters/WebhookSender.ts"
import type { Instant } from "../domain/Instant.ts"
import { plus } from "../domain/Instant.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import * as DeliverySchedule from "../domain/webhook/DeliverySchedule.ts"
import * as WebhookEndpoint from "../domain/webhook/WebhookEndpoint.ts"
import { newRun, now } from "./Clocks.ts"

export interface Settings {
  /** How long a receiver may take to answer. */
  readonly timeoutMillis: number
  /** How long a worker may hold what it claimed. */
  readonly leaseMillis: number
  /** Pause after there was nothing to do. */
  readonly idleMillis: number
  /** Deliveries under way at one endpoint, of different payments. */
  readonly perEndpoint: number
  /** Deliveries under way by one dispatcher. */
  readonly underway: number
  readonly breaker: { readonly failures: number; readonly openMillis: number }
  /** How long the log keeps what was delivered. */
  readonly retentionMillis: number
}

export const defaults: Settings = {
  // The specification's own advice is 15 to 30 s; what takes longer has to be put into a queue of the receiver's.
  timeoutMillis: 15_000,
  // Four times a try: none lapses while it is under way.
  leaseMillis: 60_000,
  idleMillis: 200,
  // Enough for hundreds of deliveries a second at a receiver that answers at once, few enough not to crowd a small one.
  perEndpoint: 4,
  // Sixteen endpoints that hang fill it, for as long as their breakers take to open.
  underway: 64,
  // Five in a row are an outage; half a minute is how often one that is down is looked at.
  breaker: { failures: 5, openMillis: 30_000 },
  // As long as anybody looks for a delivery.
  retentionMillis: 30 * 86_400_000
}

export class WebhookDispatch extends Context.Service<
  WebhookDispatch,
  {
    /** Delivers what is due now, and ends when all of it has been tried; says how much that was. */
    readonly pass: (owner: RunId) => Effect.Effect<number, StorageUnavailable>
    /** Delivers for as long as it runs; a store that does not answer is asked again. */
    readonly daemon: Effect.Effect<never>
  }
>()("florin/orchestration/WebhookDispatch") {}

/** Queues every event that is published from here on, until the scope closes: to be there before a relay begins. */
export const queueing: Layer.Layer<never, never, EventBus | WebhookDeliveries> = Layer.effectDiscard(
  Effect.gen(function* () {
    const bus = yield* EventBus
    const deliveries = yield* WebhookDeliveries
    yield* bus.handle("webhooks", (envelope) => Effect.flatMap(now, (at) => deliveries.enqueue(envelope, at)))
  })
)

const encode = Schema.encodeSync(Schema.fromJsonString(Schema.toCodecJson(PublishedEvent)))

/** What is sent of an event: it is as `GET /v1/events` shows it. */
export const bodyOf = (envelope: Envelope): Uint8Array => new TextEncoder().encode(encode(fromEnvelope(envelope)))

/** A try that did not succeed. */
class Undelivered extends Schema.TaggedError<Undelivered>()("Undelivered", {
  status: Schema.optional(Schema.Int),
  detail: Schema.String,
  retryAfterMillis: Schema.optional(Schema.Number)
}) {}

/** It was here, and is not coming back. */
const gone = 410

/** How long what a breaker is probing waits to be looked at again. */
const probeMillis = 1000

/** What is new is queued behind what changed its place meanwhile; tried so soon, it is as good as at once. */
const movedMillis = 5000

export const layer = (
  settings: Settings = defaults
): Layer.Layer<
  WebhookDispatch,
  never,
  WebhookDeliveries | WebhookEndpoints | WebhookSender | CircuitBreaker.CircuitBreakerStore | SecureRandom.SecureRandom
> =>
  Layer.effect(
    WebhookDispatch,
    Effect.gen(function* () {
      const deliveries = yield* WebhookDeliveries
      const endpoints = yield* WebhookEndpoints
      const sender = yield* WebhookSender
      const random = yield* SecureRandom.SecureRandom
      const breaker = yield* CircuitBreaker.make({
        tripPolicy: CircuitBreaker.consecutive(settings.breaker.failures),
        openDuration: Duration.millis(settings.breaker.openMillis)
      })

      const send = ({ endpoint, envelope }: Claimed, at: Instant) => {
        const secrets = WebhookEndpoint.secretsAt(endpoint, at)
        const sent: Effect.Effect<number, Undelivered> = sender
          .send({ url: endpoint.url, id: envelope.id, body: bodyOf(envelope), at, secrets })
          .pipe(
            Effect.mapError(({ because, detail }) => new Undelivered({ detail: `${because}: ${detail}` })),
            Effect.flatMap(({ retryAfterMillis, status }) =>
              status >= 200 && status < 300
                ? Effect.succeed(status)
                : Effect.fail(new Undelivered({ status, detail: `it answered ${status}`, retryAfterMillis }))
            ),
            Effect.timeoutOrElse({
              duration: Duration.millis(settings.timeoutMillis),
              orElse: () =>
                Effect.fail(new Undelivered({ detail: `Timeout: no answer within ${settings.timeoutMillis} ms` }))
            })
          )
        // Another URL is another receiver, whose silence is its own.
        return sent.pipe(breaker.execute({ key: `webhook ${endpoint.id} ${endpoint.url}` }))
      }

      /** Tries one delivery and marks it. */
      const deliver = Effect.fnUntraced(function* (owner: RunId, claimed: Claimed) {
        const address: Address = { endpoint: claimed.endpoint.id, event: claimed.envelope.id }
        const at = yield* now
        const result = yield* Effect.result(send(claimed, at))
        const after = yield* Clock.currentTimeMillis
        const attempt = { at, latencyMillis: Math.max(0, after - at) }
        if (result._tag === "Success") {
          return yield* deliveries.delivered(owner, address, { ...attempt, status: result.success, error: undefined })
        }
        const error = result.failure
        if (error._tag === "CircuitBreakerError") {
          const { reason } = error
          const waitMillis = reason._tag === "CircuitOpen" ? Duration.toMillis(reason.retryAfter) : probeMillis
          return yield* deliveries.postpone(owner, address, plus(at, Math.max(1, Math.ceil(waitMillis))))
        }
        yield* fail(owner, claimed, { ...attempt, status: error.status, error: error.detail }, error.retryAfterMillis)
      })

      const fail = Effect.fnUntraced(function* (
        owner: RunId,
        { attempts, endpoint, envelope, firstAt }: Claimed,
        attempt: Attempt,
        retryAfterMillis: number | undefined
      ) {
        const address: Address = { endpoint: endpoint.id, event: envelope.id }
        const at = yield* now
        const draw = yield* Random.next
        const tried = attempts + 1
        const next: DeliverySchedule.Next =
          attempt.status === gone
            ? { _tag: "Exhausted" }
            : DeliverySchedule.next({
                attempts: tried,
                firstAt: firstAt ?? attempt.at,
                now: at,
                draw,
                retryAfterMillis
              })
        if (next._tag === "At") return yield* deliveries.failed(owner, address, attempt, next.at)
        const because = `${envelope.id} was not taken in ${tried} ${tried === 1 ? "try" : "tries"}: ${attempt.error}`
        // First the endpoint: what is exhausted at one that is enabled would keep its payment's events for ever.
        const after = yield* endpoints.change(endpoint.id, (current) =>
          current.enabled && current.url === endpoint.url ? WebhookEndpoint.disable(current, at, because) : current
        )
        const isDisabled = after._tag === "Some" && !after.value.enabled
        if (isDisabled) {
          yield* Effect.logError("a webhook endpoint is disabled", {
            endpoint: endpoint.id,
            merchant: endpoint.merchant,
            because
          })
        }
        yield* deliveries.failed(owner, address, attempt, isDisabled ? undefined : plus(at, movedMillis))
      })

      const claim = Effect.fnUntraced(function* (owner: RunId, limit: number) {
        const at = yield* now
        const until = plus(at, settings.leaseMillis)
        return yield* deliveries.claim({ owner, now: at, until, limit, perEndpoint: settings.perEndpoint })
      })

      const forgetting = Effect.gen(function* () {
        yield* Effect.catch(deliveries.forget(plus(yield* now, -settings.retentionMillis)), (error) =>
          Effect.logWarning("deliveries could not be forgotten", error)
        )
        yield* Effect.sleep("1 hour")
      })

      const dispatching = Effect.fnUntraced(function* (owner: RunId) {
        const underway = yield* FiberSet.make<void>()
        // What has been delivered makes room for what waits behind it.
        const ended = yield* Queue.sliding<void>(1)
        const pause = Effect.asVoid(Effect.timeoutOption(Queue.take(ended), Duration.millis(settings.idleMillis)))
        const turn = Effect.gen(function* () {
          const room = settings.underway - (yield* FiberSet.size(underway))
          const claimed = room > 0 ? yield* claim(owner, room) : []
          for (const one of claimed) {
            const delivery = Effect.catch(deliver(owner, one), (error) =>
              Effect.logWarning("a delivery could not be marked, and will come again", error)
            )
            yield* FiberSet.run(underway, Effect.ensuring(delivery, Queue.offer(ended, undefined)))
          }
          if (claimed.length === 0) yield* pause
        })
        return yield* Effect.forever(
          Effect.catch(turn, (error) => Effect.andThen(Effect.logWarning("deliveries could not be read", error), pause))
        )
      }, Effect.scoped)

      return WebhookDispatch.of({
        pass: Effect.fn("WebhookDispatch.pass")(function* (owner) {
          const claimed = yield* claim(owner, settings.underway)
          yield* Effect.forEach(claimed, (one) => deliver(owner, one), { concurrency: "unbounded", discard: true })
          return claimed.length
        }),
        daemon: newRun.pipe(
          Effect.provideService(SecureRandom.SecureRandom, random),
          Effect.flatMap((owner) => Effect.raceFirst(Effect.forever(forgetting), dispatching(owner)))
        )
      })
    })
  )
