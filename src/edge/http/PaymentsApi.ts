/**
 * The HTTP API as a contract: routes, schemas and problems, from which the
 * server, the typed client and `/openapi.json` are made.
 */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Cursor } from "../../adapters/EventBus.ts"
import * as Operation from "../../domain/payment/Operation.ts"
import { PaymentId } from "../../domain/payment/PaymentEvent.ts"
import * as AccountJson from "./AccountJson.ts"
import { described, key, keyed, onceEach } from "./ApiWords.ts"
import * as DecisionJson from "./DecisionJson.ts"
import * as EventJson from "./EventJson.ts"
import * as GatewayJson from "./GatewayJson.ts"
import * as PaymentJson from "./PaymentJson.ts"
import * as PaymentList from "./PaymentList.ts"
import * as Problem from "./Problem.ts"
import { InvalidRequests, RequestBody } from "./RequestChecks.ts"
import { CheckoutsGroup, SagasGroup } from "./SagasApi.ts"
import { InventoryGroup } from "./InventoryApi.ts"
import { SubscriptionsGroup } from "./SubscriptionsApi.ts"
import * as WebhookEndpointJson from "./WebhookEndpointJson.ts"

/** An id of another shape names no payment: that is a 404 as well, so the shape is not checked here. */
const params = { id: Schema.String.annotate({ description: "A payment's id" }) }

/** A body of fields that are all optional may be left out: no body reads as `null`. */
const optionalBody = <S extends Schema.Top>(schema: S) => [schema, Schema.Null] as const

const Settled = PaymentJson.Payment.annotate({ description: "The payment has come to rest" })
const Underway = PaymentJson.Payment.pipe(HttpApiSchema.status(202)).annotate({
  description: "The payment is still on its way; this is what is known so far"
})

const changing = [
  Problem.PaymentNotFound,
  Problem.OperationRefused,
  Problem.RequestInFlight,
  Problem.KeyReused,
  Problem.PaymentStopped,
  Problem.Unavailable
] as const

const reading = [Problem.PaymentNotFound, Problem.PaymentStopped, Problem.Unavailable] as const

export class PaymentsGroup extends HttpApiGroup.make("payments")
  .add(
    HttpApiEndpoint.post("create", "/", {
      headers: { "idempotency-key": key },
      payload: PaymentJson.CreatePayment,
      success: [Settled.pipe(HttpApiSchema.status(201)), Underway],
      error: [
        Problem.OperationRefused,
        Problem.RequestInFlight,
        Problem.KeyReused,
        Problem.PaymentStopped,
        Problem.Unavailable
      ]
    }).annotateMerge(
      described(
        "Begin a payment",
        "Answers when the payment rests, or with 202 after a while. A repeat with the same `Idempotency-Key` " +
          "answers the same body with `Idempotent-Replayed: true`."
      )
    ),
    HttpApiEndpoint.get("list", "/", {
      query: PaymentList.Query,
      success: PaymentList.Payments,
      error: Problem.Unavailable
    }).annotateMerge(
      described(
        "List payments",
        "The newest first, a page at a time. All that a query names must hold; `nextCursor` of one page is `cursor` " +
          "of the next."
      )
    ),
    HttpApiEndpoint.get("get", "/:id", { params, success: PaymentJson.Payment, error: reading }).annotateMerge(
      described("Read a payment", "All that is known of it now, whatever it is waiting for.")
    ),
    HttpApiEndpoint.get("events", "/:id/events", { params, success: PaymentJson.Events, error: reading }).annotateMerge(
      described("Read all that happened to a payment", "Its events, the first of version 1. Amounts in them are text.")
    ),
    HttpApiEndpoint.post("capture", "/:id/capture", {
      params,
      headers: keyed,
      payload: optionalBody(PaymentJson.CapturePayment),
      success: [Settled, Underway],
      error: changing
    }).annotateMerge(described("Capture what is authorized", `All that is left, or \`amount\` of it. ${onceEach}`)),
    HttpApiEndpoint.post("cancel", "/:id/cancel", {
      params,
      headers: keyed,
      payload: optionalBody(PaymentJson.CancelPayment),
      success: [Settled, Underway],
      error: changing
    }).annotateMerge(
      described("Cancel a payment", `Gives back the hold, where there is one; money that has moved stays. ${onceEach}`)
    ),
    HttpApiEndpoint.post("refund", "/:id/refunds", {
      params,
      headers: keyed,
      payload: optionalBody(PaymentJson.RefundPayment),
      success: [Settled, Underway],
      error: changing
    }).annotateMerge(described("Refund what was captured", `All that is left, or \`amount\` of it. ${onceEach}`)),
    HttpApiEndpoint.post("completeAction", "/:id/actions/complete", {
      params,
      headers: keyed,
      payload: optionalBody(PaymentJson.CompleteAction),
      success: [Settled, Underway],
      error: changing
    }).annotateMerge(
      described(
        "Go on after the customer's action",
        "The customer is back from the redirect, with or without a result."
      )
    ),
    HttpApiEndpoint.post("decide", "/:id/decision", {
      params,
      headers: keyed,
      payload: DecisionJson.Decision,
      success: [Settled, Underway],
      error: changing
    }).annotateMerge(
      described(
        "Settle an escalated operation",
        "An operator says what they found at the gateway about one of the payment's `escalations`; name and reason " +
          "stay with the payment. Refused unless that operation waits for a decision, and can end so: " +
          `${Operation.Kind.literals.map((kind) => `${kind} as ${DecisionJson.decidable(kind).join(", ")}`).join("; ")}. ` +
          onceEach
      )
    )
  )
  .prefix("/v1/payments") {}

