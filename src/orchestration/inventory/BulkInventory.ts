/**
 * Many operations in one request, each on its own: what can be done is done,
 * and the report says of each what became of it.
 *
 * Operations on one stock are done in the order in which they stand; stocks are
 * worked on beside each other. A repeat of the whole request, after an answer
 * that was lost, does what was not done yet.
 */
import { Effect, Schema } from "effect"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import { nameOf } from "../../domain/reservation/StockEvent.ts"
import type { Answer, InventoryError, Operation } from "./Inventory.ts"
import * as Inventory from "./Inventory.ts"
import type { InventoryPolicy } from "./InventoryPolicy.ts"

/** An order of a hundred lines is a large one; more would hold a request longer than anybody waits. */
const most = 100

export interface BulkOperation {
  readonly stock: StockId
  readonly operation: Operation
}

/** What became of one, at its place in the request. */
export type Line = Answer | { readonly _tag: "Failed"; readonly error: InventoryError }

export interface BulkReport {
  /** In the order of the request. */
  readonly lines: ReadonlyArray<Line>
  readonly done: number
  readonly refused: number
  /** Not answered; asked again with the same keys, they may be. */
  readonly failed: number
}

export class TooManyOperations extends Schema.TaggedError<TooManyOperations>()("TooManyOperations", {
  most: Schema.Int,
  count: Schema.Int
}) {
  override get message() {
    return `operations: expected at most ${this.most}, got ${this.count}`
  }
}

/** Stocks worked on at once: as many as a database's few connections can serve. */
const concurrency = 8

export const performAll = Effect.fn("BulkInventory.performAll")(function* (
  operations: ReadonlyArray<BulkOperation>,
  policy?: InventoryPolicy
) {
  if (operations.length > most) return yield* new TooManyOperations({ most, count: operations.length })
  const lines: Array<Line> = []
  const byStock = Map.groupBy(operations.entries(), ([, { stock }]) => nameOf(stock))
  yield* Effect.forEach(
    byStock.values(),
    (ofStock) =>
      Effect.forEach(
        ofStock,
        ([index, { operation, stock }]) =>
          Inventory.perform(stock, operation, policy).pipe(
            Effect.catchTag("InventoryError", (error) => Effect.succeed<Line>({ _tag: "Failed", error })),
            Effect.map((line) => (lines[index] = line))
          ),
        { discard: true }
      ),
    { concurrency, discard: true }
  )
  const count = (tag: Line["_tag"]) => lines.filter(({ _tag }) => _tag === tag).length
  return { lines, done: count("Done"), refused: count("Refused"), failed: count("Failed") } satisfies BulkReport
})
