/**
 * One item of a standard webhook of Adyen's, and what it tells florin.
 *
 * | `eventCode` | when it succeeded | when it did not |
 * | --- | --- | --- |
 * | AUTHORISATION | approved | declined, by the reason's name |
 * | CAPTURE | captured | refused |
 * | CAPTURE_FAILED | refused | |
 * | CANCELLATION, TECHNICAL_CANCEL | voided | refused |
 * | REFUND | refunded | refused |
 * | REFUND_FAILED, REFUNDED_REVERSED | refused | |
 * | NOTIFICATION_OF_CHARGEBACK, CHARGEBACK | a dispute was opened | |
 * | CHARGEBACK_REVERSED | it was won | |
 * | SECOND_CHARGEBACK | it was lost | |
 *
 * `merchantReference` is the operation's id, which florin gave; of a dispute it
 * is that of the payment's authorization. What carries anything else is of
 * another system on the same account, and tells florin nothing. A capture made
 * by hand at Adyen carries its payment's, and so is told of the authorization.
 *
 * A capture or a refund that failed after it had succeeded contradicts the
 * record, and the intake shows it to a person.
 *
 * Source: https://docs.adyen.com/development-resources/webhooks/webhook-types
 */
import { Schema } from "effect"
import { Instant } from "../../domain/Instant.ts"
import type { Answer } from "../../domain/payment/Gateway.ts"
import { GatewayName, Reference } from "../../domain/payment/Gateway.ts"
import type { News, Notification } from "../../domain/payment/Notification.ts"
import { kindOf, OperationId } from "../../domain/payment/Operation.ts"
import { DisputeId, PaymentId } from "../../domain/payment/PaymentEvent.ts"
import { Text } from "../../domain/Text.ts"
import { AdyenAmount } from "./AdyenAmount.ts"
import * as Amount from "./AdyenAmount.ts"
import * as AdyenRefusal from "./AdyenRefusal.ts"

// --- As it comes ------------------------------------------------------------

const said = Schema.optionalKey(Schema.String)

export const Item = Schema.Struct({
  additionalData: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
  amount: AdyenAmount,
  eventCode: Schema.String,
  eventDate: Schema.String,
  merchantAccountCode: Schema.String,
  merchantReference: Schema.String,
  originalReference: said,
  pspReference: Reference,
  reason: Schema.optionalKey(Schema.NullOr(Schema.String)),
  success: Schema.Literals(["true", "false"])
})
export type Item = typeof Item.Type

export const Body = Schema.Struct({
  notificationItems: Schema.NonEmptyArray(Schema.Struct({ NotificationRequestItem: Item }))
})

/** The same however often it is delivered: Adyen's own rule for telling duplicates. */
export const idOf = ({ eventCode, pspReference, success }: Item): string => `${pspReference}/${eventCode}/${success}`

// --- As it is meant ---------------------------------------------------------

/** `undefined`: it tells nothing of any operation of florin's. An unreadable date is no date. */
export const notificationOf = (item: Item, gateway: GatewayName): Notification | undefined => {
  const at = Date.parse(item.eventDate)
  const news = isInstant(at) ? newsOf(item) : undefined
  return news === undefined || !isInstant(at) ? undefined : { id: idOf(item), gateway, at, news }
}

const isInstant = Schema.is(Instant)
const isOperation = Schema.is(OperationId)

const newsOf = (item: Item): News | undefined => {
  const { merchantReference: operation } = item
  if (!isOperation(operation) || kindOf(operation) === undefined) return undefined
  const answer = answerOf(item)
  return answer === undefined ? disputeOf(item, operation) : { _tag: "Answered", operation, answer }
}

const answerOf = ({
  additionalData = {},
  amount,
  eventCode,
  pspReference,
  reason,
  success
}: Item): Answer | undefined => {
  const succeeded = success === "true"
  const reference = pspReference
  switch (eventCode) {
    case "AUTHORISATION": {
      if (succeeded) return { _tag: "Approved", reference, captured: false }
      const advice = additionalData["merchantAdviceCode"]
      const decline = AdyenRefusal.declineOf({
        code: undefined,
        reason: reason ?? undefined,
        advice: typeof advice === "string" ? advice : undefined
      })
      return { _tag: "Declined", decline, reference }
    }
    case "CAPTURE": {
      const money = Amount.moneyOf(amount)
      if (!succeeded) return refusedFor(reason)
      return money === undefined ? undefined : { _tag: "Captured", amount: money, reference }
    }
    case "CANCELLATION":
    case "TECHNICAL_CANCEL":
      return succeeded ? { _tag: "Voided" } : refusedFor(reason)
    case "REFUND":
      return succeeded ? { _tag: "Refunded", reference } : refusedFor(reason)
    case "CAPTURE_FAILED":
    case "REFUND_FAILED":
    case "REFUNDED_REVERSED":
      return { _tag: "Refused", code: eventCode.toLowerCase(), authorizationGone: false }
    default:
      return undefined
  }
}

/**
 * Adyen has words for it and no code. A hold that the words do not say to be
 * gone counts as one that stands: that costs a person a look, and no money.
 */
const refusedFor = (reason: string | null | undefined): Answer => ({
  _tag: "Refused",
  code: AdyenRefusal.codeOf(reason ?? ""),
  authorizationGone: /\b(cancel|expire|not found|revers)/i.test(reason ?? "")
})

const isReason = Schema.is(Text(200))

const disputeOf = (
  { amount, eventCode, pspReference, reason, success }: Item,
  operation: OperationId
): News | undefined => {
  if (success === "false") return undefined
  const payment = PaymentId.make(operation.slice(0, operation.indexOf("/")))
  const dispute = DisputeId.make(pspReference)
  switch (eventCode) {
    case "NOTIFICATION_OF_CHARGEBACK":
    case "CHARGEBACK": {
      const money = Amount.moneyOf(amount)
      const why = isReason(reason) ? { reason } : {}
      return money === undefined ? undefined : { _tag: "DisputeOpened", payment, dispute, amount: money, ...why }
    }
    case "CHARGEBACK_REVERSED":
      return { _tag: "DisputeClosed", payment, dispute, outcome: "Won" }
    case "SECOND_CHARGEBACK":
      return { _tag: "DisputeClosed", payment, dispute, outcome: "Lost" }
    default:
      return undefined
  }
}
