/**
 * Applies what `WebhookIntake` stored: at least once, in whatever order.
 *
 *     claimed -> read, which asks the gateway -> judged and recorded -> marked -> the payment's own loop
 *
 * Any number of workers may run. One that dies before it marks leaves the
 * delivery to the next, who finds recorded what is recorded; one that dies
 * after it leaves the payment due, which recovery sees.
 *
 * What fits later is tried again, ever later: a payment that florin does not
 * know, or not enough of; a gateway that does not answer. It becomes a dead
 * letter in the end, and at once what trying again cannot mend: what nobody
 * can read, and what contradicts the record.
 *
 * Each gateway has a loop of its own, so that one whose questions hang keeps
 * no other's webhooks waiting.
 */
import { Duration, Effect, FiberSet } from "effect"
import type { GatewayWebhook } from "../adapters/GatewayWebhooks.ts"
import { GatewayWebhooks } from "../adapters/GatewayWebhooks.ts"
import type { PaymentRepository } from "../adapters/PaymentRepository.ts"
import type { Received } from "../adapters/WebhookInbox.ts"
import { WebhookInbox } from "../adapters/WebhookInbox.ts"
import { plus } from "../domain/Instant.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import * as Notification from "../domain/payment/Notification.ts"
import type { PaymentId } from "../domain/payment/PaymentEvent.ts"
import type { RetryPolicy } from "../domain/RetryPolicy.ts"
import * as RetryPolicies from "../domain/RetryPolicy.ts"
import { newRun, now } from "./Clocks.ts"
import * as Notifications from "./Notifications.ts"

export interface Settings {
  readonly retry: RetryPolicy
  /** How long a gateway may take to be asked about one delivery. */
  readonly readMillis: number
  /** How long a worker may hold what it claimed. */
  readonly leaseMillis: number
  /** Pause after there was nothing to do. */
  readonly idleMillis: number
  /** Deliveries that are applied at the same time, a gateway. */
  readonly batch: number
  /** How long an event stays known after it came. */
  readonly retentionMillis: number
}

export const defaults: Settings = {
  // Eleven tries in the first hour and a half, then one an hour: three days, for as long as gateways themselves repeat.
  retry: { maxAttempts: 82, baseMillis: 5000, factor: 2, capMillis: 3_600_000 },
  // A question that moves no money: an answer that takes longer is asked for again later.
  readMillis: 10_000,
  // Three times what a batch may take.
  leaseMillis: 30_000,
  // Below what anybody notices who waits for a payment.
  idleMillis: 200,
  batch: 8,
  // Gateways let an operator send an event again for thirty days; later than that it is judged by the payment's record.
  retentionMillis: 30 * 86_400_000
}

/** Applies one batch of a gateway's deliveries; says how many there were, and which payments have news. */
export const pass = Effect.fn("WebhookWorker.pass")(function* (
  settings: Settings,
  webhook: GatewayWebhook,
  owner: RunId
) {
  const inbox = yield* WebhookInbox
  const { gateway } = webhook
  const at = yield* now
  const until = plus(at, settings.leaseMillis)
  const claimed = yield* inbox.claim({ gateway, owner, now: at, until, limit: settings.batch })
  const recorded = yield* Effect.forEach(claimed, (received) => apply(settings, webhook, owner, received), {
    concurrency: settings.batch
  })
  return { count: claimed.length, recorded: [...new Set(recorded.flat())] }
})

/** Applies one delivery and marks it; says which payments are due now. */
const apply = Effect.fnUntraced(function* (
  { readMillis, retry }: Settings,
  webhook: GatewayWebhook,
  owner: RunId,
  received: Received
) {
  const inbox = yield* WebhookInbox
  const { id } = received
  const { recorded, verdict } = yield* judge(webhook, received, readMillis).pipe(
    Effect.annotateLogs({ webhook: id, gateway: webhook.gateway })
  )
  if (verdict._tag === "Applied") {
    yield* inbox.applied(owner, id)
    return recorded
  }
  const at = yield* now
  const failure = { retryable: verdict._tag === "Again", retryAfterMillis: verdict.retryAfterMillis }
  const next = RetryPolicies.decide(retry, failure, received.failures + 1)
  if (next._tag === "Wait") {
    yield* Effect.logInfo("a webhook is not applied yet", { webhook: id, because: verdict.because })
    yield* inbox.failed(owner, id, plus(at, next.millis))
  } else {
    yield* Effect.logError("a webhook goes to the dead letters", { webhook: id, because: verdict.because })
    yield* inbox.bury(owner, id, verdict.because, at)
  }
  return recorded
})

// --- What comes of one ------------------------------------------------------

type Verdict =
  | { readonly _tag: "Applied" }
  /** It may fit later. */
  | { readonly _tag: "Again"; readonly because: string; readonly retryAfterMillis?: number | undefined }
  /** It never will. */
  | { readonly _tag: "Never"; readonly because: string; readonly retryAfterMillis?: undefined }

