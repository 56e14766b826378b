/**
 * When to order, and how much.
 *
 * What counts is the position: available, and on order already. At the reorder
 * point or below it, as much is ordered as fills the shelf up to its maximum,
 * but no more than the supplier has or gives at once, and never less than he
 * sells: where the shelf has no room for his smallest lot, nothing is ordered,
 * and somebody has to look at the numbers.
 *
 * Source: the order-up-to policy (s, S) of inventory theory, with the
 * supplier's lot sizes as bounds.
 */
import { Schema } from "effect"
import { Instant } from "../Instant.ts"

const Pieces = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000_000 }))

/** Of a product at a location. */
export const ReorderPolicy = Schema.Struct({ reorderPoint: Pieces, maximum: Pieces }).check(
  Schema.makeFilter(({ maximum, reorderPoint }) => maximum > reorderPoint, {
    expected: "a maximum above the reorder point"
  })
)
export type ReorderPolicy = typeof ReorderPolicy.Type

/** What the supplier says: what he has, the least and the most that he sells at once, and how long it takes. */
export const Quote = Schema.Struct({
  available: Pieces,
  minimum: Pieces,
  maximum: Pieces,
  leadTimeMillis: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000_000_000 }))
})
export type Quote = typeof Quote.Type

/** `outOfStock`: the supplier has too little; `noRoom`: the shelf has room for less than the smallest lot. */
export const Plan = Schema.Struct({
  outcome: Schema.Literals(["order", "enough", "outOfStock", "noRoom"]),
  /** 0 unless something is ordered. */
  quantity: Pieces
})
export type Plan = typeof Plan.Type

/** How a stock is watched: by which numbers, and from when on where the supplier could not be ordered from. */
export const Watch = Schema.Struct({ policy: ReorderPolicy, notBefore: Schema.optionalKey(Instant) })
export type Watch = typeof Watch.Type

/** What there is to count on, and how many orders are open. */
export interface Outlook {
  readonly position: number
  readonly openOrders: number
}

/** Before everything: nothing puts it off. */
const atOnce = Instant.make(1)

/**
 * From when on an order is wanted; nothing where there is enough, where one is
 * open, and where nobody watches. An open order is waited for even when it is
 * too small, because what the supplier gives at once is what he has.
 */
export const wantedAt = (watch: Watch | undefined, { openOrders, position }: Outlook): Instant | undefined => {
  if (watch === undefined || openOrders > 0 || position > watch.policy.reorderPoint) return undefined
  return watch.notBefore ?? atOnce
}

export const decide = (policy: ReorderPolicy, position: number, quote: Quote): Plan => {
  if (position > policy.reorderPoint) return { outcome: "enough", quantity: 0 }
  const room = policy.maximum - position
  const least = Math.max(1, quote.minimum)
  if (room < least) return { outcome: "noRoom", quantity: 0 }
  const quantity = Math.min(room, quote.maximum, quote.available)
  return quantity < least ? { outcome: "outOfStock", quantity: 0 } : { outcome: "order", quantity }
}
