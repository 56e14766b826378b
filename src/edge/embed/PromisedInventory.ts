/** Stock by promises, over the HTTP API as a function. */
import * as InventoryJson from "../http/InventoryJson.ts"
import * as SagaJson from "../http/SagaJson.ts"
import type { Handle } from "./Asked.ts"
import { asked, queryOf } from "./Asked.ts"

export type StockLevel = InventoryJson.Level

interface Stock {
  readonly product: string
  readonly location: string
}

/** Each rejects with one of the problems, among them `StockRefused` with its `reason`, and `KeyReused`. */
export interface PromisedInventory {
  readonly get: (stock: Stock) => Promise<InventoryJson.Detail>
  /** At each location. */
  readonly levels: (product: string) => Promise<ReadonlyArray<StockLevel>>
  readonly list: (page?: {
    readonly limit?: number
    readonly cursor?: string
  }) => Promise<typeof InventoryJson.Levels.Type>
  /** Receives, adjusts, reserves, releases or consumes, once for its key. */
  readonly operate: (
    stock: Stock,
    operation: typeof InventoryJson.Operation.Encoded & { readonly idempotencyKey: string }
  ) => Promise<StockLevel>
  /** Up to 100, each on its own. */
  readonly operateAll: (
    operations: (typeof InventoryJson.Operations.Encoded)["operations"]
  ) => Promise<typeof InventoryJson.Report.Type>
  readonly transfer: (transfer: typeof InventoryJson.StartTransfer.Encoded) => Promise<SagaJson.Run>
}

export { StockRefused, StockStopped } from "../http/Problem.ts"

export const make = (handle: Handle): PromisedInventory => ({
  get: (stock) => asked(handle, InventoryJson.Detail, at(stock)),
  levels: async (product) =>
    (await asked(handle, InventoryJson.Levels, `/v1/inventory/${encodeURIComponent(product)}`)).stocks,
  list: (page = {}) => asked(handle, InventoryJson.Levels, `/v1/inventory${queryOf(page)}`),
  operate: (stock, operation) => asked(handle, InventoryJson.Level, `${at(stock)}/operations`, operation),
  operateAll: (operations) => asked(handle, InventoryJson.Report, "/v1/inventory/operations", { operations }),
  transfer: (transfer) => asked(handle, SagaJson.Run, "/v1/inventory/transfers", { ...transfer })
})

const at = ({ location, product }: Stock) =>
  `/v1/inventory/${encodeURIComponent(product)}/${encodeURIComponent(location)}`
