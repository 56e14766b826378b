/**
 * The `simulated` gateway in the caller's own process: the sandbox's books
 * without a wire between.
 *
 * A fault looks here as it would through a good adapter: silence never ends,
 * a lost connection is in doubt, a throttled call was not sent. It strikes once
 * the books are durable, so that what acted has acted. A card is a token of
 * `SandboxToken.table`.
 */
import { Duration, Effect } from "effect"
import type { Found, PaymentGateway } from "../../adapters/PaymentGateway.ts"
import { GatewayError, InDoubt, Misconfigured, NotSent } from "../../adapters/PaymentGateway.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { Answer, Capabilities } from "../../domain/payment/Gateway.ts"
import { GatewayName } from "../../domain/payment/Gateway.ts"
import type { OperationId } from "../../domain/payment/Operation.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"
import { SandboxBooks } from "./SandboxBooks.ts"
import * as Books from "./SandboxBooks.ts"
import * as SandboxCharge from "./SandboxCharge.ts"
import * as SandboxRequest from "./SandboxRequest.ts"
import * as SandboxToken from "./SandboxToken.ts"

/** As the large gateways promise: keys for a day, no error kept under them, a lookup that reads what was written. */
export const capabilities: Capabilities = {
  idempotencyKey: { retentionMillis: 86_400_000, maxLength: 255, storesErrors: false },
  lookup: "authoritative",
  autoCapture: false,
  partialCapture: true,
  multipleCaptures: true,
  partialRefund: true
}

export interface Options {
  /** The sandbox keeps what is declared here: it forgets keys, refuses partial captures, lags behind in lookups. */
  readonly capabilities?: Partial<Capabilities>
  /** Where a `SandboxServer` shows the customer's page of 3-D Secure. */
  readonly pageOrigin?: string
}

/** A name that never resolves (RFC 6761): without a server, no customer has anywhere to go. */
const nowhere = "https://sandbox.invalid"

type Reason = GatewayError["reason"]

/** A sandbox knows an operation by its id alone. */
export interface SandboxGateway extends PaymentGateway {
  readonly find: (operation: OperationId) => Effect.Effect<Found, GatewayError>
}

export const make = Effect.fnUntraced(function* (
  name: string,
  options: Options = {}
): Effect.fn.Return<SandboxGateway, never, SandboxBooks> {
  const books = yield* SandboxBooks
  const gateway = GatewayName.make(name)
  const rules = { ...capabilities, ...options.capabilities }
  const origin = options.pageOrigin ?? nowhere

  const asGateway = <A>(
    { operation }: Pick<Call, "operation">,
    effect: Effect.Effect<A, Reason | StorageUnavailable, SandboxBooks>
  ) =>
    effect.pipe(
      // A gateway whose database is down has nothing to say but 500.
      Effect.catchTag("StorageUnavailable", (cause) => new InDoubt({ because: "ServerError", cause })),
      Effect.mapError((reason) => new GatewayError({ gateway, operation, reason })),
      Effect.provideService(SandboxBooks, books)
    )

  const send = <A extends Answer>(call: Call, fits: (answer: Answer) => answer is A) =>
    asGateway(
      call,
      Effect.gen(function* () {
        const reply = yield* Books.send(SandboxRequest.ofCall(call), rules)
        switch (reply._tag) {
          case "Answered": {
            if (reply.delayMillis > 0) yield* Effect.sleep(Duration.millis(reply.delayMillis))
            const answer = SandboxCharge.at(origin, reply.answer)
            return fits(answer) ? answer : yield* Effect.die(new Error(`${call._tag} was answered ${answer._tag}`))
          }
          case "Failed":
            return yield* failing(reply.failure)
          case "KeyMisused":
            return yield* new Misconfigured({ detail: reply.detail })
          case "NoSuchCharge":
            return yield* new NotSent({ because: "Refused" })
        }
      })
    )

  const find = (operation: OperationId) =>
    asGateway(
      { operation },
      Effect.gen(function* () {
        if (rules.lookup === "none") return yield* new Misconfigured({ detail: "this gateway has no lookup" })
        const found = yield* Books.lookup(operation, rules)
        if (found._tag === "Failed") return yield* failing(found.failure)
        return found._tag === "Found" ? { ...found, answer: SandboxCharge.at(origin, found.answer) } : found
      })
    )

  return {
    name: gateway,
    capabilities: rules,
    authorize: (call) => send(call, SandboxRequest.isAuthorizationAnswer),
    confirm: (call) => send(call, SandboxRequest.isAuthorizationAnswer),
    capture: (call) => send(call, SandboxRequest.isCaptureAnswer),
    void: (call) => send(call, SandboxRequest.isVoidAnswer),
    refund: (call) => send(call, SandboxRequest.isRefundAnswer),
    lookup: (call) => find(call.operation),
    find
  }
})

const failing = (failure: SandboxToken.Failure): Effect.Effect<never, Reason> => {
  switch (failure) {
    case "hang":
      return Effect.never
    case "drop":
      return Effect.fail(new InDoubt({ because: "ConnectionLost" }))
    case "serverError":
      return Effect.fail(new InDoubt({ because: "ServerError" }))
    case "throttle":
      return Effect.fail(new NotSent({ because: "Throttled", retryAfterMillis: SandboxToken.retryAfterMillis }))
    case "refuse":
      return Effect.fail(new NotSent({ because: "ConnectionRefused" }))
  }
}
