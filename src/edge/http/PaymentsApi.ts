/**
 * The HTTP API as a contract: routes, schemas and problems, from which the
 * server, the typed client and `/openapi.json` are made.
 */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { IdempotencyKey } from "../../domain/Idempotency.ts"
import { InvalidRequests } from "./InvalidRequests.ts"
import * as PaymentJson from "./PaymentJson.ts"
import * as Problem from "./Problem.ts"
import { RequestBody } from "./RequestBody.ts"

/** An id of another shape names no payment: that is a 404 as well, so the shape is not checked here. */
const params = { id: Schema.String }

/** A body of fields that are all optional may be left out: no body reads as `null`. */
const optionalBody = <S extends Schema.Top>(schema: S) => [schema, Schema.Null] as const

const keyed = { "idempotency-key": Schema.optionalKey(IdempotencyKey) }

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
      headers: { "idempotency-key": IdempotencyKey },
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
      OpenApi.annotations({
        summary: "Begin a payment",
        description:
          "Answers when the payment rests, or with 202 after a while. A repeat with the same `Idempotency-Key` " +
          "answers the same body with `Idempotent-Replayed: true`."
      })
    ),
    HttpApiEndpoint.get("get", "/:id", { params, success: PaymentJson.Payment, error: reading }),
    HttpApiEndpoint.get("events", "/:id/events", { params, success: PaymentJson.Events, error: reading }),
    HttpApiEndpoint.post("capture", "/:id/capture", {
      params,
      headers: keyed,
      payload: optionalBody(PaymentJson.CapturePayment),
      success: [Settled, Underway],
      error: changing
    }),
    HttpApiEndpoint.post("cancel", "/:id/cancel", {
      params,
      headers: keyed,
      payload: optionalBody(PaymentJson.CancelPayment),
      success: [Settled, Underway],
      error: changing
    }),
    HttpApiEndpoint.post("refund", "/:id/refunds", {
      params,
      headers: keyed,
      payload: optionalBody(PaymentJson.RefundPayment),
      success: [Settled, Underway],
      error: changing
    }),
    HttpApiEndpoint.post("completeAction", "/:id/actions/complete", {
      params,
      headers: keyed,
      payload: optionalBody(PaymentJson.CompleteAction),
      success: [Settled, Underway],
      error: changing
    })
  )
  .prefix("/v1/payments") {}

const Health = Schema.Struct({ status: Schema.Literal("ok") })

export class SystemGroup extends HttpApiGroup.make("system", { topLevel: true }).add(
  HttpApiEndpoint.get("healthz", "/healthz", { success: Health }).annotateMerge(
    OpenApi.annotations({ summary: "The process is alive" })
  ),
  HttpApiEndpoint.get("readyz", "/readyz", { success: Health, error: Problem.Unavailable }).annotateMerge(
    OpenApi.annotations({ summary: "The process can serve: its database answers" })
  )
) {}

export class PaymentsApi extends HttpApi.make("florin")
  .add(PaymentsGroup)
  .add(SystemGroup)
  .middleware(InvalidRequests)
  .middleware(RequestBody)
  .annotate(HttpApi.PayloadParseOptions, { errors: "all", onExcessProperty: "error", reportInput: true })
  .annotate(HttpApi.HeadersParseOptions, { errors: "all", reportInput: true })
  .annotateMerge(
    OpenApi.annotations({
      title: "florin",
      version: "1",
      description: "Payments that are charged at most once, and every charge known."
    })
  ) {}
