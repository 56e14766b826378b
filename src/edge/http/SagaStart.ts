/**
 * Begins a run for a request, and waits for its end as long as a request waits.
 *
 * What names the run is in its input: the order's number, the transfer's. The
 * same one again is answered with the run that is there, unless it asks for
 * something else, which is a conflict.
 */
import type { Context } from "effect"
import { Duration, Effect, Schema } from "effect"
import type { SecureRandom } from "effect/crypto"
import { HttpServerResponse } from "effect/http"
import type { IdempotencyStore } from "../../adapters/IdempotencyStore.ts"
import * as CanonicalJson from "../../domain/CanonicalJson.ts"
import type { IdempotencyKey } from "../../domain/Idempotency.ts"
import type { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import * as IdempotentRequest from "../../orchestration/IdempotentRequest.ts"
import type { Saga } from "../../orchestration/saga/Saga.ts"
import { SagaRunner } from "../../orchestration/saga/SagaRunner.ts"
import type { recording } from "./OnRecord.ts"
import * as Problem from "./Problem.ts"
import { refuse } from "./Refusal.ts"
import * as SagaJson from "./SagaJson.ts"

export interface Options {
  readonly merchant: MerchantId
  readonly answerMillis: number
  readonly onRecord: Effect.Success<typeof recording>
  readonly services: Context.Context<SagaRunner | IdempotencyStore | SecureRandom.SecureRandom>
}

const RunJson = Schema.toCodecJson(SagaJson.Run)
const encodeRun = Schema.encodeSync(RunJson)
const decodeRun = Schema.decodeUnknownSync(RunJson)

export const make =
  ({ answerMillis, merchant, onRecord, services }: Options) =>
  <Input, A, R>(saga: Saga<Input, A, R>, input: Input, key: IdempotencyKey | undefined) =>
    Effect.gen(function* () {
      const asked = yield* Effect.orDie(saga.inputCoding.encode(input))
      const named = saga.idempotencyKey?.(input)
      const what = named === undefined ? `begin ${saga.name}` : `begin ${saga.name} ${named}`
      const run = Effect.map(onRecord(what, begun(saga, input, asked, answerMillis)), (answer) => ({
        answer: encodeRun(answer),
        settled: answer.status !== "running"
      }))
      const { answer, replayed } =
        key === undefined
          ? { ...(yield* run), replayed: false }
          : yield* IdempotentRequest.once(
              { merchant, key, request: { operation: `begin ${saga.name}`, body: asked }, answerMillis },
              run
            )
      const shown = decodeRun(answer)
      return respond(shown, shown.status === "running" ? 202 : 201, replayed)
    }).pipe(Effect.provideContext(services), Effect.catch(refuse))

/** With the run's end, where it comes in time: how it ended is in its status. */
const begun = Effect.fnUntraced(function* <Input, A, R>(
  saga: Saga<Input, A, R>,
  input: Input,
  asked: Schema.Json,
  answerMillis: number
) {
  const runner = yield* SagaRunner
  const execution = yield* runner.start(saga, input)
  const before = yield* runner.status(execution)
  const field = differing(asked, before.input)
  if (field !== undefined) {
    return yield* new Problem.KeyReused({ field, detail: `run ${execution} of ${saga.name} differs in ${field}` })
  }
  yield* runner.result(saga, execution).pipe(
    Effect.catchTag("SagaFailed", () => Effect.void),
    Effect.timeoutOption(Duration.millis(answerMillis))
  )
  return SagaJson.fromRun(yield* runner.status(execution))
})

/** The first field in which two inputs differ. */
const differing = (asked: Schema.Json, kept: Schema.Json, path = ""): string | undefined => {
  if (CanonicalJson.text(asked) === CanonicalJson.text(kept)) return undefined
  if (!isObject(asked) || !isObject(kept)) return path
  for (const name of new Set([...Object.keys(asked), ...Object.keys(kept)])) {
    const [one, other] = [asked[name], kept[name]]
    const below = path === "" ? name : `${path}.${name}`
    if (one === undefined || other === undefined) return below
    const found = differing(one, other, below)
    if (found !== undefined) return found
  }
  return path
}

const isObject = (json: Schema.Json): json is Schema.JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json)

export const respond = (run: SagaJson.Run, status: 201 | 202, replayed: boolean) => {
  const response = HttpServerResponse.jsonUnsafe(run, { status })
  return replayed ? HttpServerResponse.setHeader(response, "idempotent-replayed", "true") : response
}
