/** Products, their prices, and coupons. */
import type { Params } from "./FormBody.ts"
import * as Form from "./FormBody.ts"
import { amountOf } from "./PaymentIntents.ts"
import type { JsonObject } from "./StripeReply.ts"
import { invalidRequest, missing, noSuch, notInteger } from "./StripeReply.ts"
import type { Kept, Tables } from "./StripeTables.ts"
import { emit } from "./StripeTables.ts"

export const retrieve = (tables: Tables, object: string, id: string): Kept => {
  const found = tables.kept.get(id)
  if (found?.object !== object) throw noSuch(object, id, object === "price" ? "price" : "id")
  return found
}

const keep = (tables: Tables, type: string, object: Kept): Kept => {
  tables.kept.set(object.id, object)
  emit(tables, type, object)
  return object
}

const isFree = (tables: Tables, object: string, id: string): void => {
  if (!tables.kept.has(id)) return
  const [first = "", ...rest] = object
  throw invalidRequest(`${first.toUpperCase()}${rest.join("")} already exists.`, {
    code: "resource_already_exists",
    param: "id"
  })
}

export const createProduct = (tables: Tables, params: Params): Kept => {
  const name = Form.text(params, "name")
  if (name === undefined) throw missing("name")
  const id = Form.text(params, "id") ?? tables.id("prod")
  isFree(tables, "product", id)
  return keep(tables, "product.created", {
    id,
    object: "product",
    active: params["active"] !== "false",
    created: tables.seconds(),
    default_price: null,
    description: Form.text(params, "description") ?? null,
    images: [],
    livemode: false,
    metadata: Form.texts(params, "metadata"),
    name,
    type: "service",
    updated: tables.seconds(),
    url: Form.text(params, "url") ?? null
  })
}

export const createPrice = (tables: Tables, params: Params): JsonObject => {
  const currency = Form.text(params, "currency")
  if (currency === undefined) throw missing("currency")
  const { name } = Form.inner(params, "product_data")
  const product = Form.text(params, "product")
  if (product === undefined && name === undefined) throw missing("product")
  if (product !== undefined && tables.kept.get(product)?.object !== "product") {
    throw noSuch("product", product, "product")
  }
  const unitAmount = wholeOf(params, "unit_amount")
  if (unitAmount === undefined) throw missing("unit_amount")
  const recurring = Form.inner(params, "recurring")
  const interval = Form.text(recurring, "interval")
  if (params["recurring"] !== undefined && interval === undefined) throw missing("recurring[interval]")
  if (interval !== undefined && !["day", "week", "month", "year"].includes(interval)) {
    throw invalidRequest("Invalid recurring[interval]: must be one of day, week, month, or year", {
      param: "recurring[interval]"
    })
  }
  const made = product ?? createProduct(tables, { name: name! }).id
  return keep(tables, "price.created", {
    id: tables.id("price"),
    object: "price",
    active: params["active"] !== "false",
    billing_scheme: "per_unit",
    created: tables.seconds(),
    currency: currency.toLowerCase(),
    livemode: false,
    lookup_key: Form.text(params, "lookup_key") ?? null,
    metadata: Form.texts(params, "metadata"),
    nickname: Form.text(params, "nickname") ?? null,
    product: made,
    recurring:
      interval === undefined
        ? null
        : { interval, interval_count: wholeOf(recurring, "interval_count") ?? 1, usage_type: "licensed" },
    type: interval === undefined ? "one_time" : "recurring",
    unit_amount: unitAmount,
    unit_amount_decimal: String(unitAmount)
  })
}

/** A whole number that may be 0. */
const wholeOf = (params: Params, name: string): number | undefined => {
  const text = Form.text(params, name)
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text)) throw notInteger(name, text)
  return Number(text)
}

export const createCoupon = (tables: Tables, params: Params): JsonObject => {
  const percent = Form.text(params, "percent_off")
  const amount = amountOf(params, "amount_off")
  if ((percent === undefined) === (amount === undefined)) {
    throw invalidRequest("You must pass either `percent_off` or `amount_off`, and not both.", {
      code: percent === undefined ? "parameter_missing" : "parameter_invalid_empty",
      param: "percent_off"
    })
  }
  if (percent !== undefined && !(Number(percent) > 0 && Number(percent) <= 100)) {
    throw invalidRequest(`Invalid percent_off: must be between 0 and 100, got ${percent}`, { param: "percent_off" })
  }
  const currency = Form.text(params, "currency")
  if (amount !== undefined && currency === undefined) throw missing("currency")
  const duration = Form.text(params, "duration") ?? "once"
  if (!["forever", "once", "repeating"].includes(duration)) {
    throw invalidRequest("Invalid duration: must be one of forever, once, or repeating", { param: "duration" })
  }
  const months = wholeOf(params, "duration_in_months")
  if (duration === "repeating" && months === undefined) throw missing("duration_in_months")
  const id = Form.text(params, "id") ?? tables.id("coupon")
  isFree(tables, "coupon", id)
  return keep(tables, "coupon.created", {
    id,
    object: "coupon",
    amount_off: amount ?? null,
    created: tables.seconds(),
    currency: currency?.toLowerCase() ?? null,
    duration,
    duration_in_months: months ?? null,
    livemode: false,
    max_redemptions: wholeOf(params, "max_redemptions") ?? null,
    metadata: Form.texts(params, "metadata"),
    name: Form.text(params, "name") ?? null,
    percent_off: percent === undefined ? null : Number(percent),
    redeem_by: wholeOf(params, "redeem_by") ?? null,
    times_redeemed: 0,
    valid: true
  })
}
