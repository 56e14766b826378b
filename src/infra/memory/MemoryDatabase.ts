/**
 * The tables that the memory adapters share, so that what one statement does
 * in SQL is one step here: a payment's events, its view, its key and its outbox
 * entries change together or not at all.
 *
 * It outlives the layers built on it: a test keeps the database, throws away
 * the rest of the process, and builds it anew.
 */
import { Context, Layer } from "effect"
import type { Envelope } from "../../adapters/EventBus.ts"
import type { Answer } from "../../adapters/IdempotencyStore.ts"
import type { DeadLetter } from "../../adapters/Outbox.ts"
import type { Attempt, State } from "../../adapters/WebhookDeliveries.ts"
import type { DeadWebhook, Received } from "../../adapters/WebhookInbox.ts"
import type { RegisteredInvoice } from "../../adapters/SubscriptionRepository.ts"
import type { Link } from "../../domain/audit/AuditChain.ts"
import type { Draft } from "../../domain/audit/AuditEntry.ts"
import type { Entries } from "../../domain/flow/FlowContext.ts"
import type { Event as FlowEvent, Order as FlowOrder } from "../../domain/flow/FlowEvent.ts"
import type { ContextId, FlowId } from "../../domain/flow/FlowName.ts"
import type { Status as FlowStatus } from "../../domain/flow/FlowState.ts"
import type { Fingerprint } from "../../domain/Idempotency.ts"
import type { Instant } from "../../domain/Instant.ts"
import type { RunId } from "../../domain/payment/Operation.ts"
import type { Event, MerchantId, PaymentId } from "../../domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import type { Endpoint, EndpointId } from "../../domain/webhook/WebhookEndpoint.ts"
import type { SubscriptionId } from "../../domain/subscription/Invoice.ts"
import type { Event as SubscriptionEvent } from "../../domain/subscription/SubscriptionEvent.ts"
import type { SubscriptionView } from "../../domain/subscription/SubscriptionView.ts"

export interface StreamRow {
  readonly merchant: MerchantId
  version: number
  events: ReadonlyArray<{ readonly version: number; readonly event: Event }>
  owner: RunId | undefined
  until: Instant | undefined
  token: number
  due: Instant | undefined
  /** The creation's key, which is answered once the payment has come to rest. */
  readonly key: KeyRow
}

export interface OutboxRow {
  readonly envelope: Envelope
  failures: number
  owner: RunId | undefined
  until: Instant | undefined
  retryAt: Instant | undefined
}

/** A gateway's delivery that waits to be applied. */
export interface ReceivedRow {
  readonly received: Received
  failures: number
  retryAt: Instant
  owner: RunId | undefined
  until: Instant | undefined
}

/** An event on its way to an endpoint. */
export interface DeliveryRow {
  readonly endpoint: EndpointId
  readonly envelope: Envelope
  readonly queuedAt: Instant
  state: State
  attempts: number
  firstAt: Instant | undefined
  nextAt: Instant
  owner: RunId | undefined
  until: Instant | undefined
  readonly tries: Array<Attempt>
}

/** A key of a creation names its payment; one of another request has an owner and a lease. */
export interface KeyRow {
  readonly fingerprint: Fingerprint
  readonly payment: PaymentId | undefined
  readonly owner: RunId | undefined
  readonly until: Instant | undefined
  view: PaymentView | undefined
  answer: Answer | undefined
}

export interface FlowRow {
  readonly order: FlowOrder
  readonly fingerprint: Fingerprint
  readonly dispatchedAt: Instant
  events: ReadonlyArray<FlowEvent>
  status: FlowStatus
  due: Instant | undefined
}

export interface SubscriptionRow {
  readonly events: ReadonlyArray<{ readonly version: number; readonly event: SubscriptionEvent }>
  readonly version: number
  readonly view: SubscriptionView
  readonly due: Instant | undefined
}

export interface Tables {
  readonly streams: Map<PaymentId, StreamRow>
  /** The events of all payments in the order in which they were recorded. */
  readonly log: Array<Envelope>
  /** Told of every record: readers of the log that wait for more. */
  readonly watchers: Set<() => void>
  readonly views: Map<PaymentId, PaymentView>
  /** Idempotency keys of all requests, by merchant and key. */
  readonly keys: Map<string, KeyRow>
  readonly outbox: Array<OutboxRow>
  readonly deadLetters: Map<string, DeadLetter>
  readonly inbox: Map<string, ReceivedRow>
  readonly deadWebhooks: Map<string, DeadWebhook>
  /** Keys of events that gateways told of, by gateway and key: since when. */
  readonly seenWebhooks: Map<string, Instant>
  readonly webhookEndpoints: Map<EndpointId, Endpoint>
  /** By endpoint and event. */
  readonly webhookDeliveries: Map<string, DeliveryRow>
  readonly locks: Map<string, { owner: RunId | undefined; until: number; token: number }>
  readonly flows: Map<FlowId, FlowRow>
  readonly flowContexts: Map<ContextId, { readonly entries: Entries; readonly version: number }>
  /** The chain, each link with what it was made from. */
  readonly audit: Array<{ readonly link: Link; readonly entry: Draft }>
  readonly subscriptions: Map<SubscriptionId, SubscriptionRow>
  /** Each merchant's register, by number. */
  readonly invoices: Map<MerchantId, ReadonlyArray<RegisteredInvoice>>
}

export class MemoryDatabase extends Context.Service<MemoryDatabase, Tables>()("florin/infra/memory/MemoryDatabase") {}

export const make = (): Tables => ({
  streams: new Map(),
  log: [],
  watchers: new Set(),
  views: new Map(),
  keys: new Map(),
  outbox: [],
  deadLetters: new Map(),
  inbox: new Map(),
  deadWebhooks: new Map(),
  seenWebhooks: new Map(),
  webhookEndpoints: new Map(),
  webhookDeliveries: new Map(),
  locks: new Map(),
  flows: new Map(),
  flowContexts: new Map(),
  audit: [],
  subscriptions: new Map(),
  invoices: new Map()
})

export const layer: Layer.Layer<MemoryDatabase> = Layer.sync(MemoryDatabase, make)

/** One key of two parts; neither part holds a line break. */
export const compound = (first: string, second: string): string => `${first}\n${second}`
