/**
 * What has happened to the stock of a product at a location, as it is stored.
 *
 * Quantities are whole pieces. Every event has the key of the operation that it
 * answers, so that a repeat finds it and records nothing. Stored events change
 * only by adding.
 */
import { Schema } from "effect"
import { Instant } from "../Instant.ts"
import { Text, Token } from "../Text.ts"
import { ReorderPolicy } from "./Reorder.ts"

/** Names that stand in locks and in logs: letters, digits and what is usual between them. */
const Name = (example: string) =>
  Schema.String.check(
    Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { expected: `a name such as "${example}"` })
  )

export const ProductId = Name("espresso-1kg").pipe(Schema.brand("ProductId"))
export type ProductId = typeof ProductId.Type

export const LocationId = Name("warehouse-1").pipe(Schema.brand("LocationId"))
export type LocationId = typeof LocationId.Type

/** Whose stock it is: one stream of events each. */
export const StockId = Schema.Struct({ product: ProductId, location: LocationId })
export type StockId = typeof StockId.Type

/** Long enough for a saga's run and step; short enough for every index. */
const maxKeyLength = 255

/** One operation on one stock, however often it is asked for. */
export const OperationKey = Token(maxKeyLength).pipe(Schema.brand("OperationKey"))
export type OperationKey = typeof OperationKey.Type

/** Shorter, because `expire/` and the reservation is the key of its expiry. */
const maxReservationLength = 240

export const ReservationId = Token(maxReservationLength).pipe(Schema.brand("ReservationId"))
export type ReservationId = typeof ReservationId.Type

/** The number of a purchase order: ours, which the supplier is told. */
export const OrderId = Token(maxKeyLength).pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type

/** More than any one operation moves, and few enough that sums of a thousand stay exact. */
const maxQuantity = 1_000_000_000

/** Pieces, at least one. */
export const Quantity = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxQuantity }))

/** Pieces found or lost in a count; never none. */
const Correction = Schema.Int.check(
  Schema.isBetween({ minimum: -maxQuantity, maximum: maxQuantity }),
  Schema.makeFilter((by) => by !== 0, { expected: "a number of pieces other than 0" })
)

const operation = { key: OperationKey, at: Instant }
const settlement = { ...operation, reservation: ReservationId, quantity: Quantity }

export const reserving = { ...settlement, until: Schema.optionalKey(Instant) }
export const adjusting = { ...operation, by: Correction, reason: Text(200) }

export const Event = Schema.TaggedUnion({
  /** Promised to somebody until then, or until it is released or consumed. */
  StockReserved: reserving,
  StockReleased: settlement,
  /** Gone to whom it was promised to. */
  StockConsumed: settlement,
  StockExpired: settlement,
  /** Arrived; with `order`, as the delivery of that purchase order, which is closed by it. */
  StockReceived: { ...operation, quantity: Quantity, order: Schema.optionalKey(OrderId) },
  /** A count found more or less than there should be. */
  StockAdjusted: adjusting,
  /** About to be asked of the supplier; whether it came is asked at `askAt`. */
  StockOrdered: { ...operation, order: OrderId, quantity: Quantity, askAt: Instant },
  OrderDelayed: { ...operation, order: OrderId, askAt: Instant },
  OrderCancelled: { ...operation, order: OrderId },
  /** Watched by these numbers from now on; without any, by nobody. */
  ReorderPolicySet: { ...operation, policy: Schema.optionalKey(ReorderPolicy) },
  /** An order was wanted and is not to be had before then. */
  ReorderPutOff: { ...operation, until: Instant },
  /** The operation of this key has not happened and never will. */
  OperationBarred: operation
})
export type Event = typeof Event.Type

/** The events that end a reservation, and how. */
export const ends = {
  StockReleased: "released",
  StockConsumed: "consumed",
  StockExpired: "expired"
} as const
export type Ending = (typeof ends)[keyof typeof ends]

/** How this event ends its reservation; nothing when it ends none. */
export const endingOf = (event: Event): Ending | undefined =>
  event._tag === "StockReleased" || event._tag === "StockConsumed" || event._tag === "StockExpired"
    ? ends[event._tag]
    : undefined

/** The reservation that the event is about. */
export const reservationOf = (event: Event): ReservationId | undefined =>
  "reservation" in event ? event.reservation : undefined

/** `espresso-1kg@warehouse-1`: neither name can hold an @. */
export const nameOf = ({ location, product }: StockId): string => `${product}@${location}`
