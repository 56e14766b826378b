/** What every `FlowStore` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Layer } from "effect"
import type { Creation } from "../../adapters/FlowStore.ts"
import { FlowStore } from "../../adapters/FlowStore.ts"
import type { Event, Order } from "../../domain/flow/FlowEvent.ts"
import { ContextId, FlowId, FlowName, WorkerName } from "../../domain/flow/FlowName.ts"
import { fingerprint, IdempotencyKey } from "../../domain/Idempotency.ts"
import { at, later, run } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the store; it may hold other flows.
 *
 * Checks: name and key are claimed once, also by many at once, and whose they
 * are is told; events come back whole and in order; of appends to one version
 * one is taken; what is due is found by its worker and from its moment on, the
 * longest due first; lists are filtered, newest first; a context is replaced
 * only by who has seen its last version, and keeps every JSON value.
 *
 *     FlowStoreContract.suite("acme", AcmeFlowStore.layer)
 */
export const suite = <E>(name: string, implementation: Layer.Layer<FlowStore, E>) =>
  layer(implementation)(`FlowStore (${name})`, (it) => {
    let made = 0
    const creation = (changes: Partial<Order> = {}): Creation => {
      made += 1
      const id = FlowId.make(`flow_${String(made).padStart(40, "0")}`)
      const order: Order = {
        id,
        name: FlowName.make("create_product"),
        worker: WorkerName.make(`worker-${made}`),
        context: ContextId.make(id),
        key: IdempotencyKey.make(`key-${made}`),
        request: { name: 'a `backtick`, ${an.expression} and "quotes"', ratio: 0.1, nested: [null, { deep: true }] },
        ...changes
      }
      return { order, fingerprint: fingerprint(order.request), at }
    }
    const sendingBegun = (until = later(1000)): Event => ({ _tag: "SendingBegun", by: run("ada"), until, at: later(1) })

    it.effect("holds a request whole once it is created, due at once", () =>
      Effect.gen(function* () {
        const store = yield* FlowStore
        const one = creation()
        assert.deepStrictEqual(yield* store.create(one), { existing: undefined })
        const { id, worker } = one.order
        assert.deepStrictEqual(yield* store.load(id), [{ _tag: "Dispatched", order: one.order, at }])
        assert.deepStrictEqual(yield* store.due({ worker, now: at, limit: 10 }), [{ id, version: 1 }])
        const { context, name } = one.order
        assert.deepStrictEqual(
          yield* store.find(id),
          Option.some({ id, name, worker, context, status: "dispatched" as const, due: at, dispatchedAt: at })
        )
      })
    )

    it.effect("name and key are somebody's: a repeat hears whose, and changes nothing", () =>
      Effect.gen(function* () {
        const store = yield* FlowStore
        const one = creation()
        yield* store.create(one)
        const other = { ...one, fingerprint: fingerprint({ another: "request" }), at: later(5) }
        assert.deepStrictEqual(yield* store.create(other), { existing: one.fingerprint })
        assert.strictEqual((yield* store.load(one.order.id)).length, 1)
      })
    )

    it.effect("of many that create it at once, one has", () =>
      Effect.gen(function* () {
        const store = yield* FlowStore
        const one = creation()
        const claims = yield* Effect.forEach(Array.from({ length: 8 }), () => store.create(one), {
          concurrency: "unbounded"
        })
        assert.strictEqual(claims.filter(({ existing }) => existing === undefined).length, 1)
        assert.strictEqual((yield* store.load(one.order.id)).length, 1)
      })
    )

    it.effect("appends in order, and of appends to one version takes one", () =>
      Effect.gen(function* () {
        const store = yield* FlowStore
        const one = creation()
        const { id } = one.order
        yield* store.create(one)
        const append = {
          id,
          expected: 1,
          events: [sendingBegun()] as const,
          status: "performed",
          due: later(1000)
        } as const
        const results = yield* Effect.forEach(Array.from({ length: 6 }), () => Effect.result(store.append(append)), {
          concurrency: "unbounded"
        })
        assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
        const answered: Event = {
          _tag: "OutcomeRecorded",
          by: run("ada"),
          outcome: { _tag: "Answered", response: { id: "prod_1", note: "`${x}`" } },
          at: later(2)
        }
        const handling: Event = { _tag: "HandlingBegun", by: run("ada"), until: later(9), at: later(3) }
        yield* store.append({ id, expected: 2, events: [answered, handling], status: "answered", due: later(9) })
        assert.deepStrictEqual((yield* store.load(id)).slice(1), [sendingBegun(), answered, handling])
        const stale = yield* Effect.flip(store.append({ ...append, expected: 3 }))
        assert.deepInclude(stale, { _tag: "FlowMoved", expected: 3 })
      })
    )

    it.effect("knows nothing of a flow that is not there", () =>
      Effect.gen(function* () {
        const store = yield* FlowStore
        const { id } = creation().order
        assert.deepStrictEqual(yield* store.load(id), [])
        assert.deepStrictEqual(yield* store.find(id), Option.none())
        const append = { id, expected: 0, events: [sendingBegun()] as const, status: "performed", due: at } as const
        assert.strictEqual((yield* Effect.flip(store.append(append)))._tag, "FlowMoved")
      })
    )

    it.effect("finds what is due by its worker, from its moment on, the longest due first", () =>
      Effect.gen(function* () {
        const store = yield* FlowStore
        const worker = WorkerName.make("due-worker")
        const [first, second, resting] = [creation({ worker }), creation({ worker }), creation({ worker })]
        for (const one of [first, second, resting, creation()]) yield* store.create(one)
        const move = (one: Creation, due: typeof at | undefined) =>
          store.append({ id: one.order.id, expected: 1, events: [sendingBegun()], status: "performed", due })
        yield* move(first, later(500))
        yield* move(second, later(200))
        yield* move(resting, undefined)
        const due = (now: typeof at, limit = 10) =>
          Effect.map(store.due({ worker, now, limit }), (found) => found.map(({ id }) => id))
        assert.deepStrictEqual(yield* due(later(199)), [])
        assert.deepStrictEqual(yield* due(later(200)), [second.order.id])
        assert.deepStrictEqual(yield* due(later(500)), [second.order.id, first.order.id])
        assert.deepStrictEqual(yield* due(later(500), 1), [second.order.id])
      })
    )

    it.effect("lists the newest first, filtered by name, worker and status", () =>
      Effect.gen(function* () {
        const store = yield* FlowStore
        const worker = WorkerName.make("list-worker")
        const old = creation({ worker })
        const young = { ...creation({ worker, name: FlowName.make("create_coupon") }), at: later(60_000) }
        yield* store.create(old)
        yield* store.create(young)
        const ids = (filter: Parameters<typeof store.list>[0], limit = 10) =>
          Effect.map(store.list({ worker, ...filter }, limit), (found) => found.map(({ id }) => id))
        assert.deepStrictEqual(yield* ids({}), [young.order.id, old.order.id])
        assert.deepStrictEqual(yield* ids({}, 1), [young.order.id])
        assert.deepStrictEqual(yield* ids({ name: FlowName.make("create_product") }), [old.order.id])
        assert.deepStrictEqual(yield* ids({ status: "dispatched" }), [young.order.id, old.order.id])
        assert.deepStrictEqual(yield* ids({ status: "dead" }), [])
      })
    )

    it.effect("a context is replaced only by who has seen its last version", () =>
      Effect.gen(function* () {
        const store = yield* FlowStore
        const id = ContextId.make("order-1001")
        assert.deepStrictEqual(yield* store.readContext(id), { entries: {}, version: 0 })
        const entries = { product_id: "prod_`${1}`", count: 3, list: [1, null, "x"], empty: "" }
        assert.isTrue(yield* store.writeContext(id, 0, entries))
        assert.isFalse(yield* store.writeContext(id, 0, { other: 1 }))
        assert.deepStrictEqual(yield* store.readContext(id), { entries, version: 1 })
        const races = yield* Effect.forEach([1, 2, 3, 4], (racer) => store.writeContext(id, 1, { racer }), {
          concurrency: "unbounded"
        })
        assert.strictEqual(races.filter((won) => won).length, 1)
        assert.strictEqual((yield* store.readContext(id)).version, 2)
      })
    )
  })
