/** The API's routes over `Payments`: what comes in as HTTP, what goes out as HTTP, and nothing between. */
import { Effect, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { IdempotencyStore } from "../../adapters/IdempotencyStore.ts"
import type { IdempotencyKey } from "../../domain/Idempotency.ts"
import type { Currency } from "../../domain/Currency.ts"
import type { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { PaymentId, RequestId } from "../../domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import * as IdempotentRequest from "../../orchestration/IdempotentRequest.ts"
import type { Progress } from "../../orchestration/Payments.ts"
import { PaymentNotFound } from "../../orchestration/PaymentProcess.ts"
import { Payments } from "../../orchestration/Payments.ts"
import * as DecisionJson from "./DecisionJson.ts"
import { Merchant } from "./Merchant.ts"
import * as PaymentJson from "./PaymentJson.ts"
import * as PaymentList from "./PaymentList.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import * as Problem from "./Problem.ts"
import type { Refusal } from "./Refusal.ts"
import { refuse } from "./Refusal.ts"

export const payments = HttpApiBuilder.group(
  PaymentsApi,
  "payments",
  Effect.fn(function* (handlers) {
    const payments = yield* Payments
    const merchant = yield* Merchant
    const services = yield* Effect.context<IdempotencyStore | SecureRandom.SecureRandom>()
    const { answerMillis } = payments.waits
    const own = (id: string) => ownedBy(payments, merchant, id)
    const change = (request: Omit<Change, "merchant" | "answerMillis">, make: Make) =>
      Effect.provideContext(changeOnce({ ...request, merchant, answerMillis }, own(request.payment), make), services)

    return handlers.handleAll({
      create: ({ headers, payload }) =>
        payments.create(merchant, headers["idempotency-key"], PaymentJson.toNewPayment(payload)).pipe(
          Effect.map(({ replayed, settled, view }) => respond(answerOf(view, settled ? 201 : 202), replayed)),
          Effect.catch(refuse)
        ),

      list: ({ query }) =>
        Effect.gen(function* () {
          const { filter, page } = PaymentList.toFilter(query)
          if (page.cursor !== undefined) yield* knownTo(payments, merchant, page.cursor)
          const { cursor, payments: found } = yield* payments.list({ ...filter, merchant }, page)
          return {
            payments: found.map(PaymentJson.fromView),
            ...(cursor !== undefined && { nextCursor: PaymentList.cursorOf(cursor) })
          }
        }).pipe(Effect.catch(refuse)),

      get: ({ params }) =>
        own(params.id).pipe(
          Effect.flatMap(({ id }) => payments.get(id)),
          Effect.map((view) => respond(answerOf(view, 200), false)),
          Effect.catch(refuse)
        ),

      events: ({ params }) =>
        own(params.id).pipe(
          Effect.flatMap(({ id }) => payments.events(id)),
          Effect.map((events) => ({ events: events.map((event, index) => ({ version: index + 1, event })) })),
          Effect.catch(refuse)
        ),

      capture: ({ headers, params, payload }) =>
        change(
          { operation: "capture", payment: params.id, key: headers["idempotency-key"], body: payload ?? {} },
          ({ currency, id }, request) => {
            const amount = amountIn(currency, payload?.amount)
            return payments.capture(id, request, { amount, final: payload?.final ?? true })
          }
        ),

      cancel: ({ headers, params, payload }) =>
        change(
          { operation: "cancel", payment: params.id, key: headers["idempotency-key"], body: payload ?? {} },
          ({ id }, request) => payments.cancel(id, request, payload?.reason)
        ),

      refund: ({ headers, params, payload }) =>
        change(
          { operation: "refund", payment: params.id, key: headers["idempotency-key"], body: payload ?? {} },
          ({ currency, id }, request) => {
            const amount = amountIn(currency, payload?.amount)
            return payments.refund(id, request, { amount, reason: payload?.reason })
          }
        ),

      completeAction: ({ headers, params, payload }) =>
        change(
          { operation: "completeAction", payment: params.id, key: headers["idempotency-key"], body: payload ?? {} },
          ({ id }) => payments.completeAction(id, payload?.result)
        ),

      decide: ({ headers, params, payload }) =>
        change(
          { operation: "decide", payment: params.id, key: headers["idempotency-key"], body: payload },
          ({ currency, id }) => {
            const { operation, operator, reason } = payload
            return payments.decide(id, {
              operation,
              operator,
              reason,
              answer: DecisionJson.toAnswer(payload, currency)
            })
          }
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

/** A cursor is one of the merchant's payments: another would end the list early, as if there were no more. */
const knownTo = (payments: Payments["Service"], merchant: MerchantId, cursor: PaymentId) =>
  payments.get(cursor).pipe(
    Effect.filterOrFail(
      (view) => view.merchant === merchant,
      () => new PaymentNotFound({ payment: cursor })
    ),
    Effect.catchTag(
      "PaymentNotFound",
      () => new Problem.InvalidRequest({ errors: [PaymentList.unknownCursor(cursor)] })
    )
  )

interface Owned {
  readonly id: PaymentId
  readonly currency: Currency
}

/**
 * The payment, if it is this merchant's: of another's not even its being there
 * is told. Its first event knows whose it is while the read model is rebuilt.
 */
const ownedBy = Effect.fnUntraced(function* (payments: Payments["Service"], merchant: MerchantId, text: string) {
  const id = yield* identified(text)
  const owned = yield* payments.get(id).pipe(
    Effect.map((view) => ({ owner: view.merchant, currency: view.currency })),
    Effect.catchTag("PaymentNotFound", () =>
      Effect.map(payments.events(id), (events) => {
        const { order } = events.find((event) => event._tag === "Initiated")!
        return { owner: order.merchant, currency: order.amount.currency }
      })
    )
  )
  if (owned.owner !== merchant) return yield* new Problem.PaymentNotFound()
  return { id, currency: owned.currency } satisfies Owned
})

/** Amounts of an existing payment are in its currency. */
const amountIn = (currency: Currency, amount: number | undefined) =>
  amount === undefined ? undefined : { currency, minor: BigInt(amount) }

interface Answer {
  readonly status: 200 | 201 | 202
  readonly body: PaymentJson.Payment
}

const AnswerJson = Schema.toCodecJson(
  Schema.Struct({ status: Schema.Literals([200, 201, 202]), body: PaymentJson.Payment })
)
const encodeAnswer = Schema.encodeSync(AnswerJson)
const decodeAnswer = Schema.decodeUnknownSync(AnswerJson)

interface Change {
  readonly merchant: MerchantId
  readonly operation: string
  readonly payment: string
  readonly key: IdempotencyKey | undefined
  readonly body: Schema.JsonObject
  readonly answerMillis: number
}

type Make = (payment: Owned, request: RequestId) => Effect.Effect<Progress, Refusal>

/** Makes a change once per key, where there is one; without, each request is one of its own. */
const changeOnce = Effect.fnUntraced(
  function* (
    { answerMillis, body, key, merchant, operation, payment }: Change,
    own: Effect.Effect<Owned, Refusal>,
    make: Make
  ) {
    const owned = yield* own
    const random = yield* SecureRandom.SecureRandom
    const request = RequestId.make(key ?? `request-${yield* random.ulid}`)
    const answer = Effect.map(make(owned, request), ({ settled, view }) => ({
      answer: encodeAnswer(answerOf(view, settled ? 200 : 202)),
      settled
    }))
    const made =
      key === undefined
        ? Effect.map(answer, (once) => ({ ...once, replayed: false }))
        : IdempotentRequest.once({ merchant, key, request: { operation, payment, body }, answerMillis }, answer)
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
