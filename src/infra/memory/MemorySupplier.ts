/** `Supplier` with a warehouse in memory: it delivers when it is told to. */
import { Clock, Context, Effect, Layer } from "effect"
import type { OrderStatus, PurchaseOrder } from "../../adapters/Supplier.ts"
import { Supplier, SupplierError, SupplierRefused } from "../../adapters/Supplier.ts"
import { Instant, plus } from "../../domain/Instant.ts"
import type { Quote } from "../../domain/reservation/Reorder.ts"
import type { OrderId, ProductId } from "../../domain/reservation/StockEvent.ts"

export interface PlacedOrder {
  /** Absent when it was cancelled before it came. */
  readonly order: PurchaseOrder | undefined
  readonly status: OrderStatus
}

/** What the supplier has and has been asked for. */
export interface Books {
  readonly quotes: Map<ProductId, Quote>
  readonly orders: Map<OrderId, PlacedOrder>
  /** Puts an open order on its way and there: all of it, when `quantity` is absent. */
  readonly deliver: (order: OrderId, quantity?: number) => void
}

export class SupplierBooks extends Context.Service<SupplierBooks, Books>()(
  "florin/infra/memory/MemorySupplier/SupplierBooks"
) {}

export const layer = (catalogue: ReadonlyArray<readonly [ProductId, Quote]>): Layer.Layer<Supplier | SupplierBooks> =>
  Layer.sync(SupplierBooks, () => booksOf(catalogue)).pipe((books) =>
    Layer.provideMerge(Layer.effect(Supplier, Effect.map(SupplierBooks, supplierOf)), books)
  )

const booksOf = (catalogue: ReadonlyArray<readonly [ProductId, Quote]>): Books => {
  const orders = new Map<OrderId, PlacedOrder>()
  return {
    quotes: new Map(catalogue),
    orders,
    deliver: (number, quantity) => {
      const placed = orders.get(number)
      if (placed?.order === undefined || placed.status._tag !== "Open") {
        throw new Error(`there is no open order ${number}`)
      }
      orders.set(number, { ...placed, status: { _tag: "Delivered", quantity: quantity ?? placed.order.quantity } })
    }
  }
}

const supplierOf = ({ orders, quotes }: Books): Supplier["Service"] => {
  return {
    quote: (product) => {
      const quote = quotes.get(product)
      return quote === undefined ? refuse(product, "it is not sold here") : Effect.succeed(quote)
    },
    place: Effect.fnUntraced(function* (order) {
      const now = yield* Clock.currentTimeMillis
      const known = orders.get(order.order)
      if (known !== undefined) {
        return known.status._tag === "Cancelled" ? yield* refuse(order.order, "it was cancelled") : undefined
      }
      const quote = quotes.get(order.product)
      if (quote === undefined) return yield* refuse(order.order, "it is not sold here")
      if (order.quantity > quote.available) return yield* refuse(order.order, "there is not enough of it")
      quotes.set(order.product, { ...quote, available: quote.available - order.quantity })
      const expectedAt = plus(Instant.make(1), now - 1 + quote.leadTimeMillis)
      orders.set(order.order, { order, status: { _tag: "Open", expectedAt } })
    }),
    cancel: (number) =>
      Effect.suspend(() => {
        const placed = orders.get(number)
        if (placed?.status._tag === "Delivered") return refuse(number, "it is on its way")
        const { order } = placed ?? { order: undefined }
        const quote = order && placed?.status._tag === "Open" ? quotes.get(order.product) : undefined
        if (order !== undefined && quote !== undefined) {
          quotes.set(order.product, { ...quote, available: quote.available + order.quantity })
        }
        orders.set(number, { order, status: { _tag: "Cancelled" } })
        return Effect.void
      }),
    status: (number) => Effect.sync(() => orders.get(number)?.status ?? { _tag: "Unknown" })
  }
}

const refuse = (about: string, detail: string) =>
  Effect.fail(new SupplierError({ about, reason: new SupplierRefused({ detail }) }))
