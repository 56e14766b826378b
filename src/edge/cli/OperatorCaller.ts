/** Whoever types a command, for the record: the user that the operating system knows, on this machine. */
import { Effect } from "effect"
import { hostname, userInfo } from "node:os"
import { plain } from "../../domain/audit/AuditEntry.ts"
import { AuditTrail, CurrentCaller, tellPlain } from "../../orchestration/AuditTrail.ts"

/** A user id without an entry in the system's list of users has no name. */
const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? ""}`.trim()
  }
}

/** For what an operator does by a command: around the doing, not around the layers that it needs. */
export const asOperator = <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() =>
    Effect.provideService(command, CurrentCaller, { actor: plain(userName()), origin: plain(`cli on ${hostname()}`) })
  )

/** What an operator does to the stores by a command: on record before it takes effect, and what came of it. */
export const onRecord = <A, E extends { readonly _tag: string }, R>(what: string, command: Effect.Effect<A, E, R>) =>
  Effect.flatMap(AuditTrail, ({ audited }) =>
    asOperator(audited({ request: { _tag: "Operate", what } }, command, tellPlain))
  )
