import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import { OperationKey } from "../../../src/domain/reservation/StockEvent.ts"
import { LocationId, ProductId } from "../../../src/domain/reservation/StockEvent.ts"
import * as MemoryStockRepository from "../../../src/infra/memory/MemoryStockRepository.ts"
import * as Inventory from "../../../src/orchestration/inventory/Inventory.ts"
import type { Cart } from "../../../src/orchestration/paying/Checkout.ts"
import * as Checkout from "../../../src/orchestration/paying/Checkout.ts"
import { SagaFailed } from "../../../src/orchestration/saga/SagaAnswer.ts"
import { Payments } from "../../../src/orchestration/Payments.ts"
import * as FakeStep from "../../../src/testing/saga/FakeStep.ts"
import * as Paying from "./PayingWorkshop.ts"
import { Workshop } from "./PayingWorkshop.ts"

const stock = (product: string) => ({ product: ProductId.make(product), location: LocationId.make("north") })

const cart = (beans: number, cups: number): Cart => ({
  order: Paying.order(),
  lines: [
    { stock: stock("beans"), quantity: beans },
    { stock: stock("cup"), quantity: cups }
  ],
  shipTo: "Ada, 1 Analytical Way"
})

const lostAnswer = new Error("the answer was lost")
const refusal = { message: "no carrier goes there", isRetryable: false }

/** The first `lost` answers about the shipment are errors: lost, where nothing else is said. */
const make = (lost = 0, errorOf: (asked: number) => unknown = () => lostAnswer) => {
  const notes: Array<string> = []
  const keys = new Set<string>()
  let asked = 0
  const saga = Checkout.make({
    fraud: { points: {}, threshold: 0 },
    record: () => Effect.void,
    shipment: {
      write: (_, key) =>
        Effect.suspend(() => {
          asked += 1
          notes.push("written")
          keys.add(key)
          return asked <= lost ? Effect.fail(errorOf(asked)) : Effect.succeed({ shipment: "sh-1" })
        }),
      withdraw: ({ shipment }, key) =>
        Effect.sync(() => {
          keys.add(key)
          notes.push(`withdrawn ${shipment}`)
        })
    }
  })
  return { saga, notes, keys }
}

const rollbackFailuresOf = (result: Result.Result<unknown, { readonly _tag: string }>) => {
  const failure = Result.getOrThrow(Result.flip(result))
  return failure instanceof SagaFailed ? failure.rollbackFailures : assert.fail(`it ended with ${failure._tag}`)
}

const layer = (bank: Parameters<typeof Paying.layer>[0]) => Layer.merge(Paying.layer(bank), MemoryStockRepository.layer)

/** Ten of each. */
const stocked = Effect.forEach(["beans", "cup"], (product) =>
  Inventory.perform(stock(product), { _tag: "ReceiveStock", key: OperationKey.make("first"), quantity: 10 })
)

/** On hand and reserved, of each. */
const counts = Effect.forEach(["beans", "cup"], (product) =>
  Effect.map(Inventory.level(stock(product)), ({ onHand, reserved }) => [onHand, reserved])
)

const statuses = Effect.flatMap(Payments, ({ list }) =>
  Effect.map(list({}, { limit: 10 }), ({ payments }) => payments.map(({ status }) => status))
)

const moved = (trace: ReadonlyArray<string>) => trace.filter((line) => /^(undo|compensate|end) /.test(line))

