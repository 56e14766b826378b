/** Books that outlive the process that wrote them, and that two processes share. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { TestClock } from "effect/testing"
import type { PaymentGateway } from "../../../src/adapters/PaymentGateway.ts"
import { maxMinor } from "../../../src/domain/Money.ts"
import type { Reference } from "../../../src/domain/payment/Gateway.ts"
import * as MemorySandboxBooks from "../../../src/infra/simulated/MemorySandboxBooks.ts"
import { SandboxBooks } from "../../../src/infra/simulated/SandboxBooks.ts"
import * as SandboxGateway from "../../../src/infra/simulated/SandboxGateway.ts"
import * as SqlSandboxBooks from "../../../src/infra/simulated/SqlSandboxBooks.ts"
import { callsOf, eur, only, reasonOf, referenceOf, tagOf } from "../../../src/testing/contract/GatewayUnderTest.ts"
import { at } from "../../../src/testing/contract/Samples.ts"
import * as Fixture from "./SandboxFixture.ts"

/** A process of its own on the given store: a new layer, a new gateway. */
type Process = <A, E>(
  use: (gateway: PaymentGateway) => Effect.Effect<A, E, SandboxBooks>,
  options?: SandboxGateway.Options
) => Effect.Effect<A, E>

const processOn =
  (books: Layer.Layer<SandboxBooks>): Process =>
  (use, options = {}) =>
    Effect.flatMap(SandboxGateway.make("sandbox", options), use).pipe(Effect.provide(books, { local: true }))

const inMemory = Effect.sync(() => processOn(MemorySandboxBooks.layer(MemorySandboxBooks.make())))
const inPostgres = Effect.map(Layer.build(Layer.fresh(Fixture.database)), (database) =>
  processOn(SqlSandboxBooks.layer.pipe(Layer.provide(Layer.succeedContext(database))))
)

/** Eight times at once. */
const many = <A, E, R>(one: Effect.Effect<A, E, R>) =>
  Effect.all(
    Array.from({ length: 8 }, () => one),
    { concurrency: "unbounded" }
  )

