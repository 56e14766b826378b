/**
 * What the customer of an order is told: a receipt, a decline, an end.
 *
 * Each is a notice under an id that is derived from the order, so that a repeat
 * is known as one. None of it is worth money: a notice that cannot be sent
 * fails its own best-effort step, or is logged, and nothing else (R22 of the
 * saga cases).
 */
import { Effect } from "effect"
import type { Notice } from "../../adapters/Notifier.ts"
import { NoticeId, Notifier } from "../../adapters/Notifier.ts"
import * as Money from "../../domain/Money.ts"
import type { PaidBy } from "./FollowedPayment.ts"
import type { PaymentOrder } from "./PaymentOrder.ts"
import { keyOf } from "./PaymentOrder.ts"

type About = Pick<PaymentOrder, "merchant" | "reference" | "notify">

const notice = (order: About, kind: string, subject: string, text: string): Notice => ({
  id: NoticeId.make(`${kind}/${keyOf(order)}`),
  kind,
  to: order.notify,
  subject,
  text
})

export const receipt = (order: About, { amount, payment }: Pick<PaidBy, "amount" | "payment">): Notice =>
  notice(
    order,
    "receipt",
    `Receipt for ${order.reference}`,
    `We took ${Money.format(amount)} ${amount.currency} for your order ${order.reference} (${payment}).`
  )

/** `page` is where another card can be given. */
export const declined = (order: About, code: string, page: string): Notice =>
  notice(
    order,
    "payment.declined",
    `Your card was declined for ${order.reference}`,
    `${why(code)} Nothing was charged. You can pay with another card: ${page}`
  )

/** ISO 8583, field 39: 51 is insufficient funds, 54 an expired card. The rest is between bank and customer. */
const why = (code: string): string => {
  if (code === "51") return "Your bank says that there are not enough funds."
  if (code === "54") return "Your card has expired."
  return "Your bank declined the card."
}

export const unreachable = (order: About): Notice =>
  notice(
    order,
    "payment.unreachable",
    `We could not take the payment for ${order.reference}`,
    "We could not reach the bank, several times. Nothing was charged. Please order again later."
  )

export const abandoned = (order: About): Notice =>
  notice(
    order,
    "payment.abandoned",
    `Your order ${order.reference} was not paid`,
    "The order has ended without a payment. Nothing was charged."
  )

/** Tells, and where that fails, logs: for a rollback, which has more to do. */
export const tell = (what: Notice): Effect.Effect<void, never, Notifier> =>
  Effect.flatMap(Notifier, ({ notify }) =>
    Effect.catch(notify(what), (error) => Effect.logWarning(`a customer was not told: ${error.message}`))
  )
