/**
 * PaymentIntents: created, confirmed, captured, cancelled, and what the issuer
 * and the customer make of them.
 *
 *     requires_payment_method -> requires_action -> requires_capture -> succeeded
 *               \------------------------------------^      |
 *                                                           v
 *     every state before succeeded ---------------------> canceled
 */
import type { Params } from "./FormBody.ts"
import * as Form from "./FormBody.ts"
import * as Objects from "./StripeObjects.ts"
import type { ErrorFields, JsonObject } from "./StripeReply.ts"
import { invalidRequest, missing, noSuch, notInteger, Refused, wrongState } from "./StripeReply.ts"
import type { Charge, Intent, Method, Tables } from "./StripeTables.ts"
import { emit } from "./StripeTables.ts"
import { testMethods } from "./TestMethods.ts"
import * as Disputes from "./Disputes.ts"

// --- Parameters that several take -------------------------------------------

/** A positive whole number of the currency's smallest unit. */
export const amountOf = (params: Params, name: string): number | undefined => {
  const text = Form.text(params, name)
  if (text === undefined) return undefined
  if (!/^-?\d+$/.test(text)) throw notInteger(name, text)
  const amount = Number(text)
  if (amount < 1) {
    throw invalidRequest("This value must be greater than or equal to 1.", {
      code: "parameter_invalid_integer",
      param: name
    })
  }
  if (amount > 99_999_999) {
    throw invalidRequest("Amount must be no more than 99999999", { code: "amount_too_large", param: name })
  }
  return amount
}

/** Stripe lets some of the same rows stand for every request, so that `pm_card_visa` can be used again and again. */
export const methodOf = (tables: Tables, token: string): Method => {
  const known = tables.methods.get(token)
  if (known !== undefined) return known
  const test = testMethods.get(token)
  if (test === undefined) throw noSuch("PaymentMethod", token, "payment_method")
  const made: Method = { id: tables.id("pm"), created: tables.seconds(), test, customer: null }
  tables.methods.set(made.id, made)
  return made
}

export const find = (tables: Tables, id: string): Intent => {
  const found = tables.intents.get(id)
  if (found === undefined) throw noSuch("payment_intent", id, "intent")
  return found
}

// --- Create -----------------------------------------------------------------

export const create = (tables: Tables, params: Params): JsonObject => {
  const amount = amountOf(params, "amount")
  if (amount === undefined) throw missing("amount")
  const currency = Form.text(params, "currency")
  if (currency === undefined) throw missing("currency")
  if (!/^[a-z]{3}$/i.test(currency)) throw invalidRequest(`Invalid currency: ${currency}`, { param: "currency" })
  const card = Form.inner(Form.inner(params, "payment_method_data"), "card")
  if (Form.text(card, "number") !== undefined) throw rawNumber()
  const confirms = Form.isTrue(params, "confirm")
  checkConfirmation(params, confirms)
  const customer = Form.text(params, "customer") ?? null
  if (customer !== null && tables.kept.get(customer)?.object !== "customer") {
    throw noSuch("customer", customer, "customer")
  }
  const methods = Form.inner(params, "automatic_payment_methods")
  const token = Form.text(params, "payment_method")
  const method = token === undefined ? undefined : methodOf(tables, token)
  const intent: Intent = {
    id: tables.id("pi"),
    created: tables.seconds(),
    amount,
    currency: currency.toLowerCase(),
    capture_method: Form.text(params, "capture_method") ?? "automatic_async",
    automatic_payment_methods: Form.isTrue(methods, "enabled")
      ? { enabled: true, allow_redirects: Form.text(methods, "allow_redirects") ?? "always" }
      : null,
    customer,
    description: Form.text(params, "description") ?? null,
    statement_descriptor: Form.text(params, "statement_descriptor") ?? null,
    statement_descriptor_suffix: Form.text(params, "statement_descriptor_suffix") ?? null,
    setup_future_usage: Form.text(params, "setup_future_usage") ?? null,
    metadata: Form.texts(params, "metadata"),
    status: method === undefined ? "requires_payment_method" : "requires_confirmation",
    amount_capturable: 0,
    amount_received: 0,
    payment_method: method?.id ?? null,
    latest_charge: null,
    last_payment_error: null,
    next_action: null,
    canceled_at: null,
    cancellation_reason: null,
    return_url: Form.text(params, "return_url"),
    changedMillis: tables.now()
  }
  tables.intents.set(intent.id, intent)
  emit(tables, "payment_intent.created", Objects.intent(intent))
  if (confirms) attempt(tables, intent, method!, params)
  return Objects.intent(intent)
}