const cursor = Cursor.annotate({ description: "The `id` of the last event that was read, or `beginning`" })

export class EventsGroup extends HttpApiGroup.make("events").add(
  HttpApiEndpoint.get("follow", "/v1/events", {
    headers: { "last-event-id": Schema.optionalKey(cursor) },
    query: {
      after: Schema.optionalKey(cursor),
      payment: Schema.optionalKey(PaymentId.annotate({ description: "Events of this payment" })),
      type: Schema.optionalKey(
        Schema.Array(EventJson.EventType).annotate({ description: "Events of this kind; may be given more than once" })
      )
    },
    success: HttpApiSchema.StreamSse({ events: EventJson.Block }),
    error: Problem.Unavailable
  }).annotateMerge(
    described(
      "Follow all events",
      "Server-sent events, from now on or behind a cursor: `Last-Event-ID`, or `after` for who cannot set headers; " +
        "the header wins. Each event comes in the order of its payment, and none is lost between two connections."
    )
  )
) {}

export class GatewaysGroup extends HttpApiGroup.make("gateways").add(
  HttpApiEndpoint.get("list", "/v1/gateways", { success: GatewayJson.Gateways }).annotateMerge(
    described("List the gateways", "What each can do, and how it is doing by its circuit breaker.")
  )
) {}

const answering = [Problem.Overloaded, Problem.LedgerStopped, Problem.Unavailable] as const

export class AccountsGroup extends HttpApiGroup.make("accounts")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: AccountJson.Query,
      success: AccountJson.Accounts,
      error: answering
    }).annotateMerge(
      described(
        "List clients' accounts",
        "By client, a page at a time; `nextCursor` of one page is `cursor` of the next."
      )
    ),
    HttpApiEndpoint.get("get", "/:client", {
      params: { client: AccountJson.Client },
      success: AccountJson.Account,
      error: [Problem.AccountNotFound, ...answering]
    }).annotateMerge(described("Read a client's account", "As all that is recorded makes it.")),
    HttpApiEndpoint.get("transactions", "/:client/transactions", {
      params: { client: AccountJson.Client },
      query: AccountJson.Query,
      success: AccountJson.Transactions,
      error: [Problem.AccountNotFound, ...answering]
    }).annotateMerge(described("Read all that was applied to an account", "The first one first, a page at a time.")),
    HttpApiEndpoint.post("transact", "/:client/transactions", {
      params: { client: AccountJson.Client },
      headers: keyed,
      payload: AccountJson.NewTransaction,
      success: AccountJson.Transaction.pipe(HttpApiSchema.status(201)),
      error: [Problem.TransactionRefused, Problem.KeyReused, ...answering]
    }).annotateMerge(
      described(
        "Apply a transaction to an account",
        "Answers when it is durable. A deposit or a withdrawal is known by its `tx`: the same one again answers the " +
          "same body with `Idempotent-Replayed: true`, another under that id is refused as `DuplicateTx`. A dispute, " +
          "a resolve and a chargeback need an `Idempotency-Key` for that. What was refused is not remembered."
      )
    )
  )
  .prefix("/v1/accounts") {}

const endpointParams = { id: Schema.String.annotate({ description: "A webhook endpoint's id" }) }
const ofEndpoint = [Problem.EndpointNotFound, Problem.Unavailable] as const

