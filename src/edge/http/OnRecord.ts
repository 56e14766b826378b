/**
 * What a request does beside single payments, on record: before it takes
 * effect, and what came of it. What cannot be recorded is not done, and is
 * answered like a store that is away.
 *
 * In the words of the command line, without keys, methods and free texts.
 */
import type { Exit } from "effect"
import { Effect, Exit as Exits } from "effect"
import { plain } from "../../domain/audit/AuditEntry.ts"
import type { Answer } from "../../orchestration/AuditTrail.ts"
import { AuditTrail, failureOf, tellPlain } from "../../orchestration/AuditTrail.ts"
import { Merchant } from "./Merchant.ts"

/** As long as an entry holds. */
const maxLength = 500

interface Tagged {
  readonly _tag: string
  readonly reason?: unknown
}

export const recording = Effect.gen(function* () {
  const { audited } = yield* AuditTrail
  const merchant = yield* Merchant
  return <A, E extends Tagged, R>(what: string, run: Effect.Effect<A, E, R>) =>
    audited({ request: { _tag: "Operate", what: plain(what, maxLength) }, merchant }, run, tell)
})

/** By its reason, where an error has one: which of them it was. */
const tell = <A, E extends Tagged>(exit: Exit.Exit<A, E>): Answer =>
  Exits.isSuccess(exit)
    ? tellPlain(exit)
    : {
        outcome: failureOf(exit, ({ _tag, reason }) => ({
          _tag: "Unavailable",
          because: plain(String(Object(reason)._tag ?? (typeof reason === "string" ? reason : _tag)))
        }))
      }
