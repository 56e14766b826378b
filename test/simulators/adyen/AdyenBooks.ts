/**
 * Adyen's books: payments and what was done with them, in Adyen's own terms.
 *
 * A request is answered at once; what became of a modification is told by a
 * notification, which is in `notices` from the moment that it was decided.
 */
import type { Token } from "./AdyenTokens.ts"
import * as AdyenTokens from "./AdyenTokens.ts"

export type Json = Readonly<Record<string, unknown>>

export interface Reply {
  readonly status: number
  readonly body: Json
}

export interface Payment {
  readonly pspReference: string
  readonly reference: string
  readonly currency: string
  readonly value: number
  readonly token: Token
  state: "authorised" | "cancelled" | "captured"
  captured: number
  refunded: number
}

export interface Notice {
  readonly eventCode: string
  readonly success: boolean
  readonly pspReference: string
  readonly originalReference?: string
  readonly merchantReference: string
  readonly amount: { readonly value: number; readonly currency: string }
  readonly reason?: string
}

interface Away {
  readonly request: Json
  readonly token: Token
  readonly back: "Authorised" | "Refused"
}

const error = (errorCode: string, message: string, errorType = "validation"): Reply => ({
  status: 422,
  body: { status: 422, errorCode, message, errorType }
})

const amountOf = (request: Json) => request["amount"] as { readonly value: number; readonly currency: string }
const textOf = (value: unknown) => (typeof value === "string" ? value : "")

export class AdyenBooks {
  readonly payments = new Map<string, Payment>()
  readonly notices: Array<Notice> = []
  private readonly away = new Map<string, Away>()
  private references = 0
  private readonly account: string
  private readonly origin: () => string

  constructor(account: string, origin: () => string) {
    this.account = account
    this.origin = origin
  }

  /** 16 characters, as Adyen's. */
  private newReference = () => `PSP${String(++this.references).padStart(13, "0")}`

  post = (path: string, request: Json): Reply => {
    if (path === "/payments/details") return this.details(request)
    if (request["merchantAccount"] !== this.account) return error("901", "Invalid Merchant Account", "security")
    if (path === "/payments") return this.pay(request)
    if (path === "/cancels") return this.technicalCancel(request)
    const [, reference = "", what = ""] = /^\/payments\/([^/]+)\/(captures|cancels|refunds)$/.exec(path) ?? []
    if (what === "") return { status: 404, body: {} }
    const payment = this.payments.get(decodeURIComponent(reference))
    if (payment === undefined) return error("167", "Original pspReference required for this operation")
    if (what === "cancels") return this.cancel(payment, request)
    const { currency, value } = amountOf(request)
    if (!Number.isInteger(value) || value <= 0) return error("137", "Invalid amount specified")
    if (currency !== payment.currency) return error("138", "Unsupported currency specified")
    return what === "captures" ? this.capture(payment, request) : this.refund(payment, request)
  }

  // --- Authorizations -------------------------------------------------------

  private pay = (request: Json): Reply => {
    const { value } = amountOf(request)
    if (!Number.isInteger(value) || value < 0) return error("137", "Invalid amount specified")
    if (typeof request["returnUrl"] !== "string") return error("703", "required field 'returnUrl' missing")
    if (textOf(request["shopperReference"]).length < 3) return error("180", "Invalid shopperReference")
    const id = textOf((request["paymentMethod"] as Json)["storedPaymentMethodId"])
    const token = Object.hasOwn(AdyenTokens.table, id) ? AdyenTokens.table[id] : undefined
    if (token === undefined) return error("803", "PaymentDetail not found")
    const { outcome } = token
    const isAskedFor = (request["authenticationData"] as Json)["attemptAuthentication"] === "always"
    if (outcome._tag === "RedirectShopper") return this.redirect({ request, token, back: outcome.back })
    if (isAskedFor && outcome._tag === "Authorised") return this.redirect({ request, token, back: "Authorised" })
    switch (outcome._tag) {
      case "Authorised":
        return this.authorise(request, token)
      case "Refused":
      case "Error":
      case "Cancelled":
        return this.refuse(
          request,
          outcome._tag,
          outcome.code,
          outcome.reason,
          "advice" in outcome ? outcome.advice : undefined
        )
      case "Pending":
      case "Received": {
        const pspReference = outcome.success ? this.open(request, token).pspReference : this.refused(request, "Refused")
        return {
          status: 200,
          body: { resultCode: outcome._tag, pspReference, merchantReference: request["reference"] }
        }
      }
      case "ChallengeShopper":
      case "IdentifyShopper":
        return { status: 200, body: { resultCode: outcome._tag, action: { type: "threeDS2", token: "eyJ0" } } }
    }
  }

  private redirect = (away: Away): Reply => {
    const result = `result-${this.away.size + 1}`
    this.away.set(result, away)
    return {
      status: 200,
      body: {
        resultCode: "RedirectShopper",
        action: {
          type: "redirect",
          method: "GET",
          url: `${this.origin()}/redirect/${result}`,
          paymentMethodType: "scheme"
        }
      }
    }
  }

  /** Where the bank sends the customer back to. */
  returnUrlOf = (result: string): string | undefined => {
    const request = this.away.get(result)?.request
    if (request === undefined) return undefined
    const url = new URL(textOf(request["returnUrl"]))
    url.searchParams.set("redirectResult", result)
    return url.href
  }

