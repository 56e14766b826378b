/** What every `Shop` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer } from "effect"
import { Shop } from "../../adapters/Shop.ts"
import * as Money from "../../domain/Money.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { LocationId, ProductId } from "../../domain/reservation/StockEvent.ts"
import { paymentId, unique } from "./Samples.ts"

const merchant = MerchantId.make("shop")

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the shop, which takes every order.
 *
 * Checks: a shipment asked for again under its key is the same shipment, and
 * another order's is another; one that is withdrawn may be withdrawn again; a
 * sale may be said twice.
 *
 *     ShopContract.suite("acme", AcmeShop.layer)
 */
export const suite = <E>(name: string, implementation: Layer.Layer<Shop, E>) =>
  layer(implementation)(`Shop (${name})`, (it) => {
    const shipment = (reference = unique("order-")) => ({
      merchant,
      reference,
      shipTo: "Ω 漢字 🂡 'quoted\" \\ 1 Street",
      lines: [{ stock: { product: ProductId.make("pen"), location: LocationId.make("north") }, quantity: 2 }]
    })

    it.effect("notes a shipment that is asked for again under its key as the same one", () =>
      Effect.gen(function* () {
        const { ship } = yield* Shop
        const [one, other] = [shipment(), shipment()]
        const first = yield* ship(one, `${one.reference}/ship`)
        assert.deepStrictEqual(yield* ship(one, `${one.reference}/ship`), first)
        assert.notDeepEqual(yield* ship(other, `${other.reference}/ship`), first)
      })
    )

    it.effect("withdraws a shipment, however often it is asked", () =>
      Effect.gen(function* () {
        const { ship, withdraw } = yield* Shop
        const one = shipment()
        const note = yield* ship(one, `${one.reference}/ship`)
        yield* withdraw(note, `${one.reference}/withdraw`)
        yield* withdraw(note, `${one.reference}/withdraw`)
      })
    )

    it.effect("books a sale that is said twice, of an amount beyond what a double holds", () =>
      Effect.gen(function* () {
        const { record } = yield* Shop
        const reference = unique("order-")
        const sale = { merchant, reference, payment: paymentId(), amount: Money.of("EUR", 9_007_199_254_740_993n) }
        yield* record(sale, `${reference}/record`)
        yield* record(sale, `${reference}/record`)
      })
    )
  })
