import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Address, Notifier, NotifierError, Refused } from "../../../src/adapters/Notifier.ts"
import { StockRepository } from "../../../src/adapters/StockRepository.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import * as Stock from "../../../src/domain/reservation/Stock.ts"
import type { Event, StockId } from "../../../src/domain/reservation/StockEvent.ts"
import { ReservationId } from "../../../src/domain/reservation/StockEvent.ts"
import { SentNotices } from "../../../src/infra/memory/MemoryNotifier.ts"
import * as Inventory from "../../../src/orchestration/inventory/Inventory.ts"
import * as StockStep from "../../../src/orchestration/inventory/StockStep.ts"
import type { Transfer } from "../../../src/orchestration/inventory/StockTransfer.ts"
import { StockTransfer, TransferId } from "../../../src/orchestration/inventory/StockTransfer.ts"
import * as SagaEngine from "../../../src/orchestration/saga/SagaEngine.ts"
import * as SagaRunner from "../../../src/orchestration/saga/SagaRunner.ts"
import * as Crashes from "./Crashes.ts"
import { counts, key, north, product, receive, reserve, south } from "./Storehouse.ts"

const transfer = (changes: Partial<Transfer> = {}): Transfer => ({
  transfer: TransferId.make("t-1"),
  product,
  from: north.location,
  to: south.location,
  quantity: 4,
  notify: Address.make("stores@example.org"),
  ...changes
})

/** As many as the books can count, so that not one more is received. */
const full = Effect.gen(function* () {
  const { append } = yield* StockRepository
  const events = Array.from({ length: 1000 }, (_, each): Event => ({
    _tag: "StockReceived",
    key: key(`fill-${each}`),
    at: Instant.make(1),
    quantity: 1_000_000_000
  }))
  yield* append({ id: south, expected: 0, events, stock: Stock.fold(events), due: undefined })
})

const beginning = Effect.andThen(TestClock.setTime(1), Inventory.perform(north, receive("in", 10)))

const moving = (input: Transfer) =>
  Effect.gen(function* () {
    const runner = yield* SagaRunner.SagaRunner
    yield* runner.recover
    return yield* runner.run(StockTransfer, input)
  })
const sagas = SagaRunner.register(StockTransfer)

/** A runner in a world of its own. */
const inWorld = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof running>>) => Effect.provide(effect, running)
const runner = sagas.pipe(Layer.provideMerge(SagaRunner.layer), Layer.provide(SagaEngine.layerMemory))
const running = runner.pipe(Layer.provideMerge(Crashes.world))

const tags = (id: StockId) =>
  Effect.map(
    Effect.flatMap(StockRepository, ({ history }) => history(id)),
    (events) => events.map(({ _tag }) => _tag)
  )

