/**
 * How far each handler of a ledger's events has got, and what it could not
 * handle.
 *
 * Events are read from the journal itself; a position is the sequence of the
 * last one that is dealt with. It is stored after the handling, so that a death
 * in between hands events over again and loses none. What goes to the dead
 * letters moves the position in the same step. A letter that an operator puts
 * back is handled again, later than the events that followed it.
 */
import { Context, Schema } from "effect"
import type { Effect, Option } from "effect"
import type { Instant } from "../domain/Instant.ts"
import type { LedgerEvent } from "../domain/ledger/LedgerEvent.ts"
import type { StorageUnavailable } from "./Storage.ts"

/** What is expected of a handler's name. */
export const handlerNames = "a handler's name of 1 to 64 letters, digits, dots, dashes and underscores"

/** Part of a letter's id, so without a slash. */
export const HandlerName = Schema.String.check(Schema.isPattern(/^[a-zA-Z0-9._-]{1,64}$/, { expected: handlerNames }))

/** A handler by its name, and the ledger whose events it handles. */
export interface Subscription {
  readonly ledger: string
  readonly handler: string
}

export interface DeadLetter extends Subscription {
  readonly sequence: number
  readonly event: LedgerEvent
  /** When the event was recorded. */
  readonly recordedAt: Instant
  /** How often handling it has failed, over all its lives. */
  readonly failures: number
  /** What the last failure said. */
  readonly error: string
  /** When it was given up. */
  readonly at: Instant
}

export type LetterKey = Subscription & { readonly sequence: number }

/** `<ledger>/<handler>/<sequence>`. */
export const idOf = ({ handler, ledger, sequence }: LetterKey): string => `${ledger}/${handler}/${sequence}`

/** `undefined` when it is no letter's id. */
export const parseId = (id: string): LetterKey | undefined => {
  const [, ledger, handler, sequence] = /^(.+)\/([^/]+)\/([1-9]\d{0,14})$/.exec(id) ?? []
  return ledger === undefined || handler === undefined ? undefined : { ledger, handler, sequence: Number(sequence) }
}

export class LedgerSubscriptions extends Context.Service<
  LedgerSubscriptions,
  {
    /** The last event that is dealt with; 0 before the first. */
    readonly position: (subscription: Subscription) => Effect.Effect<number, StorageUnavailable>
    /** Moves the position forward; what is behind it stays there. */
    readonly advance: (subscription: Subscription, sequence: number) => Effect.Effect<void, StorageUnavailable>
    /** Given up: a dead letter, and a position that is past it, both or neither. */
    readonly bury: (letter: DeadLetter) => Effect.Effect<void, StorageUnavailable>
    /** Those that rest, the longest dead first. */
    readonly deadLetters: (limit: number) => Effect.Effect<ReadonlyArray<DeadLetter>, StorageUnavailable>
    /** One that rests. */
    readonly deadLetter: (key: LetterKey) => Effect.Effect<Option.Option<DeadLetter>, StorageUnavailable>
    /** Puts one that rests back to be handled; `false` when there is none. */
    readonly replay: (key: LetterKey) => Effect.Effect<boolean, StorageUnavailable>
    /** Those that were put back and wait to be handled, by their sequence. */
    readonly returned: (
      subscription: Subscription,
      limit: number
    ) => Effect.Effect<ReadonlyArray<DeadLetter>, StorageUnavailable>
    /** One that was put back is handled: it is gone. */
    readonly settle: (key: LetterKey) => Effect.Effect<void, StorageUnavailable>
  }
>()("florin/adapters/LedgerSubscriptions") {}
