/** Services that share nothing but their database and their bank, and bill at the same moment. */
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { inject } from "vitest"
import * as ShopCore from "../../src/edge/ShopCore.ts"
import * as PaymentCore from "../../src/edge/PaymentCore.ts"
import * as Stores from "../../src/edge/Stores.ts"
import { SubscriptionRepository } from "../../src/adapters/SubscriptionRepository.ts"
import { plus } from "../../src/domain/Instant.ts"
import { SubscriptionId } from "../../src/domain/subscription/Invoice.ts"
import * as SubscriptionPlan from "../../src/domain/subscription/SubscriptionPlan.ts"
import * as SubscriptionView from "../../src/domain/subscription/SubscriptionView.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import { now } from "../../src/orchestration/Clocks.ts"
import { Payments } from "../../src/orchestration/Payments.ts"
import * as BillingWorker from "../../src/orchestration/subscription/BillingWorker.ts"
import * as SubscriptionPolicy from "../../src/orchestration/subscription/SubscriptionPolicy.ts"
import { shop } from "../../src/testing/contract/Samples.ts"
import { basic, paidStory } from "../domain/subscription/Subscriptions.ts"
import * as FlorinDatabase from "../infra/sql/FlorinDatabase.ts"
import * as Workshop from "../orchestration/Workshop.ts"

const services = 4
const subscriptions = Array.from({ length: 12 }, (_, index) => SubscriptionId.make(`sub_${index + 1}`))
const daily = { ...basic, interval: { unit: "day", count: 1 } } as const
const policy = SubscriptionPolicy.defaults

/** Paid until half a day ago: one period is owed. */
const seed = Effect.gen(function* () {
  const repository = yield* SubscriptionRepository
  const at = yield* now
  yield* Effect.forEach(subscriptions, (subscription) => {
    const { begun, history: events } = paidStory(plus(at, -1.5 * 86_400_000), { subscription, plan: daily })
    return repository.append({
      subscription,
      merchant: shop,
      expected: 0,
      events,
      view: SubscriptionView.of(begun, events.length, at),
      due: SubscriptionPlan.dueAt(begun, at, policy)
    })
  })
})

layer(FlorinDatabase.layer, { excludeTestServices: true })("services that bill at once on one database", (it) => {
  it.effect("charge each invoice once, and number it once", () =>
    Effect.gen(function* () {
      const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      const [database] = yield* (yield* SqlClient)<{ name: string }>`select current_database() as name`
      const { socketDir, username } = inject("postgres")
      // Connections of its own, as a process has them.
      const connections = PgClient.layer({
        host: socketDir,
        username,
        database: database!.name,
        maxConnections: 4
      })
      const service = PaymentCore.payments(PaymentCore.defaults).pipe(
        Layer.provideMerge(Stores.sql()),
        Layer.provide(ScriptedGateway.layer(bank)),
        Layer.merge(ShopCore.unsent),
        Layer.merge(Layer.succeed(SubscriptionPolicy.SubscriptionPolicy, policy)),
        Layer.provide(connections),
        Layer.fresh
      )
      const running = yield* Effect.all(Array.from({ length: services }, () => Layer.build(service)))
      yield* Effect.provideContext(seed, running[0]!)
      const reports = yield* Effect.all(
        running.map((context) => Effect.provideContext(BillingWorker.sweep(), context)),
        { concurrency: "unbounded" }
      )
      // They did meet: some subscription was found by more than one.
      assert.isAbove(
        reports.reduce((sum, { found }) => sum + found, 0),
        subscriptions.length
      )
      // What one left to another that was at it is seen to by whoever looks next.
      yield* Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        yield* BillingWorker.sweep().pipe(
          Effect.andThen(repository.list({ merchant: shop, limit: 100 })),
          Effect.repeat({
            until: (views) =>
              views.every(({ openInvoice, status }) => status === "active" && openInvoice === undefined),
            times: 20
          })
        )
        const invoices = yield* repository.invoices({ merchant: shop, limit: 100 })
        assert.sameMembers(
          invoices.map(({ invoice }) => invoice.id as string),
          subscriptions.flatMap((id) => [`${id}/inv/1`, `${id}/inv/2`])
        )
        assert.sameMembers(
          invoices.map(({ number }) => number),
          invoices.map((_, index) => index + 1)
        )
        const { payments } = yield* (yield* Payments).list({}, { limit: 100 })
        assert.deepStrictEqual(
          payments.map(({ capturedMinor, status }) => `${status} ${capturedMinor}`),
          subscriptions.map(() => `succeeded ${basic.price.minor}`)
        )
      }).pipe(Effect.provideContext(running[1]!))
      const asked = yield* bank.asked
      const first = asked.filter(({ before, call }) => before === 0 && call._tag === "Authorize")
      assert.strictEqual(first.length, subscriptions.length)
    })
  )
})
