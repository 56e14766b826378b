/**
 * What florin asks of Adyen's Checkout API, version 72: a path and a body a call.
 *
 * A card is a token that Adyen stored (`storedPaymentMethodId`), and never a
 * number (R10); it belongs to a shopper, who is the order's customer. Adyen's
 * tokens may look like card numbers, so a merchant may write `adyen_` before
 * them, which also lets routing tell them from others; it is taken off here.
 *
 * `reference` is the operation's id, which every notification brings back.
 * Capture is always asked for by itself, whatever the account's default is.
 *
 * A payment whose customer was sent away has no reference of Adyen's yet. Its
 * authorization's id stands for it: Adyen can cancel by that as well.
 *
 * Source: https://docs.adyen.com/api-explorer/Checkout/72/overview
 */
import { Schema } from "effect"
import type { Reference } from "../../domain/payment/Gateway.ts"
import { OperationId } from "../../domain/payment/Operation.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"
import type { AdyenAmount } from "./AdyenAmount.ts"
import * as Amount from "./AdyenAmount.ts"

type CallOf<Tag extends Call["_tag"]> = Extract<Call, { readonly _tag: Tag }>

export interface AdyenRequest {
  readonly path: string
  readonly body: Schema.JsonObject
  /** What a reply to it must speak of, where it says. */
  readonly about: About
}

export interface About {
  readonly reference: string
  readonly amount: AdyenAmount | undefined
  /** The stored payment method. */
  readonly method: string | undefined
}

export interface Account {
  readonly merchantAccount: string
  /** Where customers come back from their bank, unless the order says. */
  readonly returnUrl: string
}

/** Whether Adyen has no reference for it yet. */
export const isWithoutReference: (reference: Reference) => boolean = Schema.is(OperationId)

/** The storedPaymentMethodId behind a token of florin's. */
const methodOf = (token: string): string => token.replace(/^adyen_/, "")

/** `undefined`: Adyen has no such amount. */
export const authorize = (
  { challenge, method, operation, order }: CallOf<"Authorize">,
  { merchantAccount, returnUrl }: Account
): AdyenRequest | undefined => {
  const amount = Amount.of(order.amount)
  if (amount === undefined) return undefined
  const storedPaymentMethodId = methodOf(method)
  return {
    path: "/payments",
    about: { reference: operation, amount, method: storedPaymentMethodId },
    body: {
      merchantAccount,
      amount,
      reference: operation,
      ...(order.reference !== undefined && { merchantOrderReference: order.reference }),
      paymentMethod: { type: "scheme", storedPaymentMethodId },
      ...(order.customer !== undefined && { shopperReference: order.customer }),
      // The customer is there and pays with a card on file.
      shopperInteraction: "ContAuth",
      recurringProcessingModel: "CardOnFile",
      channel: "Web",
      returnUrl: order.returnUrl ?? returnUrl,
      authenticationData: {
        ...(challenge && { attemptAuthentication: "always" }),
        // A redirect is what florin can pass on; the native flow needs a component of Adyen's in the page.
        threeDSRequestData: { nativeThreeDS: "disabled" }
      },
      additionalData: { manualCapture: "true" },
      metadata: { operation, payment: order.payment, merchant: order.merchant }
    }
  }
}

/** `redirectResult` is what the customer brought back. */
export const confirm = ({ operation }: CallOf<"Confirm">, redirectResult: string): AdyenRequest => ({
  path: "/payments/details",
  // The payment's own reference is its authorization's id, which the confirmation's begins with.
  about: { reference: operation, amount: undefined, method: undefined },
  body: { details: { redirectResult } }
})

/** `undefined`: Adyen has no such amount. */
export const capture = (call: CallOf<"Capture">, account: Account) => moving("captures", call, account)
export const refund = (call: CallOf<"Refund">, account: Account) => moving("refunds", call, account)

const moving = (
  what: "captures" | "refunds",
  { amount: money, operation, reference }: CallOf<"Capture" | "Refund">,
  { merchantAccount }: Account
): AdyenRequest | undefined => {
  const amount = Amount.of(money)
  return amount === undefined
    ? undefined
    : {
        path: `/payments/${encodeURIComponent(reference)}/${what}`,
        about: { reference: operation, amount, method: undefined },
        body: { merchantAccount, amount, reference: operation }
      }
}

export const cancel = ({ operation, reference }: CallOf<"Void">, { merchantAccount }: Account): AdyenRequest => ({
  about: { reference: operation, amount: undefined, method: undefined },
  ...(isWithoutReference(reference)
    ? { path: "/cancels", body: { merchantAccount, paymentReference: reference, reference: operation } }
    : {
        path: `/payments/${encodeURIComponent(reference)}/cancels`,
        body: { merchantAccount, reference: operation }
      })
})
