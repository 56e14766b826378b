/**
 * What a customer orders, as sagas of paying take it, and whether it can be
 * paid for at all.
 *
 * `reference` is the shop's own number of the order: one order is one run, and
 * is paid for once. `notify` is where receipts and notices go.
 */
import { Effect, Schema } from "effect"
import { Address } from "../../adapters/Notifier.ts"
import * as CardNumber from "../../domain/CardNumber.ts"
import * as Money from "../../domain/Money.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { Text, Token } from "../../domain/Text.ts"
import type { NewPayment } from "../Payments.ts"

export const PaymentOrder = Schema.Struct({
  merchant: MerchantId,
  reference: Token(100),
  amount: Money.Money,
  method: MethodToken,
  customer: Schema.optionalKey(Text(255)),
  notify: Address
})
export type PaymentOrder = typeof PaymentOrder.Type

/** The run that an order is; a merchant's number is only theirs. */
export const keyOf = ({ merchant, reference }: Pick<PaymentOrder, "merchant" | "reference">): string =>
  `${merchant}/${reference}`

export class InvalidOrder extends Schema.TaggedError<InvalidOrder>()("InvalidOrder", {
  field: Schema.String,
  expected: Schema.String,
  actual: Schema.String
}) {
  readonly isRetryable = false
  override get message() {
    return `${this.field}: expected ${this.expected}, got ${this.actual}`
  }
}

/** What of an order money depends on. */
export const Payable = Schema.Struct({ amount: Money.Money, methods: Schema.NonEmptyArray(MethodToken) })
export type Payable = typeof Payable.Type

/** Amounts are positive, cards are tokens (R10), and no card is asked twice. */
export const validate = (
  amount: Money.Money,
  methods: readonly [MethodToken, ...ReadonlyArray<MethodToken>]
): Effect.Effect<Payable, InvalidOrder> => {
  if (!Money.isPositive(amount)) {
    return invalid("amount", "more than nothing", `${Money.format(amount)} ${amount.currency}`)
  }
  const number = methods.find(CardNumber.isIn)
  if (number !== undefined) return invalid("method", "a gateway's token for a card", CardNumber.mask(number))
  const twice = methods.find((method, index) => methods.indexOf(method) < index)
  if (twice !== undefined) return invalid("method", "each card once", `${twice} again`)
  return Effect.succeed({ amount, methods })
}

const invalid = (field: string, expected: string, actual: string) =>
  Effect.fail(new InvalidOrder({ field, expected, actual }))

/** The payment of an order. */
export const paymentOf = (
  { amount, methods }: Payable,
  { customer, reference }: Pick<PaymentOrder, "reference" | "customer">,
  capture: NewPayment["capture"]
): NewPayment => ({ amount, methods, capture, reference, ...(customer === undefined ? {} : { customer }) })
