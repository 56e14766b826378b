/**
 * Puts a command on record: who asks for what, before it takes effect; and what
 * came of it, after.
 *
 * A command that cannot be recorded is not carried out. What came of one stands
 * whether it can be recorded or not: the entry is tried again for as long as
 * this lives, and the log says when that was in vain. A lost answer of the store
 * may put it there twice.
 */
import { Context, Duration, Effect, Exit, Fiber, FiberSet, Layer, Schedule } from "effect"
import { AuditLog } from "../adapters/AuditLog.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import type { Caller, Draft, Outcome, Request } from "../domain/audit/AuditEntry.ts"
import type { MerchantId, PaymentId } from "../domain/payment/PaymentEvent.ts"
import { now } from "./Clocks.ts"

/**
 * Who asks, for everything that is asked within. An embedding program that says nothing is known as itself.
 *
 * It goes around the call, never around a layer: a service keeps what it was built with, and would name that caller
 * for every request.
 */
export const CurrentCaller = Context.Reference<Caller>("florin/orchestration/CurrentCaller", {
  defaultValue: () => ({ actor: "embedding program", origin: "in process" })
})

export interface Command {
  readonly request: Request
  readonly merchant?: MerchantId | undefined
  readonly payment?: PaymentId | undefined
}

export interface Answer {
  readonly outcome: Outcome
  /** Where the command itself did not name it. */
  readonly payment?: PaymentId | undefined
}

export class AuditTrail extends Context.Service<
  AuditTrail,
  {
    /** Runs the command between its two entries; `tell` makes the second from what came of it. */
    readonly audited: <A, E, R>(
      command: Command,
      run: Effect.Effect<A, E, R>,
      tell: (exit: Exit.Exit<A, E>) => Answer
    ) => Effect.Effect<A, E | StorageUnavailable, R>
  }
>()("florin/orchestration/AuditTrail") {}

/** How long a caller waits for the second entry: it is a statement, and the answer is known already. */
const patience = Duration.seconds(1)

/** A database that fails over is back within a minute; ten leave time for somebody to look. */
const again = Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 600 }))

/** How long the end of the process waits for entries on their way. */
const drain = Duration.seconds(5)

export const layer: Layer.Layer<AuditTrail, never, AuditLog> = Layer.effect(
  AuditTrail,
  Effect.gen(function* () {
    const log = yield* AuditLog
    const telling = yield* FiberSet.make<void>()
    yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(FiberSet.awaitEmpty(telling), drain)))

    const record = (draft: Draft & { readonly _tag: "Answered" }) =>
      log.append([draft]).pipe(
        Effect.tapError((error) => Effect.logWarning("what came of a command is not on record yet", error)),
        Effect.retry(again),
        Effect.asVoid,
        Effect.catchCause((cause) => Effect.logError("what came of a command is not on record", draft, cause))
      )

    return AuditTrail.of({
      audited: (command, run, tell) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const caller = yield* CurrentCaller
            const asked = yield* restore(
              log.append([{ _tag: "Asked", at: yield* now, caller, ...given(command), request: command.request }])
            )
            const exit = yield* Effect.exit(restore(run))
            const { outcome, payment = command.payment } = tell(exit)
            const told = record({ _tag: "Answered", at: yield* now, asked, ...given({ payment }), outcome })
            const fiber = yield* FiberSet.run(telling, told)
            yield* Effect.timeoutOption(Fiber.await(fiber), patience)
            return yield* exit
          })
        )
    })
  })
)

/** Only what is there: an entry has no empty fields. */
const given = ({ merchant, payment }: Partial<Pick<Command, "merchant" | "payment">>) => ({
  ...(merchant !== undefined && { merchant }),
  ...(payment !== undefined && { payment })
})

/** For a command that answers no payment: done, abandoned, or failed in a way that `because` names. */
export const tellPlain = <A, E extends { readonly _tag: string }>(exit: Exit.Exit<A, E>): Answer => ({
  outcome: Exit.isSuccess(exit)
    ? { _tag: "Done" }
    : failureOf(exit, ({ _tag }) => ({ _tag: "Unavailable", because: _tag }))
})

/** What a failed command is on record as; `ofError` names the errors that are its own. */
export const failureOf = <A, E>(exit: Exit.Failure<A, E>, ofError: (error: E) => Outcome): Outcome => {
  const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
  if (error !== undefined) return ofError(error)
  return exit.cause.reasons.every(({ _tag }) => _tag === "Interrupt") ? { _tag: "Abandoned" } : { _tag: "Broken" }
}
