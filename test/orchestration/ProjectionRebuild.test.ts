import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { PaymentRepository } from "../../src/adapters/PaymentRepository.ts"
import * as MemoryDatabase from "../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import { Payments } from "../../src/orchestration/Payments.ts"
import { rebuild } from "../../src/orchestration/ProjectionRebuild.ts"
import { at, creation, paymentId } from "../../src/testing/contract/Samples.ts"
import * as Workshop from "./Workshop.ts"

describe("ProjectionRebuild", () => {
  it.effect("drops the read model and gives equal rows, for payments of every kind", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const bank = yield* ScriptedGateway.make("bank", (asked) =>
        asked.call._tag === "Authorize" && asked.call.method === "tok_poor"
          ? Effect.succeed(Workshop.declined("otherInstrument"))
          : Workshop.agreeable(asked)
      )
      const database = MemoryDatabase.make()
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const pay = (key: string, changes: Parameters<typeof Workshop.order>[0]) =>
          payments.create(Workshop.shop, Workshop.key(key), Workshop.order(changes))
        const refunded = yield* pay("k1", {})
        yield* payments.refund(refunded.view.id, Workshop.request("r1"), { amount: Workshop.eur(1n) })
        const cancelled = yield* pay("k2", { capture: "manual", customer: "c" })
        yield* payments.cancel(cancelled.view.id, Workshop.request("r2"), undefined)
        yield* pay("k3", { methods: ["tok_poor" as never], metadata: { a: "b" } })
        yield* pay("k4", { methods: ["tok_poor" as never, "tok_rich" as never] })

        const before = new Map(database.views)
        assert.deepStrictEqual(
          [...before.values()].map(({ status }) => status),
          ["succeeded", "cancelled", "failed", "succeeded"]
        )
        yield* TestClock.adjust("1 day")
        const report = yield* rebuild()
        const events = [...before.values()].reduce((sum, { version }) => sum + version, 0)
        assert.deepStrictEqual(report, { payments: 4, events, broken: [] })
        assert.strictEqual(database.views.size, before.size)
        for (const [id, view] of before) assert.deepStrictEqual(database.views.get(id), view)
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank], database })))
    })
  )

  it.effect("names the streams that cannot be read or folded, and rebuilds the others", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      const database = MemoryDatabase.make()
      yield* Effect.gen(function* () {
        const payments = yield* Payments
        const pay = (key: string) => payments.create(Workshop.shop, Workshop.key(key), Workshop.order())
        const [gap, wild, whole] = [yield* pay("k1"), yield* pay("k2"), yield* pay("k3")]
        const rowOf = ({ view: { id } }: typeof gap) => database.streams.get(id)!
        rowOf(gap).events = rowOf(gap).events.filter(({ version }) => version !== 2)
        rowOf(wild).events = rowOf(wild).events.map(({ event, version }) => ({
          version,
          event: version === 2 ? { ...event, _tag: "Voided" as never } : event
        }))
        const report = yield* rebuild()
        assert.strictEqual(report.payments, 1)
        assert.deepStrictEqual(
          report.broken.map(({ error, payment }) => [payment, error.slice(0, 40)]),
          [
            [gap.view.id, `${gap.view.id}: EventCon`],
            [wild.view.id, "Error: corrupt history: Voided after Rea"]
          ].map(([id, error]) => [id, error!.slice(0, 40)])
        )
        assert.deepStrictEqual([...database.views.keys()], [whole.view.id])
      }).pipe(Effect.provide(Workshop.layer({ gateways: [bank], database })))
    })
  )

  it.effect("does not replace a view that is later than what it read", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const database = MemoryDatabase.make()
      yield* Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        const created = creation(id)
        yield* repository.create(created)
        const later = { ...created.view, version: 9, status: "succeeded" as const }
        yield* rebuild(() => Effect.sync(() => void database.views.set(id, later)))
        yield* repository.putViews([created.view])
        assert.deepStrictEqual(database.views.get(id), later)
      }).pipe(Effect.provide(Workshop.layer({ gateways: [], database })))
    })
  )
})
