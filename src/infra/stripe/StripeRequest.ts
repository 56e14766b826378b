/**
 * Everything that florin asks of Stripe, as data: which request, with which
 * parameters and, where it changes anything, under which idempotency key.
 *
 * The requests of a call are the same whenever it is made (R3): they are made
 * of the call and of settings that do not change. Payment methods are named by
 * Stripe's tokens only (R10).
 */
import { Result } from "effect"
import type { Stripe } from "stripe"
import type { OperationId } from "../../domain/payment/Operation.ts"
import type { Order } from "../../domain/payment/PaymentEvent.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"
import type { StripeAmountError } from "./StripeAmount.ts"
import * as StripeAmount from "./StripeAmount.ts"

export type StripeRequest =
  | { readonly _tag: "CreateIntent"; readonly params: Stripe.PaymentIntentCreateParams; readonly key: string }
  | { readonly _tag: "RetrieveIntent"; readonly intent: string; readonly params: Stripe.PaymentIntentRetrieveParams }
  | {
      readonly _tag: "CaptureIntent"
      readonly intent: string
      readonly params: Stripe.PaymentIntentCaptureParams
      readonly key: string
    }
  | {
      readonly _tag: "CancelIntent"
      readonly intent: string
      readonly params: Stripe.PaymentIntentCancelParams
      readonly key: string
    }
  | { readonly _tag: "ListIntents"; readonly params: Stripe.PaymentIntentListParams }
  | { readonly _tag: "SearchIntents"; readonly params: Stripe.PaymentIntentSearchParams }
  | { readonly _tag: "CreateRefund"; readonly params: Stripe.RefundCreateParams; readonly key: string }
  | { readonly _tag: "ListRefunds"; readonly params: Stripe.RefundListParams }
  | { readonly _tag: "RetrieveRefund"; readonly refund: string }
  | { readonly _tag: "RetrieveDispute"; readonly dispute: string }
  | { readonly _tag: "ListEvents"; readonly params: Stripe.EventListParams }
  | { readonly _tag: "CreateCustomer"; readonly params: Stripe.CustomerCreateParams; readonly key: string }
  | {
      readonly _tag: "AttachMethod"
      readonly method: string
      readonly params: Stripe.PaymentMethodAttachParams
      readonly key: string
    }

export type RequestOf<Tag extends StripeRequest["_tag"]> = Extract<StripeRequest, { readonly _tag: Tag }>

/** What does not change while florin runs: functions of the order alone. */
export interface Terms {
  /** Where a customer comes back to from their bank, when the order does not say. */
  readonly returnUrl: string | undefined
  /** What stands behind the account's own name on the customer's statement. */
  readonly statementDescriptor: string | undefined
  /** Stripe's id of the customer, such as `cus_…`. */
  readonly customerOf: (order: Order) => string | undefined
  /** Whether the customer is away, and has agreed to that before. */
  readonly isOffSession: (order: Order) => boolean
  /** Whether the customer agreed that the card may be charged later, when they are away. */
  readonly isToBeKept: (order: Order) => boolean
}

// --- Metadata: how an object is known to be ours ------------------------------

export const operationKey = "florin_operation"
export const paymentKey = "florin_payment"
export const captureKey = "florin_capture"

/**
 * Stripe keeps 50 keys an object, one of which the capture will need, and none
 * with a square bracket. What has no room is in florin's own events.
 */
const maxMetadataKeys = 49

const metadataOf = ({ merchant, metadata = {}, payment, reference }: Order, operation: OperationId) => {
  const own = {
    [operationKey]: operation,
    [paymentKey]: payment,
    florin_merchant: merchant,
    ...(reference !== undefined && { florin_reference: reference })
  }
  const room = maxMetadataKeys - Object.keys(own).length
  const theirs = Object.entries(metadata).filter(([key]) => !/[[\]]/.test(key))
  return { ...Object.fromEntries(theirs.slice(0, room)), ...own }
}

