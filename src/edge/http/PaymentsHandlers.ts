/** The API's routes over `Payments`: what comes in as HTTP, what goes out as HTTP, and nothing between. */
import { Context, Effect, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { IdempotencyStore } from "../../adapters/IdempotencyStore.ts"
import type { PaymentRepositoryError } from "../../adapters/PaymentRepository.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { IdempotencyKey } from "../../domain/Idempotency.ts"
import type { Rejected } from "../../domain/payment/PaymentCommand.ts"
import type { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { PaymentId, RequestId } from "../../domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import type { IdempotencyError } from "../../orchestration/IdempotentRequest.ts"
import * as IdempotentRequest from "../../orchestration/IdempotentRequest.ts"
import type { Progress } from "../../orchestration/Payments.ts"
import { Payments } from "../../orchestration/Payments.ts"
import * as PaymentProcess from "../../orchestration/PaymentProcess.ts"
import * as PaymentJson from "./PaymentJson.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import * as Problem from "./Problem.ts"

/** Whose payments this service takes. */
export class Merchant extends Context.Service<Merchant, MerchantId>()("florin/edge/http/Merchant") {}

export const payments = HttpApiBuilder.group(
  PaymentsApi,
  "payments",
  Effect.fn(function* (handlers) {
    const payments = yield* Payments
    const merchant = yield* Merchant
    const services = yield* Effect.context<IdempotencyStore | SecureRandom.SecureRandom>()
    const change = (...request: Parameters<typeof changeOnce>) =>
      Effect.provideContext(changeOnce(...request), services)

    return handlers.handleAll({
      create: ({ headers, payload }) =>
        payments.create(merchant, headers["idempotency-key"], PaymentJson.toNewPayment(payload)).pipe(
          Effect.map(({ replayed, settled, view }) => respond(answerOf(view, settled ? 201 : 202), replayed)),
          Effect.catch(refuse)
        ),

      get: ({ params }) =>
        identified(params.id).pipe(
          Effect.flatMap(payments.get),
          Effect.map((view) => respond(answerOf(view, 200), false)),
          Effect.catch(refuse)
        ),

      events: ({ params }) =>
        identified(params.id).pipe(
          Effect.flatMap(payments.events),
          Effect.map((events) => ({ events: events.map((event, index) => ({ version: index + 1, event })) })),
          Effect.catch(refuse)
        ),

      capture: ({ headers, params, payload }) =>
        change(merchant, "capture", params.id, headers["idempotency-key"], payload ?? {}, (id, request) =>
          Effect.flatMap(amountIn(payments, id, payload?.amount), (amount) =>
            payments.capture(id, request, { amount, final: payload?.final ?? true })
          )
        ),

      cancel: ({ headers, params, payload }) =>
        change(merchant, "cancel", params.id, headers["idempotency-key"], payload ?? {}, (id, request) =>
          payments.cancel(id, request, payload?.reason)
        ),

      refund: ({ headers, params, payload }) =>
        change(merchant, "refund", params.id, headers["idempotency-key"], payload ?? {}, (id, request) =>
          Effect.flatMap(amountIn(payments, id, payload?.amount), (amount) =>
            payments.refund(id, request, { amount, reason: payload?.reason })
          )
        ),

      completeAction: ({ headers, params, payload }) =>
        change(merchant, "completeAction", params.id, headers["idempotency-key"], payload ?? {}, (id) =>
          payments.completeAction(id, payload?.result)
        )
    })
  })
)

export const system = HttpApiBuilder.group(
  PaymentsApi,
  "system",
  Effect.fn(function* (handlers) {
    const payments = yield* Payments
    return handlers.handleAll({
      healthz: () => Effect.succeed({ status: "ok" as const }),
      readyz: () => payments.list({}, { limit: 1 }).pipe(Effect.as({ status: "ok" as const }), Effect.catch(refuse))
    })
  })
)

// --- Requests ---------------------------------------------------------------

const decodeId = Schema.decodeUnknownOption(PaymentId)

/** An id that florin never gives out names no payment. */
const identified = (id: string) =>
  Option.match(decodeId(id), { onNone: () => Effect.fail(new Problem.PaymentNotFound()), onSome: Effect.succeed })

/** Amounts of an existing payment are in its currency. */
const amountIn = (payments: Payments["Service"], id: PaymentId, amount: number | undefined) =>
  amount === undefined
    ? Effect.succeed(undefined)
    : Effect.map(payments.get(id), ({ currency }) => ({ currency, minor: BigInt(amount) }))

interface Answer {
  readonly status: 200 | 201 | 202
  readonly body: PaymentJson.Payment
}

const AnswerJson = Schema.toCodecJson(
  Schema.Struct({ status: Schema.Literals([200, 201, 202]), body: PaymentJson.Payment })
)
const encodeAnswer = Schema.encodeSync(AnswerJson)
const decodeAnswer = Schema.decodeUnknownSync(AnswerJson)

/** Makes a change once per key, where there is one; without, each request is one of its own. */
const changeOnce = Effect.fnUntraced(
  function* (
    merchant: MerchantId,
    operation: string,
    payment: string,
    key: IdempotencyKey | undefined,
    body: Schema.JsonObject,
    make: (payment: PaymentId, request: RequestId) => Effect.Effect<Progress, Refusal>
  ) {
    const id = yield* identified(payment)
    const random = yield* SecureRandom.SecureRandom
    const request = RequestId.make(key ?? `request-${yield* random.ulid}`)
    const answer = Effect.map(make(id, request), ({ settled, view }) => ({
      answer: encodeAnswer(answerOf(view, settled ? 200 : 202)),
      settled
    }))
    const made =
      key === undefined
        ? Effect.map(answer, (once) => ({ ...once, replayed: false }))
        : IdempotentRequest.once({ merchant, key, request: { operation, payment, body } }, answer)
    const { answer: stored, replayed } = yield* made
    return respond(decodeAnswer(stored), replayed)
  },
  (effect) => Effect.catch(effect, refuse)
)

// --- Answers ----------------------------------------------------------------

const answerOf = (view: PaymentView, status: Answer["status"]): Answer => ({
  status,
  body: PaymentJson.fromView(view)
})

const respond = ({ body, status }: Answer, replayed: boolean) => {
  const response = HttpServerResponse.jsonUnsafe(body, { status })
  return replayed ? HttpServerResponse.setHeader(response, "idempotent-replayed", "true") : response
}

type Refusal =
  | Problem.Problem
  | PaymentProcess.PaymentNotFound
  | PaymentRepositoryError
  | StorageUnavailable
  | IdempotencyError
  | Rejected

/** What stood in the way, as a response: the log has the cause, the caller has what to do about it. */
const refuse = (error: Refusal): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.flatMap(problemOf(error), Problem.toResponse)

const problemOf = (error: Refusal): Effect.Effect<Problem.Problem> => {
  switch (error._tag) {
    case "Payment.Rejected":
      return Effect.succeed(
        new Problem.OperationRefused({ state: error.state, rule: error.rule, detail: error.message })
      )
    case "IdempotencyError": {
      if (error.reason._tag === "Conflict") {
        const field = PaymentJson.fieldOf(error.reason.field)
        return Effect.succeed(new Problem.KeyReused({ field, detail: `the first request differs in ${field}` }))
      }
      const { payment } = error.reason
      return Effect.succeed(new Problem.RequestInFlight(payment === undefined ? {} : { payment }))
    }
    case "StorageUnavailable":
      return Effect.as(Effect.logWarning("the store did not answer", error), new Problem.Unavailable())
    case "PaymentRepositoryError":
      return error.reason._tag === "EventContinuityError" || error.reason._tag === "UnreadableEvent"
        ? Effect.as(Effect.logError("a payment's history is damaged", error), new Problem.PaymentStopped())
        : Effect.as(Effect.logWarning("a payment could not be worked on", error), new Problem.Unavailable())
    case "PaymentNotFound":
      return Effect.succeed(new Problem.PaymentNotFound())
    case "InvalidRequest":
    case "CardNumberRefused":
    case "BodyTooLarge":
    case "NotJson":
    case "RouteNotFound":
    case "OperationRefused":
    case "RequestInFlight":
    case "KeyReused":
    case "PaymentStopped":
    case "InternalError":
    case "Unavailable":
      return Effect.succeed(error)
  }
}
