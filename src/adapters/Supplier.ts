/**
 * Who sells what we keep in stock: what he has, and purchase orders.
 *
 * The number of an order is ours and derived from what it is for: placing it
 * again is the same order. Cancelling is as definite: an order that he has not
 * heard of yet is refused when it comes late, so that what was cancelled is
 * never delivered. An order that is on its way already cannot be cancelled.
 */
import { Context, Schema } from "effect"
import type { Effect } from "effect"
import { Instant } from "../domain/Instant.ts"
import type { Quote } from "../domain/reservation/Reorder.ts"
import { LocationId, OrderId, ProductId, Quantity } from "../domain/reservation/StockEvent.ts"

export const PurchaseOrder = Schema.Struct({
  order: OrderId,
  product: ProductId,
  /** Where it is to be delivered. */
  to: LocationId,
  quantity: Quantity
})
export type PurchaseOrder = typeof PurchaseOrder.Type

export const OrderStatus = Schema.TaggedUnion({
  /** There is no such order. */
  Unknown: {},
  Open: { expectedAt: Instant },
  /** So many came, which may be fewer than were ordered; no more will. */
  Delivered: { quantity: Quantity },
  Cancelled: {}
})
export type OrderStatus = typeof OrderStatus.Type

// --- Errors -----------------------------------------------------------------

/** It never took effect. */
export class SupplierNotReached extends Schema.TaggedError<SupplierNotReached>()("SupplierNotReached", {}) {}

/** It may have taken effect or not; asked again, it is the same order. */
export class SupplierInDoubt extends Schema.TaggedError<SupplierInDoubt>()("SupplierInDoubt", {}) {}

/** He does not do it, and would not when asked again. */
export class SupplierRefused extends Schema.TaggedError<SupplierRefused>()("SupplierRefused", {
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

export class SupplierError extends Schema.TaggedError<SupplierError>()("SupplierError", {
  /** The order's number, or the product that was asked for. */
  about: Schema.String,
  reason: Schema.Union([SupplierNotReached, SupplierInDoubt, SupplierRefused])
}) {
  override get message() {
    const { reason } = this
    return `${this.about}: ${reason._tag}${reason.message === "" ? "" : `, ${reason.message}`}`
  }
  get isRetryable(): boolean {
    return this.reason._tag !== "SupplierRefused"
  }
}

export class Supplier extends Context.Service<
  Supplier,
  {
    readonly quote: (product: ProductId) => Effect.Effect<Quote, SupplierError>
    readonly place: (order: PurchaseOrder) => Effect.Effect<void, SupplierError>
    /** Refused when it is on its way; an order that was cancelled before is cancelled. */
    readonly cancel: (order: OrderId) => Effect.Effect<void, SupplierError>
    readonly status: (order: OrderId) => Effect.Effect<OrderStatus, SupplierError>
  }
>()("florin/adapters/Supplier") {}