export class WebhookEndpointsGroup extends HttpApiGroup.make("webhookEndpoints")
  .add(
    HttpApiEndpoint.post("create", "/", {
      payload: WebhookEndpointJson.CreateEndpoint,
      success: WebhookEndpointJson.EndpointWithSecret.pipe(HttpApiSchema.status(201)),
      error: Problem.Unavailable
    }).annotateMerge(
      described(
        "Subscribe to events",
        "Each event is posted to `url` as `GET /v1/events` shows it, signed as Standard Webhooks are, at least once and " +
          "in the order of its payment. The secret is in this answer, and in no other."
      )
    ),
    HttpApiEndpoint.get("list", "/", {
      success: WebhookEndpointJson.Endpoints,
      error: Problem.Unavailable
    }).annotateMerge(described("List the webhook endpoints", "All of them, the oldest first, without their secrets.")),
    HttpApiEndpoint.get("get", "/:id", {
      params: endpointParams,
      success: WebhookEndpointJson.Endpoint,
      error: ofEndpoint
    }).annotateMerge(described("Read a webhook endpoint", "With the notice that says why, where florin disabled it.")),
    HttpApiEndpoint.patch("change", "/:id", {
      params: endpointParams,
      payload: WebhookEndpointJson.ChangeEndpoint,
      success: WebhookEndpointJson.Endpoint,
      error: ofEndpoint
    }).annotateMerge(
      described("Change a webhook endpoint", "What is not said stays. What waits for one that is enabled goes on.")
    ),
    HttpApiEndpoint.delete("remove", "/:id", {
      params: endpointParams,
      success: HttpApiSchema.NoContent,
      error: ofEndpoint
    }).annotateMerge(described("Delete a webhook endpoint", "With all that was or is to be delivered to it.")),
    HttpApiEndpoint.post("rotate", "/:id/rotate", {
      params: endpointParams,
      success: WebhookEndpointJson.EndpointWithSecret,
      error: ofEndpoint
    }).annotateMerge(
      described("Rotate the secret", "For a day messages are signed by the old secret and by the new one.")
    ),
    HttpApiEndpoint.get("deliveries", "/:id/deliveries", {
      params: endpointParams,
      query: WebhookEndpointJson.Page,
      success: WebhookEndpointJson.Deliveries,
      error: ofEndpoint
    }).annotateMerge(
      described("List deliveries", "The newest event first: each try, what came of it, and when it is tried next.")
    )
  )
  .prefix("/v1/webhook-endpoints") {}

/** Outside the checks of `RequestBody`: a webhook is bytes, which its gateway's signature is of. */
export class GatewayWebhooksGroup extends HttpApiGroup.make("gatewayWebhooks").add(
  HttpApiEndpoint.post("receive", "/v1/webhooks/:gateway", {
    params: { gateway: Schema.String.annotate({ description: "A gateway's name" }) },
    success: Schema.String.pipe(HttpApiSchema.asText()),
    error: [Problem.WebhookUnverified, Problem.GatewayNotFound, Problem.BodyTooLarge, Problem.Unavailable]
  }).annotateMerge(
    described(
      "Take a gateway's webhook",
      "Its signature over the raw body is what authenticates it. It is stored, then answered with what the gateway " +
        "wants to hear; applied it is after that."
    )
  )
) {}

const Health = Schema.Struct({ status: Schema.Literal("ok") })

export class SystemGroup extends HttpApiGroup.make("system", { topLevel: true }).add(
  HttpApiEndpoint.get("healthz", "/healthz", { success: Health }).annotateMerge(described("The process is alive")),
  HttpApiEndpoint.get("readyz", "/readyz", { success: Health, error: Problem.Unavailable }).annotateMerge(
    described("The process can serve: its database answers")
  )
) {}

export class PaymentsApi extends HttpApi.make("florin")
  .add(PaymentsGroup)
  .add(EventsGroup)
  .add(GatewaysGroup)
  .add(AccountsGroup)
  .add(WebhookEndpointsGroup)
  .add(CheckoutsGroup)
  .add(SagasGroup)
  .add(SubscriptionsGroup)
  .add(InventoryGroup)
  .add(SystemGroup)
  .middleware(InvalidRequests)
  .middleware(RequestBody)
  .add(GatewayWebhooksGroup)
  .annotate(HttpApi.PayloadParseOptions, { errors: "all", onExcessProperty: "error", reportInput: true })
  .annotate(HttpApi.QueryParseOptions, { errors: "all", onExcessProperty: "error", reportInput: true })
  .annotate(HttpApi.HeadersParseOptions, { errors: "all", reportInput: true })
  .annotateMerge(
    OpenApi.annotations({
      title: "florin",
      version: "1",
      description: "Payments that are charged at most once, and every charge known."
    })
  ) {}
