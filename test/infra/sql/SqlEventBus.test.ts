/** What only a reader of a shared table can get wrong: positions that commit out of order. */
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, Stream } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Cursor, EventBus } from "../../../src/adapters/EventBus.ts"
import { PaymentRepository } from "../../../src/adapters/PaymentRepository.ts"
import * as SqlEventBus from "../../../src/infra/sql/SqlEventBus.ts"
import * as SqlPaymentRepository from "../../../src/infra/sql/SqlPaymentRepository.ts"
import { append, creation, paymentId } from "../../../src/testing/contract/Samples.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const database = Layer.mergeAll(SqlPaymentRepository.layer, SqlEventBus.layer).pipe(
  Layer.provideMerge(FlorinDatabase.layer)
)

layer(database, { excludeTestServices: true })("SqlEventBus", (it) => {
  it.effect("never passes a transaction that is still open: its events come, and come first", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const repository = yield* PaymentRepository
      const bus = yield* EventBus
      const [early, late] = [paymentId(), paymentId()]
      const { deliveries } = yield* bus.follow({})
      const reading = yield* Effect.forkChild(Stream.runCollect(Stream.take(deliveries, 2)))
      const [written, commit] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = yield* Effect.forkChild(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* repository.create(creation(early))
            yield* Deferred.succeed(written, undefined)
            yield* Deferred.await(commit)
          })
        )
      )
      yield* Deferred.await(written)
      yield* repository.create(creation(late))
      // Readers who come now must not begin behind the open transaction either.
      const second = yield* bus.follow({})
      // A reader looks as soon as it reads, and finds nothing that it may show.
      const looked = yield* bus.follow({})
      const tooEarly = yield* Effect.timeoutOption(Stream.runCollect(Stream.take(looked.deliveries, 1)), "500 millis")
      assert.isTrue(Option.isNone(tooEarly))
      const [row] = yield* sql<{ readonly count: bigint }>`select count(*) as count from florin.events`
      assert.strictEqual(row!.count, 1n)
      yield* sql`select pg_notify('florin_events', '')`
      yield* Deferred.succeed(commit, undefined)
      yield* Fiber.join(slow)
      const payments = (yield* Fiber.join(reading)).map(({ envelope }) => envelope.payment)
      assert.deepStrictEqual(payments, [early, late])
      const seen = yield* Stream.runCollect(Stream.take(second.deliveries, 2))
      assert.deepStrictEqual(
        seen.map(({ envelope }) => envelope.payment),
        [early, late]
      )
    })
  )

  it.effect("reads on over more events than one page holds, with a filter and without", () =>
    Effect.gen(function* () {
      const repository = yield* PaymentRepository
      const bus = yield* EventBus
      const { from } = yield* bus.follow({})
      const payments = Array.from({ length: 60 }, paymentId)
      for (const payment of payments) {
        yield* repository.create(creation(payment))
        yield* repository.append(append(payment, 1, 4))
      }
      const all = yield* Stream.runCollect(Stream.take((yield* bus.follow({ after: from })).deliveries, 300))
      assert.deepStrictEqual(
        all.map(({ envelope }) => envelope.id),
        payments.flatMap((payment) => [1, 2, 3, 4, 5].map((version) => `${payment}/${version}`))
      )
      const last = { after: from, payment: payments.at(-1)!, types: ["Captured"] } as const
      const [captured] = yield* Stream.runCollect(Stream.take((yield* bus.follow(last)).deliveries, 1))
      assert.strictEqual(captured!.envelope.id, `${payments.at(-1)}/5`)
      assert.strictEqual(captured!.cursor, all.at(-1)!.cursor)
    })
  )

  it.effect("refuses a cursor of a database that went further than this one", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const bus = yield* EventBus
      const [row] = yield* sql<{ readonly next: string }>`
        select pg_snapshot_xmax(pg_current_snapshot())::text as next`
      const error = yield* Effect.flip(bus.follow({ after: Cursor.make(`${BigInt(row!.next) + 1_000_000n}p1`) }))
      assert.strictEqual(error._tag, "CursorRefused")
      const tooFar = yield* Effect.flip(bus.follow({ after: Cursor.make("1p9999999999999999999") }))
      assert.strictEqual(tooFar._tag, "CursorRefused")
    })
  )
})