for (const [name, store] of [
  ["memory", inMemory],
  ["PostgreSQL", inPostgres]
] as const) {
  describe(`SandboxBooks (${name})`, () => {
    const begin = Effect.gen(function* () {
      yield* TestClock.setTime(at)
      return yield* store
    })

    it.effect("survives the process: the next one answers the key, goes on with the hold, and counts on", () =>
      Effect.gen(function* () {
        const process = yield* begin
        const names = yield* process((gateway) => Effect.succeed(gateway))
        const calls = callsOf(names, "tok_throttled", { returnUrl: "https://shop.example/back" })
        const sent = process((gateway) => Effect.result(gateway.authorize(calls.authorize)))
        assert.deepStrictEqual([(yield* sent)._tag, (yield* sent)._tag], ["Failure", "Failure"])
        const answer = yield* process((gateway) => gateway.authorize(calls.authorize))
        assert.deepStrictEqual(yield* process((gateway) => gateway.authorize(calls.authorize)), answer)
        const capture = calls.capture(referenceOf(answer), 10_00n)
        const captured = yield* process((gateway) => gateway.capture(capture))
        assert.deepStrictEqual(yield* process((gateway) => gateway.capture(capture)), captured)
        assert.deepStrictEqual(yield* process((gateway) => gateway.lookup(capture)), {
          _tag: "Found",
          answer: captured
        })
        assert.deepStrictEqual(yield* process(() => Fixture.allCharges), [
          {
            reference: referenceOf(answer),
            operation: calls.authorize.operation,
            payment: calls.payment,
            merchant: calls.authorize.order.merchant,
            method: calls.authorize.method,
            currency: "EUR",
            amountMinor: 10_00n,
            capture: "manual",
            status: "captured",
            capturedMinor: 10_00n,
            refundedMinor: 0n,
            returnUrl: "https://shop.example/back"
          }
        ])
      })
    )

    it.effect("lets two processes act once between them", () =>
      Effect.gen(function* () {
        const process = yield* begin
        const calls = yield* process((gateway) => Effect.succeed(callsOf(gateway, "tok_visa")))
        const answers = yield* many(process((gateway) => gateway.authorize(calls.authorize)))
        assert.strictEqual(new Set(answers.map(referenceOf)).size, 1)
        const capture = calls.capture(referenceOf(answers[0]!), 4_00n)
        yield* many(process((gateway) => gateway.capture(capture)))
        const [charge, ...others] = yield* process(() => Fixture.allCharges)
        assert.strictEqual(charge?.capturedMinor, 4_00n)
        assert.deepStrictEqual(others, [])
      })
    )

    it.effect("lets captures under different keys wait for each other, so that none is forgotten", () =>
      Effect.gen(function* () {
        const process = yield* begin
        const calls = yield* process((gateway) => Effect.succeed(callsOf(gateway, "tok_visa")))
        const reference = referenceOf(yield* process((gateway) => gateway.authorize(calls.authorize)))
        const ordinals = Array.from({ length: 12 }, (_, index) => index + 1)
        const captures = yield* Effect.forEach(
          ordinals,
          (ordinal) => tagOf(process((gateway) => gateway.capture(calls.capture(reference, 1_00n, ordinal)))),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(captures.filter((tag) => tag === "Captured").length, 10)
        const [charge] = yield* process(() => Fixture.allCharges)
        assert.strictEqual(charge?.capturedMinor, 10_00n)
      })
    )

    it.effect("forgets a key after its retention, as declared, and makes a second charge", () =>
      Effect.gen(function* () {
        const process = yield* begin
        const calls = yield* process((gateway) => Effect.succeed(callsOf(gateway, "tok_visa")))
        const { idempotencyKey } = SandboxGateway.capabilities
        const hour = { capabilities: { idempotencyKey: { ...idempotencyKey, retentionMillis: 3_600_000 } } }
        const sent = process((gateway) => gateway.authorize(calls.authorize), hour)
        const first = yield* sent
        yield* TestClock.adjust("59 minutes")
        assert.deepStrictEqual(yield* sent, first)
        yield* TestClock.adjust("1 minute")
        const second = yield* sent
        yield* TestClock.adjust("59 minutes")
        assert.deepStrictEqual(yield* sent, second)
        const references = (yield* process(() => Fixture.allCharges)).map(({ reference }) => reference)
        assert.deepStrictEqual(references, [referenceOf(first), referenceOf(second)])
        assert.deepStrictEqual(yield* process((gateway) => gateway.lookup(calls.authorize)), {
          _tag: "Found",
          answer: second
        })
      })
    )

    it.effect("keeps the largest amount there is to the last digit", () =>
      Effect.gen(function* () {
        const process = yield* begin
        const calls = yield* process((gateway) =>
          Effect.succeed(callsOf(gateway, "tok_visa", { amount: eur(maxMinor) }))
        )
        const reference = referenceOf(yield* process((gateway) => gateway.authorize(calls.authorize)))
        const capture = calls.capture(reference, maxMinor)
        yield* process((gateway) => gateway.capture(capture))
        const again = yield* process((gateway) => gateway.capture(capture))
        assert.deepStrictEqual(only("Captured", again).amount, eur(maxMinor))
        const [charge] = yield* process(() => Fixture.allCharges)
        assert.deepStrictEqual([charge?.amountMinor, charge?.capturedMinor], [maxMinor, maxMinor])
      })
    )

    it.effect("reads the charges page by page, each once and in order", () =>
      Effect.gen(function* () {
        const process = yield* begin
        const made: Array<Reference> = []
        for (let index = 0; index < 17; index++) {
          const calls = yield* process((gateway) => Effect.succeed(callsOf(gateway, "tok_visa")))
          made.push(referenceOf(yield* process((gateway) => gateway.authorize(calls.authorize))))
        }
        const read = (yield* process(() => Fixture.allCharges)).map(({ reference }) => reference)
        assert.deepStrictEqual(read, made.toSorted())
        const page = yield* process(() => Effect.flatMap(SandboxBooks, (books) => books.charges(read[3], 2)))
        assert.deepStrictEqual(
          page.map(({ reference }) => reference),
          read.slice(4, 6)
        )
        const missing = yield* process(() => Effect.flatMap(SandboxBooks, (books) => books.charge(read[3]!)))
        assert.strictEqual(missing?.reference, read[3])
      })
    )
  })
}

describe("SqlSandboxBooks", () => {
  const books = SqlSandboxBooks.layer.pipe(Layer.provideMerge(Layer.fresh(Fixture.database)))
  const begin = Effect.gen(function* () {
    const sql = yield* SqlClient
    const gateway = yield* SandboxGateway.make("sandbox")
    return { sql, gateway, calls: callsOf(gateway, "tok_visa") }
  })

  it.live("makes its tables once, however many processes start together", () =>
    Effect.gen(function* () {
      const { calls, gateway, sql } = yield* begin
      yield* sql`drop table sandbox_charges, sandbox_operations`
      yield* many(SqlSandboxBooks.migrate)
      const answer = yield* gateway.authorize(calls.authorize)
      yield* SqlSandboxBooks.migrate
      assert.deepStrictEqual(yield* gateway.authorize(calls.authorize), answer)
    }).pipe(Effect.provide(books, { local: true }))
  )

  it.live("stands when its caller's own transaction does not", () =>
    Effect.gen(function* () {
      const { calls, gateway, sql } = yield* begin
      const broken = Effect.andThen(gateway.authorize(calls.authorize), Effect.fail("rolled back"))
      assert.strictEqual(yield* Effect.flip(sql.withTransaction(broken)), "rolled back")
      assert.strictEqual((yield* Fixture.allCharges).length, 1)
    }).pipe(Effect.provide(books, { local: true }))
  )

  it.live("is in doubt when the database goes away in the middle, and then acts as if for the first time", () =>
    Effect.gen(function* () {
      const { calls, gateway, sql } = yield* begin
      yield* sql`
        create function die() returns trigger language plpgsql as
        ${sql.literal("$$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); return new; end $$")}`
      yield* sql`create trigger die before insert on sandbox_operations for each row execute function die()`
      assert.strictEqual(yield* reasonOf(gateway.authorize(calls.authorize)), "InDoubt ServerError")
      assert.deepStrictEqual(yield* Fixture.allCharges, [])
      yield* sql`drop trigger die on sandbox_operations`
      assert.strictEqual(yield* tagOf(gateway.authorize(calls.authorize)), "Approved")
    }).pipe(Effect.provide(books, { local: true }))
  )

  it.live("cannot be made to hold more captured than authorized, or more refunded than captured", () =>
    Effect.gen(function* () {
      const { calls, gateway, sql } = yield* begin
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      for (const change of ["captured_minor = 1001", "captured_minor = 1, refunded_minor = 2", "captured_minor = -1"]) {
        const broken = sql.unsafe(`update sandbox_charges set ${change} where reference = '${reference}'`)
        assert.strictEqual((yield* Effect.flip(broken)).reason._tag, "ConstraintError", change)
      }
    }).pipe(Effect.provide(books, { local: true }))
  )
})
