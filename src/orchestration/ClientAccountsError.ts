/**
 * Why the accounts did not answer. What the rules refuse is no error but an
 * answer, `Refused`.
 */
import { Schema } from "effect"
import type { LedgerJournalError } from "../adapters/LedgerJournal.ts"
import { JournalDamaged } from "../adapters/LedgerJournal.ts"

/** More waits already than may wait: nothing was done, and after a while there is room. */
export class Overloaded extends Schema.TaggedError<Overloaded>()("Overloaded", {
  /** Whose mailbox it is; without one, all of them together hold too much. */
  client: Schema.optionalKey(Schema.Int)
}) {
  override get message() {
    return this.client === undefined ? "too many commands wait" : `too many commands wait for client ${this.client}`
  }
}

/** The idempotency key names another command, which differs in `field`. */
export class KeyReused extends Schema.TaggedError<KeyReused>()("KeyReused", {
  field: Schema.Literals(["type", "client", "tx", "amount"])
}) {
  override get message() {
    return `this idempotency key was used with another ${this.field}`
  }
}

/**
 * The journal did not answer. Where the command may have been recorded, nobody
 * knows yet: the same one sent again, under the same key, is answered once the
 * journal is back, and is not done twice.
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  mayBeRecorded: Schema.Boolean,
  cause: Schema.Defect()
}) {
  override get message() {
    return this.mayBeRecorded
      ? "the journal did not answer: the command may have been recorded"
      : "the journal did not answer: nothing was recorded"
  }
}

export class ClientAccountsError extends Schema.TaggedError<ClientAccountsError>()("ClientAccountsError", {
  reason: Schema.Union([Overloaded, KeyReused, Unavailable, JournalDamaged])
}) {
  override get message() {
    return this.reason.message
  }
}

export const overloaded = (client?: number) =>
  new ClientAccountsError({ reason: new Overloaded(client === undefined ? {} : { client }) })
export const keyReused = (field: KeyReused["field"]) => new ClientAccountsError({ reason: new KeyReused({ field }) })
export const unavailable = (mayBeRecorded: boolean, cause: unknown) =>
  new ClientAccountsError({ reason: new Unavailable({ mayBeRecorded, cause }) })

export const ofJournal = ({ reason }: LedgerJournalError, mayBeRecorded: boolean): ClientAccountsError =>
  reason._tag === "JournalDamaged" ? new ClientAccountsError({ reason }) : unavailable(mayBeRecorded, reason)
