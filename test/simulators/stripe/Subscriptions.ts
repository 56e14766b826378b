/**
 * Subscriptions: of a customer, to recurring prices, with coupons as discounts.
 *
 * The first invoice is not made; whether the subscription becomes active goes
 * by the customer's payment method and by `payment_behavior`.
 */
import { retrieve } from "./Catalogue.ts"
import type { Params } from "./FormBody.ts"
import * as Form from "./FormBody.ts"
import { methodOf } from "./PaymentIntents.ts"
import type { JsonObject } from "./StripeReply.ts"
import { invalidRequest, missing, noSuch, Refused } from "./StripeReply.ts"
import type { Kept, Tables } from "./StripeTables.ts"
import { emit } from "./StripeTables.ts"

/** A month, for those who need a period to end; no test waits for it. */
const periodSeconds = 30 * 24 * 60 * 60

export const create = (tables: Tables, params: Params): JsonObject => {
  const customer = Form.text(params, "customer")
  if (customer === undefined) throw missing("customer")
  const owner = tables.kept.get(customer)
  if (owner?.object !== "customer") throw noSuch("customer", customer, "customer")
  const asked = Form.list(params, "items")
  if (asked.length === 0) throw missing("items")
  const id = tables.id("sub")
  const prices = asked.map((item, index) => priceOf(tables, asParams(item), index))
  const discounts = Form.list(params, "discounts").map((discount) => discountOf(tables, asParams(discount)))
  const status = statusOf(tables, params, owner, prices)
  const now = tables.seconds()
  const subscription: Kept = {
    id,
    object: "subscription",
    cancel_at_period_end: params["cancel_at_period_end"] === "true",
    canceled_at: null,
    collection_method: Form.text(params, "collection_method") ?? "charge_automatically",
    created: now,
    currency: prices[0]!.price["currency"] ?? null,
    customer,
    default_payment_method: Form.text(params, "default_payment_method") ?? null,
    discounts: discounts.map((coupon) => ({ id: tables.id("di"), object: "discount", source: { coupon } })),
    items: {
      object: "list",
      has_more: false,
      url: `/v1/subscription_items?subscription=${id}`,
      data: prices.map(({ price, quantity }) => ({
        id: tables.id("si"),
        object: "subscription_item",
        created: now,
        current_period_end: now + periodSeconds,
        current_period_start: now,
        price,
        quantity,
        subscription: id
      }))
    },
    livemode: false,
    metadata: Form.texts(params, "metadata"),
    start_date: now,
    status
  }
  tables.kept.set(id, subscription)
  emit(tables, "customer.subscription.created", subscription)
  return subscription
}

const asParams = (item: unknown): Params =>
  typeof item === "object" && item !== null && !Array.isArray(item) ? (item as Params) : {}

const priceOf = (tables: Tables, item: Params, index: number) => {
  const id = Form.text(item, "price")
  if (id === undefined) throw missing(`items[${index}][price]`)
  const price = tables.kept.get(id)
  if (price?.object !== "price") throw noSuch("price", id, `items[${index}][price]`)
  if (price["type"] !== "recurring") {
    throw invalidRequest(
      `The price specified is set to \`type=one_time\` but this field only accepts recurring prices.`,
      {
        param: `items[${index}]`
      }
    )
  }
  return { price, quantity: Number(Form.text(item, "quantity") ?? 1) }
}

const discountOf = (tables: Tables, discount: Params): string => {
  const id = Form.text(discount, "coupon")
  if (id === undefined) throw missing("discounts[0][coupon]")
  return retrieve(tables, "coupon", id).id
}

/** Stripe charges the first invoice at once. */
const statusOf = (
  tables: Tables,
  params: Params,
  owner: Kept,
  prices: ReadonlyArray<{ readonly price: Kept }>
): string => {
  if (Number(Form.text(params, "trial_period_days") ?? 0) > 0) return "trialing"
  if (Form.text(params, "collection_method") === "send_invoice") return "active"
  if (prices.every(({ price }) => price["unit_amount"] === 0)) return "active"
  const settings = owner["invoice_settings"] as { readonly default_payment_method: string | null }
  const own = [...tables.methods.values()].find(({ customer }) => customer === owner.id)?.id
  const token = Form.text(params, "default_payment_method") ?? settings.default_payment_method ?? own
  if (Form.text(params, "payment_behavior") === "default_incomplete") return "incomplete"
  if (token === undefined) {
    throw invalidRequest("This customer has no attached payment source or default payment method.", {
      code: "resource_missing"
    })
  }
  const { challenge, decline } = methodOf(tables, token).test
  if (decline === undefined && challenge === undefined) return "active"
  if (Form.text(params, "payment_behavior") !== "error_if_incomplete") return "incomplete"
  throw new Refused(
    402,
    {
      type: "card_error",
      message: "Your card was declined.",
      ...(decline ?? { code: "subscription_payment_intent_requires_action" })
    },
    true
  )
}

export const update = (tables: Tables, id: string, params: Params): JsonObject => {
  const before = retrieve(tables, "subscription", id)
  const after: Kept = {
    ...before,
    ...(params["cancel_at_period_end"] !== undefined && {
      cancel_at_period_end: params["cancel_at_period_end"] === "true"
    }),
    metadata: { ...(before["metadata"] as Record<string, string>), ...Form.texts(params, "metadata") }
  }
  tables.kept.set(id, after)
  emit(tables, "customer.subscription.updated", after)
  return after
}

export const cancel = (tables: Tables, id: string): JsonObject => {
  const before = retrieve(tables, "subscription", id)
  const after: Kept = { ...before, canceled_at: tables.seconds(), status: "canceled" }
  tables.kept.set(id, after)
  emit(tables, "customer.subscription.deleted", after)
  return after
}
