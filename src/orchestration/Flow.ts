/**
 * A gateway request that nobody waits for, and what is done with its answer.
 *
 * ```ts
 * const createProduct = Flow.make("create_product", {
 *   request: ProductRequest,
 *   response: Product,
 *   onResponse: (product, { context }) => context.set("product_id", product.id),
 *   onError: ({ advice, error }) => Effect.logWarning(advice, error)
 * })
 *
 * Flow.dispatch(createProduct, { name: "Gold plan" }, { worker: "billing", key: "gold-plan" })
 * ```
 *
 * The request is durable before `dispatch` answers, and its answer before a
 * handler runs. Handlers run at least once: what they do twice must be the same
 * as once, which setting the context and dispatching the next flow are.
 *
 * Request, response and error travel as data that schemas check, never as code.
 */
import { Effect, Result, Schema } from "effect"
import type { ContextRefused, Entries } from "../domain/flow/FlowContext.ts"
import type { Advice, FlowError } from "../domain/flow/FlowError.ts"
import type { FlowId } from "../domain/flow/FlowName.ts"
import { FlowName } from "../domain/flow/FlowName.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import type { Dispatched, DispatchError } from "./FlowDispatch.ts"
import { InvalidRequest } from "./FlowDispatch.ts"
import { Flows } from "./Flows.ts"
import * as SchemaProblems from "./SchemaProblems.ts"

// --- What a handler is given ------------------------------------------------

/** Why there is no response. */
export interface Failure {
  readonly error: FlowError
  /** Nobody knows whether it took effect. It may still be answered, and its response flow run then. */
  readonly inDoubt: boolean
  readonly advice: Advice
}

export interface HandlerContext {
  readonly id: string
  readonly entries: Effect.Effect<Entries, StorageUnavailable>
  readonly get: (key: string) => Effect.Effect<Schema.Json | undefined, StorageUnavailable>
  /** Durable when it returns. */
  readonly set: (key: string, value: Schema.Json) => Effect.Effect<void, ContextRefused | StorageUnavailable>
}

export interface NextOptions {
  /** Who performs it; the same worker, where nothing is said. */
  readonly worker?: string | undefined
  /** Tells two requests of one flow apart that one handler dispatches. */
  readonly as?: string | undefined
}

export interface Handling {
  readonly flowId: FlowId
  /** Of the handler: `new_create_product_response`. */
  readonly name: string
  /** 1 the first time. */
  readonly attempt: number
  readonly context: HandlerContext
  /** The next flow, in the same context. Its key is derived from this flow, so that a handler that runs twice makes one. */
  readonly dispatch: <Request, R>(
    flow: Flow<Request, R>,
    request: Request,
    options?: NextOptions
  ) => Effect.Effect<Dispatched, DispatchError>
}

// --- The flow ---------------------------------------------------------------

/** `Request` is what is dispatched; `R` what its handlers need. */
export interface Flow<in Request, out R = never> {
  readonly name: FlowName
  /** The request as it is stored and sent. */
  readonly encode: (request: Request) => Result.Result<Schema.Json, InvalidRequest>
  /** The response as it is stored: what the schema keeps of the gateway's body; or what is wrong with that. */
  readonly read: (body: Schema.Json) => Result.Result<Schema.Json, string>
  readonly onResponse: (stored: Schema.Json, handling: Handling) => Effect.Effect<unknown, unknown, R>
  readonly onError: (failure: Failure, handling: Handling) => Effect.Effect<unknown, unknown, R>
}

export interface Options<Request, Response, E1, R1, E2, R2> {
  readonly request: Schema.Codec<Request, unknown>
  readonly response: Schema.Codec<Response, unknown>
  readonly onResponse: (response: Response, handling: Handling) => Effect.Effect<unknown, E1, R1>
  readonly onError: (failure: Failure, handling: Handling) => Effect.Effect<unknown, E2, R2>
}

/** Throws when `name` is no flow's name: it is written in the program. */
export const make = <Request, Response, E1 = never, R1 = never, E2 = never, R2 = never>(
  name: string,
  options: Options<Request, Response, E1, R1, E2, R2>
): Flow<Request, R1 | R2> => {
  const request = Schema.toCodecJson(options.request)
  const response = Schema.toCodecJson(options.response)
  const encodeRequest = Schema.encodeResult(request)
  const decodeResponse = Schema.decodeUnknownResult(response)
  const encodeResponse = Schema.encodeResult(response)
  return {
    name: FlowName.make(name),
    encode: (value) =>
      Result.mapError(
        encodeRequest(value),
        ({ issue }) => new InvalidRequest({ problems: SchemaProblems.of(issue, value, "request") })
      ),
    read: (body) =>
      Result.mapError(Result.flatMap(decodeResponse(body), encodeResponse), ({ issue }) =>
        SchemaProblems.text(SchemaProblems.of(issue, body, "response"))
      ),
    onResponse: (stored, handling) =>
      Effect.flatMap(Effect.fromResult(decodeResponse(stored)), (value) => options.onResponse(value, handling)),
    onError: (failure, handling) => Effect.suspend(() => options.onError(failure, handling))
  }
}

export interface DispatchOptions {
  /** Which workers may perform it. */
  readonly worker: string
  /** Names the values that its handlers share with others; a context of its own, where nothing is said. */
  readonly context?: string | undefined
  /** Makes a repeat the same request; a random one, where nothing is said. */
  readonly key?: string | undefined
}

/** Answers as soon as the request is stored, and never waits for the gateway. */
export const dispatch = <Request, R>(
  flow: Flow<Request, R>,
  request: Request,
  options: DispatchOptions
): Effect.Effect<Dispatched, DispatchError, Flows> =>
  Effect.flatMap(Flows, (flows) => flows.dispatch(flow, request, options))