// --- What a call asks -------------------------------------------------------

type CallOf<Tag extends Call["_tag"]> = Extract<Call, { readonly _tag: Tag }>
type Asked<Tag extends StripeRequest["_tag"]> = Result.Result<RequestOf<Tag>, StripeAmountError>

/** The charge is expanded: it says until when a hold stands. */
const expand = ["latest_charge"]

/**
 * Creates the intent and confirms it in one request, so that one key stands
 * for both. Where there is no page to come back to, or nobody to come back,
 * a card that asks for 3-D Secure is declined and not left waiting.
 */
export const authorize = (
  { challenge, method, operation, order }: CallOf<"Authorize">,
  terms: Terms
): Asked<"CreateIntent"> =>
  Result.map(StripeAmount.toStripe(order.amount), (amount) => {
    const customer = terms.customerOf(order)
    const returnUrl = order.returnUrl ?? terms.returnUrl
    const params: Stripe.PaymentIntentCreateParams = {
      amount,
      currency: order.amount.currency.toLowerCase(),
      payment_method: method,
      confirm: true,
      capture_method: order.capture,
      ...presence(terms.isOffSession(order), returnUrl),
      ...(challenge && { payment_method_options: { card: { request_three_d_secure: "any" } } }),
      ...(customer !== undefined && { customer }),
      ...(customer !== undefined && terms.isToBeKept(order) && { setup_future_usage: "off_session" }),
      ...(order.reference !== undefined && { description: order.reference }),
      ...(terms.statementDescriptor !== undefined && { statement_descriptor_suffix: terms.statementDescriptor }),
      metadata: metadataOf(order, operation),
      expand
    }
    return { _tag: "CreateIntent", params, key: operation }
  })

const presence = (
  isOffSession: boolean,
  returnUrl: string | undefined
): Pick<
  Stripe.PaymentIntentCreateParams,
  "automatic_payment_methods" | "off_session" | "return_url" | "error_on_requires_action"
> => {
  const withoutRedirects = { enabled: true, allow_redirects: "never" } as const
  if (isOffSession) return { automatic_payment_methods: withoutRedirects, off_session: true }
  return returnUrl === undefined
    ? { automatic_payment_methods: withoutRedirects, error_on_requires_action: true }
    : { automatic_payment_methods: { enabled: true }, return_url: returnUrl }
}

export const retrieve = (intent: string): RequestOf<"RetrieveIntent"> => ({
  _tag: "RetrieveIntent",
  intent,
  params: { expand }
})

/** The capture's own id is written on the intent: that is how a lookup knows whose capture it was. */
export const capture = ({ amount, operation, reference }: CallOf<"Capture">): Asked<"CaptureIntent"> =>
  Result.map(StripeAmount.toStripe(amount), (amountToCapture) => ({
    _tag: "CaptureIntent",
    intent: reference,
    params: { amount_to_capture: amountToCapture, metadata: { [captureKey]: operation } },
    key: operation
  }))

export const cancel = ({ operation, reference }: CallOf<"Void">): RequestOf<"CancelIntent"> => ({
  _tag: "CancelIntent",
  intent: reference,
  params: { cancellation_reason: "requested_by_customer" },
  key: operation
})

/** Closes an intent whose attempt was declined. */
export const abandon = ({ operation }: Call, intent: string): RequestOf<"CancelIntent"> => ({
  _tag: "CancelIntent",
  intent,
  params: { cancellation_reason: "abandoned" },
  key: `${operation}/abandon`
})

export const refund = ({ amount, operation, reference }: CallOf<"Refund">): Asked<"CreateRefund"> =>
  Result.map(StripeAmount.toStripe(amount), (refunded) => ({
    _tag: "CreateRefund",
    params: { payment_intent: reference, amount: refunded, metadata: { [operationKey]: operation } },
    key: operation
  }))
