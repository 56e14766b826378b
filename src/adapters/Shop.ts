/**
 * The systems of the shop whose payments these are: who sends the goods, and
 * the books that its sales go into.
 *
 * Every request has a key that is derived from what it is about: made again, it
 * is the same shipment, the same entry. Withdrawing is as definite: a shipment
 * that was withdrawn is never sent.
 */
import { Context, Schema } from "effect"
import type { Effect } from "effect"
import { Money } from "../domain/Money.ts"
import { MerchantId, PaymentId } from "../domain/payment/PaymentEvent.ts"
import { Quantity, StockId } from "../domain/reservation/StockEvent.ts"
import { Text, Token } from "../domain/Text.ts"

export const Shipment = Schema.Struct({
  merchant: MerchantId,
  /** The order's number. */
  reference: Token(100),
  shipTo: Text(500),
  lines: Schema.Array(Schema.Struct({ stock: StockId, quantity: Quantity }))
})
export type Shipment = typeof Shipment.Type

/** What the shop knows it by. */
export const Note = Schema.Struct({ shipment: Text(255) })
export type Note = typeof Note.Type

export const Sale = Schema.Struct({
  merchant: MerchantId,
  reference: Token(100),
  payment: PaymentId,
  /** What was charged. */
  amount: Money
})
export type Sale = typeof Sale.Type

// --- Errors -----------------------------------------------------------------

/** It never took effect. */
export class ShopNotReached extends Schema.TaggedError<ShopNotReached>()("ShopNotReached", {
  detail: Schema.String
}) {}

/** It may have taken effect or not; made again under its key, it is the same. */
export class ShopInDoubt extends Schema.TaggedError<ShopInDoubt>()("ShopInDoubt", { detail: Schema.String }) {}

/** It does not do it, and would not when asked again. */
export class ShopRefused extends Schema.TaggedError<ShopRefused>()("ShopRefused", { detail: Schema.String }) {}

export class ShopError extends Schema.TaggedError<ShopError>()("ShopError", {
  /** What was asked: `shipment`, `withdrawal`, `sale`. */
  about: Schema.String,
  reason: Schema.Union([ShopNotReached, ShopInDoubt, ShopRefused])
}) {
  override get message() {
    return `${this.about}: ${this.reason._tag}, ${this.reason.detail}`
  }
  get isRetryable(): boolean {
    return this.reason._tag !== "ShopRefused"
  }
}

export class Shop extends Context.Service<
  Shop,
  {
    readonly ship: (shipment: Shipment, key: string) => Effect.Effect<Note, ShopError>
    readonly withdraw: (note: Note, key: string) => Effect.Effect<void, ShopError>
    readonly record: (sale: Sale, key: string) => Effect.Effect<void, ShopError>
  }
>()("florin/adapters/Shop") {}
