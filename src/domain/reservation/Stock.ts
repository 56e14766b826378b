/**
 * The stock of a product at a location, and the promises made on it.
 *
 *     receive, adjust            reserve
 *     ------------> available ------------> reserved -- consume --> gone
 *                       ^                      |
 *                       +-- release, expire ---+
 *
 * Available is what is on hand and not reserved; no sequence of commands makes
 * it negative. A reservation ends once: released, consumed or expired. One
 * that has lapsed counts no more for anybody, whether or not its expiry is
 * recorded yet: the next thing that is recorded brings it along.
 *
 * What is on order counts for whether to order more, and for nothing else.
 *
 * `decide` is given the past of the very operation and reservation, because
 * the state holds only what still matters; a repeat decides to nothing.
 */
import { Result, Schema } from "effect"
import { Instant } from "../Instant.ts"
import { earlier } from "../Instant.ts"
import * as Reorder from "./Reorder.ts"
import type { Command, Refusal } from "./StockCommand.ts"
import type { Event } from "./StockEvent.ts"
import { endingOf, OperationKey, OrderId, Quantity, ReservationId } from "./StockEvent.ts"

// --- State ------------------------------------------------------------------

export const Hold = Schema.Struct({
  reservation: ReservationId,
  quantity: Quantity,
  until: Schema.optionalKey(Instant)
})
export type Hold = typeof Hold.Type

export const OpenOrder = Schema.Struct({ order: OrderId, quantity: Quantity, askAt: Instant })
export type OpenOrder = typeof OpenOrder.Type

/** Oldest first, both. */
export const Stock = Schema.Struct({
  onHand: Schema.Int,
  holds: Schema.Array(Hold),
  orders: Schema.Array(OpenOrder),
  reorder: Schema.optionalKey(Reorder.Watch)
})
export type Stock = typeof Stock.Type

export const empty: Stock = { onHand: 0, holds: [], orders: [] }

/** What was recorded about the operation and the reservation that a command names. */
export interface Past {
  /** The event that answers the command's key. */
  readonly operation: Event | undefined
  /** The event that ended the command's reservation. */
  readonly ended: Event | undefined
}

export const noPast: Past = { operation: undefined, ended: undefined }

/** Sums stay exact far above it; no shelf holds as much. */
const mostOnHand = 1_000_000_000_000

const sum = (all: ReadonlyArray<{ readonly quantity: number }>): number =>
  all.reduce((total, { quantity }) => total + quantity, 0)

export const reserved = ({ holds }: Stock): number => sum(holds)

/** What can be promised, lapsed reservations counted as long as their expiry is not recorded. */
export const available = (stock: Stock): number => stock.onHand - reserved(stock)

/** What there is to count on when ordering: available, and on its way. */
export const position = (stock: Stock): number => available(stock) + sum(stock.orders)

/** Without the reservations that have lapsed by then, whether or not that is recorded. */
export const lapse = (stock: Stock, at: Instant): Stock => ({
  ...stock,
  holds: stock.holds.filter(({ until }) => until === undefined || until > at)
})

/** From when on somebody has to order more; lapsed reservations count as above. */
export const reorderAt = (stock: Stock): Instant | undefined =>
  Reorder.wantedAt(stock.reorder, { position: position(stock), openOrders: stock.orders.length })

// --- Evolve -----------------------------------------------------------------

export const evolve = (stock: Stock, event: Event): Stock => {
  switch (event._tag) {
    case "StockReserved": {
      const { quantity, reservation, until } = event
      const hold = { reservation, quantity, ...(until === undefined ? {} : { until }) }
      return { ...stock, holds: [...stock.holds, hold] }
    }
    case "StockReleased":
    case "StockExpired":
      return { ...stock, holds: without(stock, event.reservation) }
    case "StockConsumed":
      return { ...stock, onHand: stock.onHand - event.quantity, holds: without(stock, event.reservation) }
    case "StockReceived":
      return {
        ...stock,
        onHand: stock.onHand + event.quantity,
        orders: stock.orders.filter(({ order }) => order !== event.order)
      }
    case "StockAdjusted":
      return { ...stock, onHand: stock.onHand + event.by }
    case "StockOrdered": {
      const { askAt, order, quantity } = event
      return { ...stock, orders: [...stock.orders, { order, quantity, askAt }] }
    }
    case "OrderDelayed": {
      const { askAt, order } = event
      return { ...stock, orders: stock.orders.map((open) => (open.order === order ? { ...open, askAt } : open)) }
    }
    case "OrderCancelled":
      return { ...stock, orders: stock.orders.filter(({ order }) => order !== event.order) }
    case "ReorderPolicySet": {
      const { reorder: _, ...rest } = stock
      return event.policy === undefined ? rest : { ...rest, reorder: { policy: event.policy } }
    }
    case "ReorderPutOff":
      return stock.reorder === undefined
        ? stock
        : { ...stock, reorder: { policy: stock.reorder.policy, notBefore: event.until } }
    case "OperationBarred":
      return stock
  }
}

