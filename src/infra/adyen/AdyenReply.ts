/**
 * What Adyen answered with a 2xx, as an answer of ours.
 *
 * | `resultCode` | answer |
 * | --- | --- |
 * | Authorised | approved, not captured |
 * | Refused, Error, Cancelled | declined, by `refusalReasonCode` (see `AdyenRefusal`) |
 * | RedirectShopper, ChallengeShopper, IdentifyShopper | action required, where it is a page to be sent to; declined otherwise |
 * | Pending, Received | pending, until a notification tells |
 * | any other | in doubt: `Unreadable` |
 *
 * A capture, a cancellation and a refund are only `received`: pending, too.
 *
 * Adyen repeats what it answered to a key, and does not say that the request
 * was another. So an answer that speaks of another reference, amount or stored
 * card than was asked for is `Misconfigured`, and not believed.
 *
 * Source: https://docs.adyen.com/online-payments/payment-result-codes
 */
import { Option, Schema } from "effect"
import type { AuthorizationAnswer } from "../../adapters/PaymentGateway.ts"
import { InDoubt, Misconfigured } from "../../adapters/PaymentGateway.ts"
import type { Answer } from "../../domain/payment/Gateway.ts"
import { Action, Reference } from "../../domain/payment/Gateway.ts"
import { AdyenAmount } from "./AdyenAmount.ts"
import * as AdyenRefusal from "./AdyenRefusal.ts"
import type { About } from "./AdyenRequest.ts"

// --- As it comes ------------------------------------------------------------

const said = Schema.optionalKey(Schema.String)

export const PaymentReply = Schema.Struct({
  resultCode: Schema.String,
  pspReference: Schema.optionalKey(Reference),
  merchantReference: said,
  amount: Schema.optionalKey(AdyenAmount),
  refusalReason: said,
  refusalReasonCode: said,
  action: Schema.optionalKey(Schema.Struct({ type: Schema.String, url: said, method: said })),
  additionalData: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})
export type PaymentReply = typeof PaymentReply.Type

export const ModificationReply = Schema.Struct({
  status: Schema.Literal("received"),
  pspReference: Reference,
  reference: said,
  amount: Schema.optionalKey(AdyenAmount)
})
export type ModificationReply = typeof ModificationReply.Type

// --- As it is meant ---------------------------------------------------------

export type Read<A> = A | InDoubt | Misconfigured

/** What became of an authorization, or of one whose customer came back. `fallback` stands for it until Adyen names it. */
export const authorizationOf = (reply: PaymentReply, about: About, fallback: Reference): Read<AuthorizationAnswer> => {
  const { additionalData = {}, amount, merchantReference, pspReference, resultCode } = reply
  const method = additionalData["tokenization.storedPaymentMethodId"]
  const other = differenceOf(about, { reference: merchantReference, amount, method })
  if (other !== undefined) return other
  switch (resultCode) {
    case "Authorised":
      // Without its reference nobody could capture it: a notification will bring it.
      return pspReference === undefined
        ? new InDoubt({ because: "Unreadable" })
        : { _tag: "Approved", reference: pspReference, captured: false }
    case "Refused":
    case "Error":
    case "Cancelled":
      return declined(reply)
    case "RedirectShopper":
    case "ChallengeShopper":
    case "IdentifyShopper":
      return actionOf(reply, fallback)
    case "Pending":
    case "Received":
      return { _tag: "Pending", ...(pspReference !== undefined && { reference: pspReference }) }
    default:
      return new InDoubt({ because: "Unreadable" })
  }
}

/** A capture, a cancellation or a refund that Adyen has taken on. */
export const modificationOf = (
  { amount, pspReference, reference }: ModificationReply,
  about: About
): Read<Extract<Answer, { readonly _tag: "Pending" }>> =>
  differenceOf(about, { reference, amount, method: undefined }) ?? { _tag: "Pending", reference: pspReference }

const declined = ({ additionalData = {}, pspReference, refusalReason, refusalReasonCode }: PaymentReply) => {
  const advice = additionalData["merchantAdviceCode"]
  const decline = AdyenRefusal.declineOf({
    code: refusalReasonCode,
    reason: refusalReason,
    advice: typeof advice === "string" ? advice : undefined
  })
  return { _tag: "Declined", decline, ...(pspReference !== undefined && { reference: pspReference }) } as const
}

const redirect = Schema.decodeUnknownOption(Action)

/**
 * A page to be fetched is where florin can send a customer. Anything else the
 * payment cannot end with, and it moves no money until somebody answers it.
 */
const actionOf = ({ action, pspReference, resultCode }: PaymentReply, fallback: Reference): AuthorizationAnswer => {
  const page = action?.method === "POST" ? Option.none() : redirect({ type: "redirect", url: action?.url })
  return Option.isSome(page)
    ? { _tag: "ActionRequired", reference: pspReference ?? fallback, action: page.value }
    : {
        _tag: "Declined",
        decline: { code: resultCode, category: "otherInstrument", advice: "the bank asks for more than a redirect" }
      }
}

// --- Whether it speaks of what was asked ------------------------------------

interface Spoken {
  readonly reference: string | undefined
  readonly amount: AdyenAmount | undefined
  readonly method: unknown
}

const differenceOf = (about: About, { amount, method, reference }: Spoken): Misconfigured | undefined => {
  // A confirmation's id begins with that of the authorization that it is told under.
  if (reference !== undefined && !`${about.reference}/`.startsWith(`${reference}/`)) {
    return other("reference", about.reference, reference)
  }
  const [asked, told] = [about.amount, amount].map((one) => one && `${one.value} ${one.currency}`)
  if (asked !== undefined && told !== undefined && asked !== told) return other("amount", asked, told)
  return about.method !== undefined && typeof method === "string" && method !== about.method
    ? other("stored payment method", "the one that was sent", "another")
    : undefined
}

const other = (field: string, asked: string, told: string) =>
  new Misconfigured({ detail: `the key stands for another ${field}: asked for ${asked}, told of ${told}` })
