import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Stock from "../../../src/domain/reservation/Stock.ts"
import type { Command } from "../../../src/domain/reservation/StockCommand.ts"
import * as StockCommand from "../../../src/domain/reservation/StockCommand.ts"
import * as StockEvent from "../../../src/domain/reservation/StockEvent.ts"
import { after, answer, decide } from "./Histories.ts"
import {
  adjust,
  at,
  bar,
  cancel,
  consume,
  delay,
  expire,
  key,
  order,
  orderStock,
  receive,
  release,
  reservation,
  reserve
} from "./Stocks.ts"

const ten = [receive("ten", 10)]

/** What is on hand, reserved, available, and counted on when ordering. */
const counts = (...commands: ReadonlyArray<Command>) => {
  const stock = Stock.fold(after(...commands))
  return [stock.onHand, Stock.reserved(stock), Stock.available(stock), Stock.position(stock)]
}

describe("Stock", () => {
  const sums: ReadonlyArray<readonly [string, ReadonlyArray<Command>, ReadonlyArray<number>]> = [
    ["nothing has happened", [], [0, 0, 0, 0]],
    ["ten are received", ten, [10, 0, 10, 10]],
    ["four are reserved", [...ten, reserve("a", 4)], [10, 4, 6, 6]],
    ["they are released", [...ten, reserve("a", 4), release("a")], [10, 0, 10, 10]],
    ["they are consumed", [...ten, reserve("a", 4), consume("a")], [6, 0, 6, 6]],
    ["they lapse", [...ten, reserve("a", 4, 5), expire(5)], [10, 0, 10, 10]],
    ["a count finds three less", [...ten, adjust("count", -3)], [7, 0, 7, 7]],
    ["a count finds two more", [...ten, adjust("count", 2)], [12, 0, 12, 12]],
    ["twenty are ordered", [...ten, orderStock("po", 20, 10)], [10, 0, 10, 30]],
    ["the order is cancelled", [...ten, orderStock("po", 20, 10), cancel("po")], [10, 0, 10, 10]],
    ["it is delivered in part", [...ten, orderStock("po", 20, 10), receive("d", 18, "po")], [28, 0, 28, 28]]
  ]
  for (const [what, commands, expected] of sums) {
    it(`counts when ${what}`, () => assert.deepStrictEqual(counts(...commands), expected))
  }

  const answers: ReadonlyArray<readonly [string, ReadonlyArray<Command>, Command, string]> = [
    ["reserves the last piece", ten, reserve("a", 10), "StockReserved"],
    ["refuses one piece more than there is", ten, reserve("a", 11), "refused: Insufficient"],
    [
      "refuses one piece more than is not promised",
      [...ten, reserve("a", 7)],
      reserve("b", 4),
      "refused: Insufficient"
    ],
    ["refuses to reserve where nothing ever was", [], reserve("a", 1), "refused: Insufficient"],
    [
      "gives what has lapsed to the next",
      [...ten, reserve("a", 10, 5)],
      reserve("b", 10, 9, 5),
      "StockExpired, StockReserved"
    ],
    ["keeps what lapses in a moment", [...ten, reserve("a", 10, 5)], reserve("b", 10, 9, 4), "refused: Insufficient"],
    ["refuses a reservation that is over at once", ten, reserve("a", 1, 5, 5), "refused: AlreadyOver"],
    [
      "refuses a reservation's name twice",
      [...ten, reserve("a", 1)],
      { ...reserve("a", 1), key: key("other") },
      "refused: ReservationExists"
    ],
    [
      "refuses the name of one that was released",
      [...ten, reserve("a", 1), release("a")],
      { ...reserve("a", 1), key: key("other") },
      "refused: ReservationExists"
    ],
    [
      "refuses the name of one that has lapsed just now",
      [...ten, reserve("a", 1, 5)],
      { ...reserve("a", 1, 9, 5), key: key("other") },
      "refused: ReservationExists"
    ],
    ["consumes what is reserved", [...ten, reserve("a", 4)], consume("a"), "StockConsumed"],
    ["consumes until it lapses", [...ten, reserve("a", 4, 5)], consume("a", 4), "StockConsumed"],
    ["consumes nothing that has lapsed", [...ten, reserve("a", 4, 5)], consume("a", 5), "refused: ReservationEnded"],
    [
      "consumes nothing that was released",
      [...ten, reserve("a", 4), release("a")],
      consume("a"),
      "refused: ReservationEnded"
    ],
    ["consumes nothing that was never reserved", ten, consume("a"), "refused: UnknownReservation"],
    ["releases nothing that was never reserved", ten, release("a"), "refused: UnknownReservation"],
    [
      "releases nothing that is gone",
      [...ten, reserve("a", 4), consume("a")],
      release("a"),
      "refused: ReservationEnded"
    ],
    ["has nothing to release of what has lapsed", [...ten, reserve("a", 4, 5), expire(5)], release("a", 6), ""],
    ["has nothing to release of what has lapsed just now", [...ten, reserve("a", 4, 5)], release("a", 6), ""],
    [
      "has nothing to release under another key",
      [...ten, reserve("a", 4), release("a")],
      { ...release("a"), key: key("other") },
      ""
    ],
    ["loses what nobody was promised", [...ten, reserve("a", 4)], adjust("count", -6), "StockAdjusted"],
    ["cannot lose what somebody was promised", [...ten, reserve("a", 4)], adjust("count", -7), "refused: Insufficient"],
    [
      "loses what was promised until now",
      [...ten, reserve("a", 4, 5)],
      adjust("count", -10, 5),
      "StockExpired, StockAdjusted"
    ],
    ["orders at the reorder point", ten, orderStock("po", 20, 10), "StockOrdered"],
    ["orders nothing above it", ten, orderStock("po", 20, 9), "refused: Enough"],
    [
      "counts what is on order before ordering more",
      [...ten, orderStock("po", 5, 10)],
      orderStock("po2", 5, 10),
      "refused: Enough"
    ],
    [
      "orders more where that is not enough either",
      [...ten, orderStock("po", 5, 10)],
      orderStock("po2", 5, 15),
      "StockOrdered"
    ],
    [
      "refuses an order's number twice",
      [...ten, orderStock("po", 5, 10)],
      { ...orderStock("po", 5, 99), key: key("other") },
      "refused: OrderExists"
    ],
    ["receives what was ordered", [...ten, orderStock("po", 5, 10)], receive("d", 5, "po"), "StockReceived"],
    ["receives nothing on an order that is not open", ten, receive("d", 5, "po"), "refused: UnknownOrder"],
    ["waits longer for an order", [...ten, orderStock("po", 5, 10)], delay("po", 20), "OrderDelayed"],
    ["does not wait for an order that is not open", ten, delay("po", 20), "refused: UnknownOrder"],
    ["has nothing to cancel where nothing is open", ten, cancel("po"), ""],
    ["expires nothing before its time", [...ten, reserve("a", 1, 5)], expire(4), ""],
    [
      "expires what has lapsed and nothing else",
      [...ten, reserve("a", 1, 5), reserve("b", 1, 6), reserve("c", 1)],
      expire(5),
      "StockExpired"
    ]
  ]
  for (const [what, commands, command, expected] of answers) {
    it(`a stock ${what}`, () => assert.strictEqual(answer(after(...commands), command), expected))
  }

  const everything: ReadonlyArray<Command> = [
    ...ten,
    reserve("a", 4),
    reserve("b", 2),
    reserve("c", 1, 5),
    release("a"),
    consume("b"),
    adjust("count", -1),
    orderStock("po", 5, 10),
    orderStock("po2", 5, 20),
    delay("po", 20),
    receive("d", 5, "po"),
    cancel("po2"),
    bar("reserve-never")
  ]

  it("records a repeat of anything nowhere, however much later it comes", () => {
    const history = after(...everything)
    for (const command of everything) {
      assert.strictEqual(answer(history, { ...command, at: at(3) }), "", JSON.stringify(command))
    }
  })

  it("refuses anything else under a key that was used", () => {
    const history = after(...everything)
    const used = history.filter(({ _tag }) => _tag !== "OperationBarred")
    const others: ReadonlyArray<Command> = [
      reserve("z", 1),
      release("c"),
      consume("c"),
      receive("z", 1),
      adjust("z", 1),
      orderStock("z", 1, 99),
      delay("po2", 30),
      cancel("z")
    ]
    let refused = 0
    for (const { key } of used) {
      for (const other of others) {
        const got = answer(history, { ...other, key } as Command)
        assert.strictEqual(got, "refused: KeyReused", `${key} for ${other._tag}`)
        refused++
      }
    }
    assert.strictEqual(refused, used.length * others.length)
  })

  it("keeps an operation that was barred from happening, and tells one that has happened", () => {
    const barred = after(...ten, bar("reserve-a"))
    assert.strictEqual(answer(barred, reserve("a", 1)), "refused: Barred")
    assert.strictEqual(answer(barred, reserve("b", 10)), "StockReserved")
    assert.strictEqual(answer(after(...ten, reserve("a", 1)), bar("reserve-a")), "")
  })

  it("says what was expected and what came", () => {
    const said = (history: ReadonlyArray<StockEvent.Event>, command: Command) => {
      const decided = decide(history, command)
      return Result.isFailure(decided) ? StockCommand.explain(decided.failure) : "taken"
    }
    const reserved = after(...ten, reserve("a", 7), reserve("b", 1), consume("b"))
    assert.strictEqual(said(reserved, reserve("c", 3)), "expected at most 2 pieces, got 3")
    assert.strictEqual(said(reserved, adjust("count", -4)), "expected at most 2 pieces, got 4")
    assert.strictEqual(said(reserved, release("b")), "reservation b was consumed")
    assert.strictEqual(said(reserved, release("z")), "there is no reservation z")
    assert.strictEqual(
      said(reserved, { ...consume("a"), key: key("reserve-a") }),
      "key reserve-a was used for another operation: StockReserved"
    )
    const full = after(...Array.from({ length: 1000 }, (_, each) => receive(String(each), 1_000_000_000)))
    assert.strictEqual(
      said(full, receive("drop", 1)),
      "expected at most 1000000000000 pieces on hand, got 1000000000001"
    )
  })

  it("names what is owed next: expiries, then orders to ask about, then the first moment to wait for", () => {
    const next = (moment: number, ...commands: ReadonlyArray<Command>) =>
      Stock.next(Stock.fold(after(...commands)), at(moment))
    assert.deepStrictEqual(next(0, ...ten, reserve("a", 1)), { _tag: "Nothing" })
    const both = [...ten, reserve("a", 1, 8), reserve("b", 1, 5), orderStock("po", 5, 10, 6)]
    assert.deepStrictEqual(next(4, ...both), { _tag: "Wait", until: at(5) })
    assert.deepStrictEqual(next(5, ...both), { _tag: "ExpireReservations" })
    assert.deepStrictEqual(next(6, ...both, expire(6)), {
      _tag: "AskAboutOrder",
      order: { order: order("po"), quantity: 5, askAt: at(6) }
    })
    assert.deepStrictEqual(next(6, ...both, expire(6), delay("po", 20)), { _tag: "Wait", until: at(8) })
  })

  it("comes back from its stored form as it was", () => {
    const history = after(...everything)
    const stored = Schema.encodeSync(Schema.Array(Schema.toCodecJson(StockEvent.Event)))(history)
    const text = JSON.stringify(stored)
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(Schema.Array(Schema.toCodecJson(StockEvent.Event)))(JSON.parse(text)),
      history
    )
    const stock = Stock.fold(history.slice(0, 6))
    const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(Schema.toCodecJson(Stock.Stock))(stock)))
    assert.deepStrictEqual(Schema.decodeUnknownSync(Schema.toCodecJson(Stock.Stock))(json), stock)
    assert.deepStrictEqual(stock.holds, [{ reservation: reservation("c"), quantity: 1, until: at(5) }])
  })

  it("takes names and numbers only as they should be", () => {
    const isCommand = Schema.is(StockCommand.Command)
    assert.isTrue(isCommand(reserve("a", 1, 5)))
    for (const quantity of [0, -1, 1.5, 1_000_000_001, NaN]) assert.isFalse(isCommand({ ...reserve("a", 1), quantity }))
    for (const by of [0, 0.5, 1_000_000_001]) assert.isFalse(isCommand({ ...adjust("a", 1), by }))
    assert.isFalse(isCommand({ ...reserve("a", 1), key: "two words" }))
    const isStock = Schema.is(StockEvent.StockId)
    assert.isTrue(isStock({ product: "espresso-1kg", location: "warehouse-1" }))
    for (const product of ["", "a@b", "a/b", "-a", "é", "x".repeat(65)]) {
      assert.isFalse(isStock({ product, location: "warehouse-1" }), product)
    }
  })
})
