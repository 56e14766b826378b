/**
 * What can be asked of a stock, and how it is refused.
 *
 * Every command has the key of its operation: asked again under the same key it
 * records nothing, and another operation under that key is refused.
 */
import { Schema } from "effect"
import { Instant } from "../Instant.ts"
import { ReorderPolicy } from "./Reorder.ts"
import { adjusting, OperationKey, OrderId, Quantity, ReservationId, reserving } from "./StockEvent.ts"

const operation = { key: OperationKey, at: Instant }

export const Command = Schema.TaggedUnion({
  ReserveStock: reserving,
  ReleaseStock: { ...operation, reservation: ReservationId },
  ConsumeStock: { ...operation, reservation: ReservationId },
  ReceiveStock: { ...operation, quantity: Quantity, order: Schema.optionalKey(OrderId) },
  AdjustStock: adjusting,
  /**
   * Refused when there is enough, what is on order counted: with this many pieces or fewer there is not. With
   * `ifNoneOpen` refused as well while any order is open.
   */
  OrderStock: {
    ...operation,
    order: OrderId,
    quantity: Quantity,
    askAt: Instant,
    reorderPoint: Schema.Int,
    ifNoneOpen: Schema.optionalKey(Schema.Boolean)
  },
  DelayOrder: { ...operation, order: OrderId, askAt: Instant },
  CancelOrder: { ...operation, order: OrderId },
  /** By which numbers the stock is watched; without any, nobody orders by himself. */
  SetReorderPolicy: { ...operation, policy: Schema.optionalKey(ReorderPolicy) },
  PutOffReorder: { ...operation, until: Instant },
  /** Finds out whether the operation of this key has happened, and keeps it from happening if it has not. */
  BarOperation: operation,
  /** Ends what has lapsed; its own key is never recorded. */
  ExpireReservations: { at: Instant }
})
export type Command = typeof Command.Type

/** `expected` and what is there instead, as far as there are two sides to it. */
export const Refusal = Schema.TaggedUnion({
  /** More than there is to give: on hand and not promised to anybody. */
  Insufficient: { requested: Schema.Int, available: Schema.Int },
  UnknownReservation: { reservation: ReservationId },
  ReservationExists: { reservation: ReservationId },
  ReservationEnded: { reservation: ReservationId, ending: Schema.Literals(["released", "consumed", "expired"]) },
  /** A reservation that would end before it begins. */
  AlreadyOver: { until: Instant, at: Instant },
  UnknownOrder: { order: OrderId },
  OrderExists: { order: OrderId },
  /** There is no need to order: so many pieces are there or on order. */
  Enough: { position: Schema.Int, reorderPoint: Schema.Int },
  /** More than the books can count. */
  TooMuch: { onHand: Schema.Int, limit: Schema.Int },
  /** Another operation was made under this key. */
  KeyReused: { key: OperationKey, recorded: Schema.String },
  /** Whoever gave this operation up has seen to it that it never happens. */
  Barred: { key: OperationKey }
})
export type Refusal = typeof Refusal.Type

/** In words, for whoever asked. */
export const explain = (refusal: Refusal): string => {
  switch (refusal._tag) {
    case "Insufficient":
      return `expected at most ${refusal.available} pieces, got ${refusal.requested}`
    case "UnknownReservation":
      return `there is no reservation ${refusal.reservation}`
    case "ReservationExists":
      return `there is a reservation ${refusal.reservation} already`
    case "ReservationEnded":
      return `reservation ${refusal.reservation} was ${refusal.ending}`
    case "AlreadyOver":
      return `expected until after ${refusal.at}, got ${refusal.until}`
    case "UnknownOrder":
      return `there is no open order ${refusal.order}`
    case "OrderExists":
      return `there is an order ${refusal.order} already`
    case "Enough":
      return `${refusal.position} pieces are there or on order, more than ${refusal.reorderPoint}`
    case "TooMuch":
      return `expected at most ${refusal.limit} pieces on hand, got ${refusal.onHand}`
    case "KeyReused":
      return `key ${refusal.key} was used for another operation: ${refusal.recorded}`
    case "Barred":
      return `operation ${refusal.key} was given up`
  }
}