export const fold = (events: ReadonlyArray<Event>): Stock => events.reduce(evolve, empty)

const without = ({ holds }: Stock, reservation: ReservationId) =>
  holds.filter((hold) => hold.reservation !== reservation)

// --- Decide -----------------------------------------------------------------

export const decide = (
  command: Command,
  stock: Stock,
  past: Past = noPast
): Result.Result<ReadonlyArray<Event>, Refusal> => {
  const lapsed = expiries(stock, command.at)
  if (command._tag === "ExpireReservations") return Result.succeed(lapsed)
  if (past.operation !== undefined) return repeated(command, past.operation)
  return Result.map(judge(command, lapsed.reduce(evolve, stock), endOf(command, lapsed) ?? past.ended), (events) =>
    events.length === 0 ? [] : [...lapsed, ...events]
  )
}

/** The expiry that this command finds still unrecorded, of the reservation that it names. */
const endOf = (command: Command, lapsed: ReadonlyArray<Expiry>): Event | undefined =>
  "reservation" in command ? lapsed.find(({ reservation }) => reservation === command.reservation) : undefined

type Expiry = Extract<Event, { readonly _tag: "StockExpired" }>
type Operation = Exclude<Command, { readonly _tag: "ExpireReservations" }>
type Judged = Result.Result<ReadonlyArray<Event>, Refusal>

const nothing: Judged = Result.succeed([])
const one = (event: Event): Judged => Result.succeed([event])
const refuse = (refusal: Refusal): Judged => Result.fail(refusal)

const judge = (command: Operation, stock: Stock, ended: Event | undefined): Judged => {
  const { at, key } = command
  switch (command._tag) {
    case "ReserveStock":
      return reserve(command, stock, ended)
    case "ReleaseStock":
    case "ConsumeStock":
      return settle(command, stock, ended)
    case "ReceiveStock": {
      const { order, quantity } = command
      if (order !== undefined && !isOpen(stock, order)) return refuse({ _tag: "UnknownOrder", order })
      return within(stock.onHand + quantity, { ...command, _tag: "StockReceived" })
    }
    case "AdjustStock": {
      const there = available(stock)
      if (command.by < -there) return refuse({ _tag: "Insufficient", requested: -command.by, available: there })
      return within(stock.onHand + command.by, { ...command, _tag: "StockAdjusted" })
    }
    case "OrderStock": {
      const { askAt, ifNoneOpen = false, order, quantity, reorderPoint } = command
      if (isOpen(stock, order)) return refuse({ _tag: "OrderExists", order })
      const [open] = stock.orders
      if (ifNoneOpen && open !== undefined) return refuse({ _tag: "OrderExists", order: open.order })
      if (position(stock) > reorderPoint) return refuse({ _tag: "Enough", position: position(stock), reorderPoint })
      return one({ _tag: "StockOrdered", key, at, order, quantity, askAt })
    }
    case "DelayOrder":
      return isOpen(stock, command.order)
        ? one({ _tag: "OrderDelayed", key, at, order: command.order, askAt: command.askAt })
        : refuse({ _tag: "UnknownOrder", order: command.order })
    case "CancelOrder":
      return isOpen(stock, command.order) ? one({ _tag: "OrderCancelled", key, at, order: command.order }) : nothing
    case "SetReorderPolicy":
      return one({ ...command, _tag: "ReorderPolicySet" })
    case "PutOffReorder":
      return stock.reorder === undefined ? nothing : one({ ...command, _tag: "ReorderPutOff" })
    case "BarOperation":
      return one({ _tag: "OperationBarred", key, at })
  }
}

const reserve = (
  command: Extract<Command, { readonly _tag: "ReserveStock" }>,
  stock: Stock,
  ended: Event | undefined
): Judged => {
  const { at, quantity, reservation, until } = command
  if (holdOf(stock, reservation) !== undefined || ended !== undefined) {
    return refuse({ _tag: "ReservationExists", reservation })
  }
  if (until !== undefined && until <= at) return refuse({ _tag: "AlreadyOver", until, at })
  if (quantity > available(stock)) {
    return refuse({ _tag: "Insufficient", requested: quantity, available: available(stock) })
  }
  return one({ ...command, _tag: "StockReserved" })
}

