/** Payment processing and checkout, dying before and after every crossing of a boundary. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import type { Notice } from "../../../src/adapters/Notifier.ts"
import { Notifier } from "../../../src/adapters/Notifier.ts"
import { StockRepository } from "../../../src/adapters/StockRepository.ts"
import type { PaymentView } from "../../../src/domain/payment/PaymentView.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryLock from "../../../src/infra/memory/MemoryLock.ts"
import * as MemoryStockRepository from "../../../src/infra/memory/MemoryStockRepository.ts"
import { LocationId, OperationKey, ProductId } from "../../../src/domain/reservation/StockEvent.ts"
import * as Inventory from "../../../src/orchestration/inventory/Inventory.ts"
import * as Checkout from "../../../src/orchestration/paying/Checkout.ts"
import * as MultiAttempt from "../../../src/orchestration/paying/MultiAttempt.ts"
import type { Sale } from "../../../src/orchestration/paying/PaymentProcessing.ts"
import * as PaymentProcessing from "../../../src/orchestration/paying/PaymentProcessing.ts"
import * as Boundaries from "../../../src/testing/Boundaries.ts"
import type { Process } from "../../../src/testing/Process.ts"
import * as SagaExplorer from "../../../src/testing/saga/SagaExplorer.ts"
import * as Paying from "./PayingWorkshop.ts"

const never = () => {
  throw new Error("processes only die")
}

/** A process's way to the customer. */
const notifier = (process: Process, sent: Array<Notice>) =>
  Layer.succeed(Notifier, {
    notify: (notice) =>
      process.cross(
        "Notifier.notify",
        Effect.sync(() => void sent.push(notice)),
        never
      )
  })

/** At most one of the run's payments has taken money, and none holds any that nobody will take. */
const ofPayments = (ending: string, payments: ReadonlyArray<PaymentView>): ReadonlyArray<string> => {
  const taken = payments.filter(({ capturedMinor, refundedMinor }) => capturedMinor > refundedMinor)
  const held = payments.filter(({ status }) => status === "authorized")
  const due = ending === "completed" ? 1 : 0
  return [
    ...(taken.length === due ? [] : [`${ending}: expected ${due} charges, actual ${taken.length}`]),
    ...(held.length === 0 ? [] : [`${held.length} holds are left`])
  ]
}

const processing = (): SagaExplorer.Story<unknown, unknown, Notifier> => {
  const sent: Array<Notice> = []
  const sales = new Map<string, Sale>()
  return {
    saga: PaymentProcessing.make({
      fraud: { points: {}, threshold: 0 },
      record: (sale, key) => Effect.sync(() => void sales.set(key, sale))
    }) as SagaExplorer.Story<unknown, unknown, Notifier>["saga"],
    input: Paying.order(),
    outside: (process) => notifier(process, sent),
    judge: (ending, payments) =>
      Effect.succeed([
        ...ofPayments(ending, payments),
        ...(sales.size === 1 ? [] : [`expected one sale on record, actual ${sales.size}`]),
        ...(new Set(sent.map(({ id }) => id)).size === 1 ? [] : [`expected one receipt, actual ${sent.length}`])
      ])
  }
}

const backup = (): SagaExplorer.Story<unknown, unknown, Notifier> => ({
  saga: MultiAttempt.saga as SagaExplorer.Story<unknown, unknown, Notifier>["saga"],
  input: {
    order: Paying.order({ method: Paying.card("tok_declined_insufficient_funds") }),
    backups: [Paying.card("tok_visa")]
  },
  outside: (process) => notifier(process, []),
  judge: (ending, payments) => Effect.succeed(ofPayments(ending, payments))
})

const stock = { product: ProductId.make("beans"), location: LocationId.make("north") }

const checkout = (carrier: "takes it" | "refuses") => (): SagaExplorer.Story<unknown, unknown, Notifier> => {
  const sent: Array<Notice> = []
  const shelf = Effect.runSync(Layer.build(MemoryStockRepository.layer).pipe(Effect.scoped))
  const repository = Context.get(shelf, StockRepository)
  const stocked = Inventory.perform(stock, { _tag: "ReceiveStock", key: OperationKey.make("first"), quantity: 10 })
  return {
    saga: Checkout.make({
      fraud: { points: {}, threshold: 0 },
      record: () => Effect.void,
      shipment: {
        write: () =>
          carrier === "refuses" ? Effect.fail("no carrier goes there") : Effect.succeed({ shipment: "sh-1" }),
        withdraw: () => Effect.void
      }
    }) as SagaExplorer.Story<unknown, unknown, Notifier>["saga"],
    input: { order: Paying.order(), lines: [{ stock, quantity: 4 }], shipTo: "Ada" },
    outside: (process, world) => {
      const locks = Boundaries.lock(process).pipe(
        Layer.provide(MemoryLock.layer),
        Layer.provide(Layer.succeed(MemoryDatabase.MemoryDatabase, world.database))
      )
      const bounded = Layer.succeed(StockRepository, {
        ...repository,
        load: (id, about) => process.cross("StockRepository.load", repository.load(id, about), never),
        append: (append) => process.cross("StockRepository.append", repository.append(append), never)
      })
      const first = Layer.effectDiscard(Effect.orDie(stocked))
      return first.pipe(Layer.provideMerge(Layer.mergeAll(bounded, locks, notifier(process, sent))))
    },
    judge: (ending, payments) =>
      Effect.map(
        Effect.provideService(Effect.orDie(Inventory.level(stock)), StockRepository, repository),
        ({ onHand, reserved }) => {
          const expected = ending === "completed" ? 6 : 10
          return [
            ...ofPayments(ending, payments),
            ...(onHand === expected ? [] : [`${ending}: expected ${expected} on hand, actual ${onHand}`]),
            ...(reserved === 0 ? [] : [`${reserved} are reserved for nobody`])
          ]
        }
      )
  }
}

describe("a process that dies at any crossing", () => {
  it("has payment processing charge once, put it on record once, and tell of it", { timeout: 60_000 }, () => {
    const { endings, runs, violations } = SagaExplorer.explore(processing)
    assert.deepStrictEqual(violations, [])
    assert.deepStrictEqual([...endings], ["completed"])
    assert.isAbove(runs, 40)
  })

  it("has the backup card charged once, after the first was declined", { timeout: 60_000 }, () => {
    const { endings, violations } = SagaExplorer.explore(backup)
    assert.deepStrictEqual(violations, [])
    assert.deepStrictEqual([...endings], ["completed"])
  })

  it("has checkout charge once for goods that have left the shelf once", { timeout: 60_000 }, () => {
    const { endings, runs, violations } = SagaExplorer.explore(checkout("takes it"))
    assert.deepStrictEqual(violations, [])
    assert.deepStrictEqual([...endings], ["completed"])
    assert.isAbove(runs, 60)
  })

  it("has a checkout that fails leave neither hold nor reservation", { timeout: 60_000 }, () => {
    const { endings, violations } = SagaExplorer.explore(checkout("refuses"))
    assert.deepStrictEqual(violations, [])
    assert.deepStrictEqual([...endings], ["failed"])
  })
})