/** What is only allowed, or only needed, where the intent is confirmed at once. */
const checkConfirmation = (params: Params, confirms: boolean): void => {
  for (const name of ["off_session", "error_on_requires_action", "return_url"]) {
    if (!confirms && params[name] !== undefined) {
      throw invalidRequest(`You can only provide \`${name}\` when \`confirm\` is true.`, { param: name })
    }
  }
  if (!confirms) return
  if (Form.text(params, "payment_method") === undefined) {
    throw invalidRequest("You cannot confirm this PaymentIntent because it's missing a payment method.", {
      code: "parameter_missing",
      param: "payment_method"
    })
  }
  const methods = Form.inner(params, "automatic_payment_methods")
  if (
    Form.text(params, "return_url") === undefined &&
    params["payment_method_types"] === undefined &&
    Form.text(methods, "allow_redirects") !== "never" &&
    !Form.isTrue(params, "off_session") &&
    !Form.isTrue(params, "error_on_requires_action")
  ) {
    throw invalidRequest(
      "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these " +
        "payment methods might redirect your customer off of your page, you must provide a `return_url`."
    )
  }
}

const rawNumber = () =>
  new Refused(402, {
    type: "invalid_request_error",
    message: "Sending credit card numbers directly to the Stripe API is generally unsafe."
  })

// --- Confirm: the issuer and the customer -----------------------------------

export const confirm = (tables: Tables, id: string, params: Params): JsonObject => {
  const intent = find(tables, id)
  const token = Form.text(params, "payment_method") ?? intent.payment_method ?? undefined
  if (!["requires_payment_method", "requires_confirmation", "requires_action"].includes(intent.status)) {
    throw unexpected(intent, "confirm")
  }
  if (token === undefined) throw missing("payment_method")
  intent.return_url = Form.text(params, "return_url") ?? intent.return_url
  attempt(tables, intent, methodOf(tables, token), params)
  return Objects.intent(intent)
}

const attempt = (tables: Tables, intent: Intent, method: Method, params: Params): void => {
  intent.payment_method = method.id
  intent.last_payment_error = null
  const offSession = Form.text(params, "off_session") === "true"
  const card = Form.inner(Form.inner(params, "payment_method_options"), "card")
  const asked = ["any", "challenge"].includes(Form.text(card, "request_three_d_secure") ?? "")
  const { challenge } = method.test
  const authenticates = asked || challenge === "always" || (challenge === "unlessOffSession" && !offSession)
  if (!authenticates) return decide(tables, intent, method)
  const unhandled = Form.isTrue(params, "error_on_requires_action")
  if (offSession || unhandled) {
    const code = unhandled ? "authentication_not_handled" : "authentication_required"
    return decline(tables, intent, method, { code: "authentication_required", decline_code: code }, false)
  }
  intent.next_action =
    intent.return_url === undefined
      ? { type: "use_stripe_sdk", use_stripe_sdk: { type: "three_d_secure_redirect" } }
      : {
          type: "redirect_to_url",
          redirect_to_url: { return_url: intent.return_url, url: `${tables.origin}/3ds/${intent.id}` }
        }
  become(tables, intent, "requires_action", "payment_intent.requires_action")
}

/** What the issuer says once nothing more is asked of the customer. */
const decide = (tables: Tables, intent: Intent, method: Method): void => {
  intent.next_action = null
  const refusal = method.test.decline
  if (refusal !== undefined) return decline(tables, intent, method, { ...refusal }, true)
  const captures = intent.capture_method !== "manual"
  const charge = makeCharge(tables, intent, method, null, captures)
  if (captures) {
    intent.amount_received = intent.amount
    emit(tables, "charge.succeeded", Objects.charge(charge))
    become(tables, intent, "succeeded", "payment_intent.succeeded")
    if (method.test.disputed !== undefined) Disputes.open(tables, charge, method.test.disputed)
  } else {
    intent.amount_capturable = intent.amount
    emit(tables, "charge.succeeded", Objects.charge(charge))
    become(tables, intent, "requires_capture", "payment_intent.amount_capturable_updated")
  }
}

interface Refusal {
  readonly code: string
  readonly decline_code: string
  readonly param?: string
  readonly advice_code?: string
}

