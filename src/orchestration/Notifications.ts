/**
 * The intake of what gateways tell by themselves.
 *
 *     raw -> decoded -> judged by the payment's history -> recorded -> the payment's own loop
 *
 * Nothing is kept of a notification but the event it becomes, whose append is
 * conditional on the history it was judged by. So it may come at any time, any
 * number of times and wherever florin runs.
 *
 * The sender has to be told one of two things. "Taken" ends it: recorded, known
 * already, or a contradiction, which sending again cannot mend and which the
 * log keeps for a person. "Send again" is for what may fit later: a payment
 * that florin does not know, or does not know enough of yet. Here is no place
 * to keep such a notification: the sender has one, a gateway that repeats for
 * days what was not taken, or `WebhookWorker` over its inbox. An unknown payment is not a matter of order, as a
 * gateway hears of a payment only once it is stored; it is one of another
 * service on the same account, or the database was restored from a backup and
 * is behind. Neither may lose the news, and a person sees it in the log.
 *
 * Errors: `MalformedNotification`, which sending again cannot mend, and
 * `PaymentRepositoryError`, after which the sender is to send again.
 */
import { Effect, Schema } from "effect"
import type { SecureRandom } from "effect/crypto"
import type { PaymentRepositoryError } from "../adapters/PaymentRepository.ts"
import { PaymentRepository } from "../adapters/PaymentRepository.ts"
import type { RiskScreen } from "../adapters/RiskScreen.ts"
import * as Notification from "../domain/payment/Notification.ts"
import type { Rule } from "../domain/payment/PaymentCommand.ts"
import * as PaymentDraft from "../domain/payment/PaymentDraft.ts"
import type { PaymentId } from "../domain/payment/PaymentEvent.ts"
import { newRun, now } from "./Clocks.ts"
import type { GatewayCall } from "./GatewayCall.ts"
import type { PaymentPolicy } from "./PaymentPolicy.ts"
import * as PaymentProcess from "./PaymentProcess.ts"
import * as SchemaProblems from "./SchemaProblems.ts"

// --- What comes of it -------------------------------------------------------

export type Outcome =
  | { readonly _tag: "Recorded"; readonly payment: PaymentId }
  /** Nothing new (R9). */
  | { readonly _tag: "Duplicate"; readonly payment: PaymentId }
  /** What it rests on is not recorded yet: a dispute before its capture, an end before its beginning. */
  | { readonly _tag: "Early"; readonly payment: PaymentId; readonly rule: Rule }
  | { readonly _tag: "UnknownPayment"; readonly payment: PaymentId }
  /** The record says otherwise, or another gateway has the operation. */
  | { readonly _tag: "Contradicts"; readonly payment: PaymentId; readonly rule: Rule }

/** Whether the sender is told to send it again. */
export const isToBeSentAgain = ({ _tag }: Outcome): boolean => _tag === "Early" || _tag === "UnknownPayment"

/** It is not a notification. Each problem names the field, what was expected and what came. */
export class MalformedNotification extends Schema.TaggedError<MalformedNotification>()("MalformedNotification", {
  problems: Schema.Array(Schema.Struct({ field: Schema.String, problem: Schema.String }))
}) {
  override get message() {
    return SchemaProblems.text(this.problems)
  }
}

/** After which a sender may send again, or need not. */
export type Failure = MalformedNotification | PaymentRepositoryError

// --- Intake -----------------------------------------------------------------

/** What a run after a notification needs. */
export type Needs = PaymentRepository | PaymentPolicy | GatewayCall | RiskScreen | SecureRandom.SecureRandom

/**
 * Takes a notification as JSON, already known to come from the gateway that it
 * names, and drives the payment on. Whoever must answer the sender sooner than
 * a run may take uses `record`, and leaves the run to recovery or to a fiber of
 * its own.
 */
export const receive = Effect.fn("Notifications.receive")(function* (
  raw: unknown
): Effect.fn.Return<Outcome, MalformedNotification | PaymentRepositoryError, Needs> {
  const outcome = yield* record(raw)
  if (outcome._tag === "Recorded") yield* goOn(outcome.payment)
  return outcome
})

/** Takes a notification and records it, no more: the payment is due from then on. */
export const record = Effect.fn("Notifications.record")(function* (
  raw: unknown
): Effect.fn.Return<Outcome, MalformedNotification | PaymentRepositoryError, PaymentRepository> {
  const notification = yield* decode(raw)
  const outcome = yield* fold(notification)
  yield* log(notification, outcome)
  return outcome
})

/** Each loss of a race means that others got ahead; twenty in a row is not a race any more. */
const maxRaces = 20

// Not `PaymentProcess.record`: whether it is news, and from whom it may come,
// must be judged by the very history that the append is conditional on.
const fold = Effect.fnUntraced(
  function* (
    notification: Notification.Notification
  ): Effect.fn.Return<Outcome, PaymentRepositoryError, PaymentRepository> {
    const repository = yield* PaymentRepository
    const payment = Notification.paymentOf(notification)
    const { history } = yield* repository.load(payment)
    if (history.length === 0) return { _tag: "UnknownPayment", payment }
    const at = yield* now
    const verdict = Notification.judge(notification, history, at)
    switch (verdict._tag) {
      case "New": {
        const { events, version } = verdict.draft
        const view = PaymentDraft.view(verdict.draft)!
        // No claim: whoever has it loses the next append to this one, and goes on from here.
        const request = { payment, expected: version, events, view, due: at, claim: undefined, answer: undefined }
        yield* repository.append(request)
        return { _tag: "Recorded", payment }
      }
      case "Known":
        return { _tag: "Duplicate", payment }
      case "Early":
        return { _tag: "Early", payment, rule: verdict.rule }
      case "Contradiction":
        return { _tag: "Contradicts", payment, rule: verdict.rule }
    }
  },
  Effect.retry({ while: ({ reason }) => reason._tag === "VersionConflict", times: maxRaces })
)

/** Drives a payment on after news of it. What is recorded stays so, whatever becomes of this run: another has the payment, or recovery will. */
export const goOn = Effect.fnUntraced(function* (payment: PaymentId) {
  const runner = yield* newRun
  yield* Effect.catch(PaymentProcess.run(payment, runner), (error) =>
    error._tag === "PaymentRepositoryError" && (error.reason._tag === "Claimed" || error.reason._tag === "Fenced")
      ? Effect.void
      : Effect.logWarning("a run after a notification ended early; recovery will go on", error)
  )
})

const log = (notification: Notification.Notification, outcome: Outcome): Effect.Effect<void> => {
  const { payment } = outcome
  const about = Effect.annotateLogs({ payment, notification: Notification.encode(notification) })
  switch (outcome._tag) {
    case "Recorded":
    case "Duplicate":
      return Effect.void
    case "Early":
      return about(Effect.logInfo("a notification came too early and is to be sent again", outcome.rule))
    case "UnknownPayment":
      return about(Effect.logWarning("a notification about a payment that is not known is to be sent again"))
    case "Contradicts":
      return about(Effect.logError("a notification contradicts the record", outcome.rule))
  }
}

// --- Reading it -------------------------------------------------------------

const read = Schema.decodeUnknownEffect(Notification.Json, { errors: "all" })

const decode = (raw: unknown): Effect.Effect<Notification.Notification, MalformedNotification> =>
  Effect.mapError(
    read(raw),
    ({ issue }) => new MalformedNotification({ problems: SchemaProblems.of(issue, raw, "notification") })
  )
