/**
 * What Stripe's events tell florin, by the object as it is now.
 *
 * | event | is about | tells |
 * | --- | --- | --- |
 * | `payment_intent.*` | an intent | the answer about its authorization, its capture or its void |
 * | `charge.refunded` | a charge | the answers about its refunds |
 * | `refund.*`, `charge.refund.updated` | a refund | the answer about it |
 * | `charge.dispute.*` | a dispute | that it was opened, and how it was closed |
 *
 * The body says which object, never how much (R4): the object is fetched, and
 * may be further than the event. What florin did not begin, by the metadata
 * that it writes on everything, and what it does not know, tells nothing.
 *
 * An event names the idempotency key of the request that caused it, which is
 * how a void is known from a cancellation by other hands.
 */
import { Effect, Option, Result, Schema } from "effect"
import { UnreadableWebhook } from "../../adapters/GatewayWebhooks.ts"
import { GatewayError, InDoubt } from "../../adapters/PaymentGateway.ts"
import { Instant } from "../../domain/Instant.ts"
import type { Answer, GatewayName } from "../../domain/payment/Gateway.ts"
import type { News, Notification } from "../../domain/payment/Notification.ts"
import * as Operation from "../../domain/payment/Operation.ts"
import { OperationId } from "../../domain/payment/Operation.ts"
import { PaymentId } from "../../domain/payment/PaymentEvent.ts"
import * as StripeAmount from "./StripeAmount.ts"
import * as StripeAnswer from "./StripeAnswer.ts"
import type { StripeApi, StripeTrouble } from "./StripeApi.ts"
import { classify } from "./StripeClassification.ts"
import * as StripeObject from "./StripeObject.ts"
import type { StripeRequest } from "./StripeRequest.ts"
import * as Requests from "./StripeRequest.ts"

type Read<A> = Effect.Effect<A, GatewayError | UnreadableWebhook>

export const read = (
  api: StripeApi,
  gateway: GatewayName,
  event: StripeObject.Event
): Read<ReadonlyArray<Notification>> => {
  const { created, data, id, type } = event
  const object = data.object.id
  const at = Instant.make(created * 1000)
  const told = (news: ReadonlyArray<News>) =>
    news.map((one, index): Notification => ({ id: index === 0 ? id : `${id}:${index}`, gateway, at, news: one }))
  if (object === undefined) return Effect.succeed([])
  const ask = fetching(api, gateway)
  return Effect.map(newsOf(ask, type, object, event), told)
}

const newsOf = (ask: Fetch, type: string, object: string, event: StripeObject.Event): Read<ReadonlyArray<News>> => {
  if (type.startsWith("payment_intent.")) {
    // An account may have intents that are not florin's: those are not worth a question.
    if (event.data.object.metadata?.[Requests.operationKey] === undefined) return Effect.succeed([])
    return Effect.flatMap(ask(Requests.retrieve(object), StripeObject.Intent), (intent) =>
      ofIntent(intent, event.request?.idempotency_key ?? undefined)
    )
  }
  if (type === "charge.refunded") {
    const request = { _tag: "ListRefunds", params: { charge: object, limit: 100 } } as const
    return Effect.map(ask(request, StripeObject.listOf(StripeObject.Refund)), ({ data }) => data.flatMap(ofRefund))
  }
  if (type.startsWith("refund.") || type === "charge.refund.updated") {
    return Effect.map(ask({ _tag: "RetrieveRefund", refund: object }, StripeObject.Refund), ofRefund)
  }
  return type.startsWith("charge.dispute.") ? ofDispute(ask, object) : Effect.succeed([])
}

// --- Intents ----------------------------------------------------------------

const readOperation = Schema.decodeUnknownOption(OperationId)
const readPayment = Schema.decodeUnknownOption(PaymentId)

const operationIn = (metadata: Readonly<Record<string, string>>, key: string): OperationId | undefined =>
  Option.getOrUndefined(readOperation(metadata[key]))

