import { assert, layer } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Latch, Layer, Option, Result, Schedule } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Append } from "../../../src/adapters/PaymentRepository.ts"
import { PaymentRepository } from "../../../src/adapters/PaymentRepository.ts"
import type { PaymentId } from "../../../src/domain/payment/PaymentEvent.ts"
import * as SqlPaymentRepository from "../../../src/infra/sql/SqlPaymentRepository.ts"
import {
  append,
  creation,
  historyOf,
  key,
  later,
  paymentId,
  run,
  viewOf
} from "../../../src/testing/contract/Samples.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const database = SqlPaymentRepository.layer.pipe(Layer.provideMerge(FlorinDatabase.layer))

/** All at once: they share a statement. */
const together = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.forEach(effects, Effect.result, { concurrency: "unbounded" })

const verdict = (result: Result.Result<unknown, { readonly reason: { readonly _tag: string } }>) =>
  Result.isSuccess(result) ? "written" : result.failure.reason._tag

const begun = (count: number) =>
  Effect.gen(function* () {
    const repository = yield* PaymentRepository
    const ids = Array.from({ length: count }, paymentId)
    yield* together(ids.map((id) => repository.create(creation(id))))
    return ids
  })

const version = (id: PaymentId) =>
  Effect.gen(function* () {
    const repository = yield* PaymentRepository
    return (yield* repository.load(id)).version
  })

/** How many transactions wrote the events of that version. */
const transactions = (ids: ReadonlyArray<PaymentId>, ofVersion: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const [row] = yield* sql<{ readonly count: bigint }>`
      select count(distinct xid) as count from florin.events
      where version = ${ofVersion} and payment in ${sql.in(ids)}`
    return Number(row!.count)
  })

