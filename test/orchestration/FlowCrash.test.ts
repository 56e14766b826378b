/**
 * Every point at which a process can die while a chain of two flows is
 * dispatched and performed: just before and just after each time that it
 * reaches for the store, the queue or the gateway. What died stays where it is
 * and never goes on; another process begins with the same dispatch.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { FlowGateways } from "../../src/adapters/FlowGateway.ts"
import { FlowQueue } from "../../src/adapters/FlowQueue.ts"
import { FlowStore } from "../../src/adapters/FlowStore.ts"
import { ContextId } from "../../src/domain/flow/FlowName.ts"
import * as Flow from "../../src/orchestration/Flow.ts"
import * as Flows from "../../src/orchestration/Flows.ts"
import * as FlowWorker from "../../src/orchestration/FlowWorker.ts"
import type { Bank, Seen } from "./FlowWorkshop.ts"
import { chain, crypto, inTime, makeBank, memory, policy, quick, worker } from "./FlowWorkshop.ts"

/** A crossing and the side of it at which a process dies. */
interface Death {
  readonly crossing: number
  readonly side: "before" | "after"
}

interface Process {
  isAlive: boolean
  crossings: number
  readonly death: Death | undefined
}

/** The other side of a boundary, for as long as the process lives. */
const crossing =
  (process: Process) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      if (!process.isAlive) return yield* Effect.never
      process.crossings += 1
      const { death } = process
      const isDeadly = death?.crossing === process.crossings
      if (isDeadly && death?.side === "before") process.isAlive = false
      if (!process.isAlive) return yield* Effect.never
      const result = yield* Effect.exit(effect)
      if (isDeadly) process.isAlive = false
      if (!process.isAlive) return yield* Effect.never
      return yield* result
    })

/** One process: its flows and its worker, over what lasts. */
const begin = (process: Process, bank: Bank, seen: Seen) => {
  const cross = crossing(process)
  const store = Layer.effect(
    FlowStore,
    Effect.map(FlowStore, (inner) =>
      FlowStore.of({
        create: (creation) => cross(inner.create(creation)),
        append: (append) => cross(inner.append(append)),
        load: (id) => cross(inner.load(id)),
        due: (query) => cross(inner.due(query)),
        list: (filter, limit) => cross(inner.list(filter, limit)),
        find: (id) => cross(inner.find(id)),
        readContext: (id) => cross(inner.readContext(id)),
        writeContext: (id, expected, entries) => cross(inner.writeContext(id, expected, entries))
      })
    )
  )
  const queue = Layer.effect(
    FlowQueue,
    Effect.map(FlowQueue, (inner) =>
      FlowQueue.of({
        offer: (hint) => cross(inner.offer(hint)),
        // What was taken stays taken when the process dies: its end is never told.
        take: (worker, look) => inner.take(worker, (flow) => cross(look(flow)))
      })
    )
  )
  const gateway = { ...bank, perform: (call: Parameters<Bank["perform"]>[0]) => cross(bank.perform(call)) }
  const { coupon, product } = chain(seen)
  const layer = Flows.layer([product, coupon], policy).pipe(
    Layer.provide([Layer.succeed(FlowGateways, [gateway]), crypto]),
    Layer.provideMerge(Layer.merge(store, queue))
  )
  const life = Effect.andThen(
    Flow.dispatch(product, { name: "Gold" }, { worker, context: "order-1", key: "one" }),
    FlowWorker.daemon(worker, { ...quick, hands: 1 })
  )
  return Effect.forkScoped(Effect.orDie(Effect.provide(life, Layer.fresh(layer))))
}

/** Longer than all leases and waits of a run together. */
const maxTurns = 400

/** Runs a process for each death, one after the other, and one that lives; what it leaves is audited. */
const told = (deaths: ReadonlyArray<Death>) =>
  Effect.gen(function* () {
    const store = yield* FlowStore
    const bank = makeBank()
    const seen: Seen = []
    const waiting: Array<Death | undefined> = [...deaths, undefined]
    const processes: Array<Process> = []
    const next = Effect.gen(function* () {
      const process: Process = { isAlive: true, crossings: 0, death: waiting.shift() }
      processes.push(process)
      yield* begin(process, bank, seen)
    })
    yield* next
    const isOver = Effect.map(
      store.list({ worker }, 10),
      (all) => all.length === 2 && all.every(({ status }) => status === "handled")
    )
    let turns = 0
    while (turns < maxTurns && !(waiting.length === 0 && (yield* isOver))) {
      turns += 1
      yield* TestClock.adjust("100 millis")
      if (!processes.at(-1)!.isAlive) yield* next
      // Told to its end before it could die: there is nothing more to see.
      if (waiting.length > 0 && (yield* isOver)) break
    }
    const what = JSON.stringify(deaths)
    const flows = yield* store.list({ worker }, 10)
    assert.deepStrictEqual(
      flows.map(({ name, status }) => `${name} ${status}`).toSorted(),
      ["create_coupon handled", "create_product handled"],
      what
    )
    for (const { id } of flows) {
      const events = yield* store.load(id)
      assert.strictEqual(events.filter(({ _tag }) => _tag === "OutcomeRecorded").length, 1, what)
    }
    // One object for each flow, whatever was asked again.
    assert.strictEqual(bank.books.size, 2, what)
    assert.strictEqual(new Set(bank.calls.map(({ key }) => key)).size, 2, what)
    assert.includeMembers(
      seen,
      ["new_create_product_response create_product_1", "new_create_coupon_response create_coupon_2"],
      what
    )
    const { entries } = yield* store.readContext(ContextId.make("order-1"))
    assert.deepInclude(entries, { product_id: "create_product_1", coupon_id: "create_coupon_2" }, what)
    return { crossings: processes[0]!.crossings, processes: processes.length }
  }).pipe(Effect.scoped, Effect.provide(Layer.fresh(memory)), inTime)

const sides = ["before", "after"] as const

describe("a chain of flows whose processes die", () => {
  it.effect("loses nothing, and makes nothing twice, wherever one dies", () =>
    Effect.gen(function* () {
      const { crossings } = yield* told([])
      // Dispatching, two times intent, answer, handling and its end, and what the handlers do.
      assert.isAbove(crossings, 20)
      let died = 0
      for (let crossing = 1; crossing <= crossings; crossing++) {
        for (const side of sides) died += (yield* told([{ crossing, side }])).processes - 1
      }
      assert.isAbove(died, 40)
    })
  )

  it.effect("nor when the one that takes its place dies as well", () =>
    Effect.gen(function* () {
      const { crossings } = yield* told([])
      let died = 0
      // Every third pair: those beside them die in the same states.
      for (let first = 1; first <= crossings; first++) {
        for (let second = 1 + (first % 3); second <= 18; second += 3) {
          const side = sides[(first + second) % 2]!
          died +=
            (yield* told([
              { crossing: first, side },
              { crossing: second, side: "after" }
            ])).processes - 1
        }
      }
      assert.isAbove(died, crossings * 6)
    })
  )
})
