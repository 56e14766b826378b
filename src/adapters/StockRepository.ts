/**
 * Where stock is kept: one append-only stream of events for each product at
 * each location, and beside it the state that they fold to, written in the
 * same statement, so that a stream of years is not read for each piece sold.
 *
 * An append is conditional on the stream's version, and that alone keeps the
 * promise that available is never negative (R6).
 *
 * Moments come from the caller's clock.
 */
import { Context, Schema } from "effect"
import type { Effect } from "effect"
import type { Instant } from "../domain/Instant.ts"
import type { Past, Stock } from "../domain/reservation/Stock.ts"
import type { Event, LocationId, OperationKey, ProductId, ReservationId } from "../domain/reservation/StockEvent.ts"
import { StockId } from "../domain/reservation/StockEvent.ts"
import * as StockEvent from "../domain/reservation/StockEvent.ts"
import { StorageUnavailable } from "./Storage.ts"

// --- Errors -----------------------------------------------------------------

/** Another writer appended first. Reload, decide again, append again. */
export class StockVersionConflict extends Schema.TaggedError<StockVersionConflict>()("StockVersionConflict", {
  expected: Schema.Int
}) {}

/** What is stored is not what this version of florin can read. */
export class UnreadableStock extends Schema.TaggedError<UnreadableStock>()("UnreadableStock", {
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

export class StockRepositoryError extends Schema.TaggedError<StockRepositoryError>()("StockRepositoryError", {
  stock: StockId,
  reason: Schema.Union([StockVersionConflict, UnreadableStock, StorageUnavailable])
}) {
  override get message() {
    const { reason } = this
    return `${StockEvent.nameOf(this.stock)}: ${reason._tag}${reason.message === "" ? "" : `, ${reason.message}`}`
  }
}

// --- Stock as it is stored ----------------------------------------------------

/** A stock that nothing happened to is empty and has version 0. `past` is of the operation and reservation asked about. */
export interface Loaded {
  readonly stock: Stock
  /** Counts the stream's events. */
  readonly version: number
  readonly past: Past
}

export interface About {
  readonly key?: OperationKey | undefined
  readonly reservation?: ReservationId | undefined
}

export interface Append {
  readonly id: StockId
  readonly expected: number
  /** At least one. */
  readonly events: ReadonlyArray<Event>
  /** The state after them. */
  readonly stock: Stock
  /** When something is owed next. */
  readonly due: Instant | undefined
}

export interface Level {
  readonly location: LocationId
  readonly stock: Stock
  readonly version: number
}

/** A stock as it is listed. */
export interface Listed {
  readonly id: StockId
  readonly stock: Stock
}

/** A stock and since when it owes something, or wants an order. */
export interface Due {
  readonly id: StockId
  readonly due: Instant
}

export class StockRepository extends Context.Service<
  StockRepository,
  {
    /** The state, and what is recorded under that key and as the end of that reservation, all of one moment. */
    readonly load: (id: StockId, about: About) => Effect.Effect<Loaded, StockRepositoryError>
    /** Appends all of it or none, and only onto exactly `expected`. */
    readonly append: (append: Append) => Effect.Effect<void, StockRepositoryError>
    /** All that has happened, in order. */
    readonly history: (id: StockId) => Effect.Effect<ReadonlyArray<Event>, StockRepositoryError>
    /** Where there is or was any of it, by location. */
    readonly levels: (
      product: ProductId
    ) => Effect.Effect<ReadonlyArray<Level>, StockRepositoryError | StorageUnavailable>
    /** All that there are or were, by product and location, behind `after`. */
    readonly list: (page: {
      readonly limit: number
      readonly after?: StockId | undefined
    }) => Effect.Effect<ReadonlyArray<Listed>, StockRepositoryError | StorageUnavailable>
    /** Those that owe something at `now`, longest owed first, after `after`. */
    readonly due: (now: Instant, limit: number, after?: Due) => Effect.Effect<ReadonlyArray<Due>, StorageUnavailable>
    /**
     * Those that want an order at `now` (`Stock.reorderAt`), longest wanted first, after `after`. `due` is from when on. A
     * reservation that has lapsed counts until that is recorded, so that one or the other here may have enough.
     */
    readonly wanting: (
      now: Instant,
      limit: number,
      after?: Due
    ) => Effect.Effect<ReadonlyArray<Due>, StorageUnavailable>
  }
>()("florin/adapters/StockRepository") {}
