/**
 * Payment processing: an order is checked, held, charged and put on record, or
 * nothing of it stays.
 *
 * | step | kind | attempts | on failure, or when a later step fails |
 * | --- | --- | --- | --- |
 * | `validate` | compensatable | 1 | |
 * | `fraudCheck` | compensatable | 3 | above the threshold it is refused as high risk, at once |
 * | `preauthorize` | compensatable | 3 | the hold is voided |
 * | `charge` | pivot | 1 | paid back, if somebody undoes the run |
 * | `record` | compensatable | 5 | past the pivot: the run stalls until it is resumed |
 * | `receipt` | best effort | 3 | nobody is refunded for want of a letter |
 *
 * An attempt is another payment under another key, so there is one only when it
 * is proven that the one before reached no gateway; doubt and stores that do
 * not answer are waited out within an attempt (`FollowedPayment`).
 */
import { Effect, Schema } from "effect"
import type { SecureRandom } from "effect/crypto"
import { Notifier } from "../../adapters/Notifier.ts"
import type { RiskScreen } from "../../adapters/RiskScreen.ts"
import type { StepError } from "../../domain/saga/StepOutcome.ts"
import type { StepRetry } from "../../domain/saga/StepRetry.ts"
import type { Payments } from "../Payments.ts"
import * as Saga from "../saga/Saga.ts"
import type { StepContext } from "../saga/SagaStep.ts"
import * as CustomerNotice from "./CustomerNotice.ts"
import { PaidBy } from "./FollowedPayment.ts"
import * as FollowedPayment from "./FollowedPayment.ts"
import type { FraudPolicy } from "./FraudCheck.ts"
import * as FraudCheck from "./FraudCheck.ts"
import { Payable, PaymentOrder } from "./PaymentOrder.ts"
import * as PaymentOrders from "./PaymentOrder.ts"

/** What was sold, for the shop's own books. */
export interface Sale extends PaidBy {
  readonly order: PaymentOrder
}

export interface Options<R> {
  readonly fraud: FraudPolicy
  /** Puts a sale into the shop's own books; asked again with the same key, it is the same entry. */
  readonly record: (sale: Sale, key: string) => Effect.Effect<unknown, unknown, R>
}

/** What it needs, besides what the shop's own books do. */
export type Needs = Payments | RiskScreen | SecureRandom.SecureRandom | Notifier

// --- Retries ----------------------------------------------------------------

/** After 1 and 2 seconds: a customer waits. */
export const shortly: StepRetry = { attempts: 3, backoff: "exponential", baseMillis: 1000 }

/** Every 2 seconds: what is charged has to get into the books, and most stores are back within some. */
export const doggedly: StepRetry = { attempts: 5, backoff: "fixed", baseMillis: 2000 }

/** Longer than any mail server takes to answer. */
export const noticeTimeout = "30 seconds"

// --- Steps that other sagas take too ----------------------------------------

/** Another attempt is another payment: the one before has ended, without money. */
export const keyOf = ({ attempt, key }: StepContext): string => `${key}/${attempt}`

/** A payment that cannot be read may hold money, and only a person can tell. */
export const complain = (_: unknown, { code, message }: StepError) =>
  code === "PaymentUnreadable" ? Effect.fail({ message }) : Effect.void

/** Holds the money. */
export const hold = (
  { order, payable }: { readonly order: PaymentOrder; readonly payable: Payable },
  context: StepContext
) => FollowedPayment.begin(order.merchant, keyOf(context), PaymentOrders.paymentOf(payable, order, "manual"))

/** Gives it back. */
export const letGo = ({ payment }: PaidBy, _: unknown, { key }: StepContext) => FollowedPayment.release(payment, key)

/** Takes what is held. */
export const take = ({ held }: { readonly held: PaidBy }, { key }: StepContext) =>
  Effect.map(FollowedPayment.capture(held.payment, key), (amount) => ({ ...held, amount }))

/** Pays it back. */
export const payBack = ({ payment }: PaidBy, _: unknown, { key }: StepContext) => FollowedPayment.refund(payment, key)

export const receipts = { kind: "bestEffort", gives: Schema.Void, retry: shortly, timeout: noticeTimeout } as const

export const sendReceipt = ({ order, paid }: { readonly order: PaymentOrder; readonly paid: PaidBy }) =>
  Effect.flatMap(Notifier, ({ notify }) => notify(CustomerNotice.receipt(order, paid)))

// --- The saga ---------------------------------------------------------------

/** The steps up to the hold, which a saga goes on from. */
const authorizing = (name: string, fraud: FraudPolicy) =>
  Saga.make(name, { input: PaymentOrder, idempotencyKey: PaymentOrders.keyOf })
    .step("validate", {
      takes: ({ input }) => ({ order: input }),
      gives: Payable,
      run: ({ order }) => PaymentOrders.validate(order.amount, [order.method])
    })
    .step("fraudCheck", {
      takes: ({ input, steps }) => ({ order: input, payable: steps.validate }),
      gives: FraudCheck.Score,
      retry: shortly,
      run: ({ order: { customer, merchant }, payable }) => FraudCheck.check({ merchant, customer, ...payable }, fraud)
    })
    .step("preauthorize", {
      takes: ({ input, steps }) => ({ order: input, payable: steps.validate }),
      waitFor: ["fraudCheck"],
      gives: PaidBy,
      retry: shortly,
      run: (args, context) => hold(args, context),
      compensate: complain,
      undo: letGo
    })

/** Only the hold: a step of a saga that has more to do before it charges. Undone, the hold is voided. */
export const authorization = (
  fraud: FraudPolicy
): Saga.Saga<PaymentOrder, PaidBy, Payments | RiskScreen | SecureRandom.SecureRandom> =>
  authorizing("PaymentAuthorization", fraud).returns("preauthorize")

export const make = <R = never>({ fraud, record }: Options<R>): Saga.Saga<PaymentOrder, PaidBy, Needs | R> =>
  authorizing("PaymentProcessing", fraud)
    .step("charge", {
      kind: "pivot",
      takes: ({ steps }) => ({ held: steps.preauthorize }),
      gives: PaidBy,
      run: (args, context) => take(args, context),
      compensate: complain,
      undo: payBack
    })
    .step("record", {
      takes: ({ input, steps }) => ({ order: input, paid: steps.charge }),
      gives: Schema.Void,
      retry: doggedly,
      run: ({ order, paid }, { key }) => Effect.asVoid(record({ ...paid, order }, key))
    })
    .step("receipt", {
      takes: ({ input, steps }) => ({ order: input, paid: steps.charge }),
      waitFor: ["record"],
      ...receipts,
      run: (args) => sendReceipt(args)
    })
    .returns("charge")
