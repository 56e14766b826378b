/** Every order of a few commands, to the end: the promise is held to in each, and every kind of state is reached. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Stock from "../../../src/domain/reservation/Stock.ts"
import type { Command } from "../../../src/domain/reservation/StockCommand.ts"
import type { Event } from "../../../src/domain/reservation/StockEvent.ts"
import { decide } from "./Histories.ts"
import { adjust, at, bar, cancel, consume, expire, orderStock, receive, release, reserve } from "./Stocks.ts"

/** Two customers, three pieces, one delivery, one count, one order, one who gave up; time goes on with each command. */
const commands: ReadonlyArray<Command> = [
  receive("delivery", 3),
  reserve("a", 2, 7),
  reserve("b", 2),
  release("a"),
  release("b"),
  consume("a"),
  consume("b"),
  adjust("count", -2),
  orderStock("po", 1, 1),
  receive("po", 1, "po"),
  cancel("po"),
  bar("reserve-b"),
  expire(0)
]

/** Deep enough that what is received can be reserved, lapse, be reserved again and be consumed. */
const depth = 9

interface Visit {
  readonly history: ReadonlyArray<Event>
  readonly moment: number
}

const when = (command: Command, moment: number): Command => ({ ...command, at: at(moment) })

/** Every history that these commands can make, once. */
const explore = (visit: (visit: Visit, command: Command, decided: ReturnType<typeof decide>) => void): number => {
  let frontier: ReadonlyArray<Visit> = [{ history: [], moment: 0 }]
  const seen = new Set<string>()
  for (let moment = 1; moment <= depth; moment++) {
    const found: Array<Visit> = []
    for (const from of frontier) {
      for (const each of commands) {
        const command = when(each, moment)
        const decided = decide(from.history, command)
        visit(from, command, decided)
        const events = Result.isSuccess(decided) ? decided.success : []
        const history = [...from.history, ...events]
        const place = `${moment} ${JSON.stringify([Stock.fold(history), history.map(({ key }) => key).toSorted()])}`
        if (!seen.has(place)) found.push({ history, moment })
        seen.add(place)
      }
    }
    frontier = found
  }
  return seen.size
}

describe("every order of commands", () => {
  it("promises no piece twice, ends each reservation once, and repeats nothing", () => {
    const kinds = new Set<string>()
    const refusals = new Set<string>()
    const owed = new Set<string>()
    const places = explore(({ history }, command, decided) => {
      if (Result.isFailure(decided)) {
        refusals.add(decided.failure._tag)
        return
      }
      const all = [...history, ...decided.success]
      const stock = Stock.fold(all)
      for (const { _tag } of decided.success) kinds.add(_tag)
      // Counted from the events themselves, and not by the fold.
      const total = (tags: ReadonlyArray<Event["_tag"]>) =>
        all.reduce((sum, event) => (tags.includes(event._tag) && "quantity" in event ? sum + event.quantity : sum), 0)
      const lost = all.reduce((sum, event) => (event._tag === "StockAdjusted" ? sum + event.by : sum), 0)
      assert.strictEqual(stock.onHand, total(["StockReceived"]) + lost - total(["StockConsumed"]))
      const promised = total(["StockReserved"]) - total(["StockReleased", "StockConsumed", "StockExpired"])
      assert.isAtLeast(stock.onHand - promised, 0)
      assert.strictEqual(Stock.reserved(stock), promised)
      const keys = all.map(({ key }) => key)
      assert.strictEqual(new Set(keys).size, keys.length)
      const again = decide(all, command)
      assert.isTrue(Result.isFailure(again) || again.success.length === 0)
      owed.add(Stock.next(stock, command.at)._tag)
      const due = Stock.dueAt(stock)
      if (due !== undefined) assert.notStrictEqual(Stock.next(stock, due)._tag, "Wait")
      // Whatever is recorded brings along what has lapsed.
      if (decided.success.length > 0) assert.notStrictEqual(Stock.next(stock, command.at)._tag, "ExpireReservations")
    })
    assert.isAbove(places, 500)
    assert.deepStrictEqual([...kinds].toSorted(), [
      "OperationBarred",
      "OrderCancelled",
      "StockAdjusted",
      "StockConsumed",
      "StockExpired",
      "StockOrdered",
      "StockReceived",
      "StockReleased",
      "StockReserved"
    ])
    assert.includeMembers(
      [...refusals],
      ["Insufficient", "UnknownReservation", "ReservationEnded", "AlreadyOver", "UnknownOrder", "Enough", "Barred"]
    )
    assert.includeMembers([...owed], ["Nothing", "Wait"])
  })
})
