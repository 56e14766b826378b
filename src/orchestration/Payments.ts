/**
 * Everything that can be done with payments: the service that others embed.
 *
 * A command is recorded first and carried out by a run of its own, which the
 * caller's patience does not bind: whoever stops waiting gets what is known so
 * far, and the run goes on. What a process leaves unfinished, recovery
 * finishes.
 */
import { Context, Duration, Effect, Exit, Fiber, FiberSet, Layer, Option, Schedule, Schema, Struct } from "effect"
import type { SecureRandom } from "effect/crypto"
import type { PaymentRepositoryError } from "../adapters/PaymentRepository.ts"
import { PaymentRepository } from "../adapters/PaymentRepository.ts"
import type { RiskScreen } from "../adapters/RiskScreen.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import * as Idempotency from "../domain/Idempotency.ts"
import type { Instant } from "../domain/Instant.ts"
import { plus } from "../domain/Instant.ts"
import type { Money } from "../domain/Money.ts"
import type { Answer } from "../domain/payment/Gateway.ts"
import type { OperationId, RunId } from "../domain/payment/Operation.ts"
import type { Command, Rejected } from "../domain/payment/PaymentCommand.ts"
import { given } from "../domain/payment/PaymentCommand.ts"
import * as PaymentDraft from "../domain/payment/PaymentDraft.ts"
import type { Event, MerchantId, PaymentId, RequestId } from "../domain/payment/PaymentEvent.ts"
import { Order } from "../domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../domain/payment/PaymentView.ts"
import { newPayment, newRun, now } from "./Clocks.ts"
import type { GatewayCall } from "./GatewayCall.ts"
import type { IdempotencyError } from "./IdempotentRequest.ts"
import { verdictOf } from "./IdempotentRequest.ts"
import { PaymentPolicy } from "./PaymentPolicy.ts"
import type { Outcome } from "./PaymentProcess.ts"
import * as PaymentProcess from "./PaymentProcess.ts"
import { PaymentNotFound } from "./PaymentProcess.ts"

/** What to pay. The payment's id is florin's, and the merchant is who asks. */
export const NewPayment = Schema.Struct(Struct.omit(Order.fields, ["payment", "merchant"]))
export type NewPayment = typeof NewPayment.Type

export interface Progress {
  readonly view: PaymentView
  /** Nothing is on its way; otherwise this is what was known when the wait ended. */
  readonly settled: boolean
}

type Changed = Effect.Effect<Progress, Rejected | PaymentNotFound | PaymentRepositoryError>

/** A person's word, for what nobody else can know. */
export interface Decision {
  readonly operation: OperationId
  readonly answer: Answer
  readonly operator: string
  readonly reason: string
}

export class Payments extends Context.Service<
  Payments,
  {
    /** How long callers wait: whoever holds something for a caller holds it longer. */
    readonly waits: Waits
    /** Begins a payment, once per key: a repeat is answered like the first. */
    readonly create: (
      merchant: MerchantId,
      key: Idempotency.IdempotencyKey,
      payment: NewPayment
    ) => Effect.Effect<
      Progress & { readonly replayed: boolean },
      IdempotencyError | Rejected | PaymentRepositoryError | StorageUnavailable
    >
    /** Without an amount: all that is left. `final` gives back the rest of the hold. */
    readonly capture: (
      payment: PaymentId,
      request: RequestId,
      options: { readonly amount?: Money | undefined; readonly final: boolean }
    ) => Changed
    readonly refund: (
      payment: PaymentId,
      request: RequestId,
      options: { readonly amount?: Money | undefined; readonly reason?: string | undefined }
    ) => Changed
    readonly cancel: (payment: PaymentId, request: RequestId, reason: string | undefined) => Changed
    /** The customer is back from the redirect. */
    readonly completeAction: (payment: PaymentId, result: string | undefined) => Changed
    /** Settles an operation that was escalated. */
    readonly decide: (payment: PaymentId, decision: Decision) => Changed
    readonly get: (payment: PaymentId) => Effect.Effect<PaymentView, PaymentNotFound | StorageUnavailable>
    readonly list: PaymentRepository["Service"]["list"]
    /** The payment's events, the first of version 1. */
    readonly events: (
      payment: PaymentId
    ) => Effect.Effect<ReadonlyArray<Event>, PaymentNotFound | PaymentRepositoryError>
  }
>()("florin/orchestration/Payments") {}

export interface Waits {
  /** How long a caller waits for a payment to come to rest. */
  readonly answerMillis: number
  /** How long the end of the service waits for what is on its way. */
  readonly drainMillis: number
}

/** While another run has the claim; it usually ends within one call to a gateway. */
const claimAgain = Schedule.spaced("50 millis")

export const layer = (
  waits: Waits
): Layer.Layer<
  Payments,
  never,
  PaymentRepository | PaymentPolicy | GatewayCall | RiskScreen | SecureRandom.SecureRandom
