/**
 * A payment with backup cards: the primary card first, each backup after a
 * definite decline of the one before, and the answer of whichever worked.
 *
 * It is one payment with several cards, so florin's own rule holds between
 * them: no other card while one is in doubt (R5), however long that takes, and
 * at most one charge over all of them. A decline that says to stop asking, of a
 * stolen card say, ends it; so does the last card's. Both are final: the step
 * is not tried again. A gateway that nobody reached is.
 *
 * The charge is the saga's pivot; undoing a run pays it back.
 */
import { Effect, Schema } from "effect"
import type { Notifier } from "../../adapters/Notifier.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import type { Event } from "../../domain/payment/PaymentEvent.ts"
import { Payments } from "../Payments.ts"
import * as Saga from "../saga/Saga.ts"
import { PaidBy } from "./FollowedPayment.ts"
import * as FollowedPayment from "./FollowedPayment.ts"
import { Payable, PaymentOrder } from "./PaymentOrder.ts"
import * as PaymentOrders from "./PaymentOrder.ts"
import { complain, keyOf, payBack, receipts, sendReceipt, shortly } from "./PaymentProcessing.ts"

/** A payment takes ten cards at most, the primary one included. */
const maxBackups = 9

export const Cards = Schema.Struct({
  order: PaymentOrder,
  /** In the order in which they are tried. */
  backups: Schema.Array(MethodToken).check(
    Schema.isMaxLength(maxBackups, { expected: `at most ${maxBackups} backup cards` })
  )
})
export type Cards = typeof Cards.Type

export const Attempted = Schema.Struct({
  ...PaidBy.fields,
  /** The cards before it, and why not they. */
  declined: Schema.Array(Schema.Struct({ method: MethodToken, code: Schema.String }))
})
export type Attempted = typeof Attempted.Type

export const saga: Saga.Saga<Cards, Attempted, Payments | Notifier> = Saga.make("MultiAttempt", {
  input: Cards,
  idempotencyKey: ({ order }) => PaymentOrders.keyOf(order)
})
  .step("validate", {
    takes: ({ input }) => ({ input }),
    gives: Payable,
    run: ({ input: { backups, order } }) => PaymentOrders.validate(order.amount, [order.method, ...backups])
  })
  .step("pay", {
    kind: "pivot",
    takes: ({ input, steps }) => ({ order: input.order, payable: steps.validate }),
    gives: Attempted,
    retry: shortly,
    run: ({ order, payable }, context) =>
      Effect.gen(function* () {
        const payment = PaymentOrders.paymentOf(payable, order, "automatic")
        const paid = yield* FollowedPayment.begin(order.merchant, keyOf(context), payment)
        const { events } = yield* Payments
        return { ...paid, declined: declinedIn(yield* events(paid.payment), payable.methods) }
      }),
    compensate: complain,
    undo: payBack
  })
  .step("receipt", {
    takes: ({ input, steps }) => ({ order: input.order, paid: steps.pay }),
    ...receipts,
    run: (args) => sendReceipt(args)
  })
  .returns("pay")

const declinedIn = (events: ReadonlyArray<Event>, methods: ReadonlyArray<MethodToken>): Attempted["declined"] => {
  const begun = new Map(
    events.flatMap((event) => (event._tag === "AuthorizationBegun" ? [[event.operation, event.method]] : []))
  )
  return events.flatMap((event) =>
    event._tag === "AuthorizationDeclined"
      ? [{ method: methods[begun.get(event.operation)!]!, code: event.decline.code }]
      : []
  )
}
