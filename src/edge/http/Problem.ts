/**
 * What the API answers when it does not do what was asked: RFC 9457 problem
 * details, each with a `type` that never changes.
 */
import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"
import { Refusal } from "../../domain/ledger/LedgerRefusal.ts"
import { Status } from "../../adapters/SagaRuns.ts"
import { Rule } from "../../domain/payment/PaymentCommand.ts"
import * as StockCommand from "../../domain/reservation/StockCommand.ts"
import * as SubscriptionCommand from "../../domain/subscription/SubscriptionCommand.ts"

const StockReasons = Object.keys(StockCommand.Refusal.cases) as ReadonlyArray<StockCommand.Refusal["_tag"]>

const Issue = Schema.Struct({
  /** Where in the request, the part first: `payload`, `headers`, `query`. */
  path: Schema.Array(Schema.Union([Schema.String, Schema.Number])),
  /** What was expected, and what came. */
  message: Schema.String
})

/** Something in the request is not what it should be. */
export class InvalidRequest extends HttpApiError.Problem<InvalidRequest>()(
  "InvalidRequest",
  { type: "urn:florin:problem:invalid-request", status: 400, title: "The request is not valid" },
  { errors: Schema.Array(Issue) }
) {}

/** Florin takes tokens, never card numbers; the number itself is not repeated here. */
export class CardNumberRefused extends HttpApiError.Problem<CardNumberRefused>()(
  "CardNumberRefused",
  { type: "urn:florin:problem:card-number", status: 400, title: "Card numbers are not taken, only tokens" },
  { path: Schema.Array(Schema.Union([Schema.String, Schema.Number])) }
) {}

export class BodyTooLarge extends HttpApiError.Problem<BodyTooLarge>()(
  "BodyTooLarge",
  { type: "urn:florin:problem:body-too-large", status: 413, title: "The request body is too large" },
  { maxBytes: Schema.Int }
) {}

export class NotJson extends HttpApiError.Problem<NotJson>()("NotJson", {
  type: "urn:florin:problem:not-json",
  status: 415,
  title: "The request body is not declared as JSON"
}) {}

export class PaymentNotFound extends HttpApiError.Problem<PaymentNotFound>()("PaymentNotFound", {
  type: "urn:florin:problem:payment-not-found",
  status: 404,
  title: "There is no such payment"
}) {}

export class AccountNotFound extends HttpApiError.Problem<AccountNotFound>()("AccountNotFound", {
  type: "urn:florin:problem:account-not-found",
  status: 404,
  title: "This client has no account"
}) {}

/** The account, or the transaction that this is about, refuses it; `reason` says which rule. Nothing was recorded. */
export class TransactionRefused extends HttpApiError.Problem<TransactionRefused>()(
  "TransactionRefused",
  { type: "urn:florin:problem:transaction-refused", status: 409, title: "The account refuses this transaction" },
  { reason: Refusal }
) {}

/** Too much waits already, and nothing was recorded: ask again after `Retry-After`. */
export class Overloaded extends HttpApiError.Problem<Overloaded>()("Overloaded", {
  type: "urn:florin:problem:overloaded",
  status: 429,
  title: "Too many requests wait already"
}) {}

export class LedgerStopped extends HttpApiError.Problem<LedgerStopped>()("LedgerStopped", {
  type: "urn:florin:problem:ledger-stopped",
  status: 500,
  title: "The journal of these accounts is damaged"
}) {}

export class GatewayNotFound extends HttpApiError.Problem<GatewayNotFound>()("GatewayNotFound", {
  type: "urn:florin:problem:gateway-not-found",
  status: 404,
  title: "No gateway of this name sends webhooks here"
}) {}

/** Nothing says that it comes from the gateway; `detail` says what is wrong, and never what would be right. */
export class WebhookUnverified extends HttpApiError.Problem<WebhookUnverified>()("WebhookUnverified", {
  type: "urn:florin:problem:webhook-unverified",
  status: 401,
  title: "The webhook is not known to come from its gateway"
}) {}

export class EndpointNotFound extends HttpApiError.Problem<EndpointNotFound>()("EndpointNotFound", {
  type: "urn:florin:problem:webhook-endpoint-not-found",
  status: 404,
  title: "There is no such webhook endpoint"
}) {}

export class SagaRunNotFound extends HttpApiError.Problem<SagaRunNotFound>()("SagaRunNotFound", {
  type: "urn:florin:problem:saga-run-not-found",
  status: 404,
  title: "There is no such run of a saga"
}) {}

/** What was asked cannot be done to a run that stands so. */
export class SagaRunRefused extends HttpApiError.Problem<SagaRunRefused>()(
  "SagaRunRefused",
  { type: "urn:florin:problem:saga-run-refused", status: 409, title: "The run's status refuses this" },
  { state: Status }
) {}

/** This service does not run that saga: a setting that it needs is missing. */
export class SagaNotOffered extends HttpApiError.Problem<SagaNotOffered>()(
  "SagaNotOffered",
  { type: "urn:florin:problem:saga-not-offered", status: 409, title: "This service does not run this saga" },
  { saga: Schema.String }
) {}

/** Nobody waits for this answer: there is no such question, or it was answered. */
export class QuestionNotFound extends HttpApiError.Problem<QuestionNotFound>()("QuestionNotFound", {
  type: "urn:florin:problem:question-not-found",
  status: 404,
  title: "Nobody waits for this answer"
}) {}