describe("checkout", () => {
  it.effect("reserves, holds, notes the shipment, charges, and lets the goods go", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      const { notes, saga } = make()
      yield* Effect.gen(function* () {
        yield* Paying.started
        yield* stocked
        const { result } = yield* Paying.rehearse(saga, cart(4, 2))
        assert.deepInclude(Result.getOrThrow(result).value, { amount: Workshop.eur(80_00n) })
        assert.deepStrictEqual(yield* counts, [
          [6, 0],
          [8, 0]
        ])
        assert.deepStrictEqual(yield* statuses, ["succeeded"])
        assert.deepStrictEqual(yield* Paying.notices, ["receipt"])
      }).pipe(Effect.provide(layer(bank)))
      assert.deepStrictEqual(notes, ["written"])
      assert.deepStrictEqual(yield* Paying.heard(bank), ["Authorize tok_visa", "Capture"])
    })
  )

  it.effect("voids the hold and releases the stock when nobody takes on the shipment", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      yield* Effect.gen(function* () {
        yield* Paying.started
        yield* stocked
        const saga = FakeStep.failing(make().saga, "shipment", { error: new Error("no carrier goes there") })
        const { result, trace } = yield* Paying.rehearse(saga, cart(4, 2))
        assert.include(Result.getOrThrow(Result.flip(result)).message, "at shipment: no carrier goes there")
        assert.deepStrictEqual(moved(trace), [
          "compensate shipment",
          "undo payment/preauthorize",
          "undo reserve[1]",
          "undo reserve[0]",
          "end failed"
        ])
        assert.deepStrictEqual(yield* counts, [
          [10, 0],
          [10, 0]
        ])
        assert.deepStrictEqual(yield* statuses, ["cancelled"])
      }).pipe(Effect.provide(layer(bank)))
      assert.deepStrictEqual(yield* Paying.heard(bank), ["Authorize tok_visa", "Void"])
    })
  )

  it.effect("withdraws a shipment that was noted, and whose answer never came", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      // Seven answers are lost, two of them of the compensation's own.
      const { keys, notes, saga } = make(7)
      yield* Effect.gen(function* () {
        yield* Paying.started
        yield* stocked
        const { result } = yield* Paying.rehearse(saga, cart(4, 2))
        assert.include(Result.getOrThrow(Result.flip(result)).message, "at shipment: the answer was lost")
        assert.deepStrictEqual(rollbackFailuresOf(result), [])
        assert.deepStrictEqual(yield* statuses, ["cancelled"])
      }).pipe(Effect.provide(layer(bank)))
      assert.deepStrictEqual(notes, [...Array(8).fill("written"), "withdrawn sh-1"])
      assert.strictEqual(keys.size, 1)
    })
  )

  it.effect("withdraws nothing where nobody took on the shipment, and is done", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      const { notes, saga } = make(Infinity, () => refusal)
      yield* Effect.gen(function* () {
        yield* Paying.started
        yield* stocked
        const { result } = yield* Paying.rehearse(saga, cart(4, 2))
        assert.deepStrictEqual(rollbackFailuresOf(result), [])
        assert.deepStrictEqual(yield* statuses, ["cancelled"])
      }).pipe(Effect.provide(layer(bank)))
      assert.notInclude(notes, "withdrawn sh-1")
    })
  )

  it.effect("reports a shipment of which it stays unknown whether it was noted", () =>
    Effect.gen(function* () {
      // No answer at all; or one that refuses, after attempts of which nobody knows what became.
      const silences = [
        { errorOf: () => lostAnswer, message: "the answer was lost" },
        { errorOf: (asked: number) => (asked <= 5 ? lostAnswer : refusal), message: "no carrier goes there" }
      ]
      for (const { errorOf, message } of silences) {
        const bank = yield* Paying.gateway(Workshop.agreeable)
        const { saga } = make(Infinity, errorOf)
        yield* Effect.gen(function* () {
          yield* Paying.started
          yield* stocked
          const { result } = yield* Paying.rehearse(saga, cart(4, 2), 4)
          assert.deepStrictEqual(rollbackFailuresOf(result), [
            { step: "shipment", kind: "compensate", reason: "returned", message }
          ])
        }).pipe(Effect.provide(layer(bank)))
      }
    })
  )

  it.effect("releases the stock of a card that is declined", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(() => Effect.succeed(Workshop.declined("otherInstrument")))
      const { notes, saga } = make()
      yield* Effect.gen(function* () {
        yield* Paying.started
        yield* stocked
        const { trace } = yield* Paying.rehearse(saga, cart(4, 2))
        assert.deepStrictEqual(moved(trace).slice(-3), ["undo reserve[1]", "undo reserve[0]", "end failed"])
        assert.deepStrictEqual(yield* counts, [
          [10, 0],
          [10, 0]
        ])
      }).pipe(Effect.provide(layer(bank)))
      assert.deepStrictEqual(notes, [])
    })
  )

  it.effect("asks no bank when a line is out of stock, and releases the others", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway(Workshop.agreeable)
      yield* Effect.gen(function* () {
        yield* Paying.started
        yield* stocked
        const { trace } = yield* Paying.rehearse(make().saga, cart(4, 11))
        assert.strictEqual(trace.at(-1), "end failed")
        assert.deepStrictEqual(yield* counts, [
          [10, 0],
          [10, 0]
        ])
      }).pipe(Effect.provide(layer(bank)))
      assert.deepStrictEqual(yield* Paying.heard(bank), [])
    })
  )

  it.effect("withdraws the shipment when the capture is refused", () =>
    Effect.gen(function* () {
      const bank = yield* Paying.gateway((asked) =>
        asked.call._tag === "Capture"
          ? Effect.succeed({ _tag: "Refused", code: "capture_refused", authorizationGone: true })
          : Workshop.agreeable(asked)
      )
      const { notes, saga } = make()
      yield* Effect.gen(function* () {
        yield* Paying.started
        yield* stocked
        yield* Paying.rehearse(saga, cart(4, 2))
        assert.deepStrictEqual(yield* counts, [
          [10, 0],
          [10, 0]
        ])
      }).pipe(Effect.provide(layer(bank)))
      assert.deepStrictEqual(notes, ["written", "withdrawn sh-1"])
    })
  )
})
