/**
 * A shop that has no systems to be told: each shipment is noted under the name
 * of its order, and a sale is what its run says. Nothing is kept here.
 */
import { Effect, Layer } from "effect"
import { Shop } from "../../adapters/Shop.ts"

export const layer: Layer.Layer<Shop> = Layer.succeed(Shop, {
  ship: ({ merchant, reference }) => Effect.succeed({ shipment: `${merchant}/${reference}` }),
  withdraw: () => Effect.void,
  record: () => Effect.void
})
