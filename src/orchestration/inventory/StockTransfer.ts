/**
 * Moves stock from one location to another, as a saga.
 *
 *     reserve (from) -> ship (from) -> receive (to) -> notify
 *
 * While it is on its way the pieces are nowhere to be sold: reserved first, so
 * that nobody else is promised them, then gone from the one location, then
 * received at the other. Half done it is undone: what was shipped comes back,
 * what was reserved is released. A notice that fails undoes nothing.
 */
import { Effect, Schema } from "effect"
import { Address, NoticeId, Notifier } from "../../adapters/Notifier.ts"
import { plus } from "../../domain/Instant.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import { LocationId, OperationKey, ProductId, Quantity, ReservationId } from "../../domain/reservation/StockEvent.ts"
import { Token } from "../../domain/Text.ts"
import { now } from "../Clocks.ts"
import * as Saga from "../saga/Saga.ts"
import * as Inventory from "./Inventory.ts"
import type { Reversible } from "./StockStep.ts"
import * as StockStep from "./StockStep.ts"

/** Leaves room for what the keys of its steps add. */
const maxIdLength = 150

export const TransferId = Token(maxIdLength).pipe(Schema.brand("TransferId"))
export type TransferId = typeof TransferId.Type

export const Transfer = Schema.Struct({
  /** The same transfer asked for again is one transfer. */
  transfer: TransferId,
  product: ProductId,
  from: LocationId,
  to: LocationId,
  quantity: Quantity,
  /** Who hears of it. */
  notify: Schema.optionalKey(Address)
}).check(Schema.makeFilter(({ from, to }) => from !== to, { expected: "two locations that differ" }))
export type Transfer = typeof Transfer.Type

/** It has arrived and is there, so it cannot be where it came from: somebody has to move it back. */
export class StockArrived extends Schema.TaggedError<StockArrived>()("StockArrived", {
  transfer: TransferId,
  at: LocationId
}) {
  override get message() {
    return `transfer ${this.transfer} has arrived at ${this.at}`
  }
}

/** A transfer that nobody goes on with gives back what it has reserved, after a day. */
const reservedMillis = 86_400_000

/** A store that is away for a moment is no reason to send a lorry back. */
const retry = { attempts: 5, backoff: "exponential", baseMillis: 200, capMillis: 5000 } as const

export const StockTransfer = Saga.make("StockTransfer", {
  input: Transfer,
  idempotencyKey: ({ transfer }) => transfer,
  retry
})
  .step("reserve", {
    takes: ({ input }) => ({ transfer: input }),
    gives: Inventory.Level,
    run: ({ transfer }) =>
      Effect.flatMap(now, (at) => StockStep.run(reserving(transfer, { until: plus(at, reservedMillis) }))),
    compensate: ({ transfer }) => StockStep.compensate(reserving(transfer)),
    undo: (_, { transfer }) => StockStep.undo(reserving(transfer))
  })
  .step("ship", {
    takes: ({ input }) => ({ transfer: input }),
    waitFor: ["reserve"],
    gives: Inventory.Level,
    run: ({ transfer }) => StockStep.run(shipping(transfer)),
    compensate: ({ transfer }) => unlessArrived(transfer, StockStep.compensate(shipping(transfer))),
    undo: (_, { transfer }) => unlessArrived(transfer, StockStep.undo(shipping(transfer)))
  })
  .step("receive", {
    takes: ({ input }) => ({ transfer: input }),
    waitFor: ["ship"],
    gives: Inventory.Level,
    run: ({ transfer }) => StockStep.run(receiving(transfer)),
    compensate: ({ transfer }) => StockStep.compensate(receiving(transfer)),
    undo: (_, { transfer }) => StockStep.undo(receiving(transfer))
  })
  .step("notify", {
    kind: "bestEffort",
    takes: ({ input }) => ({ transfer: input }),
    waitFor: ["receive"],
    gives: Schema.Boolean,
    run: ({ transfer }) => tell(transfer)
  })
  .returns("receive")

// --- Its operations ----------------------------------------------------------

const key = (transfer: Transfer, step: string) => OperationKey.make(`transfer/${transfer.transfer}/${step}`)
const origin = ({ from, product }: Transfer): StockId => ({ product, location: from })
const reservationOf = ({ transfer }: Transfer) => ReservationId.make(`transfer/${transfer}`)

const reserving = (transfer: Transfer, lapse: { readonly until?: ReturnType<typeof plus> } = {}): Reversible => ({
  stock: origin(transfer),
  operation: {
    _tag: "ReserveStock",
    key: key(transfer, "reserve"),
    reservation: reservationOf(transfer),
    quantity: transfer.quantity,
    ...lapse
  },
  inverse: { _tag: "ReleaseStock", key: key(transfer, "release"), reservation: reservationOf(transfer) }
})

const shipping = (transfer: Transfer): Reversible => ({
  stock: origin(transfer),
  operation: { _tag: "ConsumeStock", key: key(transfer, "ship"), reservation: reservationOf(transfer) },
  inverse: { _tag: "ReceiveStock", key: key(transfer, "return"), quantity: transfer.quantity }
})

const receiving = (transfer: Transfer): Reversible => ({
  stock: { product: transfer.product, location: transfer.to },
  operation: { _tag: "ReceiveStock", key: key(transfer, "receive"), quantity: transfer.quantity },
  inverse: {
    _tag: "AdjustStock",
    key: key(transfer, "withdraw"),
    by: -transfer.quantity,
    reason: `transfer ${transfer.transfer} was undone`
  }
})

/** What could not be withdrawn where it arrived, because it is promised there by now, does not come back as well. */
const unlessArrived = <A, E, R>(transfer: Transfer, comeBack: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { inverse, operation, stock } = receiving(transfer)
    const received = yield* StockStep.recorded(stock, operation.key)
    const withdrawn = yield* StockStep.recorded(stock, inverse.key)
    if (received?._tag === "StockReceived" && withdrawn === undefined) {
      return yield* new StockArrived({ transfer: transfer.transfer, at: transfer.to })
    }
    return yield* comeBack
  })

const tell = Effect.fnUntraced(function* ({ from, notify: receiver, product, quantity, to, transfer }: Transfer) {
  if (receiver === undefined) return Saga.skip(false)
  const { notify } = yield* Notifier
  const text = `${quantity} of ${product} have gone from ${from} to ${to} (transfer ${transfer}).`
  yield* notify({
    id: NoticeId.make(`transfer/${transfer}`),
    kind: "stock.transferred",
    to: receiver,
    subject: `${product}: ${quantity} moved to ${to}`,
    text
  })
  return true
})
