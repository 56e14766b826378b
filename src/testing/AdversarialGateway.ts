/**
 * A gateway that keeps its books well and its callers badly.
 *
 *     ask -> mischief? -> acts, in a fiber of its own -> answers, if it does and if anyone is still there
 *                              \-> notifies of what came of it, whenever that arrives
 *
 * Its books are the sandbox's, and what it declares it keeps: it forgets keys
 * after their retention, stores errors under them, refuses a key with other
 * parameters, lags in lookups or has none. A card is a token of
 * `SandboxToken.table`. Its mischief is data, by plan or by chance, and comes on
 * top of what the token does.
 *
 * It is another machine than its callers', so it goes on when they end: a world
 * makes it once, outside every process. It reads the clock that it runs on and
 * nothing else, so one seed is one run. Times are in milliseconds.
 */
import { Clock, Deferred, Duration, Effect, Layer, Schedule } from "effect"
import type { Found, PaymentGateway } from "../adapters/PaymentGateway.ts"
import { GatewayError, InDoubt, NotSent } from "../adapters/PaymentGateway.ts"
import { Instant, plus } from "../domain/Instant.ts"
import type { Answer, Capabilities, Reference } from "../domain/payment/Gateway.ts"
import { GatewayName } from "../domain/payment/Gateway.ts"
import * as Notification from "../domain/payment/Notification.ts"
import type { Kind, OperationId } from "../domain/payment/Operation.ts"
import { DisputeId } from "../domain/payment/PaymentEvent.ts"
import type { PaymentId } from "../domain/payment/PaymentEvent.ts"
import type { Call } from "../domain/payment/PaymentPlan.ts"
import * as MemorySandboxBooks from "../infra/simulated/MemorySandboxBooks.ts"
import type { StoredOperation } from "../infra/simulated/Sandbox.ts"
import { SandboxBooks } from "../infra/simulated/SandboxBooks.ts"
import * as SandboxCharge from "../infra/simulated/SandboxCharge.ts"
import * as SandboxGateway from "../infra/simulated/SandboxGateway.ts"

// --- Mischief ---------------------------------------------------------------

export type Mischief =
  /** Acts; then the connection breaks. */
  | { readonly _tag: "LoseAnswer" }
  /** Is silent and acts after that time, when the caller may have given up; one who is still there is answered. */
  | { readonly _tag: "ActLate"; readonly afterMillis: number }
  /** The connection is refused: nothing has happened. */
  | { readonly _tag: "RefuseBefore" }
  | { readonly _tag: "ServerErrorBefore" }
  | { readonly _tag: "ServerErrorAfter" }
  /** A 429: nothing has happened. */
  | { readonly _tag: "Throttle"; readonly retryAfterMillis: number }
  /** Acts at once, and takes so long to answer. */
  | { readonly _tag: "Slow"; readonly millis: number }
  /** Never acts, never answers. */
  | { readonly _tag: "Silence" }
  /** A 409, as while another request under the same key is being worked on; this one does nothing. */
  | { readonly _tag: "KeyInUse" }

export interface Asked {
  readonly kind: Kind | "lookup"
  readonly operation: OperationId
  /** Of all that this gateway is asked, from 1. */
  readonly nth: number
  /** Of all that it is asked about this operation, lookups included, from 1. */
  readonly send: number
}

type Plan = (asked: Asked) => Mischief | undefined

/** The n-th ask of all meets the n-th of the list; those beyond it meet none. */
export const planned =
  (list: ReadonlyArray<Mischief | undefined>): Plan =>
  ({ nth }) =>
    list[nth - 1]

/**
 * Each ask meets at most one, each with its own chance from 0 to 1. `next`
 * gives numbers from 0 to below 1, one an ask, so that another chance does not
 * shift the draws of later asks.
 */
export const random =
  (next: () => number, chances: ReadonlyArray<{ readonly chance: number; readonly mischief: Mischief }>): Plan =>
  () => {
    let left = next()
    for (const { chance, mischief } of chances) {
      if (left < chance) return mischief
      left -= chance
    }
    return undefined
  }

// --- Gateway ----------------------------------------------------------------

export interface Options {
  /** They outlive everything. */
  readonly tables: MemorySandboxBooks.Tables
  /** Kept as declared. */
  readonly capabilities?: Partial<Capabilities>
  readonly mischief?: Plan
  /**
   * Starts something of the gateway's own, on the world's clock, that goes on
   * whatever becomes of the caller. Where a token's fault is to hang, it never ends.
   */
  readonly background: (effect: Effect.Effect<void>) => void
  readonly notify?: {
    /** A failure is a receiver that has not taken it: it is sent again, ever later, for some hours. */
    readonly deliver: (notification: Notification.Json) => Effect.Effect<void, unknown>
    /** Delays in milliseconds, one delivery each: none is lost, two are a duplicate, a long one is overtaken. */
    readonly travel: (notification: Notification.Notification, nth: number) => ReadonlyArray<number>
  }
}