  private details = (request: Json): Reply => {
    const result = textOf((request["details"] as Json)["redirectResult"])
    const away = this.away.get(result)
    if (away === undefined) return error("14_0421", "Invalid redirectResult")
    return away.back === "Authorised"
      ? this.authorise(away.request, away.token)
      : this.refuse(away.request, "Refused", "11", "3D Not Authenticated")
  }

  private open = (request: Json, token: Token): Payment => {
    const { currency, value } = amountOf(request)
    const payment: Payment = {
      pspReference: this.newReference(),
      reference: textOf(request["reference"]),
      currency,
      value,
      token,
      state: "authorised",
      captured: 0,
      refunded: 0
    }
    this.payments.set(payment.pspReference, payment)
    this.tell(payment, "AUTHORISATION", payment.reference, { value, currency }, undefined, payment.pspReference)
    return payment
  }

  private authorise = (request: Json, token: Token): Reply => {
    const { pspReference, reference } = this.open(request, token)
    const additionalData = {
      "tokenization.storedPaymentMethodId": (request["paymentMethod"] as Json)["storedPaymentMethodId"]
    }
    const amount = amountOf(request)
    return {
      status: 200,
      body: { resultCode: "Authorised", pspReference, merchantReference: reference, amount, additionalData }
    }
  }

  private refused = (request: Json, reason: string): string => {
    const pspReference = this.newReference()
    this.notices.push({
      eventCode: "AUTHORISATION",
      success: false,
      pspReference,
      merchantReference: textOf(request["reference"]),
      amount: amountOf(request),
      reason
    })
    return pspReference
  }

  private refuse = (request: Json, resultCode: string, code: string, reason: string, advice?: string): Reply => ({
    status: 200,
    body: {
      resultCode,
      refusalReason: reason,
      refusalReasonCode: code,
      pspReference: this.refused(request, reason),
      merchantReference: request["reference"],
      ...(advice !== undefined && { additionalData: { merchantAdviceCode: advice } })
    }
  })

  // --- Modifications --------------------------------------------------------

  private tell = (
    payment: Payment,
    eventCode: string,
    merchantReference: string,
    amount: Notice["amount"],
    reason: string | undefined,
    pspReference: string
  ) => {
    this.notices.push({
      eventCode,
      success: reason === undefined,
      pspReference,
      ...(pspReference !== payment.pspReference && { originalReference: payment.pspReference }),
      merchantReference,
      amount,
      ...(reason !== undefined && { reason })
    })
  }

  private received = (payment: Payment, request: Json, eventCode: string, reason: string | undefined): Reply => {
    const pspReference = this.newReference()
    const reference = textOf(request["reference"])
    const amount = amountOf(request) ?? { value: payment.value, currency: payment.currency }
    this.tell(payment, eventCode, reference, amount, reason, pspReference)
    return {
      status: 201,
      body: {
        merchantAccount: this.account,
        paymentPspReference: payment.pspReference,
        pspReference,
        reference,
        status: "received",
        ...(request["amount"] !== undefined && { amount })
      }
    }
  }

  /** An account without multiple partial captures: the first one gives the rest back. */
  private capture = (payment: Payment, request: Json): Reply => {
    const { value } = amountOf(request)
    const reason =
      payment.state === "cancelled"
        ? "Transaction already cancelled"
        : (payment.token.refuses?.capture ??
          (payment.state === "captured" || value > payment.value ? "Insufficient balance on payment" : undefined))
    if (reason === undefined) {
      payment.state = "captured"
      payment.captured = value
    }
    return this.received(payment, request, "CAPTURE", reason)
  }

  private cancel = (payment: Payment, request: Json): Reply => {
    const reason = payment.state === "captured" ? "Transaction already captured" : undefined
    if (reason === undefined) payment.state = "cancelled"
    return this.received(payment, request, "CANCELLATION", reason)
  }

  private refund = (payment: Payment, request: Json): Reply => {
    const { value } = amountOf(request)
    const reason =
      payment.token.refuses?.refund ??
      (value > payment.captured - payment.refunded ? "Insufficient balance on payment" : undefined)
    if (reason === undefined) payment.refunded += value
    return this.received(payment, request, "REFUND", reason)
  }

  /** By the merchant's own reference: of a payment that never came to be, there is nothing to be found. */
  private technicalCancel = (request: Json): Reply => {
    const original = textOf(request["paymentReference"])
    const payment = [...this.payments.values()].find(({ reference }) => reference === original)
    for (const [result, { request: waiting }] of this.away) {
      if (textOf(waiting["reference"]) === original) this.away.delete(result)
    }
    const pspReference = this.newReference()
    const reference = textOf(request["reference"])
    const isHeld = payment?.state === "authorised"
    if (isHeld) payment.state = "cancelled"
    this.notices.push({
      eventCode: "TECHNICAL_CANCEL",
      success: isHeld,
      pspReference,
      merchantReference: reference,
      amount: { value: payment?.value ?? 0, currency: payment?.currency ?? "EUR" },
      ...(!isHeld && { reason: payment === undefined ? "Original payment not found" : "Transaction already captured" })
    })
    const body = {
      merchantAccount: this.account,
      paymentReference: original,
      pspReference,
      reference,
      status: "received"
    }
    return { status: 201, body }
  }
}
