/**
 * Which request is answered by what. A route's parameters are those that the
 * current SDK declares for it; any other is refused, as Stripe does.
 */
import { readFileSync } from "node:fs"
import * as Catalogue from "./Catalogue.ts"
import * as Customers from "./Customers.ts"
import type { Params } from "./FormBody.ts"
import * as Form from "./FormBody.ts"
import * as PaymentIntents from "./PaymentIntents.ts"
import * as Refunds from "./Refunds.ts"
import * as Search from "./Search.ts"
import * as Objects from "./StripeObjects.ts"
import type { JsonObject } from "./StripeReply.ts"
import { invalidRequest, noSuch, notInteger, unknownParameter } from "./StripeReply.ts"
import * as Tables from "./StripeTables.ts"
import * as Subscriptions from "./Subscriptions.ts"

export interface Context {
  readonly tables: Tables.Tables
  readonly params: Params
  /** What stands in the path's braces. */
  readonly id: string
  readonly searchLagMillis: () => number
}

type Run = (context: Context) => JsonObject

const routes: Readonly<Record<string, Run>> = {
  "POST /v1/payment_intents": ({ params, tables }) => PaymentIntents.create(tables, params),
  "GET /v1/payment_intents": (context) => listOf(context, "/v1/payment_intents", intents(context)),
  "GET /v1/payment_intents/search": ({ params, searchLagMillis, tables }) =>
    Search.paymentIntents(tables, Form.text(params, "query"), searchLagMillis()),
  "GET /v1/payment_intents/{id}": ({ id, tables }) => Objects.intent(PaymentIntents.find(tables, id)),
  "POST /v1/payment_intents/{id}": ({ id, params, tables }) => PaymentIntents.update(tables, id, params),
  "POST /v1/payment_intents/{id}/confirm": ({ id, params, tables }) => PaymentIntents.confirm(tables, id, params),
  "POST /v1/payment_intents/{id}/capture": ({ id, params, tables }) => PaymentIntents.capture(tables, id, params),
  "POST /v1/payment_intents/{id}/cancel": ({ id, params, tables }) => PaymentIntents.cancel(tables, id, params),

  "POST /v1/refunds": ({ params, tables }) => Refunds.create(tables, params),
  "GET /v1/refunds": (context) => listOf(context, "/v1/refunds", refunds(context)),
  "GET /v1/refunds/{id}": ({ id, tables }) => Objects.refund(present(tables.refunds.get(id), "refund", id)),

  "GET /v1/charges": (context) => listOf(context, "/v1/charges", charges(context)),
  "GET /v1/charges/{id}": ({ id, tables }) => Objects.charge(present(tables.charges.get(id), "charge", id)),

  "GET /v1/disputes": (context) => listOf(context, "/v1/disputes", disputes(context)),
  "GET /v1/disputes/{id}": ({ id, tables }) => Objects.dispute(present(tables.disputes.get(id), "dispute", id)),

  "GET /v1/events": (context) => listOf(context, "/v1/events", events(context)),
  "GET /v1/events/{id}": ({ id, tables }) => {
    const found = tables.events.find((event) => event.id === id)
    return Objects.event(present(found, "event", id))
  },

  "GET /v1/payment_methods/{id}": ({ id, tables }) => Objects.method(PaymentIntents.methodOf(tables, id)),
  "POST /v1/payment_methods/{id}/attach": ({ id, params, tables }) => Customers.attach(tables, id, params),
  "POST /v1/payment_methods/{id}/detach": ({ id, tables }) => Customers.detach(tables, id),

  "POST /v1/customers": ({ params, tables }) => Customers.create(tables, params),
  "GET /v1/customers/{id}": ({ id, tables }) => Customers.retrieve(tables, id),
  "DELETE /v1/customers/{id}": ({ id, tables }) => Customers.remove(tables, id),

  "POST /v1/products": ({ params, tables }) => Catalogue.createProduct(tables, params),
  "GET /v1/products/{id}": ({ id, tables }) => Catalogue.retrieve(tables, "product", id),
  "POST /v1/prices": ({ params, tables }) => Catalogue.createPrice(tables, params),
  "GET /v1/prices/{id}": ({ id, tables }) => Catalogue.retrieve(tables, "price", id),
  "POST /v1/coupons": ({ params, tables }) => Catalogue.createCoupon(tables, params),
  "GET /v1/coupons/{id}": ({ id, tables }) => Catalogue.retrieve(tables, "coupon", id),

  "POST /v1/subscriptions": ({ params, tables }) => Subscriptions.create(tables, params),
  "GET /v1/subscriptions/{id}": ({ id, tables }) => Catalogue.retrieve(tables, "subscription", id),
  "POST /v1/subscriptions/{id}": ({ id, params, tables }) => Subscriptions.update(tables, id, params),
  "DELETE /v1/subscriptions/{id}": ({ id, tables }) => Subscriptions.cancel(tables, id)
}

