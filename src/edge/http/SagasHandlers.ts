/** `/v1/sagas` and `/v1/checkouts` over `SagaRunner`, for the runs of this service's merchant. */
import type { Schema } from "effect"
import { Effect, Option } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpApiBuilder } from "effect/http-api"
import { IdempotencyStore } from "../../adapters/IdempotencyStore.ts"
import type { Kept } from "../../adapters/SagaRuns.ts"
import { merchantOf, SagaRuns } from "../../adapters/SagaRuns.ts"
import type { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { keyOf } from "../../orchestration/paying/PaymentOrder.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import { Payments } from "../../orchestration/Payments.ts"
import type { SagaRunnerError } from "../../orchestration/saga/SagaRunnerError.ts"
import { SagaRunner } from "../../orchestration/saga/SagaRunner.ts"
import { ShopSagas } from "../sagas/ShopSagas.ts"
import { Merchant } from "./Merchant.ts"
import * as OnRecord from "./OnRecord.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import * as Problem from "./Problem.ts"
import { refuse } from "./Refusal.ts"
import * as SagaJson from "./SagaJson.ts"
import * as SagaStart from "./SagaStart.ts"

export const sagas = HttpApiBuilder.group(
  PaymentsApi,
  "sagas",
  Effect.fn(function* (handlers) {
    const runner = yield* SagaRunner
    const runs = yield* SagaRuns
    const merchant = yield* Merchant
    const { alternativePayment, multiAttempt, paymentProcessing } = yield* ShopSagas
    const start = yield* starter

    const onRecord = yield* OnRecord.recording

    const change = (
      what: string,
      id: string,
      by: (id: string) => Effect.Effect<void, SagaRunnerError | StorageUnavailable>
    ) =>
      owned(runs, merchant, id).pipe(
        Effect.andThen(onRecord(`${what} saga ${id}`, by(id))),
        Effect.andThen(runner.status(id)),
        Effect.map((run) => SagaStart.respond(SagaJson.fromRun(run), 202, false)),
        Effect.catch(refuse)
      )

    return handlers.handleAll({
      start: ({ headers, payload }) => {
        const order = SagaJson.toOrder(merchant, payload)
        const key = headers["idempotency-key"]
        switch (payload.saga) {
          case "PaymentProcessing":
            return start(paymentProcessing, order, key)
          case "MultiAttempt":
            return start(multiAttempt, { order, backups: payload.backups }, key)
          case "AlternativePayment":
            return alternativePayment === undefined
              ? refuse(new Problem.SagaNotOffered({ saga: payload.saga, detail: "it needs FLORIN_CARD_PAGE" }))
              : start(alternativePayment, order, key)
        }
      },
      list: ({ query }) =>
        runs.find(SagaJson.toQuery(merchant, query)).pipe(
          Effect.map((found) => SagaJson.fromFound(found, query)),
          Effect.catch(refuse)
        ),
      get: ({ params }) =>
        owned(runs, merchant, params.id).pipe(
          Effect.flatMap((kept) => detailed(runs, kept)),
          Effect.catch(refuse)
        ),
      cancel: ({ params }) => change("cancel", params.id, runner.cancel),
      undo: ({ params }) => change("undo", params.id, runner.undo),
      resume: ({ params }) => change("resume", params.id, runner.resume),
      answer: ({ payload: { answer, correlation, saga } }) =>
        Effect.gen(function* () {
          const [question] = yield* runs.questions({ saga, correlation })
          if (question === undefined) return yield* new Problem.QuestionNotFound()
          yield* Effect.catchTag(owned(runs, merchant, question.execution), "SagaRunNotFound", () =>
            Effect.fail(new Problem.QuestionNotFound())
          )
          // What is answered may be a customer's secret.
          yield* onRecord(
            `answer saga ${question.execution} at ${question.step}`,
            runner.answer(saga, correlation, answer)
          )
        }).pipe(Effect.catch(refuse))
    })
  })
)

export const checkouts = HttpApiBuilder.group(
  PaymentsApi,
  "checkouts",
  Effect.fn(function* (handlers) {
    const runs = yield* SagaRuns
    const merchant = yield* Merchant
    const { checkout } = yield* ShopSagas
    const start = yield* starter

    return handlers.handleAll({
      start: ({ headers, payload }) => start(checkout, SagaJson.toCart(merchant, payload), headers["idempotency-key"]),
      get: ({ params: { reference } }) =>
        Effect.gen(function* () {
          const kept = yield* runs.keyed(checkout.name, keyOf({ merchant, reference }))
          if (Option.isNone(kept)) return yield* new Problem.SagaRunNotFound()
          return yield* detailed(runs, kept.value)
        }).pipe(Effect.catch(refuse))
    })
  })
)

const starter = Effect.gen(function* () {
  const { waits } = yield* Payments
  const services = yield* Effect.context<SagaRunner | IdempotencyStore | SecureRandom.SecureRandom>()
  const merchant = yield* Merchant
  const onRecord = yield* OnRecord.recording
  return SagaStart.make({ merchant, answerMillis: waits.answerMillis, services, onRecord })
})

/** The run, if it is this merchant's: of another's not even its being there is told. */
const owned = (runs: SagaRuns["Service"], merchant: MerchantId, id: string) =>
  Effect.flatMap(runs.get(id), (kept) =>
    Option.isSome(kept) && isOf(merchant, kept.value.run.input)
      ? Effect.succeed(kept.value)
      : Effect.fail(new Problem.SagaRunNotFound())
  )

const detailed = (runs: SagaRuns["Service"], kept: Kept) =>
  Effect.map(runs.questions({ execution: kept.run.execution }), (questions) => SagaJson.withSteps(kept, questions))

/** Orders are a merchant's; stock is of everybody on this database. */
const isOf = (merchant: MerchantId, input: Schema.Json): boolean => (merchantOf(input) ?? merchant) === merchant
