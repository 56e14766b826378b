/**
 * The one place where a gateway is called.
 *
 *     rate limit -> breaker -> retry of what was not sent -> timeout -> gateway
 *
 * Retry and timeout are inside the breaker, so that it sees one outcome a call:
 * a failure counts once, however often it was tried, and an answer, a decline
 * included, never counts as one. What a breaker or a limit holds back was not
 * sent. What timed out is in doubt, and is not tried again here: asking again
 * is a decision of the plan, which remembers that it did.
 */
import { Context, Duration, Effect, Layer, Option, Schedule } from "effect"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import type { Found } from "../adapters/PaymentGateway.ts"
import { GatewayError, InDoubt, Misconfigured, NotSent, PaymentGateways } from "../adapters/PaymentGateway.ts"
import type { PaymentGateway } from "../adapters/PaymentGateway.ts"
import type { Answer, Capabilities, GatewayName } from "../domain/payment/Gateway.ts"
import type { Call } from "../domain/payment/PaymentPlan.ts"
import * as RetryPolicy from "../domain/RetryPolicy.ts"
import type { Health } from "../domain/Routing.ts"

// --- Policy, a gateway ------------------------------------------------------

export interface CallPolicy {
  /** How long a gateway may take; after it the call is in doubt. */
  readonly timeoutMillis: number
  /** Trying again, at once and in this process, what was proven not sent. */
  readonly retry: RetryPolicy.RetryPolicy
  readonly breaker: {
    readonly tripPolicy: CircuitBreaker.TripPolicy
    readonly openMillis: number
  }
  /** At most so many calls a window, where the gateway has such a limit. */
  readonly limit?: { readonly calls: number; readonly windowMillis: number } | undefined
}

/**
 * 30 s: card issuers answer within 10 in nearly all cases, and gateways give up
 * on them at about 30. Three tries within a second bridge a restart of a proxy.
 * Half of at least ten calls must fail before a breaker opens, so that one
 * unlucky card never does it; 15 s is long enough for a gateway to recover.
 */
export const defaultPolicy: CallPolicy = {
  timeoutMillis: 30_000,
  retry: { maxAttempts: 3, baseMillis: 200, factor: 2, capMillis: 1000 },
  breaker: {
    tripPolicy: CircuitBreaker.rate({ threshold: 0.5, minimumCalls: 10, size: 20 }),
    openMillis: 15_000
  }
}

/** Policies of the gateways that need one of their own. */
export const CallPolicies = Context.Reference<ReadonlyMap<GatewayName, CallPolicy>>(
  "florin/orchestration/GatewayCall/CallPolicies",
  { defaultValue: () => new Map() }
)

// --- Service ----------------------------------------------------------------

/** What is known of a gateway without calling it. */
export interface GatewayStanding {
  readonly name: GatewayName
  readonly capabilities: Capabilities
  readonly health: Health
  /** `Unknown` when the breaker's store cannot be asked; calls then pass. */
  readonly breaker:
    | { readonly _tag: "Closed" }
    | { readonly _tag: "Open"; readonly retryAfterMillis: number; readonly openings: number }
    | { readonly _tag: "HalfOpen"; readonly openings: number }
    | { readonly _tag: "Unknown" }
}

export class GatewayCall extends Context.Service<
  GatewayCall,
  {
    readonly send: (call: Call) => Effect.Effect<Answer, GatewayError>
    readonly lookup: (call: Call) => Effect.Effect<Found, GatewayError>
    /** How each gateway is doing now, by its breaker. */
    readonly health: Effect.Effect<(gateway: GatewayName) => Health>
    /** Every gateway that can be called, in the order in which they were configured. */
    readonly gateways: Effect.Effect<ReadonlyArray<GatewayStanding>>
  }
>()("florin/orchestration/GatewayCall") {}

export const layer: Layer.Layer<
  GatewayCall,
  never,
  PaymentGateways | CircuitBreaker.CircuitBreakerStore | RateLimiter.RateLimiter
> = Layer.effect(
  GatewayCall,
  Effect.gen(function* () {
    const gateways = yield* PaymentGateways
    const policies = yield* CallPolicies
    const limiter = yield* RateLimiter.RateLimiter

    const lines = new Map<GatewayName, Line>()
    for (const [name, gateway] of gateways) {
      const policy = policies.get(name) ?? defaultPolicy
      const { openMillis, tripPolicy } = policy.breaker
      const breaker = yield* CircuitBreaker.make({ tripPolicy, openDuration: Duration.millis(openMillis) })
      lines.set(name, { gateway, policy, breaker })
    }

    const through = <A>(call: Call, ask: (gateway: PaymentGateway) => Effect.Effect<A, GatewayError>) => {
      const line = lines.get(call.gateway)
      return line === undefined
        ? Effect.fail(errorOf(call, new Misconfigured({ detail: "no gateway of that name is configured" })))
        : guard(line, limiter, call, ask(line.gateway))
    }

    const standings = Effect.forEach(lines, ([name, { breaker, gateway }]) =>
      Effect.map(Effect.option(breaker.state(name)), (state): GatewayStanding => {
        const standing: GatewayStanding["breaker"] = Option.isSome(state) ? breakerOf(state.value) : { _tag: "Unknown" }
        return { name, capabilities: gateway.capabilities, health: healthOf[standing._tag], breaker: standing }
      })
    )

    return GatewayCall.of({
      send: Effect.fn("GatewayCall.send")((call) => through(call, (gateway) => make(gateway, call))),
      lookup: Effect.fn("GatewayCall.lookup")((call) => through(call, (gateway) => gateway.lookup(call))),
      health: Effect.map(standings, (all) => {
        const health = new Map(all.map((standing) => [standing.name, standing.health]))
        return (gateway) => health.get(gateway) ?? "up"
      }),
      gateways: standings
    })
  })
)

