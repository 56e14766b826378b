/** Stock and what is done with it, in JSON. Quantities are whole pieces; moments are ISO 8601 in UTC. */
import { DateTime, Option, Result, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { Address } from "../../adapters/Notifier.ts"
import { Instant } from "../../domain/Instant.ts"
import * as Stocks from "../../domain/reservation/Stock.ts"
import type { Stock } from "../../domain/reservation/Stock.ts"
import { ReorderPolicy } from "../../domain/reservation/Reorder.ts"
import { explain, Refusal } from "../../domain/reservation/StockCommand.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import {
  adjusting,
  LocationId,
  OperationKey,
  OrderId,
  ProductId,
  Quantity,
  ReservationId
} from "../../domain/reservation/StockEvent.ts"
import type { BulkReport, Line } from "../../orchestration/inventory/BulkInventory.ts"
import type { KeyedOperation } from "../../orchestration/inventory/StockStep.ts"
import { Token } from "../../domain/Text.ts"
import { Limit, Moment, usualLimit } from "./PaymentList.ts"

const optional = Schema.optionalKey

// --- Operations -------------------------------------------------------------

const types = {
  receive: { type: Schema.Literal("receive"), quantity: Quantity, order: optional(OrderId) },
  adjust: { type: Schema.Literal("adjust"), by: adjusting.by, reason: adjusting.reason },
  reserve: {
    type: Schema.Literal("reserve"),
    reservation: ReservationId,
    quantity: Quantity,
    until: optional(Moment("Lapses by itself then; without it, not"))
  },
  release: { type: Schema.Literal("release"), reservation: ReservationId },
  consume: { type: Schema.Literal("consume"), reservation: ReservationId },
  watch: {
    type: Schema.Literal("watch"),
    policy: optional(
      ReorderPolicy.annotate({
        description: "When more is ordered, and up to how much; without it, nobody orders by himself"
      })
    )
  }
}

const one = <const Extra extends Schema.Struct.Fields>(extra: Extra) =>
  Schema.Union([
    Schema.Struct({ ...extra, ...types.receive }),
    Schema.Struct({ ...extra, ...types.adjust }),
    Schema.Struct({ ...extra, ...types.reserve }),
    Schema.Struct({ ...extra, ...types.release }),
    Schema.Struct({ ...extra, ...types.consume }),
    Schema.Struct({ ...extra, ...types.watch })
  ]).annotate({ message: `Expected a \`type\` of ${Object.keys(types).join(", ")}` })

export const Operation = one({}).annotate({ identifier: "StockOperation" })
export type Operation = typeof Operation.Type

const Bulk = one({ key: OperationKey, product: ProductId, location: LocationId })

/** An order of a hundred lines is a large one. */
const most = 100

export const Operations = Schema.Struct({
  operations: Schema.NonEmptyArray(Bulk).check(Schema.isMaxLength(most, { expected: `at most ${most} operations` }))
}).annotate({ identifier: "StockOperations" })

export const toOperation = (key: OperationKey, given: Operation): KeyedOperation => {
  switch (given.type) {
    case "receive":
      return {
        _tag: "ReceiveStock",
        key,
        quantity: given.quantity,
        ...(given.order !== undefined && { order: given.order })
      }
    case "adjust":
      return { _tag: "AdjustStock", key, by: given.by, reason: given.reason }
    case "reserve": {
      const { quantity, reservation, until } = given
      const lapses = until === undefined ? {} : { until: Instant.make(DateTime.toEpochMillis(until)) }
      return { _tag: "ReserveStock", key, reservation, quantity, ...lapses }
    }
    case "release":
      return { _tag: "ReleaseStock", key, reservation: given.reservation }
    case "consume":
      return { _tag: "ConsumeStock", key, reservation: given.reservation }
    case "watch":
      return { _tag: "SetReorderPolicy", key, ...(given.policy !== undefined && { policy: given.policy }) }
  }
}

/** In a few words: `receive 10 espresso-1kg berlin`. */
export const named = ({ location, product, ...given }: Operation & StockId): string => {
  const much = "quantity" in given ? [given.quantity] : "by" in given ? [given.by] : []
  return [given.type, ...much, product, location].join(" ")
}

export const toBulk = ({ operations }: typeof Operations.Type) =>
  operations.map((given) => {
    const { key, location, product } = given
    return { stock: { product, location }, operation: toOperation(key, given) }
  })

export const StartTransfer = Schema.Struct({
  transfer: Token(150).annotate({ description: "Its number: the same one again is the same transfer" }),
  product: ProductId,
  from: LocationId,
  to: LocationId,
  quantity: Quantity,
  notify: optional(Address)
})
  .check(
    Schema.makeFilter(({ from, to }) =>
      from === to ? { path: ["to"], issue: "Expected another location than `from`" } : undefined
    )
  )
  .annotate({ identifier: "StartTransfer" })

