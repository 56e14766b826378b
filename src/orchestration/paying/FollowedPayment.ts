/**
 * A payment as a step of a saga has it: asked for, and followed until what
 * became of it is definite.
 *
 * A step that fails is compensated, and may be tried again with another key or
 * another card. So nothing here fails while money may have moved (R1, R5): a
 * payment that is in doubt, on its way, or with its customer's bank is waited
 * for, and asked about again under the same key, for as long as that takes. A
 * store that does not answer is asked again too. Whoever runs these steps
 * therefore gives them no timeout.
 *
 * What does fail is definite: a decline, a refusal, proof that no gateway was
 * reached. Amounts are in minor units. A payment that its process left behind
 * is driven on by recovery (`PaymentRecovery`), which has to run somewhere.
 */
import { Effect, Schedule, Schema } from "effect"
import type { PaymentRepositoryError } from "../../adapters/PaymentRepository.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import { IdempotencyKey } from "../../domain/Idempotency.ts"
import { Money } from "../../domain/Money.ts"
import { DeclineCategory, MethodToken } from "../../domain/payment/Gateway.ts"
import type { Rejected } from "../../domain/payment/PaymentCommand.ts"
import type { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { PaymentId, RequestId } from "../../domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import type { IdempotencyError } from "../IdempotentRequest.ts"
import type { PaymentNotFound } from "../PaymentProcess.ts"
import type { NewPayment, Progress } from "../Payments.ts"
import { Payments } from "../Payments.ts"

// --- What comes of it -------------------------------------------------------

/** Money that is held, or taken. `method` is the card that worked. */
export const PaidBy = Schema.Struct({ payment: PaymentId, amount: Money, method: MethodToken })
export type PaidBy = typeof PaidBy.Type

/** It ended without money: `code` is the scheme's, the gateway's or florin's (`gateway_unreachable`). */
export class PaymentDeclined extends Schema.TaggedError<PaymentDeclined>()("PaymentDeclined", {
  payment: PaymentId,
  code: Schema.String,
  category: Schema.optionalKey(DeclineCategory)
}) {
  override get message() {
    return `${this.payment} was declined: ${this.code}`
  }
  /** An issuer that declined has answered. A gateway that nobody reached may be there later. */
  get isRetryable(): boolean {
    return this.code === unreachable
  }
}

/** The hold could not be taken, given back or paid back, and the gateway said so. */
export class PaymentRefused extends Schema.TaggedError<PaymentRefused>()("PaymentRefused", {
  payment: Schema.optionalKey(PaymentId),
  wanted: Schema.Literals(["authorize", "capture", "void", "refund"]),
  detail: Schema.String
}) {
  readonly isRetryable = false
  override get message() {
    return `${this.wanted} of ${this.payment ?? "a payment"} was refused: ${this.detail}`
  }
}

/** Its history cannot be read, so nothing is known of its money (R8): a person has to look. */
export class PaymentUnreadable extends Schema.TaggedError<PaymentUnreadable>()("PaymentUnreadable", {
  payment: PaymentId,
  detail: Schema.String
}) {
  readonly isRetryable = false
  override get message() {
    return `${this.payment} cannot be read: ${this.detail}`
  }
}

export type BeginError = PaymentDeclined | PaymentRefused | PaymentUnreadable

const unreachable = "gateway_unreachable"

// --- What is asked ----------------------------------------------------------

/** Holds or takes the money, once per key; the cards in their order, the next after a definite decline only. */
export const begin = Effect.fn("FollowedPayment.begin")(function* (merchant: MerchantId, key: string, to: NewPayment) {
  const payments = yield* Payments
  const id = yield* insist(
    payments.create(merchant, IdempotencyKey.make(key), to).pipe(
      Effect.map(({ view }) => view.id),
      Effect.catchTag("IdempotencyError", (error) => begunBy(error))
    )
  ).pipe(Effect.catchTag("Payment.Rejected", (rejected) => refused("authorize", undefined, rejected)))
  const view = yield* known(id, ({ status }) => ended.has(status))
  const { amountMinor: minor, currency, failure, method, status } = view
  if (status === "authorized" || status === "succeeded") {
    return { payment: id, amount: { currency, minor }, method: method! } satisfies PaidBy
  }
  return yield* new PaymentDeclined({ payment: id, code: status, ...failure })
})

/** Takes the money that is held. */
export const capture = Effect.fn("FollowedPayment.capture")(function* (payment: PaymentId, key: string) {
  const payments = yield* Payments
  const view = yield* settled("capture", payment, payments.capture(payment, RequestId.make(key), { final: true }))
  if (view.status === "succeeded") return { currency: view.currency, minor: view.capturedMinor } satisfies Money
  return yield* new PaymentRefused({ payment, wanted: "capture", detail: yield* lastRefusal(payment, view.status) })
})

/** Gives back what is held; what is gone by itself needs nothing. */
export const release = Effect.fn("FollowedPayment.release")(function* (payment: PaymentId, key: string) {
  const payments = yield* Payments
  const { status } = yield* insist(payments.get(payment))
  if (status === "cancelled" || status === "failed") return
  // Taken, and paid back by whoever undid that: there is no hold left.
  if (status === "succeeded") return
  const view = yield* settled("void", payment, payments.cancel(payment, RequestId.make(key), "the order was undone"))
  if (view.status === "cancelled" || view.status === "failed") return
  return yield* new PaymentRefused({ payment, wanted: "void", detail: yield* lastRefusal(payment, view.status) })
})

/** Pays back all that was taken. */
export const refund = Effect.fn("FollowedPayment.refund")(function* (payment: PaymentId, key: string) {
  const payments = yield* Payments
  const view = yield* settled(
    "refund",
    payment,
    payments.refund(payment, RequestId.make(key), { reason: "the order was undone" })
  )
  if (view.refundedMinor === view.capturedMinor) return
  return yield* new PaymentRefused({ payment, wanted: "refund", detail: yield* lastRefusal(payment, view.status) })
})

// --- Until it is definite ---------------------------------------------------

/** Half a second at first, while a customer waits; at most half a minute, when only a person can say. */
const ask = Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("30 seconds")])

