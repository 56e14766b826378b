/** Which stock wants an order: a table of examples, and every order of a few commands. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Reorder from "../../../src/domain/reservation/Reorder.ts"
import * as Stock from "../../../src/domain/reservation/Stock.ts"
import type { Command } from "../../../src/domain/reservation/StockCommand.ts"
import type { Event } from "../../../src/domain/reservation/StockEvent.ts"
import { after, answer, decide } from "./Histories.ts"
import { at, cancel, consume, delay, orderStock, putOff, receive, release, reserve, watch } from "./Stocks.ts"

const policy = { reorderPoint: 1, maximum: 3 }

describe("a stock that is watched", () => {
  const examples: ReadonlyArray<readonly [string, Reorder.Watch | undefined, number, number, number | undefined]> = [
    ["at the reorder point, at once", { policy }, 1, 0, 1],
    ["below it, at once", { policy }, 0, 0, 1],
    ["where more is promised than there is, at once", { policy }, -5, 0, 1],
    ["at a reorder point of nothing with the last piece gone", { policy: { reorderPoint: 0, maximum: 1 } }, 0, 0, 1],
    ["put off, from then on", { policy, notBefore: at(7) }, 1, 0, at(7)],
    ["not above the reorder point", { policy }, 2, 0, undefined],
    ["not above it, though it was put off", { policy, notBefore: at(7) }, 2, 0, undefined],
    ["not while an order is open, though it is too small", { policy }, 1, 1, undefined],
    ["not while several are", { policy, notBefore: at(7) }, 0, 2, undefined],
    ["not where nobody watches", undefined, 0, 0, undefined]
  ]
  for (const [what, watched, position, openOrders, expected] of examples) {
    it(`wants an order ${what}`, () => {
      assert.strictEqual(Reorder.wantedAt(watched, { position, openOrders }), expected)
    })
  }

  it("is watched by the last policy, and what was put off under another is not", () => {
    const reorderOf = (...commands: ReadonlyArray<Command>) => Stock.fold(after(...commands)).reorder
    const wider = { reorderPoint: 2, maximum: 9 }
    const off = putOff("a", 7)
    assert.deepStrictEqual(reorderOf(watch("a", policy), off), { policy, notBefore: at(7) })
    assert.deepStrictEqual(reorderOf(watch("a", policy), off, watch("b", wider)), { policy: wider })
    assert.isUndefined(reorderOf(watch("a", policy), off, watch("b")))
    assert.strictEqual(answer([], off), "")
    const history = after(watch("a", policy), off)
    assert.strictEqual(answer(history, watch("a", policy)), "")
    assert.strictEqual(answer(history, watch("a", wider)), "refused: KeyReused")
    assert.strictEqual(answer(history, putOff("a", 9)), "")
  })

  it("records an order only while none is open, where that is asked for", () => {
    const alone = { ...orderStock("b", 1, 5), ifNoneOpen: true }
    const history = after(watch("a", policy), orderStock("a", 1, 5))
    assert.strictEqual(answer(history, orderStock("b", 1, 5)), "StockOrdered")
    assert.strictEqual(answer(history, alone), "refused: OrderExists")
    assert.strictEqual(answer(after(orderStock("a", 1, 5), cancel("a")), alone), "StockOrdered")
    assert.strictEqual(answer(after(alone), alone), "")
  })
})

/** One delivery, one customer whose reservation lapses, two orders, a policy that comes and goes, one delay. */
const commands: ReadonlyArray<Command> = [
  receive("delivery", 3),
  reserve("a", 2, 4),
  release("a"),
  consume("a"),
  watch("on", policy),
  watch("off"),
  putOff("later", 9),
  { ...orderStock("x", 1, 1), ifNoneOpen: true },
  orderStock("y", 1, 1),
  delay("x", 20),
  receive("x", 1, "x"),
  cancel("y")
]

describe("every order of commands", () => {
  it("wants an order exactly where the events say that too little is there and none is on its way", () => {
    let frontier: ReadonlyArray<ReadonlyArray<Event>> = [[]]
    const seen = new Set<string>()
    const reached = { wanted: 0, putOff: 0, open: 0, enough: 0, unwatched: 0 }
    for (let moment = 1; moment <= 7; moment++) {
      const found: Array<ReadonlyArray<Event>> = []
      for (const history of frontier) {
        for (const command of commands) {
          const decided = decide(history, { ...command, at: at(moment) })
          if (Result.isFailure(decided)) continue
          const all = [...history, ...decided.success]
          const place = `${moment} ${JSON.stringify([Stock.fold(all), all.map(({ key }) => key).toSorted()])}`
          if (seen.has(place)) continue
          seen.add(place)
          found.push(all)
          reached[judge(all)]++
        }
      }
      frontier = found
    }
    assert.isAbove(seen.size, 1000)
    for (const [kind, times] of Object.entries(reached)) assert.isAbove(times, 20, kind)
  })

  /** Counted from the events themselves, and not by the fold. */
  const judge = (all: ReadonlyArray<Event>): "wanted" | "putOff" | "open" | "enough" | "unwatched" => {
    const total = (...tags: ReadonlyArray<Event["_tag"]>) =>
      all.reduce((sum, event) => (tags.includes(event._tag) && "quantity" in event ? sum + event.quantity : sum), 0)
    const ordered = all.flatMap((event) => (event._tag === "StockOrdered" ? [event] : []))
    const open = ordered.filter(
      ({ order }) =>
        !all.some((event) => /Received|Cancelled/.test(event._tag) && "order" in event && event.order === order)
    )
    const there = total("StockReceived", "StockReleased", "StockExpired") - total("StockReserved")
    const wantedAt = Stock.reorderAt(Stock.fold(all))
    const last = all.findLast(({ _tag }) => _tag === "ReorderPolicySet")
    if (last === undefined || !("policy" in last)) {
      assert.isUndefined(wantedAt)
      return "unwatched"
    }
    if (open.length > 0) {
      assert.isUndefined(wantedAt)
      return "open"
    }
    if (there > policy.reorderPoint) {
      assert.isUndefined(wantedAt)
      return "enough"
    }
    const isPutOff = all.indexOf(last) < all.findIndex(({ _tag }) => _tag === "ReorderPutOff")
    assert.strictEqual(wantedAt, isPutOff ? at(9) : 1)
    return isPutOff ? "putOff" : "wanted"
  }
})