// --- Where ------------------------------------------------------------------

export const Product = ProductId.annotate({ description: "A product" })
export const Location = LocationId.annotate({ description: "Where it is kept" })

const decodeId = Schema.decodeUnknownOption(Schema.Struct({ product: ProductId, location: LocationId }))

export const cursorOf = ({ location, product }: StockId): string => Base64Url.encode(`${product} ${location}`)

const placeOf = (cursor: string): Option.Option<StockId> =>
  Option.flatMap(Result.getSuccess(Base64Url.decodeString(cursor)), (text) => {
    const [product, location] = text.split(" ")
    return decodeId({ product, location })
  })

const Cursor = Schema.String.annotate({ description: "The `nextCursor` of the page before" }).check(
  Schema.makeFilter((text) => Option.isSome(placeOf(text)) || "Expected a cursor that a page gave as nextCursor")
)

export const Query = { limit: optional(Limit), cursor: optional(Cursor) }

/** One more than a page holds, so that it is known whether there is another. */
export const toPage = ({ cursor, limit = usualLimit }: { readonly cursor?: string; readonly limit?: number }) => ({
  limit: limit + 1,
  after: cursor === undefined ? undefined : Option.getOrUndefined(placeOf(cursor))
})

// --- Answers ----------------------------------------------------------------

const counts = { onHand: Schema.Int, reserved: Schema.Int, available: Schema.Int, onOrder: Schema.Int }
const Counts = Schema.Struct(counts)
type Counts = typeof Counts.Type

const level = { product: ProductId, location: LocationId, ...counts }

export const Level = Schema.Struct(level).annotate({ identifier: "StockLevel" })
export type Level = typeof Level.Type

export const Levels = Schema.Struct({
  stocks: Schema.Array(Level),
  nextCursor: optional(Schema.String.annotate({ description: "Where the next page begins; absent on the last" }))
}).annotate({ identifier: "StockLevels" })

export const Detail = Schema.Struct({
  ...level,
  /** Whose pieces are promised. */
  reservations: Schema.Array(
    Schema.Struct({ reservation: Schema.String, quantity: Schema.Int, until: optional(Schema.String) })
  ),
  /** Purchase orders that have not come. */
  orders: Schema.Array(Schema.Struct({ order: Schema.String, quantity: Schema.Int, askAt: Schema.String }))
}).annotate({ identifier: "Stock" })
export type Detail = typeof Detail.Type

const iso = (at: number) => DateTime.formatIso(DateTime.makeUnsafe(at))

/** Reservations that have lapsed by `now` count for nobody, whether they are ended in the books or not. */
const holding = (stock: Stock, now: number): Stock => ({
  ...stock,
  holds: stock.holds.filter(({ until }) => until === undefined || until > now)
})

export const fromLevel = (id: StockId, given: Counts): Level => ({ ...id, ...given })

export const fromStock = (id: StockId, stock: Stock, now: number): Level => {
  const held = holding(stock, now)
  const available = Stocks.available(held)
  return fromLevel(id, {
    onHand: held.onHand,
    reserved: Stocks.reserved(held),
    available,
    onOrder: Stocks.position(held) - available
  })
}

export const toDetail = (id: StockId, stock: Stock, now: number): Detail => ({
  ...fromStock(id, stock, now),
  reservations: holding(stock, now).holds.map(({ quantity, reservation, until }) => ({
    reservation,
    quantity,
    ...(until !== undefined && { until: iso(until) })
  })),
  orders: stock.orders.map(({ askAt, order, quantity }) => ({ order, quantity, askAt: iso(askAt) }))
})

const Reason = Schema.Literals(Object.keys(Refusal.cases) as ReadonlyArray<Refusal["_tag"]>)

const Outcome = Schema.Struct({
  outcome: Schema.Literals(["done", "refused", "failed"]),
  /** Where it is done; `changed` is false where it had happened before. */
  level: optional(Counts),
  changed: optional(Schema.Boolean),
  /** Why it is refused. */
  reason: optional(Reason),
  detail: optional(Schema.String)
})

export const Report = Schema.Struct({
  /** In the order of the request. */
  operations: Schema.Array(Outcome),
  done: Schema.Int,
  refused: Schema.Int,
  /** Not answered; asked again with the same keys, they may be. */
  failed: Schema.Int
}).annotate({ identifier: "StockReport" })

const toOutcome = (line: Line): typeof Outcome.Type => {
  switch (line._tag) {
    case "Done":
      return { outcome: "done", level: line.level, changed: line.changed }
    case "Refused":
      return { outcome: "refused", reason: line.refusal._tag, detail: explain(line.refusal) }
    case "Failed":
      return { outcome: "failed", detail: line.error.reason._tag }
  }
}

export const fromReport = ({ done, failed, lines, refused }: BulkReport): typeof Report.Type => ({
  operations: lines.map(toOutcome),
  done,
  refused,
  failed
})