/** Once a statement of this database waits for a row that another transaction has. */
const waiting = Effect.gen(function* () {
  const sql = yield* SqlClient
  return yield* sql<{ readonly pid: number }>`
    select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.pipe(
    Effect.repeat({ until: (rows) => rows.length > 0, schedule: Schedule.spaced("5 millis") })
  )
})

/** Begins `writes` while another transaction has the payment's stream, and does `meanwhile` once they wait for it. */
const heldUp = <A, B>(
  id: PaymentId,
  writes: Effect.Effect<A, never, PaymentRepository>,
  meanwhile: Effect.Effect<B, unknown, SqlClient>
) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const isHeld = yield* Latch.make()
    // Forked out here: in there they would be part of the transaction.
    const seen = yield* Effect.forkChild(Effect.andThen(waiting, meanwhile))
    const writing = yield* Effect.forkChild(isHeld.whenOpen(writes))
    const found = yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`select from florin.streams where payment = ${id} for update`
        yield* isHeld.open
        return yield* Fiber.join(seen)
      })
    )
    return { found, results: yield* Fiber.join(writing) }
  })

layer(database, { excludeTestServices: true })("SqlAppend", (it) => {
  it.effect("payments that come together share one transaction, with all that belongs to each", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const repository = yield* PaymentRepository
      const ids = yield* begun(20)
      const answers = ids.map((id) => viewOf(historyOf(id).slice(0, 5)))
      yield* together(ids.map((id, index) => repository.append(append(id, 1, 4, { answer: answers[index]! }))))
      assert.strictEqual(yield* transactions(ids, 1), 1)
      assert.strictEqual(yield* transactions(ids, 5), 1)
      for (const [index, id] of ids.entries()) {
        assert.deepStrictEqual((yield* repository.load(id)).history, historyOf(id))
        assert.deepStrictEqual(yield* repository.find(id), Option.some(answers[index]!))
      }
      const rows = yield* sql<{ readonly payment: string; readonly entries: bigint; readonly answer: string }>`
        select payment, (select count(*) from florin.outbox where outbox.payment = key.payment) as entries,
          answer ->> 'id' as answer
        from florin.idempotency key where payment in ${sql.in(ids)} order by payment`
      assert.deepStrictEqual(
        rows.map(({ answer, entries, payment }) => [payment, Number(entries), answer]),
        ids.map((id) => [id, 5, id])
      )
    })
  )

  it.effect("each member has its own outcome: one's conflict is not another's", () =>
    Effect.gen(function* () {
      const repository = yield* PaymentRepository
      const [first, stale, fenced, last] = yield* begun(4)
      yield* repository.claim(fenced!, { owner: run("next"), until: later(9000) }, later(2000))
      const unknown = paymentId()
      const claim = { token: 1, until: later(9000) }
      const appends: ReadonlyArray<Append> = [
        append(first!, 1, 2),
        append(stale!, 2, 1),
        append(fenced!, 1, 2, { claim }),
        append(unknown, 1, 1),
        append(last!, 1, 2, { claim })
      ]
      const results = yield* together(appends.map(repository.append))
      assert.deepStrictEqual(results.map(verdict), [
        "written",
        "VersionConflict",
        "Fenced",
        "VersionConflict",
        "written"
      ])
      assert.deepStrictEqual(yield* Effect.forEach([first!, stale!, fenced!, unknown, last!], version), [3, 1, 1, 0, 3])
      assert.strictEqual(yield* transactions([first!, last!], 2), 1)
    })
  )

  it.effect("creations and appends share a statement, and a taken key is that creation's alone", () =>
    Effect.gen(function* () {
      const repository = yield* PaymentRepository
      const [appended] = yield* begun(1)
      const taken = key()
      yield* repository.create(creation(paymentId(), { key: taken }))
      const [repeat, fresh] = [paymentId(), paymentId()]
      const results = yield* Effect.all(
        [
          Effect.asVoid(repository.append(append(appended!, 1, 1))),
          repository.create(creation(repeat, { key: taken })),
          repository.create(creation(fresh))
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        results.map((result) => result?._tag),
        [undefined, "KeyTaken", "Created"]
      )
      assert.deepStrictEqual(yield* Effect.forEach([appended!, repeat, fresh], version), [2, 0, 1])
      const sql = yield* SqlClient
      const [row] = yield* sql<{ readonly same: boolean }>`
        select (select xid from florin.events where payment = ${appended!} and version = 2)
          = (select xid from florin.events where payment = ${fresh}) as same`
      assert.isTrue(row!.same)
    })
  )

  it.effect("an append is part of the transaction that its caller has open, and of no group", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const repository = yield* PaymentRepository
      const [undone] = yield* begun(1)
      const failing = Effect.andThen(repository.append(append(undone!, 1, 2)), Effect.fail("rolled back"))
      assert.strictEqual(yield* Effect.flip(sql.withTransaction(failing)), "rolled back")
      assert.strictEqual(yield* version(undone!), 1)
    })
  )

  it.effect("what the database refuses of one member is written of the others", () =>
    Effect.gen(function* () {
      const repository = yield* PaymentRepository
      const [existing] = yield* begun(1)
      const ids = Array.from({ length: 6 }, paymentId)
      // A payment's id is made anew for each, so that one which is there already is a bug.
      const requests = [...ids.slice(0, 3), existing!, ...ids.slice(3)].map((id) => creation(id))
      const exits = yield* Effect.forEach(requests, (request) => Effect.exit(repository.create(request)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        exits.map((exit) => (Exit.isSuccess(exit) ? exit.value._tag : Cause.hasDies(exit.cause))),
        ["Created", "Created", "Created", true, "Created", "Created", "Created"]
      )
      assert.deepStrictEqual(yield* Effect.forEach(ids, version), [1, 1, 1, 1, 1, 1])
      assert.strictEqual(yield* version(existing!), 1)
    })
  )

  it.effect("locks in the order of ids, whatever the order in which they came", () =>
    Effect.gen(function* () {
      const repository = yield* PaymentRepository
      const [first, second, third] = yield* begun(3)
      const group = [third!, second!, first!].map((id) => repository.append(append(id, 1, 1)))
      const free = Effect.flatMap(
        SqlClient,
        (sql) => sql<{ readonly payment: string }>`
          select payment from florin.streams where payment in ${sql.in([first!, third!])} for update skip locked`
      )
      const { found, results } = yield* heldUp(second!, together(group), free)
      // It has the first and waits for the second, so the third is still free.
      assert.deepStrictEqual([...found], [{ payment: third! }])
      assert.deepStrictEqual(results.map(verdict), ["written", "written", "written"])
    })
  )

  it.effect("groups of two processes over the same payments never wait for each other in a circle", () =>
    Effect.gen(function* () {
      const one = yield* PaymentRepository
      const other = yield* Layer.build(Layer.fresh(SqlPaymentRepository.layer))
      const ids = yield* begun(40)
      const push = (repository: typeof one, order: ReadonlyArray<PaymentId>) =>
        Effect.forEach([1, 2, 3, 4], (expected) =>
          Effect.map(together(order.map((id) => repository.append(append(id, expected, 1)))), (results) =>
            results.map(verdict)
          )
        )
      const [ones, others] = yield* Effect.all(
        [push(one, ids), push(yield* Effect.provideContext(PaymentRepository, other), ids.toReversed())],
        { concurrency: 2 }
      )
      const written = [...ones, ...others].flat().filter((what) => what === "written").length
      assert.strictEqual(written, 160)
      assert.deepStrictEqual([...new Set([...ones, ...others].flat())].toSorted(), ["VersionConflict", "written"])
      assert.deepStrictEqual(new Set(yield* Effect.forEach(ids, version)), new Set([5]))
    })
  )

  it.effect("when the connection breaks nobody knows what took effect, and every member is told so", () =>
    Effect.gen(function* () {
      const repository = yield* PaymentRepository
      const ids = yield* begun(3)
      const kill = Effect.gen(function* () {
        const sql = yield* SqlClient
        const [row] = yield* waiting
        yield* sql`select pg_terminate_backend(${row!.pid})`
      })
      const group = ids.map((id) => repository.append(append(id, 1, 1)))
      const { results } = yield* heldUp(ids[1]!, together(group), kill)
      assert.deepStrictEqual(results.map(verdict), ["StorageUnavailable", "StorageUnavailable", "StorageUnavailable"])
      assert.deepStrictEqual(yield* Effect.forEach(ids, version), [1, 1, 1])
    })
  )
})