const ended: ReadonlySet<PaymentView["status"]> = new Set(["authorized", "succeeded", "failed", "cancelled"])

type Unread = PaymentNotFound | PaymentRepositoryError

/** Asks again while the store does not answer; what it cannot read, nobody can. */
const insist = <A, E extends { readonly _tag: string }, R>(
  asked: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, Unread | StorageUnavailable> | PaymentUnreadable, R> =>
  asked.pipe(
    Effect.retry({ while: isPassing, schedule: ask }),
    Effect.mapError((error) =>
      isUnread(error)
        ? new PaymentUnreadable({ payment: error.payment, detail: error.message })
        : (error as Exclude<E, Unread | StorageUnavailable>)
    )
  )

const isUnread = (error: { readonly _tag: string }): error is Unread =>
  error._tag === "PaymentRepositoryError" || error._tag === "PaymentNotFound"

/** A store that is away, and another run that was faster. */
const passing: ReadonlySet<string> = new Set(["StorageUnavailable", "VersionConflict", "Fenced", "Claimed"])

const isPassing = (error: { readonly _tag: string }): boolean =>
  passing.has(isUnread(error) && "reason" in error ? error.reason._tag : error._tag)

const known = (payment: PaymentId, isOver: (view: PaymentView) => boolean) =>
  Effect.flatMap(Payments, ({ get }) => Effect.repeat(insist(get(payment)), { until: isOver, schedule: ask }))

/** A change that is asked for again, which changes nothing (R9), until nothing of the payment is on its way. */
const settled = (
  wanted: PaymentRefused["wanted"],
  payment: PaymentId,
  change: Effect.Effect<Progress, Rejected | PaymentNotFound | PaymentRepositoryError>
) =>
  Effect.repeat(insist(change), { until: ({ settled, view }) => settled && isStill(view), schedule: ask }).pipe(
    Effect.map(({ view }) => view),
    Effect.catchTag("Payment.Rejected", (rejected) => refused(wanted, payment, rejected))
  )

/** Of a refund, too, which is on its way while the payment itself has succeeded. */
const isStill = ({ refunds, status }: PaymentView): boolean =>
  ended.has(status) && refunds.every((refund) => refund.status === "succeeded" || refund.status === "failed")

const refused = (wanted: PaymentRefused["wanted"], payment: PaymentId | undefined, { message }: Rejected) =>
  Effect.fail(new PaymentRefused({ wanted, detail: message, ...(payment === undefined ? {} : { payment }) }))

/** The first request under this key began a payment, and that one is followed. */
const begunBy = ({ message, reason }: IdempotencyError) =>
  reason._tag === "InFlight" && reason.payment !== undefined
    ? Effect.succeed(reason.payment)
    : Effect.fail(new PaymentRefused({ wanted: "authorize", detail: message }))

/** What the gateway said last when it refused; the payment's status where it said nothing. */
const lastRefusal = (payment: PaymentId, otherwise: string) =>
  Effect.gen(function* () {
    const payments = yield* Payments
    const events = yield* insist(payments.events(payment))
    return events.reduce((last, event) => ("code" in event ? event.code : last), otherwise)
  })