// --- Finding one ------------------------------------------------------------

export interface Found {
  readonly route: string
  readonly id: string
  readonly run: Run
}

export const find = (method: string, path: string): Found => {
  const exact = `${method} ${path}`
  if (routes[exact] !== undefined) return { route: exact, id: "", run: routes[exact] }
  const parts = path.split("/")
  const id = decodeURIComponent(parts[3] ?? "")
  const route = `${method} ${[...parts.slice(0, 3), "{id}", ...parts.slice(4)].join("/")}`
  const run = routes[route]
  if (run === undefined) throw noSuchUrl(method, path)
  return { route, id, run }
}

const noSuchUrl = (method: string, path: string) => invalidRequest(`Unrecognized request URL (${method}: ${path}).`)

// --- Parameters -------------------------------------------------------------

interface Definitions {
  readonly definitions: Readonly<Record<string, { readonly [field: string]: unknown }>>
}

const schema = JSON.parse(
  readFileSync(new URL("../../fixtures/stripe/stripe-node-23-params.schema.json", import.meta.url), "utf8")
) as Definitions

/** `{ "$ref": "#/definitions/StripeConstructor.PaymentIntentCreateParams" }` stands for the part after the dot. */
const namesOf = ($ref: string): ReadonlySet<string> => {
  const properties = schema.definitions[$ref.slice($ref.indexOf(".") + 1)]?.["properties"]
  return new Set(Object.keys(Object(properties)))
}

const requests = schema.definitions["StripeRequests"]!["properties"] as Record<string, { readonly $ref: string }>
const declared = new Map(
  Object.entries(requests).map(([route, { $ref }]) => [route.replace(/\{\w+\}/, "{id}"), namesOf($ref)] as const)
)

/** Routes that the schema does not list take nothing but `expand`. */
const onlyExpand: ReadonlySet<string> = new Set(["expand"])

export const checkParameters = (route: string, params: Params): void => {
  const names = declared.get(route) ?? onlyExpand
  for (const name of Object.keys(params)) if (!names.has(name)) throw unknownParameter(name)
}

export const expands = (params: Params): ReadonlyArray<string> =>
  Form.list(params, "expand").filter((path) => typeof path === "string")

// --- Lists ------------------------------------------------------------------

const present = <A>(found: A | undefined, object: string, id: string): A => {
  if (found === undefined) throw noSuch(object, id, "id")
  return found
}

const listOf = (
  { params }: Context,
  url: string,
  all: ReadonlyArray<JsonObject & { readonly id: string }>
): JsonObject => {
  const limit = Form.text(params, "limit") ?? "10"
  if (!/^\d+$/.test(limit) || Number(limit) < 1 || Number(limit) > 100) throw notInteger("limit", limit)
  const within = all.filter((one) => isWithin(params, Number(one["created"])))
  return Tables.page(url, within, Number(limit), Form.text(params, "starting_after"))
}

/** `created` as a second, or as a range of them. */
const isWithin = (params: Params, created: number): boolean => {
  const exact = Form.text(params, "created")
  if (exact !== undefined) return created === Number(exact)
  const { gt, gte, lt, lte } = Form.texts(params, "created")
  return (
    (gt === undefined || created > Number(gt)) &&
    (gte === undefined || created >= Number(gte)) &&
    (lt === undefined || created < Number(lt)) &&
    (lte === undefined || created <= Number(lte))
  )
}

/** Those of which every field that the request names is as it says. */
const matching = <A extends object>(all: Iterable<A>, params: Params, names: ReadonlyArray<keyof A & string>) =>
  [...all].filter((one) => names.every((name) => params[name] === undefined || params[name] === one[name]))

const intents = ({ params, tables }: Context) =>
  matching(tables.intents.values(), params, ["customer"]).map(Objects.intent)
const refunds = ({ params, tables }: Context) =>
  matching(tables.refunds.values(), params, ["charge", "payment_intent"]).map(Objects.refund)
const charges = ({ params, tables }: Context) =>
  matching(tables.charges.values(), params, ["customer", "payment_intent"]).map(Objects.charge)
const disputes = ({ params, tables }: Context) =>
  matching(tables.disputes.values(), params, ["charge", "payment_intent"]).map(Objects.dispute)

const events = ({ params, tables }: Context) => {
  const types = Form.list(params, "types")
  return matching(tables.events, params, ["type"])
    .filter(({ type }) => types.length === 0 || types.includes(type))
    .map(Objects.event)
}
