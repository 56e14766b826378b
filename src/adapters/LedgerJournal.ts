/**
 * The ledger's truth: every applied transaction, in one global sequence.
 *
 * Events are appended in blocks, all or nothing, each block durable when it is
 * answered. A block says whose events it holds (its source: a file, or those
 * who call the service) and how far into that source it goes, so that a source
 * that is sent again is taken up where it was left.
 *
 * An append is conditional on the sequence that it continues, and that alone
 * keeps two writers from interleaving (R6). A failed append may have taken
 * effect: whoever repeats it reads the head first.
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Instant } from "../domain/Instant.ts"
import { StorageUnavailable } from "./Storage.ts"

// --- Errors -----------------------------------------------------------------

/** Another writer appended first: the journal ends at `actual`. */
export class JournalConflict extends Schema.TaggedError<JournalConflict>()("JournalConflict", {
  expected: Schema.Int,
  actual: Schema.Int
}) {
  override get message() {
    return `the journal ends at ${this.actual} and not at ${this.expected}: another writer is at it`
  }
}

/** What is stored is not what was written: a checksum is wrong, or a sequence has a gap. Nothing is guessed. */
export class JournalDamaged extends Schema.TaggedError<JournalDamaged>()("JournalDamaged", {
  /** The last event that can be trusted. */
  after: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `the journal is damaged after event ${this.after}: ${this.detail}`
  }
}

export class LedgerJournalError extends Schema.TaggedError<LedgerJournalError>()("LedgerJournalError", {
  reason: Schema.Union([JournalConflict, JournalDamaged, StorageUnavailable])
}) {
  override get message() {
    return this.reason.message
  }
}

// --- What is kept -----------------------------------------------------------

/** How far into a source: rows are taken in order, so everything before it was applied or refused. */
export interface SourcePosition {
  /** Lines read, blank ones and the header included; where there are no lines, commands taken. */
  readonly line: number
  /** Bytes read, of the unpacked text. */
  readonly byte: number
  /** CRC-32 of those bytes, by which a source that has changed behind our back is known. */
  readonly checksum: number
}

export const start: SourcePosition = { line: 0, byte: 0, checksum: 0 }

/**
 * `events` are packed (`PackedEvents`), because a journal moves millions of
 * them; `first` is the sequence of the first, counted from 1. Without events a
 * block only moves its source's position.
 */
export interface Block {
  readonly first: number
  readonly count: number
  readonly at: Instant
  readonly source: string
  /** The line of the source before the first event's, from which `events` counts theirs. */
  readonly line: number
  /** How far into the source the block goes: beyond its last event, when refused rows followed it. */
  readonly to: SourcePosition
  readonly events: Uint8Array
  /** By which the caller of a command recognises a repeat, for those events that have one, by their index. */
  readonly keys: ReadonlyArray<readonly [index: number, key: string]>
}

export interface Head {
  /** Of the last event; 0 when there is none. */
  readonly sequence: number
  readonly sources: ReadonlyMap<string, SourcePosition>
}

export class LedgerJournal extends Context.Service<
  LedgerJournal,
  {
    readonly head: Effect.Effect<Head, LedgerJournalError>
    /** Appends all of the block or nothing, and only where `first` follows the last event. */
    readonly append: (block: Block) => Effect.Effect<void, LedgerJournalError>
    /** The blocks that hold events after `after` and up to `upTo`, whole and in order. */
    readonly read: (range: {
      readonly after: number
      readonly upTo?: number | undefined
    }) => Stream.Stream<Block, LedgerJournalError>
  }
>()("florin/adapters/LedgerJournal") {}
