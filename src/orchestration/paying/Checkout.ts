/**
 * Checkout: stock, payment and shipment of an order, or none of them.
 *
 * | step | kind | on failure, or when a later step fails |
 * | --- | --- | --- |
 * | `reserve` | compensatable, a step for each line | what is reserved is released, the last line first |
 * | `payment` | the saga `PaymentAuthorization` | the hold is voided |
 * | `shipment` | compensatable | the note is withdrawn, one too whose answer never came |
 * | `charge` | pivot | paid back, if somebody undoes the run |
 * | `consume` | compensatable, a step for each line | past the pivot: the run stalls until it is resumed |
 * | `record`, `receipt` | as in `PaymentProcessing` | |
 *
 * The customer is charged when the goods are theirs and somebody has taken on
 * to send them. A reservation here does not lapse by time: it belongs to the
 * run, which ends it, however late it is picked up again.
 */
import { Effect, Schema } from "effect"
import type { Lock } from "../../adapters/Lock.ts"
import type { StockRepository } from "../../adapters/StockRepository.ts"
import { OperationKey, Quantity, ReservationId, StockId } from "../../domain/reservation/StockEvent.ts"
import { errorOf } from "../../domain/saga/StepOutcome.ts"
import { Text } from "../../domain/Text.ts"
import * as Inventory from "../inventory/Inventory.ts"
import type { KeyedOperation, Reversible } from "../inventory/StockStep.ts"
import * as StockStep from "../inventory/StockStep.ts"
import * as Saga from "../saga/Saga.ts"
import { PaidBy } from "./FollowedPayment.ts"
import { PaymentOrder } from "./PaymentOrder.ts"
import * as PaymentOrders from "./PaymentOrder.ts"
import type { Needs, Options as PaymentOptions } from "./PaymentProcessing.ts"
import * as PaymentProcessing from "./PaymentProcessing.ts"

const Line = Schema.Struct({ stock: StockId, quantity: Quantity })
type Line = typeof Line.Type

/** More than a cart has, and few enough for one run. */
const maxLines = 100

export const Cart = Schema.Struct({
  order: PaymentOrder,
  lines: Schema.NonEmptyArray(Line).check(
    Schema.isMaxLength(maxLines, { expected: `at most ${maxLines} lines` }),
    Schema.makeFilter((lines) => new Set(lines.map(nameOf)).size === lines.length, {
      expected: "one line for each product at a location"
    })
  ),
  shipTo: Text(500)
})
export type Cart = typeof Cart.Type

function nameOf({ stock: { location, product } }: Line): string {
  return `${product} ${location}`
}

/** What the carrier, or the shop's own warehouse, knows the shipment by. */
export const ShipmentNote = Schema.Struct({ shipment: Text(255) })
export type ShipmentNote = typeof ShipmentNote.Type

export interface Options<R> extends PaymentOptions<R> {
  readonly shipment: {
    /** Asked again with the same key, it is the same note. */
    readonly write: (cart: Cart, key: string) => Effect.Effect<ShipmentNote, unknown, R>
    readonly withdraw: (note: ShipmentNote, key: string) => Effect.Effect<unknown, unknown, R>
  }
}

/** A carrier is asked as often as the books are, and a store that is away for a moment ends no checkout. */
const { doggedly, receipts, shortly } = PaymentProcessing