const ofIntent = (
  intent: StripeObject.Intent,
  key: string | undefined
): Effect.Effect<ReadonlyArray<News>, UnreadableWebhook> => {
  const authorization = operationIn(intent.metadata, Requests.operationKey)
  if (authorization === undefined) return Effect.succeed([])
  const cause = Option.getOrUndefined(readOperation(key))
  if (intent.status === "canceled" && cause !== undefined && Operation.kindOf(cause) === "void") {
    return Effect.succeed([answered(cause, { _tag: "Voided" })])
  }
  if (intent.status !== "succeeded") {
    return Effect.succeed([answered(authorization, StripeAnswer.ofAuthorization(intent))])
  }
  const capture = operationIn(intent.metadata, Requests.captureKey)
  const isWhole = intent.amount_received === intent.amount
  if (capture === undefined && isWhole) {
    return Effect.succeed([answered(authorization, StripeAnswer.ofAuthorization(intent))])
  }
  // Captured by other hands, and in part: told of the authorization, as nobody's capture.
  return Result.match(StripeAnswer.captured(intent), {
    onFailure: ({ message }) => Effect.fail(new UnreadableWebhook({ detail: message })),
    onSuccess: (answer) => Effect.succeed([answered(capture ?? authorization, answer)])
  })
}

const answered = (operation: OperationId, answer: Answer): News => ({ _tag: "Answered", operation, answer })

// --- Refunds ----------------------------------------------------------------

const ofRefund = (refund: StripeObject.Refund): ReadonlyArray<News> => {
  const operation = operationIn(refund.metadata ?? {}, Requests.operationKey)
  return operation === undefined ? [] : [answered(operation, StripeAnswer.ofRefund(refund))]
}

// --- Disputes ---------------------------------------------------------------

/**
 * One that is closed is told as opened too, because its opening may come later
 * or never. An inquiry (`warning_…`) takes no money, and is no dispute yet.
 */
const ofDispute = Effect.fnUntraced(function* (ask: Fetch, id: string) {
  const dispute = yield* ask({ _tag: "RetrieveDispute", dispute: id }, StripeObject.Dispute)
  if (dispute.payment_intent === null || dispute.status.startsWith("warning_")) return []
  const { metadata } = yield* ask(Requests.retrieve(dispute.payment_intent), StripeObject.Intent)
  const payment = Option.getOrUndefined(readPayment(metadata[Requests.paymentKey]))
  if (payment === undefined) return []
  const amount = StripeAmount.fromStripe(dispute.currency, dispute.amount)
  if (Result.isFailure(amount)) return yield* new UnreadableWebhook({ detail: amount.failure.message })
  const { id: name, reason } = dispute
  const opened: News = { _tag: "DisputeOpened", payment, dispute: name, amount: amount.success, reason }
  const closed = (outcome: "Won" | "Lost"): News => ({ _tag: "DisputeClosed", payment, dispute: name, outcome })
  switch (dispute.status) {
    case "won":
      return [opened, closed("Won")]
    case "lost":
      return [opened, closed("Lost")]
    default:
      return [opened]
  }
})

// --- Fetching ---------------------------------------------------------------

type Fetch = <A, I>(request: StripeRequest, schema: Schema.Codec<A, I>) => Read<A>

/** A webhook is not an operation; an error about one has to name one all the same. */
const operation = OperationId.make("pay_unknown/webhook/1")

const fetching =
  (api: StripeApi, gateway: GatewayName): Fetch =>
  (request, schema) =>
    api.ask(request).pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(schema)),
      Effect.catchTags({
        SchemaError: ({ message }) => Effect.fail(new UnreadableWebhook({ detail: message })),
        StripeTrouble: (trouble) => Effect.fail(errorOf(trouble, gateway))
      })
    )

/** An object that this account's key cannot see will not be seen later either; everything else is asked again. */
const errorOf = (trouble: StripeTrouble, gateway: GatewayName): GatewayError | UnreadableWebhook =>
  classify(trouble.seen)._tag === "Refused"
    ? new UnreadableWebhook({ detail: trouble.message })
    : new GatewayError({ gateway, operation, reason: new InDoubt({ because: "LookupFailed", cause: trouble }) })
