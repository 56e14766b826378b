/** What a Stripe account holds: its objects, its events, its clock and the ids that it gives. */
import type { Json, JsonObject } from "./StripeReply.ts"
import type { TestMethod } from "./TestMethods.ts"

export type IntentStatus =
  | "requires_payment_method"
  | "requires_confirmation"
  | "requires_action"
  | "requires_capture"
  | "succeeded"
  | "canceled"

export type Metadata = Readonly<Record<string, string>>

export interface Intent {
  readonly id: string
  readonly created: number
  readonly amount: number
  readonly currency: string
  readonly capture_method: string
  readonly automatic_payment_methods: JsonObject | null
  readonly customer: string | null
  readonly description: string | null
  readonly statement_descriptor: string | null
  readonly statement_descriptor_suffix: string | null
  readonly setup_future_usage: string | null
  metadata: Metadata
  status: IntentStatus
  amount_capturable: number
  amount_received: number
  payment_method: string | null
  latest_charge: string | null
  last_payment_error: JsonObject | null
  next_action: JsonObject | null
  canceled_at: number | null
  cancellation_reason: string | null
  /** Where the customer goes when they have been to their bank. */
  return_url: string | undefined
  /** When it was last changed, in milliseconds: search is behind. */
  changedMillis: number
}

export interface Charge {
  readonly id: string
  readonly created: number
  readonly payment_intent: string
  readonly amount: number
  readonly currency: string
  readonly customer: string | null
  readonly payment_method: string
  readonly metadata: Metadata
  readonly failure: JsonObject | null
  captured: boolean
  amount_captured: number
  amount_refunded: number
  disputed: boolean
}

export interface Refund {
  readonly id: string
  readonly created: number
  readonly amount: number
  readonly currency: string
  readonly charge: string
  readonly payment_intent: string
  readonly reason: string | null
  metadata: Metadata
  status: "pending" | "succeeded" | "failed"
  failure_reason: string | null
}

export interface Dispute {
  readonly id: string
  readonly created: number
  readonly amount: number
  readonly currency: string
  readonly charge: string
  readonly payment_intent: string
  readonly reason: string
  status: "needs_response" | "won" | "lost"
}

export interface Method {
  readonly id: string
  readonly created: number
  readonly test: TestMethod
  customer: string | null
}

/** Objects that are kept as they were sent: customers, products, prices, coupons, subscriptions, invoices. */
export interface Kept {
  readonly id: string
  readonly object: string
  readonly [field: string]: Json
}

export interface StripeEvent {
  readonly id: string
  readonly type: string
  readonly created: number
  readonly object: JsonObject
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null }
}

export interface Tables {
  readonly now: () => number
  readonly seconds: () => number
  /** The next id of a kind: `pi_000001`, so that runs are alike. */
  readonly id: (prefix: string) => string
  readonly intents: Map<string, Intent>
  readonly charges: Map<string, Charge>
  readonly refunds: Map<string, Refund>
  readonly disputes: Map<string, Dispute>
  readonly methods: Map<string, Method>
  readonly kept: Map<string, Kept>
  readonly deleted: Map<string, string>
  readonly events: Array<StripeEvent>
  /** What goes on now: events name it as their cause. */
  request: StripeEvent["request"]
  /** Where the pages for customers are. */
  origin: string
}

export const make = (now: () => number): Tables => {
  const counts = new Map<string, number>()
  return {
    now,
    seconds: () => Math.floor(now() / 1000),
    id: (prefix) => {
      const count = (counts.get(prefix) ?? 0) + 1
      counts.set(prefix, count)
      return `${prefix}_${String(count).padStart(8, "0")}`
    },
    intents: new Map(),
    charges: new Map(),
    refunds: new Map(),
    disputes: new Map(),
    methods: new Map(),
    kept: new Map(),
    deleted: new Map(),
    events: [],
    request: { id: null, idempotency_key: null },
    origin: "http://stripe.test"
  }
}

export const emit = (tables: Tables, type: string, object: JsonObject): void => {
  const { request } = tables
  tables.events.push({ id: tables.id("evt"), type, created: tables.seconds(), object, request })
}

/** A page of a list, newest first, as every list of Stripe's is. */
export const page = (
  url: string,
  all: ReadonlyArray<JsonObject & { readonly id: string }>,
  limit: number,
  after: string | undefined
): JsonObject => {
  const newestFirst = all.toReversed()
  const start = after === undefined ? 0 : newestFirst.findIndex(({ id }) => id === after) + 1
  const data = newestFirst.slice(start, start + limit)
  return { object: "list", url, has_more: start + limit < newestFirst.length, data }
}