/** The answer is not of the form that was asked for. */
export class AnswerRefused extends HttpApiError.Problem<AnswerRefused>()(
  "AnswerRefused",
  { type: "urn:florin:problem:answer-refused", status: 422, title: "The answer is not what was asked for" },
  { attemptsLeft: Schema.optionalKey(Schema.Finite) }
) {}

export class SubscriptionNotFound extends HttpApiError.Problem<SubscriptionNotFound>()("SubscriptionNotFound", {
  type: "urn:florin:problem:subscription-not-found",
  status: 404,
  title: "There is no such subscription"
}) {}

/** The subscription's state has no such move; `rule` says which rule forbids it. */
export class SubscriptionRefused extends HttpApiError.Problem<SubscriptionRefused>()(
  "SubscriptionRefused",
  { type: "urn:florin:problem:subscription-refused", status: 409, title: "The subscription's state refuses this" },
  { state: Schema.String, rule: SubscriptionCommand.Rule }
) {}

/** What is stored of this subscription cannot be read in full, so nothing is done with it until somebody mends it. */
export class SubscriptionStopped extends HttpApiError.Problem<SubscriptionStopped>()("SubscriptionStopped", {
  type: "urn:florin:problem:subscription-stopped",
  status: 500,
  title: "This subscription's history is damaged"
}) {}

/** The stock says no; `reason` says why. Nothing was recorded. */
export class StockRefused extends HttpApiError.Problem<StockRefused>()(
  "StockRefused",
  { type: "urn:florin:problem:stock-refused", status: 409, title: "The stock refuses this" },
  { reason: Schema.Literals(StockReasons) }
) {}

/** What is stored of this stock cannot be read, so nothing is done with it until somebody mends it. */
export class StockStopped extends HttpApiError.Problem<StockStopped>()("StockStopped", {
  type: "urn:florin:problem:stock-stopped",
  status: 500,
  title: "This stock's record is damaged"
}) {}

export class RouteNotFound extends HttpApiError.Problem<RouteNotFound>()("RouteNotFound", {
  type: "urn:florin:problem:route-not-found",
  status: 404,
  title: "There is nothing at this path for this method"
}) {}

/** The payment's state has no such move; `rule` says which rule forbids it. */
export class OperationRefused extends HttpApiError.Problem<OperationRefused>()(
  "OperationRefused",
  { type: "urn:florin:problem:operation-refused", status: 409, title: "The payment's state refuses this" },
  { state: Schema.String, rule: Rule }
) {}

/** The first request under this key is still being answered: ask again after `Retry-After`, or ask for its payment. */
export class RequestInFlight extends HttpApiError.Problem<RequestInFlight>()(
  "RequestInFlight",
  {
    type: "urn:florin:problem:request-in-flight",
    status: 409,
    title: "The first request under this idempotency key has no answer yet"
  },
  { payment: Schema.optionalKey(Schema.String) }
) {}

export class KeyReused extends HttpApiError.Problem<KeyReused>()(
  "KeyReused",
  {
    type: "urn:florin:problem:idempotency-key-reused",
    status: 422,
    title: "This idempotency key was used with another request"
  },
  { field: Schema.String }
) {}

/** What is stored of this payment cannot be read in full, so nothing is done with it until somebody mends it. */
export class PaymentStopped extends HttpApiError.Problem<PaymentStopped>()("PaymentStopped", {
  type: "urn:florin:problem:payment-stopped",
  status: 500,
  title: "This payment's history is damaged"
}) {}

export class InternalError extends HttpApiError.Problem<InternalError>()("InternalError", {
  type: "urn:florin:problem:internal-error",
  status: 500,
  title: "Something went wrong here; the log knows what"
}) {}

/** The store does not answer. Nothing is lost: ask again after `Retry-After`, with the same key. */
export class Unavailable extends HttpApiError.Problem<Unavailable>()("Unavailable", {
  type: "urn:florin:problem:unavailable",
  status: 503,
  title: "The service cannot answer now"
}) {}

export type Problem =
  | InvalidRequest
  | CardNumberRefused
  | BodyTooLarge
  | NotJson
  | PaymentNotFound
  | AccountNotFound
  | TransactionRefused
  | Overloaded
  | LedgerStopped
  | GatewayNotFound
  | WebhookUnverified
  | EndpointNotFound
  | SagaRunNotFound
  | SagaRunRefused
  | SagaNotOffered
  | QuestionNotFound
  | AnswerRefused
  | SubscriptionNotFound
  | SubscriptionRefused
  | SubscriptionStopped
  | StockRefused
  | StockStopped
  | RouteNotFound
  | OperationRefused
  | RequestInFlight
  | KeyReused
  | PaymentStopped
  | InternalError
  | Unavailable

const readProblem = Schema.decodeUnknownSync(
  Schema.Union([
    InvalidRequest,
    CardNumberRefused,
    BodyTooLarge,
    NotJson,
    PaymentNotFound,
    AccountNotFound,
    TransactionRefused,
    Overloaded,
    LedgerStopped,
    GatewayNotFound,
    WebhookUnverified,
    EndpointNotFound,
    SagaRunNotFound,
    SagaRunRefused,
    SagaNotOffered,
    QuestionNotFound,
    AnswerRefused,
    SubscriptionNotFound,
    SubscriptionRefused,
    SubscriptionStopped,
    StockRefused,
    StockStopped,
    RouteNotFound,
    OperationRefused,
    RequestInFlight,
    KeyReused,
    PaymentStopped,
    InternalError,
    Unavailable
  ])
)

/** A problem's body as its class; throws a `SchemaError` when it is none of ours. */
export const fromJson = (body: unknown): Problem => readProblem(body)