/** What was released or has expired is free already, so that releasing it has nothing left to do. */
const settle = (
  command: Extract<Command, { readonly _tag: "ReleaseStock" | "ConsumeStock" }>,
  stock: Stock,
  ended: Event | undefined
): Judged => {
  const { at, key, reservation } = command
  const hold = holdOf(stock, reservation)
  const isRelease = command._tag === "ReleaseStock"
  if (hold !== undefined) {
    const _tag = isRelease ? "StockReleased" : "StockConsumed"
    return one({ _tag, key, at, reservation, quantity: hold.quantity })
  }
  const ending = ended && endingOf(ended)
  if (ending === undefined) return refuse({ _tag: "UnknownReservation", reservation })
  return isRelease && ending !== "consumed" ? nothing : refuse({ _tag: "ReservationEnded", reservation, ending })
}

const within = (onHand: number, event: Event): Judged =>
  onHand > mostOnHand ? refuse({ _tag: "TooMuch", onHand, limit: mostOnHand }) : one(event)

const holdOf = ({ holds }: Stock, reservation: ReservationId) => holds.find((hold) => hold.reservation === reservation)
const isOpen = ({ orders }: Stock, order: OrderId) => orders.some((open) => open.order === order)

const expiries = ({ holds }: Stock, at: Instant): ReadonlyArray<Expiry> =>
  holds
    .filter(({ until }) => until !== undefined && until <= at)
    .map(({ quantity, reservation }) => ({
      _tag: "StockExpired",
      key: OperationKey.make(`expire/${reservation}`),
      at,
      reservation,
      quantity
    }))

// --- Repeats ----------------------------------------------------------------

/** To ask whether an operation has happened is no operation of its own, whatever the answer. */
const repeated = (command: Operation, recorded: Event): Judged => {
  if (command._tag === "BarOperation") return nothing
  if (recorded._tag === "OperationBarred") return refuse({ _tag: "Barred", key: command.key })
  return isSame(command, recorded) ? nothing : refuse({ _tag: "KeyReused", key: command.key, recorded: recorded._tag })
}

/** Moments are left out: whoever asks again asks later. */
const isSame = (command: Exclude<Operation, { readonly _tag: "BarOperation" }>, event: Event): boolean => {
  switch (command._tag) {
    case "ReserveStock":
      return (
        event._tag === "StockReserved" &&
        event.reservation === command.reservation &&
        event.quantity === command.quantity
      )
    case "ReleaseStock":
      return event._tag === "StockReleased" && event.reservation === command.reservation
    case "ConsumeStock":
      return event._tag === "StockConsumed" && event.reservation === command.reservation
    case "ReceiveStock":
      return event._tag === "StockReceived" && event.quantity === command.quantity && event.order === command.order
    case "AdjustStock":
      return event._tag === "StockAdjusted" && event.by === command.by && event.reason === command.reason
    case "OrderStock":
      return event._tag === "StockOrdered" && event.order === command.order && event.quantity === command.quantity
    case "DelayOrder":
      return event._tag === "OrderDelayed" && event.order === command.order
    case "CancelOrder":
      return event._tag === "OrderCancelled" && event.order === command.order
    case "SetReorderPolicy":
      return event._tag === "ReorderPolicySet" && isSamePolicy(event.policy, command.policy)
    case "PutOffReorder":
      return event._tag === "ReorderPutOff"
  }
}

const isSamePolicy = (one: Reorder.ReorderPolicy | undefined, other: Reorder.ReorderPolicy | undefined) =>
  one?.reorderPoint === other?.reorderPoint && one?.maximum === other?.maximum

// --- Next -------------------------------------------------------------------

export type Next =
  | { readonly _tag: "ExpireReservations" }
  /** The supplier has to be asked what became of it. */
  | { readonly _tag: "AskAboutOrder"; readonly order: OpenOrder }
  | { readonly _tag: "Wait"; readonly until: Instant }
  | { readonly _tag: "Nothing" }

export const next = (stock: Stock, now: Instant): Next => {
  if (expiries(stock, now).length > 0) return { _tag: "ExpireReservations" }
  const order = stock.orders.find(({ askAt }) => askAt <= now)
  if (order !== undefined) return { _tag: "AskAboutOrder", order }
  const until = dueAt(stock)
  return until === undefined ? { _tag: "Nothing" } : { _tag: "Wait", until }
}

/** When something is owed next; nothing while no reservation ends by itself and nothing is on order. */
export const dueAt = ({ holds, orders }: Stock): Instant | undefined =>
  [...holds.flatMap(({ until }) => until ?? []), ...orders.map(({ askAt }) => askAt)].reduce<Instant | undefined>(
    (first, at) => (first === undefined ? at : earlier(first, at)),
    undefined
  )