interface Judged {
  readonly verdict: Verdict
  readonly recorded: ReadonlyArray<PaymentId>
}

const only = (verdict: Verdict): Judged => ({ verdict, recorded: [] })

const judge = Effect.fnUntraced(function* (
  webhook: GatewayWebhook,
  received: Received,
  readMillis: number
): Effect.fn.Return<Judged, never, PaymentRepository> {
  const read = yield* Effect.result(ask(webhook, received, readMillis))
  if (read._tag === "Failure") return only(read.failure)
  const all: Array<Judged> = []
  for (const notification of read.success) {
    const outcome = yield* Effect.result(Notifications.record(Notification.encode(notification)))
    all.push(outcome._tag === "Success" ? judgedOf(outcome.success) : only(verdictOfError(outcome.failure)))
  }
  const verdicts = all.map(({ verdict }) => verdict)
  // As long as a part of it may fit later, all of it comes again: what is recorded is not recorded twice.
  const verdict = verdicts.find(({ _tag }) => _tag === "Again") ?? verdicts.find(({ _tag }) => _tag === "Never")
  return { verdict: verdict ?? { _tag: "Applied" }, recorded: all.flatMap(({ recorded }) => recorded) }
})

/** What the delivery tells. An adapter that throws has a bug, and must not keep the others' deliveries from their turn. */
const ask = (webhook: GatewayWebhook, { body }: Received, readMillis: number) =>
  Effect.suspend(() => webhook.read(body)).pipe(
    Effect.catchTags({
      GatewayError: (error) =>
        Effect.fail<Verdict>({
          _tag: "Again",
          because: error.message,
          retryAfterMillis: error.reason._tag === "NotSent" ? error.reason.retryAfterMillis : undefined
        }),
      UnreadableWebhook: ({ detail }) =>
        Effect.fail<Verdict>({ _tag: "Never", because: `it cannot be read: ${detail}` })
    }),
    Effect.timeoutOrElse({
      duration: Duration.millis(readMillis),
      orElse: () => Effect.fail<Verdict>({ _tag: "Again", because: "the gateway did not say in time what it tells of" })
    }),
    Effect.catchDefect((defect) =>
      Effect.andThen(
        Effect.logError("a gateway's webhook could not be read because of a bug", defect),
        Effect.fail<Verdict>({ _tag: "Again", because: "a bug of the gateway's adapter; florin's log has it" })
      )
    )
  )

const judgedOf = (outcome: Notifications.Outcome): Judged => {
  switch (outcome._tag) {
    case "Recorded":
      return { verdict: { _tag: "Applied" }, recorded: [outcome.payment] }
    case "Duplicate":
      return only({ _tag: "Applied" })
    case "Early":
      return only({ _tag: "Again", because: `too early for ${outcome.payment}: ${outcome.rule}` })
    case "UnknownPayment":
      return only({ _tag: "Again", because: `there is no payment ${outcome.payment}` })
    case "Contradicts":
      return only({ _tag: "Never", because: `it contradicts the record of ${outcome.payment}: ${outcome.rule}` })
  }
}

const verdictOfError = (error: Notifications.Failure): Verdict =>
  error._tag === "MalformedNotification"
    ? { _tag: "Never", because: error.message }
    : { _tag: "Again", because: error.message }

// --- For as long as it runs -------------------------------------------------

/** How often events that are known are looked through for those to forget. */
const forgetMillis = 3_600_000

/** Applies the webhooks of all gateways for as long as it runs; a store that does not answer is asked again. */
export const daemon = Effect.fnUntraced(function* (settings: Settings) {
  const inbox = yield* WebhookInbox
  const webhooks = [...(yield* GatewayWebhooks).values()]
  const going = yield* FiberSet.make<void>()
  const turn = Effect.fnUntraced(function* (webhook: GatewayWebhook, owner: RunId) {
    const { count, recorded } = yield* pass(settings, webhook, owner)
    // A run waits for gateways; the next deliveries do not.
    for (const payment of recorded) yield* FiberSet.run(going, Notifications.goOn(payment))
    if (count === 0) yield* Effect.sleep(Duration.millis(settings.idleMillis))
  })
  const work = (webhook: GatewayWebhook) =>
    Effect.flatMap(newRun, (owner) =>
      Effect.forever(
        Effect.catch(turn(webhook, owner), (error) =>
          Effect.andThen(
            Effect.logWarning("webhooks could not be read or marked", error),
            Effect.sleep(Duration.millis(settings.idleMillis))
          )
        )
      )
    )
  const forget = Effect.gen(function* () {
    const at = yield* now
    yield* Effect.catch(inbox.forget(plus(at, -settings.retentionMillis)), (error) =>
      Effect.logWarning("events could not be forgotten", error)
    )
    yield* Effect.sleep(Duration.millis(forgetMillis))
  })
  return yield* Effect.all([Effect.forever(forget), ...webhooks.map(work)], {
    concurrency: "unbounded",
    discard: true
  })
}, Effect.scoped)
