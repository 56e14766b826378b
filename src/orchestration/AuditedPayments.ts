/**
 * `Payments`, with every command on record: the same service around the one
 * that is given. Reading is not recorded.
 *
 * What recovery and notifications do by themselves is no command; a payment's
 * events say it.
 */
import { Effect, Exit, Layer } from "effect"
import { Digest } from "effect/crypto"
import { PaymentRepositoryError } from "../adapters/PaymentRepository.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import type { Outcome } from "../domain/audit/AuditEntry.ts"
import { plain } from "../domain/audit/AuditEntry.ts"
import type { Rejected } from "../domain/payment/PaymentCommand.ts"
import { given } from "../domain/payment/PaymentCommand.ts"
import type { PaymentId } from "../domain/payment/PaymentEvent.ts"
import type { Answer, Command } from "./AuditTrail.ts"
import { AuditTrail, failureOf } from "./AuditTrail.ts"
import { sha256 } from "./AuditVerification.ts"
import type { IdempotencyError } from "./IdempotentRequest.ts"
import type { PaymentNotFound } from "./PaymentProcess.ts"
import type { Progress } from "./Payments.ts"
import { Payments } from "./Payments.ts"

type Failure = IdempotencyError | Rejected | PaymentNotFound | PaymentRepositoryError | StorageUnavailable

export const layer: Layer.Layer<Payments, never, Payments | AuditTrail> = Layer.effect(
  Payments,
  Effect.gen(function* () {
    const payments = yield* Payments
    const trail = yield* AuditTrail
    const digest = yield* Digest.Digest
    const hashed = (text: string) => Effect.provideService(sha256(text), Digest.Digest, digest)

    const changed = (
      payment: PaymentId,
      request: Effect.Effect<Command["request"]>,
      run: ReturnType<Payments["Service"]["cancel"]>
    ) =>
      Effect.flatMap(request, (asked) => trail.audited({ request: asked, payment }, run, tell)).pipe(
        // In the words of the service: what could not be recorded was not done, because a store did not answer.
        Effect.catchTag("StorageUnavailable", (reason) => Effect.fail(new PaymentRepositoryError({ payment, reason })))
      )

    return Payments.of({
      ...payments,
      create: Effect.fn("AuditedPayments.create")(function* (merchant, key, payment) {
        const { amount, capture } = payment
        const request = { _tag: "Create", amount, capture, key: yield* hashed(key) } as const
        return yield* trail.audited({ request, merchant }, payments.create(merchant, key, payment), tell)
      }),
      capture: Effect.fn("AuditedPayments.capture")((payment, request, options) =>
        changed(
          payment,
          Effect.map(hashed(request), (key) => ({
            _tag: "Capture",
            ...given({ amount: options.amount }),
            final: options.final,
            key
          })),
          payments.capture(payment, request, options)
        )
      ),
      refund: Effect.fn("AuditedPayments.refund")((payment, request, options) =>
        changed(
          payment,
          Effect.map(hashed(request), (key) => ({ _tag: "Refund", ...given({ amount: options.amount }), key })),
          payments.refund(payment, request, options)
        )
      ),
      cancel: Effect.fn("AuditedPayments.cancel")((payment, request, reason) =>
        changed(
          payment,
          Effect.map(hashed(request), (key) => ({ _tag: "Cancel", key })),
          payments.cancel(payment, request, reason)
        )
      ),
      completeAction: Effect.fn("AuditedPayments.completeAction")((payment, result) =>
        changed(payment, Effect.succeed({ _tag: "CompleteAction" }), payments.completeAction(payment, result))
      ),
      decide: Effect.fn("AuditedPayments.decide")((payment, decision) =>
        changed(
          payment,
          Effect.succeed({
            _tag: "Decide",
            operation: decision.operation,
            answer: decision.answer._tag,
            operator: plain(decision.operator),
            reason: plain(decision.reason, 500)
          }),
          payments.decide(payment, decision)
        )
      )
    })
  })
).pipe(Layer.provide(Digest.layerWebCrypto))

const tell = (exit: Exit.Exit<Progress & { readonly replayed?: boolean }, Failure>): Answer => {
  if (Exit.isFailure(exit)) return { outcome: failureOf(exit, outcomeOf) }
  const { replayed, settled, view } = exit.value
  const { id, status, version } = view
  return { payment: id, outcome: { _tag: "Accepted", status, version, settled, ...given({ replayed }) } }
}

const outcomeOf = (error: Failure): Outcome => {
  switch (error._tag) {
    case "Payment.Rejected":
      return { _tag: "Refused", state: error.state, rule: error.rule }
    case "IdempotencyError":
      if (error.reason._tag === "InFlight") return { _tag: "InFlight" }
      // Below the first part of the path are the caller's own names.
      return { _tag: "KeyReused", field: plain(error.reason.field.split(".")[0]!) }
    case "PaymentNotFound":
      return { _tag: "NotFound" }
    case "PaymentRepositoryError":
      return { _tag: "Unavailable", because: error.reason._tag }
    case "StorageUnavailable":
      return { _tag: "Unavailable", because: error._tag }
  }
}