const decline = (tables: Tables, intent: Intent, method: Method, refusal: Refusal, atIssuer: boolean): never => {
  intent.next_action = null
  const fields: ErrorFields = { type: "card_error", message: `Your card was declined (${refusal.code}).`, ...refusal }
  const charge = atIssuer ? makeCharge(tables, intent, method, { ...refusal }, false) : undefined
  const error: ErrorFields = charge === undefined ? fields : { ...fields, charge: charge.id }
  intent.last_payment_error = { ...error, payment_method: Objects.method(method) }
  intent.payment_method = null
  if (charge !== undefined) emit(tables, "charge.failed", Objects.charge(charge))
  become(tables, intent, "requires_payment_method", "payment_intent.payment_failed")
  throw new Refused(402, { ...error, payment_intent: Objects.intent(intent) }, true)
}

const makeCharge = (
  tables: Tables,
  intent: Intent,
  method: Method,
  failure: JsonObject | null,
  captured: boolean
): Charge => {
  const charge: Charge = {
    id: tables.id("ch"),
    created: tables.seconds(),
    payment_intent: intent.id,
    amount: intent.amount,
    currency: intent.currency,
    customer: intent.customer,
    payment_method: method.id,
    metadata: intent.metadata,
    failure,
    captured,
    amount_captured: captured ? intent.amount : 0,
    amount_refunded: 0,
    disputed: false
  }
  tables.charges.set(charge.id, charge)
  intent.latest_charge = charge.id
  return charge
}

const become = (tables: Tables, intent: Intent, status: Intent["status"], type: string): void => {
  intent.status = status
  intent.changedMillis = tables.now()
  emit(tables, type, Objects.intent(intent))
}

/** The customer has been to their bank, which knew them or did not. */
export const returned = (tables: Tables, id: string, recognised: boolean): Intent => {
  const intent = find(tables, id)
  if (intent.status !== "requires_action") return intent
  const method = tables.methods.get(intent.payment_method ?? "")!
  try {
    if (recognised) decide(tables, intent, method)
    else {
      const code = "payment_intent_authentication_failure"
      decline(tables, intent, method, { code, decline_code: code }, false)
    }
  } catch (error) {
    // Nobody asked: what became of it is in the intent.
    if (!(error instanceof Refused)) throw error
  }
  return intent
}

// --- Capture and cancel -----------------------------------------------------

export const capture = (tables: Tables, id: string, params: Params): JsonObject => {
  const intent = find(tables, id)
  const amount = amountOf(params, "amount_to_capture") ?? intent.amount_capturable
  if (params["final_capture"] === "false") {
    throw invalidRequest("This account may not capture a PaymentIntent more than once.", { param: "final_capture" })
  }
  if (intent.status !== "requires_capture") throw unexpected(intent, "capture")
  if (amount > intent.amount_capturable) {
    throw wrongState(`You cannot capture more than ${intent.amount_capturable}.`, {
      code: "amount_too_large",
      param: "amount_to_capture"
    })
  }
  const charge = tables.charges.get(intent.latest_charge!)!
  charge.captured = true
  charge.amount_captured = amount
  // What was not captured is released, and shown as refunded.
  charge.amount_refunded = 0
  intent.amount_capturable = 0
  intent.amount_received = amount
  intent.metadata = { ...intent.metadata, ...Form.texts(params, "metadata") }
  emit(tables, "charge.captured", Objects.charge(charge))
  become(tables, intent, "succeeded", "payment_intent.succeeded")
  return Objects.intent(intent)
}

export const cancel = (tables: Tables, id: string, params: Params): JsonObject => {
  const intent = find(tables, id)
  const reason = Form.text(params, "cancellation_reason") ?? null
  const reasons = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"]
  if (reason !== null && !reasons.includes(reason)) {
    throw invalidRequest(`Invalid cancellation_reason: must be one of ${reasons.join(", ")}`, {
      param: "cancellation_reason"
    })
  }
  if (intent.status === "succeeded" || intent.status === "canceled") throw unexpected(intent, "cancel")
  intent.amount_capturable = 0
  intent.next_action = null
  intent.canceled_at = tables.seconds()
  intent.cancellation_reason = reason
  become(tables, intent, "canceled", "payment_intent.canceled")
  return Objects.intent(intent)
}

export const update = (tables: Tables, id: string, params: Params): JsonObject => {
  const intent = find(tables, id)
  intent.metadata = { ...intent.metadata, ...Form.texts(params, "metadata") }
  intent.changedMillis = tables.now()
  return Objects.intent(intent)
}

const unexpected = (intent: Intent, verb: string) =>
  wrongState(`You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}.`, {
    code: "payment_intent_unexpected_state",
    payment_intent: Objects.intent(intent)
  })