> =>
  Layer.effect(
    Payments,
    Effect.gen(function* () {
      const repository = yield* PaymentRepository
      const settings = yield* PaymentPolicy
      const services = yield* Effect.context<
        PaymentRepository | PaymentPolicy | GatewayCall | RiskScreen | SecureRandom.SecureRandom
      >()
      const runs = yield* FiberSet.make<Outcome, PaymentRepositoryError | PaymentNotFound>()
      // Registered after the set, so it comes first: what is on its way may end, then the rest is interrupted.
      yield* Effect.addFinalizer(() =>
        Effect.ignore(Effect.timeout(FiberSet.awaitEmpty(runs), Duration.millis(waits.drainMillis)))
      )

      /** Starts a run and waits for it as long as a caller does. */
      const follow = Effect.fnUntraced(function* (
        payment: PaymentId,
        run: Effect.Effect<
          Outcome,
          PaymentRepositoryError | PaymentNotFound,
          PaymentRepository | PaymentPolicy | GatewayCall | RiskScreen
        >
      ) {
        const fiber = yield* FiberSet.run(runs, Effect.provideContext(run, services))
        const ended = yield* Effect.timeoutOption(Fiber.await(fiber), Duration.millis(waits.answerMillis))
        if (Option.isSome(ended)) {
          if (Exit.isSuccess(ended.value)) return ended.value.value
          yield* Effect.logWarning("a run ended early; recovery will go on", ended.value.cause)
        }
        // Too slow, taken over by another run, or cut off from the store: what is stored is what is known.
        const { history } = yield* repository.load(payment)
        const draft = PaymentDraft.of(history)
        return { view: PaymentDraft.view(draft)!, settled: PaymentDraft.isSettled(draft) }
      })

      const create = Effect.fn("Payments.create")(function* (
        merchant: MerchantId,
        key: Idempotency.IdempotencyKey,
        request: NewPayment
      ) {
        const payment = yield* newPayment
        const runner = yield* newRun
        const at = yield* now
        const fingerprint = Idempotency.fingerprint(canonical(request))
        const initiate: Command = {
          _tag: "Initiate",
          order: { ...request, payment, merchant },
          screening: settings.screening !== undefined,
          at
        }
        const draft = yield* Effect.fromResult(PaymentDraft.decide(PaymentDraft.of([]), initiate))
        const created = yield* repository.create({
          key,
          fingerprint,
          payment,
          merchant,
          events: draft.events,
          view: PaymentDraft.view(draft)!,
          due: at,
          lease: { owner: runner, until: plus(at, settings.leaseMillis) }
        })
        if (created._tag === "KeyTaken") {
          const view = yield* verdictOf(key, created, fingerprint)
          return { view, settled: true, replayed: true }
        }
        const held = { payment, runner, token: created.token }
        const progress = yield* follow(payment, PaymentProcess.drive(PaymentDraft.stored(draft), held))
        return { ...progress, replayed: false }
      })

      /** Records a wish, then drives the payment; a claim that another run has is waited for. */
      const change = Effect.fnUntraced(function* (payment: PaymentId, wish: (runner: RunId, at: Instant) => Command) {
        const runner = yield* newRun
        yield* PaymentProcess.record(payment, (at) => wish(runner, at))
        const run = Effect.retry(PaymentProcess.run(payment, runner), {
          while: (error) => error._tag === "PaymentRepositoryError" && error.reason._tag === "Claimed",
          schedule: claimAgain
        })
        return yield* follow(payment, run)
      }, Effect.provideContext(services))

      const get = Effect.fn("Payments.get")(function* (payment: PaymentId) {
        const view = yield* repository.find(payment)
        return Option.isSome(view) ? view.value : yield* new PaymentNotFound({ payment })
      })

      const events = Effect.fn("Payments.events")(function* (payment: PaymentId) {
        const { history } = yield* repository.load(payment)
        return history.length > 0 ? history : yield* new PaymentNotFound({ payment })
      })

      return Payments.of({
        waits,
        create: (merchant, key, request) => Effect.provideContext(create(merchant, key, request), services),
        capture: Effect.fn("Payments.capture")((payment, request, { amount, final }) =>
          change(payment, (by, at) => ({ _tag: "Capture", by, request, final, at, ...given({ amount }) }))
        ),
        refund: Effect.fn("Payments.refund")((payment, request, { amount, reason }) =>
          change(payment, (by, at) => ({ _tag: "Refund", by, request, at, ...given({ amount, reason }) }))
        ),
        cancel: Effect.fn("Payments.cancel")((payment, request, reason) =>
          change(payment, (_, at) => ({ _tag: "Cancel", request, at, ...given({ reason }) }))
        ),
        completeAction: Effect.fn("Payments.completeAction")((payment, result) =>
          change(payment, (by, at) => ({ _tag: "CompleteAction", by, at, ...given({ result }) }))
        ),
        decide: Effect.fn("Payments.decide")((payment, { answer, operation, operator, reason }) =>
          change(payment, (_, at) => ({
            _tag: "RecordAnswer",
            operation,
            answer,
            evidence: { _tag: "Operator", name: operator, reason },
            at
          }))
        ),
        get,
        list: repository.list,
        events
      })
    })
  )

/** What two requests must share to be the same, as JSON. */
const canonical = Schema.encodeSync(Schema.toCodecJson(NewPayment))