describe("a transfer", () => {
  it.effect("moves the pieces and tells of it", () =>
    Effect.gen(function* () {
      yield* beginning
      const answer = yield* moving(transfer())
      assert.deepInclude(answer, {
        _tag: "Completed",
        value: { onHand: 4, reserved: 0, available: 4, onOrder: 0 }
      })
      assert.deepStrictEqual(yield* counts(north), [6, 0, 6, 0])
      assert.deepStrictEqual(yield* counts(south), [4, 0, 4, 0])
      const [sent] = [...(yield* SentNotices).values()]
      assert.deepStrictEqual([sent!.id, sent!.to, sent!.kind].map(String), [
        "transfer/t-1",
        "stores@example.org",
        "stock.transferred"
      ])
      assert.strictEqual(sent!.text, "4 of espresso have gone from north to south (transfer t-1).")
    }).pipe(inWorld)
  )

  it.effect("moves them once, however often it is asked for", () =>
    Effect.gen(function* () {
      yield* beginning
      yield* moving(transfer())
      yield* moving(transfer())
      assert.deepStrictEqual(yield* counts(south), [4, 0, 4, 0])
    }).pipe(inWorld)
  )

  it.effect("moves nothing where there is not enough that nobody was promised", () =>
    Effect.gen(function* () {
      yield* beginning
      yield* Inventory.perform(north, reserve("a", 7))
      const error = yield* Effect.flip(moving(transfer()))
      assert.strictEqual(
        error.message,
        "StockTransfer failed at reserve: espresso@north: expected at most 3 pieces, got 4"
      )
      assert.deepStrictEqual(yield* counts(north), [10, 7, 3, 0])
      assert.deepStrictEqual(yield* tags(south), [])
    }).pipe(inWorld)
  )

  it.effect("comes back when it cannot be received", () =>
    Effect.gen(function* () {
      yield* beginning
      yield* full
      const error = yield* Effect.flip(moving(transfer()))
      assert.deepInclude(error, { _tag: "SagaFailed", step: "receive", ending: "failed", rollbackFailures: [] })
      assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 0])
      assert.deepStrictEqual((yield* counts(south))[0], 1_000_000_000_000)
      assert.deepStrictEqual(yield* tags(north), ["StockReceived", "StockReserved", "StockConsumed", "StockReceived"])
      assert.strictEqual((yield* SentNotices).size, 0)
    }).pipe(inWorld)
  )

  it.effect("moves nothing that it was promised no more, and takes nothing from whoever was promised it since", () =>
    Effect.gen(function* () {
      yield* beginning
      // The runner looks after its runs every second, so it comes when the day is over.
      // Reserved, then left alone for longer than a day: as a process that died at that place.
      const reservation = ReservationId.make("transfer/t-1")
      const held = { reservation, quantity: 4, until: Instant.make(86_400_001) }
      yield* Inventory.perform(north, { _tag: "ReserveStock", key: key("transfer/t-1/reserve"), ...held })
      yield* TestClock.setTime(86_400_001)
      yield* Inventory.perform(north, reserve("b", 10))
      const error = yield* Effect.flip(moving(transfer()).pipe(Effect.provide(Layer.fresh(runner))))
      assert.strictEqual(
        error.message,
        "StockTransfer failed at ship: espresso@north: reservation transfer/t-1 was expired"
      )
      assert.deepStrictEqual(yield* counts(north), [10, 10, 0, 0])
      assert.deepStrictEqual(yield* counts(south), [0, 0, 0, 0])
    }).pipe(Effect.provide(Crashes.world))
  )

  it.effect("is taken back by hand, unless the pieces are promised where they arrived", () =>
    Effect.gen(function* () {
      yield* beginning
      const runner = yield* SagaRunner.SagaRunner
      const undone = yield* moving(transfer())
      yield* runner.undo(undone.execution)
      yield* Effect.ignore(runner.result(StockTransfer, undone.execution))
      assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 0])
      assert.deepStrictEqual(yield* counts(south), [0, 0, 0, 0])
      const kept = yield* moving(transfer({ transfer: TransferId.make("t-2") }))
      yield* Inventory.perform(south, reserve("b", 1))
      yield* runner.undo(kept.execution)
      yield* Effect.ignore(runner.result(StockTransfer, kept.execution))
      assert.deepStrictEqual(yield* counts(north), [6, 0, 6, 0])
      assert.deepStrictEqual(yield* counts(south), [4, 1, 3, 0])
      const { rollbackFailures } = yield* runner.status(kept.execution)
      assert.deepStrictEqual(
        rollbackFailures.map(({ message, step }) => [step, message]),
        [
          ["receive", "espresso@south: expected at most 3 pieces, got 4"],
          ["ship", "transfer t-2 has arrived at south"]
        ]
      )
    }).pipe(inWorld)
  )

  it.effect("stands although nobody could be told", () =>
    Effect.gen(function* () {
      yield* beginning
      const broken = Layer.succeed(Notifier, {
        notify: ({ id }) =>
          Effect.fail(new NotifierError({ notice: id, notifier: "broken", reason: new Refused({ detail: "gone" }) }))
      })
      const answer = yield* moving(transfer()).pipe(
        Effect.provide(
          sagas.pipe(
            Layer.provideMerge(SagaRunner.layer),
            Layer.provide(SagaEngine.layerMemory),
            Layer.provide(broken),
            Layer.fresh
          )
        )
      )
      assert.strictEqual(answer._tag, "Completed")
      assert.deepStrictEqual(yield* counts(south), [4, 0, 4, 0])
    }).pipe(Effect.provide(Crashes.world))
  )

  it.effect("takes no step for done that was taken back", () =>
    Effect.gen(function* () {
      yield* beginning
      const step = {
        stock: north,
        operation: receive("more", 5),
        inverse: { _tag: "AdjustStock", key: key("less"), by: -5, reason: "undone" }
      } as const
      yield* StockStep.run(step)
      yield* StockStep.run(step)
      yield* StockStep.undo(step)
      const error = yield* Effect.flip(StockStep.run(step))
      assert.strictEqual(error.message, "espresso@north: operation more was given up")
      assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 0])
    }).pipe(inWorld)
  )

  it.effect("needs two locations that differ", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(moving(transfer({ to: north.location })))
      assert.include(error.message, "two locations that differ")
    }).pipe(inWorld)
  )

  it.effect("conserves the stock wherever it dies, and arrives when it is taken up again", () =>
    Effect.gen(function* () {
      const died = yield* Crashes.explore({
        begin: beginning,
        program: moving(transfer()),
        sagas,
        check: (exit, death) =>
          Effect.gen(function* () {
            const at = JSON.stringify(death)
            assert.isTrue(Exit.isSuccess(exit), `${at} ${String(exit)}`)
            assert.deepStrictEqual(yield* counts(north), [6, 0, 6, 0], at)
            assert.deepStrictEqual(yield* counts(south), [4, 0, 4, 0], at)
            assert.deepStrictEqual(yield* tags(south), ["StockReceived"], at)
            assert.deepStrictEqual(yield* tags(north), ["StockReceived", "StockReserved", "StockConsumed"], at)
          })
      })
      assert.isAbove(died, 60)
    })
  )

  it.effect("conserves the stock wherever it dies on the way back", () =>
    Effect.gen(function* () {
      const died = yield* Crashes.explore({
        begin: Effect.andThen(beginning, full),
        program: Effect.result(moving(transfer())),
        sagas,
        check: (_, death) =>
          Effect.gen(function* () {
            const at = JSON.stringify(death)
            assert.deepStrictEqual(yield* counts(north), [10, 0, 10, 0], at)
            assert.strictEqual((yield* counts(south))[0], 1_000_000_000_000, at)
          })
      })
      assert.isAbove(died, 60)
    })
  )
})