/** What happens at the gateway without florin. A payment stands for its last charge; without a charge nothing happens. */
export interface AdversarialGateway extends PaymentGateway {
  /** The customer disputes `minor` units of what was captured. */
  readonly openDispute: (of: Reference | PaymentId, dispute: string, minor: bigint) => Effect.Effect<void>
  /** A dispute that was never opened is not closed either. */
  readonly closeDispute: (of: Reference | PaymentId, dispute: string, outcome: "Won" | "Lost") => Effect.Effect<void>
  /** The customer finishes 3-D Secure at the bank, and does not come back to the shop. */
  readonly finishAction: (of: Reference | PaymentId) => Effect.Effect<void>
  /** What was taken on is approved. */
  readonly settlePending: (of: Reference | PaymentId) => Effect.Effect<void>
}

/** Eight tries in some nine hours; real gateways go on for days, with the same effect on who is back by then. */
const sendAgain = { schedule: Schedule.exponential("10 seconds", 3), times: 8 }

export const make = (name: string, options: Options): AdversarialGateway => {
  const { background, mischief, notify, tables } = options
  const gateway = GatewayName.make(name)
  const rules = { ...SandboxGateway.capabilities, ...options.capabilities }
  const asks = new Map<OperationId, number>()
  /** Keys that answer 5xx for as long as they are kept, and since when. */
  const storedErrors = new Map<OperationId, Instant>()
  const disputes = new Set<string>()
  let asked = 0
  let notifications = 0

  // --- Notifying

  const announce = (news: Notification.News) =>
    Effect.map(now, (at) => {
      if (notify === undefined) return
      const nth = ++notifications
      const notification: Notification.Notification = { id: `evt_${name}_${nth}`, gateway, at, news }
      const message = Notification.encode(notification)
      for (const millis of notify.travel(notification, nth)) {
        const delivery = Effect.delay(Effect.retry(notify.deliver(message), sendAgain), Duration.millis(millis))
        background(Effect.ignore(delivery))
      }
    })

  /** The books, and a notification of every outcome that comes into them. */
  const books = Layer.effect(
    SandboxBooks,
    Effect.map(SandboxBooks, (inner) => ({
      ...inner,
      transact: (address, change) =>
        Effect.gen(function* () {
          const before = tables.operations.get(address.key)
          const result = yield* inner.transact(address, change)
          const after = tables.operations.get(address.key)
          const answer = outcomeOf(before, after)
          if (answer !== undefined) yield* announce({ _tag: "Answered", operation: address.key, answer })
          return result
        })
    }))
  ).pipe(Layer.provide(MemorySandboxBooks.layer(tables)))

  // --- Answering

  const honest = SandboxGateway.make(name, { capabilities: rules }).pipe(Effect.provide(books))

  const failing = (call: Call, reason: GatewayError["reason"]) =>
    Effect.fail(new GatewayError({ gateway, operation: call.operation, reason }))

  /** A 5xx before or after `act`. Where errors are stored, it is what the key answers, if it is the key's first answer. */
  const serverError = (kind: Asked["kind"], call: Call, act: Effect.Effect<unknown>) =>
    Effect.gen(function* () {
      const at = yield* now
      const { retentionMillis, storesErrors } = rules.idempotencyKey
      const stored = tables.operations.get(call.operation)
      const isFirst = stored?.answer === undefined || at >= plus(stored.at, retentionMillis)
      const isKept = storesErrors && kind !== "lookup" && isFirst && !storedErrors.has(call.operation)
      yield* act
      if (isKept) storedErrors.set(call.operation, at)
      return yield* failing(call, new InDoubt({ because: "ServerError" }))
    })

  const repeatsError = (kind: Asked["kind"], { operation }: Call) =>
    Effect.map(now, (at) => {
      const since = storedErrors.get(operation)
      if (since === undefined || kind === "lookup") return false
      if (at < plus(since, rules.idempotencyKey.retentionMillis)) return true
      storedErrors.delete(operation)
      return false
    })

  const misbehave = <A>(
    how: Exclude<Mischief, { readonly _tag: "Silence" }> | undefined,
    kind: Asked["kind"],
    call: Call,
    act: Effect.Effect<A, GatewayError>
  ): Effect.Effect<A, GatewayError> => {
    switch (how?._tag) {
      case undefined:
        return act
      case "LoseAnswer":
        return Effect.andThen(Effect.exit(act), failing(call, new InDoubt({ because: "ConnectionLost" })))
      case "ActLate":
        return Effect.delay(act, Duration.millis(how.afterMillis))
      case "RefuseBefore":
        return failing(call, new NotSent({ because: "ConnectionRefused" }))
      case "ServerErrorBefore":
        return serverError(kind, call, Effect.void)
      case "ServerErrorAfter":
        return serverError(kind, call, Effect.exit(act))
      case "Throttle":
        return failing(call, new NotSent({ because: "Throttled", retryAfterMillis: how.retryAfterMillis }))
      case "Slow":
        return Effect.flatMap(Effect.exit(act), (exit) => Effect.delay(exit, Duration.millis(how.millis)))
      case "KeyInUse":
        return failing(call, new InDoubt({ because: "KeyInUse" }))
    }
  }

  const ask = <A>(
    kind: Asked["kind"],
    call: Call,
    act: (gateway: PaymentGateway) => Effect.Effect<A, GatewayError>
  ): Effect.Effect<A, GatewayError> =>
    Effect.suspend(() => {
      const { operation } = call
      const send = (asks.get(operation) ?? 0) + 1
      asks.set(operation, send)
      const how = mischief?.({ kind, operation, nth: ++asked, send })
      if (how?._tag === "Silence") return Effect.never
      const honestly = Effect.flatMap(repeatsError(kind, call), (isStored) =>
        isStored ? failing(call, new InDoubt({ because: "ServerError" })) : Effect.flatMap(honest, act)
      )
      const reply = Deferred.makeUnsafe<A, GatewayError>()
      // Whoever waits for the reply may go away; what was begun goes on.
      background(
        Effect.flatMap(Effect.exit(misbehave(how, kind, call, honestly)), (exit) =>
          Effect.asVoid(Deferred.done(reply, exit))
        )
      )
      return Deferred.await(reply)
    })

  // --- Without florin

  const chargeOf = (of: Reference | PaymentId): SandboxCharge.Charge | undefined =>
    [...tables.charges.values()].findLast(({ payment, reference }) => reference === of || payment === of)

  /** Changes a charge, and the operation that waits for it with it. */
  const change = (of: Reference | PaymentId, to: (charge: SandboxCharge.Charge) => SandboxCharge.Acted) =>
    Effect.gen(function* () {
      const { transact } = yield* SandboxBooks
      const charge = chargeOf(of)
      const waiting = [...tables.operations.values()].findLast(
        ({ answer, reference }) =>
          reference === charge?.reference && (answer?._tag === "Pending" || answer?._tag === "ActionRequired")
      )
      if (charge === undefined || waiting === undefined) return
      yield* transact({ key: waiting.key, reference: charge.reference }, () => {
        const [changed, answer] = to(charge)
        return [undefined, { operation: { ...waiting, answer }, charge: changed }]
      })
    }).pipe(Effect.provide(books), Effect.orDie)

  return {
    name: gateway,
    capabilities: rules,
    authorize: (call) => ask("authorize", call, (inner) => inner.authorize(call)),
    confirm: (call) => ask("confirm", call, (inner) => inner.confirm(call)),
    capture: (call) => ask("capture", call, (inner) => inner.capture(call)),
    void: (call) => ask("void", call, (inner) => inner.void(call)),
    refund: (call) => ask("refund", call, (inner) => inner.refund(call)),
    lookup: (call) => ask<Found>("lookup", call, (inner) => inner.lookup(call)),
    openDispute: (of, dispute, minor) =>
      Effect.suspend(() => {
        const charge = chargeOf(of)
        if (charge === undefined || charge.capturedMinor === 0n) return Effect.void
        const { currency, payment } = charge
        disputes.add(dispute)
        return announce({
          _tag: "DisputeOpened",
          payment,
          dispute: DisputeId.make(dispute),
          amount: { currency, minor }
        })
      }),
    closeDispute: (of, dispute, outcome) =>
      Effect.suspend(() => {
        const charge = chargeOf(of)
        if (charge === undefined || !disputes.has(dispute)) return Effect.void
        return announce({ _tag: "DisputeClosed", payment: charge.payment, dispute: DisputeId.make(dispute), outcome })
      }),
    finishAction: (of) => change(of, (charge) => SandboxCharge.confirm(charge, rules)),
    settlePending: (of) =>
      change(of, (charge) =>
        charge.status === "pending" ? SandboxCharge.hold(charge, rules) : [charge, SandboxCharge.standing(charge)]
      )
  }
}

const now = Effect.map(Clock.currentTimeMillis, (millis) => Instant.make(millis))

/** The answer that is new, if it ends the operation. A key that was forgotten and came again ends anew. */
const outcomeOf = (before: StoredOperation | undefined, after: StoredOperation | undefined): Answer | undefined => {
  const answer = after?.answer
  if (answer === undefined || answer === before?.answer) return undefined
  return answer._tag === "Pending" || answer._tag === "ActionRequired" ? undefined : answer
}
