/** What every `StockRepository` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { Layer } from "effect"
import type { Due } from "../../adapters/StockRepository.ts"
import { StockRepository } from "../../adapters/StockRepository.ts"
import { plus } from "../../domain/Instant.ts"
import * as Stock from "../../domain/reservation/Stock.ts"
import type { Event, StockId } from "../../domain/reservation/StockEvent.ts"
import { LocationId, OperationKey, OrderId, ProductId, ReservationId } from "../../domain/reservation/StockEvent.ts"
import { at, unique } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the repository; the store need not be empty.
 *
 * Checks: what is appended is there, with the state and in order; an append
 * onto any other version writes nothing; of many at once, exactly one
 * succeeds; what is recorded under a key and as a reservation's end is found,
 * of that stock only; levels of one product; what is due, longest owed first,
 * page by page; which stocks want an order, likewise.
 *
 *     StockRepositoryContract.suite("acme", AcmeStockRepository.layer)
 */
export const suite = <E>(name: string, implementation: Layer.Layer<StockRepository, E>) =>
  layer(implementation)(`StockRepository (${name})`, (it) => {
    const stockId = (product = unique("product-"), location = "a"): StockId => ({
      product: ProductId.make(product),
      location: LocationId.make(location)
    })
    const received = (key: string, quantity = 10): Event => ({
      _tag: "StockReceived",
      key: OperationKey.make(key),
      at,
      quantity
    })
    const about = (key: string, quantity = 4) => ({
      key: OperationKey.make(key),
      at,
      reservation: ReservationId.make(`${key}-r`),
      quantity
    })
    const reserved = (key: string, quantity = 4): Event => ({
      _tag: "StockReserved",
      ...about(key, quantity),
      until: plus(at, 60_000)
    })
    const append = (id: StockId, before: ReadonlyArray<Event>, ...events: ReadonlyArray<Event>) =>
      Effect.gen(function* () {
        const { append } = yield* StockRepository
        const stock = Stock.fold([...before, ...events])
        yield* append({ id, expected: before.length, events, stock, due: Stock.dueAt(stock) })
        return [...before, ...events]
      })
    const load = (id: StockId, key?: string, reservation?: string) =>
      Effect.flatMap(StockRepository, ({ load }) =>
        load(id, {
          key: key === undefined ? undefined : OperationKey.make(key),
          reservation: reservation === undefined ? undefined : ReservationId.make(reservation)
        })
      )

    it.effect("knows nothing of a stock that nothing happened to", () =>
      Effect.gen(function* () {
        const id = stockId()
        assert.deepStrictEqual(yield* load(id, "k", "r"), { stock: Stock.empty, version: 0, past: Stock.noPast })
        const { history, levels } = yield* StockRepository
        assert.deepStrictEqual(yield* history(id), [])
        assert.deepStrictEqual(yield* levels(id.product), [])
      })
    )

    it.effect("keeps events in order and the state that they fold to", () =>
      Effect.gen(function* () {
        const id = stockId()
        const some = yield* append(id, [], received("in"), reserved("hold"))
        const all = yield* append(id, some, { ...about("more"), _tag: "StockReserved" })
        const { stock, version } = yield* load(id)
        assert.strictEqual(version, 3)
        assert.deepStrictEqual(stock, {
          onHand: 10,
          holds: [
            { reservation: ReservationId.make("hold-r"), quantity: 4, until: plus(at, 60_000) },
            { reservation: ReservationId.make("more-r"), quantity: 4 }
          ],
          orders: []
        })
        assert.deepStrictEqual(yield* Effect.flatMap(StockRepository, ({ history }) => history(id)), all)
      })
    )

    it.effect("appends nothing onto another version than the one expected", () =>
      Effect.gen(function* () {
        const id = stockId()
        const first = yield* append(id, [], received("in"))
        for (const expected of [[], [...first, ...first]]) {
          const error = yield* Effect.flip(append(id, expected, received("more")))
          assert.strictEqual(error.reason._tag, "StockVersionConflict")
        }
        const { stock, version } = yield* load(id)
        assert.deepStrictEqual([stock.onHand, stock.holds.length, version], [10, 0, 1])
        assert.deepStrictEqual(yield* Effect.flatMap(StockRepository, ({ history }) => history(id)), first)
      })
    )

    it.effect("lets exactly one of many append to a version, the first among them", () =>
      Effect.gen(function* () {
        const id = stockId()
        let before: ReadonlyArray<Event> = []
        for (const round of ["one", "two"]) {
          const results = yield* Effect.forEach(
            Array.from({ length: 8 }, (_, each) => received(`${round}-${each}`)),
            (event) => Effect.result(append(id, before, event)),
            { concurrency: "unbounded" }
          )
          const won = results.filter(Result.isSuccess)
          assert.strictEqual(won.length, 1)
          for (const lost of results.filter(Result.isFailure)) {
            assert.strictEqual(lost.failure.reason._tag, "StockVersionConflict")
          }
          before = won[0]!.success
        }
        assert.strictEqual((yield* load(id)).stock.onHand, 20)
        assert.deepStrictEqual(yield* Effect.flatMap(StockRepository, ({ history }) => history(id)), before)
      })
    )

    it.effect("finds what a key stands for and how a reservation ended, of this stock only", () =>
      Effect.gen(function* () {
        const id = stockId()
        const other = stockId(id.product, "b")
        const held = yield* append(id, [], received("in"), reserved("hold"), reserved("kept"))
        yield* append(other, [], received("elsewhere"))
        const open = yield* load(id, "hold", "hold-r")
        assert.deepStrictEqual(open.past, { operation: held[1], ended: undefined })
        const released: Event = { _tag: "StockReleased", ...about("let-go"), reservation: ReservationId.make("hold-r") }
        yield* append(id, held, released)
        const { past } = yield* load(id, "let-go", "hold-r")
        assert.deepStrictEqual(past, { operation: released, ended: released })
        assert.deepStrictEqual((yield* load(id, "elsewhere", "kept-r")).past, Stock.noPast)
        assert.deepStrictEqual((yield* load(other, "let-go", "hold-r")).past, Stock.noPast)
        assert.deepStrictEqual((yield* load(id)).past, Stock.noPast)
      })
    )

    it.effect("lists a product's stock by location, and no other product's", () =>
      Effect.gen(function* () {
        const id = stockId()
        yield* append(stockId(id.product, "b"), [], received("in", 2))
        yield* append(id, [], received("in", 1))
        yield* append(stockId(), [], received("in", 3))
        const levels = yield* Effect.flatMap(StockRepository, ({ levels }) => levels(id.product))
        assert.deepStrictEqual(
          levels.map(({ location, stock, version }) => [location, stock.onHand, version]),
          [
            ["a", 1, 1],
            ["b", 2, 1]
          ]
        )
      })
    )

    it.effect("lists all stocks by product and location, a page at a time", () =>
      Effect.gen(function* () {
        const { list } = yield* StockRepository
        // Last of all, whatever else the store holds.
        const mine = unique("zz-")
        const [a, b, c] = [stockId(mine, "a"), stockId(mine, "b"), stockId(`${mine}-2`, "a")]
        for (const id of [b, c, a]) yield* append(id, [], received("in", 2))
        const after = stockId(mine, "0")
        assert.deepStrictEqual(
          (yield* list({ limit: 10, after })).map(({ id, stock }) => [id, stock.onHand]),
          [a, b, c].map((id) => [id, 2])
        )
        assert.deepStrictEqual(
          (yield* list({ limit: 1, after: a })).map(({ id }) => id),
          [b]
        )
        assert.strictEqual((yield* list({ limit: 1 })).length, 1)
      })
    )

    it.effect("names what is due, longest owed first, and what is settled no more", () =>
      Effect.gen(function* () {
        const mine = unique("product-")
        const late = stockId(mine, "late")
        const soon = stockId(mine, "soon")
        const until = (millis: number, key: string): Event => ({
          _tag: "StockReserved",
          ...about(key),
          until: plus(at, millis)
        })
        yield* append(late, [], received("in"), until(20, "hold"))
        const early = yield* append(soon, [], received("in"), until(10, "hold"))
        yield* append(stockId(mine, "never"), [], received("in"))
        const due = (millis: number) =>
          Effect.gen(function* () {
            const { due } = yield* StockRepository
            const all = yield* due(plus(at, millis), 1000)
            return all.filter(({ id }) => id.product === mine).map(({ due, id }) => [id.location, due - at])
          })
        assert.deepStrictEqual(yield* due(9), [])
        assert.deepStrictEqual(yield* due(10), [["soon", 10]])
        assert.deepStrictEqual(yield* due(30), [
          ["soon", 10],
          ["late", 20]
        ])
        assert.strictEqual((yield* Effect.flatMap(StockRepository, ({ due }) => due(plus(at, 30), 1))).length, 1)
        const [first, second] = yield* Effect.flatMap(StockRepository, ({ due }) => due(plus(at, 30), 1000)).pipe(
          Effect.map((all) => all.filter(({ id }) => id.product === mine))
        )
        const after = yield* Effect.flatMap(StockRepository, ({ due }) => due(plus(at, 30), 1000, first))
        assert.notDeepInclude(after, first)
        assert.deepInclude(after, second)
        yield* append(soon, early, {
          _tag: "StockExpired",
          ...about("gone"),
          reservation: ReservationId.make("hold-r")
        })
        assert.deepStrictEqual(yield* due(30), [["late", 20]])
      })
    )

    it.effect("names what wants an order, a page at a time, until one is open or there is enough", () =>
      Effect.gen(function* () {
        const mine = unique("product-")
        const named = (name: string) => ({ key: OperationKey.make(name), at })
        const policy = { reorderPoint: 10, maximum: 20 }
        const watched: Event = { _tag: "ReorderPolicySet", ...named("watch"), policy }
        const unwatched: Event = { _tag: "ReorderPolicySet", ...named("none") }
        const order = OrderId.make("po")
        const ordered: Event = { _tag: "StockOrdered", ...named("order"), order, quantity: 1, askAt: plus(at, 5) }
        const putOff: Event = { _tag: "ReorderPutOff", ...named("off"), until: plus(at, 30) }
        const [empty, held, late] = [stockId(mine, "empty"), stockId(mine, "held"), stockId(mine, "late")]
        const short = yield* append(empty, [], watched, received("in", 10))
        const promised = yield* append(held, [], watched, received("in", 11), reserved("a", 1))
        const waiting = yield* append(late, [], received("in", 1), watched, putOff)
        yield* append(stockId(mine, "above"), [], watched, received("in", 11))
        yield* append(stockId(mine, "open"), [], watched, ordered)
        yield* append(stockId(mine, "unwatched"), [], received("in", 1))
        const wanting = (millis: number) =>
          Effect.gen(function* () {
            const { wanting } = yield* StockRepository
            const found: Array<string> = []
            let after: Due | undefined
            while (true) {
              const page: ReadonlyArray<Due> = yield* wanting(plus(at, millis), 1, after)
              after = page[0]
              if (after === undefined) return found
              assert.strictEqual(page.length, 1)
              if (after.id.product === mine) found.push(after.id.location)
            }
          })
        assert.deepStrictEqual(yield* wanting(29), ["empty", "held"])
        assert.deepStrictEqual(yield* wanting(30), ["empty", "held", "late"])
        const open = yield* append(empty, short, ordered)
        const released: Event = { _tag: "StockReleased", ...about("let-go", 1), reservation: ReservationId.make("a-r") }
        yield* append(held, promised, released)
        yield* append(late, waiting, unwatched)
        assert.deepStrictEqual(yield* wanting(30), [])
        yield* append(empty, open, { _tag: "OrderCancelled", ...named("gone"), order })
        assert.deepStrictEqual(yield* wanting(0), ["empty"])
      })
    )
  })