interface Line {
  readonly gateway: PaymentGateway
  readonly policy: CallPolicy
  readonly breaker: CircuitBreaker.CircuitBreaker
}

const healthOf: Record<GatewayStanding["breaker"]["_tag"], Health> = {
  Closed: "up",
  // Calls pass a breaker that cannot be asked.
  Unknown: "up",
  HalfOpen: "probing",
  Open: "down"
}

const breakerOf = (state: CircuitBreaker.State): GatewayStanding["breaker"] => {
  switch (state._tag) {
    case "Closed":
      return { _tag: "Closed" }
    case "Open": {
      const retryAfterMillis = Math.ceil(Duration.toMillis(state.retryAfter))
      // Its time is over, and the next call is let through: a gateway that counts as down is never given one.
      if (retryAfterMillis === 0) return { _tag: "HalfOpen", openings: state.consecutiveOpenings }
      return { _tag: "Open", retryAfterMillis, openings: state.consecutiveOpenings }
    }
    case "HalfOpen":
      return { _tag: "HalfOpen", openings: state.consecutiveOpenings }
  }
}

const make = (gateway: PaymentGateway, call: Call): Effect.Effect<Answer, GatewayError> => {
  switch (call._tag) {
    case "Authorize":
      return gateway.authorize(call)
    case "Confirm":
      return gateway.confirm(call)
    case "Capture":
      return gateway.capture(call)
    case "Void":
      return gateway.void(call)
    case "Refund":
      return gateway.refund(call)
  }
}

// --- The guard --------------------------------------------------------------

const guard = <A>(
  { breaker, policy }: Line,
  limiter: RateLimiter.RateLimiter,
  call: Call,
  ask: Effect.Effect<A, GatewayError>
): Effect.Effect<A, GatewayError> => {
  const once = ask.pipe(
    Effect.timeoutOrElse({
      duration: Duration.millis(policy.timeoutMillis),
      orElse: () => Effect.fail(errorOf(call, new InDoubt({ because: "Timeout" })))
    }),
    // An adapter that throws may have sent the call before it did.
    Effect.catchDefect((cause) => Effect.fail(errorOf(call, new InDoubt({ because: "Unreadable", cause }))))
  )
  const guarded: Effect.Effect<A, GatewayError | CircuitBreaker.CircuitBreakerError> = once.pipe(
    Effect.retry(retrySchedule(policy.retry)),
    breaker.execute({ key: call.gateway, classify: outcomeOf })
  )
  const answered = Effect.catchTag(guarded, "CircuitBreakerError", ({ reason }) =>
    Effect.fail(
      errorOf(
        call,
        reason._tag === "CircuitOpen"
          ? new NotSent({ because: "CircuitOpen", retryAfterMillis: Math.ceil(Duration.toMillis(reason.retryAfter)) })
          : new NotSent({ because: "CircuitOpen" })
      )
    )
  )
  return policy.limit === undefined ? answered : Effect.andThen(admit(limiter, policy.limit, call), answered)
}

const admit = (
  limiter: RateLimiter.RateLimiter,
  { calls, windowMillis }: NonNullable<CallPolicy["limit"]>,
  call: Call
) =>
  limiter.consume({ key: call.gateway, limit: calls, window: Duration.millis(windowMillis), onExceeded: "fail" }).pipe(
    Effect.catchTag("RateLimiterError", ({ reason }) =>
      // A limiter that cannot be asked holds nothing back: the gateway throttles for itself.
      reason._tag === "RateLimitExceeded"
        ? Effect.fail(
            errorOf(
              call,
              new NotSent({ because: "Throttled", retryAfterMillis: Math.ceil(Duration.toMillis(reason.retryAfter)) })
            )
          )
        : Effect.void
    )
  )

/** The domain's policy as an Effect schedule: it decides, the schedule sleeps. */
export const retrySchedule = (policy: RetryPolicy.RetryPolicy) =>
  Schedule.fromStepWithMetadata(
    Effect.succeed(({ attempt, input }: Schedule.InputMetadata<GatewayError>) => {
      const { reason } = input
      const retryAfterMillis = reason._tag === "NotSent" ? reason.retryAfterMillis : undefined
      const retryable =
        reason._tag === "NotSent" &&
        reason.because !== "Refused" &&
        // Longer than anybody should hold a call open: the plan waits instead, and remembers.
        (retryAfterMillis ?? 0) <= policy.capMillis
      const verdict = RetryPolicy.decide(policy, { retryable, retryAfterMillis }, attempt)
      return verdict._tag === "GiveUp"
        ? Cause.done(attempt)
        : Effect.succeed<[number, Duration.Duration]>([attempt, Duration.millis(verdict.millis)])
    })
  )

/** What the breaker counts: silence and refusals of the gateway as a whole, not of one request. */
const outcomeOf = <A>(exit: Exit.Exit<A, GatewayError>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const error = Cause.findErrorOption(exit.cause)
  if (error._tag === "None") return CircuitBreaker.ignored
  const { reason } = error.value
  if (reason._tag === "Misconfigured" || reason.because === "Refused" || reason.because === "KeyInUse") {
    return CircuitBreaker.ignored
  }
  const retryAfterMillis = reason._tag === "NotSent" ? reason.retryAfterMillis : undefined
  return CircuitBreaker.failure(retryAfterMillis === undefined ? {} : { retryAfter: Duration.millis(retryAfterMillis) })
}

const errorOf = (call: Call, reason: GatewayError["reason"]) =>
  new GatewayError({ gateway: call.gateway, operation: call.operation, reason })
