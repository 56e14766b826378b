/** What every `Supplier` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer } from "effect"
import { Supplier } from "../../adapters/Supplier.ts"
import type { PurchaseOrder } from "../../adapters/Supplier.ts"
import type { ProductId } from "../../domain/reservation/StockEvent.ts"
import { LocationId, OrderId } from "../../domain/reservation/StockEvent.ts"
import { unique } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the supplier, a product of which he has at least a thousand
 * and sells single pieces, and one that he does not sell.
 *
 * Checks: an order placed again is one order; a cancelled order stays so, and
 * one that was cancelled before it came is refused; what is not sold, or not
 * there, is refused; an order that nobody placed is unknown.
 *
 *     SupplierContract.suite("acme", AcmeSupplier.layer, { sold, unsold })
 */
export const suite = <E>(
  name: string,
  implementation: Layer.Layer<Supplier, E>,
  { sold, unsold }: { readonly sold: ProductId; readonly unsold: ProductId }
) =>
  layer(implementation)(`Supplier (${name})`, (it) => {
    const purchase = (changes: Partial<PurchaseOrder> = {}): PurchaseOrder => ({
      order: OrderId.make(unique("po-")),
      product: sold,
      to: LocationId.make("north"),
      quantity: 5,
      ...changes
    })
    const have = Effect.flatMap(Supplier, ({ quote }) => Effect.map(quote(sold), ({ available }) => available))

    it.effect("takes an order that is placed again for the same order", () =>
      Effect.gen(function* () {
        const { place, status } = yield* Supplier
        const order = purchase()
        const before = yield* have
        yield* place(order)
        yield* place(order)
        assert.strictEqual(yield* have, before - 5)
        assert.strictEqual((yield* status(order.order))._tag, "Open")
      })
    )

    it.effect("cancels an order for good, however often it is asked", () =>
      Effect.gen(function* () {
        const { cancel, place, status } = yield* Supplier
        const order = purchase()
        const before = yield* have
        yield* place(order)
        yield* cancel(order.order)
        yield* cancel(order.order)
        assert.strictEqual((yield* status(order.order))._tag, "Cancelled")
        assert.strictEqual(yield* have, before)
        assert.strictEqual((yield* Effect.flip(place(order))).reason._tag, "SupplierRefused")
        assert.strictEqual(yield* have, before)
      })
    )

    it.effect("refuses an order that comes after it was cancelled", () =>
      Effect.gen(function* () {
        const { cancel, place, status } = yield* Supplier
        const order = purchase()
        yield* cancel(order.order)
        const error = yield* Effect.flip(place(order))
        assert.deepStrictEqual([error.reason._tag, error.isRetryable], ["SupplierRefused", false])
        assert.strictEqual((yield* status(order.order))._tag, "Cancelled")
      })
    )

    it.effect("refuses what it does not sell, and more than it has", () =>
      Effect.gen(function* () {
        const { place, quote } = yield* Supplier
        assert.strictEqual((yield* Effect.flip(quote(unsold))).reason._tag, "SupplierRefused")
        assert.strictEqual((yield* Effect.flip(place(purchase({ product: unsold })))).reason._tag, "SupplierRefused")
        const before = yield* have
        const error = yield* Effect.flip(place(purchase({ quantity: before + 1 })))
        assert.strictEqual(error.reason._tag, "SupplierRefused")
        assert.strictEqual(yield* have, before)
      })
    )

    it.effect("knows nothing of an order that nobody placed", () =>
      Effect.gen(function* () {
        const { status } = yield* Supplier
        assert.deepStrictEqual(yield* status(OrderId.make(unique("po-"))), { _tag: "Unknown" })
      })
    )
  })