export const make = <R = never>({
  fraud,
  record,
  shipment
}: Options<R>): Saga.Saga<Cart, PaidBy, Needs | StockRepository | Lock | R> =>
  Saga.make("Checkout", { input: Cart, idempotencyKey: ({ order }) => PaymentOrders.keyOf(order) })
    .map("reserve", {
      over: ({ input }) => input.lines,
      takes: ({ element, input }) => ({ order: input.order, line: element }),
      gives: Inventory.Level,
      retry: shortly,
      run: ({ line, order }) => StockStep.run(reserving(order, line)),
      compensate: ({ line, order }) => StockStep.compensate(reserving(order, line)),
      undo: (_, { line, order }) => StockStep.undo(reserving(order, line))
    })
    .compose("payment", PaymentProcessing.authorization(fraud), {
      takes: ({ input }) => input.order,
      waitFor: ["reserve"]
    })
    .step("shipment", {
      takes: ({ input }) => ({ cart: input }),
      waitFor: ["payment"],
      gives: ShipmentNote,
      retry: doggedly,
      run: ({ cart }, { key }) => shipment.write(cart, key),
      compensate: ({ cart }, { isRetryable }, { key }) => withdrawDoubtful(shipment, cart, isRetryable, key),
      undo: (note, _, { key }) => StockStep.patiently(shipment.withdraw(note, key))
    })
    .step("charge", {
      kind: "pivot",
      takes: ({ steps }) => ({ held: steps.payment }),
      waitFor: ["shipment"],
      gives: PaidBy,
      run: (args, context) => PaymentProcessing.take(args, context),
      compensate: PaymentProcessing.complain,
      undo: PaymentProcessing.payBack
    })
    .map("consume", {
      over: ({ input }) => input.lines,
      takes: ({ element, input }) => ({ order: input.order, line: element }),
      waitFor: ["charge"],
      gives: Inventory.Level,
      retry: doggedly,
      run: ({ line, order }) => StockStep.run(consuming(order, line)),
      undo: (_, { line, order }) => StockStep.undo(consuming(order, line))
    })
    .step("record", {
      takes: ({ input, steps }) => ({ order: input.order, paid: steps.charge }),
      waitFor: ["consume"],
      gives: Schema.Void,
      retry: doggedly,
      run: ({ order, paid }, { key }) => Effect.asVoid(record({ ...paid, order }, key))
    })
    .step("receipt", {
      takes: ({ input, steps }) => ({ order: input.order, paid: steps.charge }),
      waitFor: ["record"],
      ...receipts,
      run: (args) => PaymentProcessing.sendReceipt(args)
    })
    .returns("charge")

// --- A shipment that nobody knows of -----------------------------------------

/**
 * It may have been noted though no answer came. Asked for once more under its key it is the same note, and is withdrawn.
 * Who refuses it twice has none. Who answers neither way leaves it to a person: the compensation fails, and is reported.
 */
const withdrawDoubtful = <R>(shipment: Options<R>["shipment"], cart: Cart, isDoubtful: boolean, key: string) =>
  Effect.matchEffect(StockStep.patiently(shipment.write(cart, key)), {
    onSuccess: (note) => StockStep.patiently(shipment.withdraw(note, key)),
    onFailure: (error) => (isDoubtful || errorOf(error).isRetryable ? Effect.fail(error) : Effect.void)
  })

// --- Its operations on stock ------------------------------------------------

/** Keys are those of one stock, so the order alone tells them apart. */
const keyOf = (order: PaymentOrder, what: string) => OperationKey.make(`checkout/${PaymentOrders.keyOf(order)}/${what}`)

const reversible = ({ stock }: Line, operation: KeyedOperation, inverse: KeyedOperation): Reversible => ({
  stock,
  operation,
  inverse
})

const reserving = (order: PaymentOrder, line: Line): Reversible => {
  const reservation = reservationOf(order)
  return reversible(
    line,
    { _tag: "ReserveStock", key: keyOf(order, "reserve"), reservation, quantity: line.quantity },
    { _tag: "ReleaseStock", key: keyOf(order, "release"), reservation }
  )
}

/** Undone by hand, the pieces are back on the shelf. */
const consuming = (order: PaymentOrder, line: Line): Reversible =>
  reversible(
    line,
    { _tag: "ConsumeStock", key: keyOf(order, "consume"), reservation: reservationOf(order) },
    { _tag: "ReceiveStock", key: keyOf(order, "return"), quantity: line.quantity }
  )

const reservationOf = (order: PaymentOrder) => ReservationId.make(`checkout/${PaymentOrders.keyOf(order)}`)
