/**
 * The one place where a gateway is asked to perform a flow.
 *
 *     breaker -> timeout -> gateway
 *
 * It is `GatewayCall`'s way, for outcomes instead of answers: the breaker sees
 * one result a call, an answer or a definite refusal never counts against the
 * gateway, what the breaker holds back was not sent, and what timed out is in
 * doubt. There is no retry here: `FlowPlan` decides it, and records each try.
 */
import { Duration, Effect, Schema } from "effect"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { CircuitBreaker } from "effect/persistence"
import type { FlowCall, FlowGateway } from "../adapters/FlowGateway.ts"
import { Outcome } from "../domain/flow/FlowEvent.ts"
import type { DoubtReason } from "../domain/payment/Gateway.ts"
import type { FlowPolicy } from "./FlowPolicy.ts"

/** An outcome that the breaker may count: there was no answer. */
class Unanswered extends Schema.TaggedError<Unanswered>()("Unanswered", { outcome: Outcome }) {}

/** Calls gateways, each through its own breaker. */
export const make = Effect.fnUntraced(function* ({ breaker, timeoutMillis }: FlowPolicy["call"]) {
  const guard = yield* CircuitBreaker.make({
    tripPolicy: breaker.tripPolicy,
    openDuration: Duration.millis(breaker.openMillis)
  })
  return Effect.fn("FlowCall.perform")(function* (gateway: FlowGateway, call: FlowCall) {
    const once: Effect.Effect<Outcome, Unanswered> = gateway.perform(call).pipe(
      Effect.timeoutOrElse({
        duration: Duration.millis(timeoutMillis),
        orElse: () => Effect.succeed(doubt("Timeout", `none within ${timeoutMillis} ms`))
      }),
      // An adapter that throws may have sent the request before it did.
      Effect.catchDefect(() => Effect.succeed(doubt("Unreadable", "the adapter broke"))),
      Effect.flatMap((outcome) =>
        outcome._tag === "NotSent" || outcome._tag === "InDoubt"
          ? Effect.fail(new Unanswered({ outcome }))
          : Effect.succeed(outcome)
      )
    )
    const guarded: Effect.Effect<Outcome, Unanswered | CircuitBreaker.CircuitBreakerError> = guard.execute(once, {
      // Not the payments' breaker: what opens it is counted by another policy.
      key: `${gateway.name}/flows`,
      classify
    })
    return yield* Effect.catch(guarded, (error) =>
      Effect.succeed(error._tag === "Unanswered" ? error.outcome : heldBack(gateway, error))
    )
  })
})

const doubt = (because: DoubtReason, detail: string): Outcome => ({
  _tag: "InDoubt",
  because,
  settled: false,
  error: { _tag: "Transport", detail }
})

const heldBack = ({ name }: FlowGateway, { reason }: CircuitBreaker.CircuitBreakerError): Outcome => ({
  _tag: "NotSent",
  because: "CircuitOpen",
  error: { _tag: "Transport", detail: `the breaker of ${name} is open` },
  ...(reason._tag === "CircuitOpen" && { retryAfterMillis: Math.ceil(Duration.toMillis(reason.retryAfter)) })
})

/** Silence counts, and so does being throttled; that the key is in use is about this one request. */
const classify = (exit: Exit.Exit<Outcome, Unanswered>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const error = Cause.findErrorOption(exit.cause)
  if (error._tag === "None") return CircuitBreaker.ignored
  const { outcome } = error.value
  if (outcome._tag === "InDoubt" && outcome.because === "KeyInUse") return CircuitBreaker.ignored
  const retryAfterMillis = outcome._tag === "NotSent" ? outcome.retryAfterMillis : undefined
  return CircuitBreaker.failure(retryAfterMillis === undefined ? {} : { retryAfter: Duration.millis(retryAfterMillis) })
}
