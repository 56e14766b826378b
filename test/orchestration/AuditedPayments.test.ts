import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Option, Ref } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import { AuditLog } from "../../src/adapters/AuditLog.ts"
import { StorageUnavailable } from "../../src/adapters/Storage.ts"
import * as AuditChain from "../../src/domain/audit/AuditChain.ts"
import type { Entry } from "../../src/domain/audit/AuditEntry.ts"
import { MethodToken } from "../../src/domain/payment/Gateway.ts"
import { idOf } from "../../src/domain/payment/Operation.ts"
import { PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import * as MemoryAuditLog from "../../src/infra/memory/MemoryAuditLog.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import * as AuditTrail from "../../src/orchestration/AuditTrail.ts"
import { CurrentCaller } from "../../src/orchestration/AuditTrail.ts"
import * as AuditedPayments from "../../src/orchestration/AuditedPayments.ts"
import { Payments } from "../../src/orchestration/Payments.ts"
import { at } from "../../src/testing/contract/Samples.ts"
import * as Workshop from "./Workshop.ts"

const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest("hex")
const unavailable = new StorageUnavailable({ operation: "append to the audit log", cause: new Error("gone") })

interface World {
  readonly script?: ScriptedGateway.Script
  /** `false` while the log cannot be written. */
  readonly writable?: Ref.Ref<boolean>
  readonly between?: Workshop.Options["between"]
}

/** Audited payments over a memory of their own. */
const inWorkshop = <A, E>(
  { between, script = Workshop.agreeable, writable }: World,
  test: Effect.Effect<A, E, Workshop.Services | AuditLog | AuditTrail.AuditTrail>
) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(at)
    const bank = yield* ScriptedGateway.make("bank", script)
    const log =
      writable === undefined
        ? MemoryAuditLog.layer
        : Layer.effect(
            AuditLog,
            Effect.map(AuditLog, (memory) => ({
              ...memory,
              append: (drafts) =>
                Effect.flatMap(Ref.get(writable), (isWritable) =>
                  isWritable ? memory.append(drafts) : Effect.fail(unavailable)
                )
            }))
          ).pipe(Layer.provide(MemoryAuditLog.layer))
    const layers = AuditedPayments.layer.pipe(
      Layer.provideMerge(AuditTrail.layer),
      Layer.provideMerge(log),
      Layer.provideMerge(Workshop.layer({ gateways: [bank], between }))
    )
    return yield* Effect.provide(test, layers)
  })

const entries = Effect.gen(function* () {
  const log = yield* AuditLog
  const links = yield* log.read({ order: "oldestFirst", limit: 100 })
  return links.map((link) => Option.getOrThrow(AuditChain.entryOf(link)))
})

/** Without its place in the chain, which other tests are about. */
const said = (entry: Entry) =>
  entry._tag === "Asked"
    ? { caller: entry.caller, request: entry.request, payment: entry.payment }
    : { asked: entry.asked, outcome: entry.outcome, payment: entry.payment }

const nobody = PaymentId.make("pay_nobody")
const embedded = { actor: "embedding program", origin: "in process" }

describe("AuditedPayments", () => {
  it.effect("records who asked for a payment before, and what came of it after", () =>
    inWorkshop(
      {},
      Effect.gen(function* () {
        const payments = yield* Payments
        const { view } = yield* payments
          .create(Workshop.shop, Workshop.key("order-1"), Workshop.order())
          .pipe(Effect.provideService(CurrentCaller, { actor: "ada", origin: "http 10.0.0.9" }))
        const all = yield* entries
        assert.deepStrictEqual(all.map(said), [
          {
            caller: { actor: "ada", origin: "http 10.0.0.9" },
            request: { _tag: "Create", amount: Workshop.eur(10_99n), capture: "automatic", key: sha256("order-1") },
            payment: undefined
          },
          {
            asked: 1,
            outcome: { _tag: "Accepted", status: "succeeded", version: 5, settled: true, replayed: false },
            payment: view.id
          }
        ])
        assert.deepInclude(all[0], { at, merchant: Workshop.shop })
      })
    )
  )

  it.effect("the question is on record before the gateway hears of the payment", () =>
    Effect.gen(function* () {
      const heard = yield* Ref.make(0)
      // What the gateway sees of the log: asked for lazily, because the log is made after it.
      const log = yield* Deferred.make<AuditLog["Service"]>()
      const script: ScriptedGateway.Script = (asked) =>
        Effect.gen(function* () {
          const { sequence } = yield* Effect.orDie(Effect.flatMap(Deferred.await(log), ({ head }) => head))
          yield* Ref.update(heard, (before) => Math.max(before, sequence))
          return yield* Workshop.agreeable(asked)
        })
      yield* inWorkshop(
        { script },
        Effect.gen(function* () {
          yield* Deferred.succeed(log, yield* AuditLog)
          const payments = yield* Payments
          yield* payments.create(Workshop.shop, Workshop.key("order-1"), Workshop.order())
        })
      )
      assert.strictEqual(yield* Ref.get(heard), 1)
    })
  )

  it.effect("records every kind of command, and reading is none", () =>
    inWorkshop(
      {},
      Effect.gen(function* () {
        const payments = yield* Payments
        const order = Workshop.order({ capture: "manual" })
        const { view } = yield* payments.create(Workshop.shop, Workshop.key("order-1"), order)
        yield* payments.capture(view.id, Workshop.request("c1"), { amount: Workshop.eur(5_00n), final: true })
        yield* payments.refund(view.id, Workshop.request("r1"), { reason: "too small" })
        yield* payments.get(view.id)
        yield* payments.events(view.id)
        yield* payments.list({}, { limit: 10 })
        yield* Effect.flip(payments.cancel(view.id, Workshop.request("x1"), "changed my mind"))
        yield* Effect.flip(payments.completeAction(view.id, undefined))
        yield* Effect.flip(
          payments.decide(view.id, {
            operation: idOf(view.id, "refund", 7),
            answer: { _tag: "Refunded" },
            operator: "grace",
            reason: "the bank says so, card 4242424242424242"
          })
        )
        const all = yield* entries
        assert.deepStrictEqual(
          all.flatMap((entry) => (entry._tag === "Asked" ? [entry.request] : [])),
          [
            { _tag: "Create", amount: Workshop.eur(10_99n), capture: "manual", key: sha256("order-1") },
            { _tag: "Capture", amount: Workshop.eur(5_00n), final: true, key: sha256("c1") },
            { _tag: "Refund", key: sha256("r1") },
            { _tag: "Cancel", key: sha256("x1") },
            { _tag: "CompleteAction" },
            {
              _tag: "Decide",
              operation: idOf(view.id, "refund", 7),
              answer: "Refunded",
              operator: "grace",
              reason: "the bank says so, card [card number ending 4242]"
            }
          ]
        )
        assert.deepStrictEqual(
          all.flatMap((entry) => (entry._tag === "Answered" ? [[entry.asked, entry.outcome._tag]] : [])),
          [
            [1, "Accepted"],
            [3, "Accepted"],
            [5, "Accepted"],
            [7, "Refused"],
            [9, "Refused"],
            [11, "Refused"]
          ]
        )
        assert.isTrue(all.slice(1).every(({ payment }) => payment === view.id))
      })
    )
  )

  it.effect("keeps no key, method, customer, metadata or free text", () =>
    inWorkshop(
      {},
      Effect.gen(function* () {
        const payments = yield* Payments
        const secrets = ["key-secret", "tok_secret", "customer-secret", "meta-secret", "reason-secret", "name-secret"]
        const { view } = yield* payments.create(
          Workshop.shop,
          Workshop.key("key-secret"),
          Workshop.order({
            methods: [MethodToken.make("tok_secret")],
            customer: "customer-secret",
            metadata: { "name-secret": "meta-secret" }
          })
        )
        yield* payments.refund(view.id, Workshop.request("key-secret"), { reason: "reason-secret" })
        yield* Effect.flip(
          payments.create(
            Workshop.shop,
            Workshop.key("key-secret"),
            Workshop.order({
              methods: [MethodToken.make("tok_secret")],
              customer: "customer-secret",
              metadata: { "name-secret": "other" }
            })
          )
        )
        const log = yield* AuditLog
        const text = (yield* log.read({ order: "oldestFirst", limit: 100 })).map((link) => link.text).join("\n")
        for (const secret of secrets) assert.notInclude(text, secret)
        assert.deepStrictEqual(said((yield* entries).at(-1)!), {
          asked: 5,
          outcome: { _tag: "KeyReused", field: "metadata" },
          payment: undefined
        })
      })
    )
  )

  it.effect("records a repeat, and a payment that is not there", () =>
    inWorkshop(
      {},
      Effect.gen(function* () {
        const payments = yield* Payments
        const create = payments.create(Workshop.shop, Workshop.key("order-1"), Workshop.order())
        const { view } = yield* create
        assert.isTrue((yield* create).replayed)
        yield* Effect.flip(payments.cancel(nobody, Workshop.request("x1"), undefined))
        assert.deepStrictEqual((yield* entries).slice(2).map(said), [
          {
            caller: embedded,
            request: { _tag: "Create", amount: Workshop.eur(10_99n), capture: "automatic", key: sha256("order-1") },
            payment: undefined
          },
          {
            asked: 3,
            outcome: { _tag: "Accepted", status: "succeeded", version: 5, settled: true, replayed: true },
            payment: view.id
          },
          { caller: embedded, request: { _tag: "Cancel", key: sha256("x1") }, payment: nobody },
          { asked: 5, outcome: { _tag: "NotFound" }, payment: nobody }
        ])
      })
    )
  )

  it.effect("what cannot be recorded is not done, and is unavailable", () =>
    Effect.gen(function* () {
      const writable = yield* Ref.make(true)
      yield* inWorkshop(
        { writable },
        Effect.gen(function* () {
          const payments = yield* Payments
          const order = Workshop.order({ capture: "manual" })
          const { view } = yield* payments.create(Workshop.shop, Workshop.key("order-1"), order)
          yield* Ref.set(writable, false)
          const refused = yield* Effect.flip(payments.create(Workshop.shop, Workshop.key("order-2"), order))
          assert.strictEqual(refused._tag, "StorageUnavailable")
          const capture = payments.capture(view.id, Workshop.request("c1"), { final: true })
          const error = yield* Effect.flip(capture)
          assert.isTrue(error._tag === "PaymentRepositoryError" && error.reason._tag === "StorageUnavailable")
          assert.deepStrictEqual(yield* payments.get(view.id), view)
          assert.strictEqual((yield* payments.list({}, { limit: 10 })).payments.length, 1)
        })
      )
    })
  )

  it.effect("what came of it stands when it cannot be recorded, and is recorded later", () =>
    Effect.gen(function* () {
      const writable = yield* Ref.make(true)
      const script: ScriptedGateway.Script = (asked) =>
        Effect.andThen(Ref.set(writable, false), Workshop.agreeable(asked))
      yield* inWorkshop(
        { script, writable },
        Effect.gen(function* () {
          const payments = yield* Payments
          const creating = yield* Effect.forkChild(
            payments.create(Workshop.shop, Workshop.key("order-1"), Workshop.order())
          )
          // Keys are hashed outside of the test's time, so it moves on until the caller has waited long enough.
          yield* TestClock.adjust("100 millis").pipe(
            Effect.andThen(Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))),
            Effect.repeat({ until: () => creating.pollUnsafe() !== undefined })
          )
          assert.strictEqual((yield* Fiber.join(creating)).view.status, "succeeded")
          assert.deepStrictEqual((yield* entries).length, 1)
          yield* TestClock.adjust("30 seconds")
          yield* Ref.set(writable, true)
          yield* TestClock.adjust("1 second")
          const [, answer, ...others] = yield* entries
          assert.deepInclude(answer, { _tag: "Answered", asked: 1 })
          assert.deepStrictEqual(others, [])
        })
      )
    })
  )

  it.effect("a caller who went away is on record, and so is a bug", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const answers = yield* Deferred.make<void>()
      const script: ScriptedGateway.Script = (asked) =>
        Effect.gen(function* () {
          yield* Deferred.succeed(begun, undefined)
          yield* Deferred.await(answers)
          return yield* Workshop.agreeable(asked)
        })
      yield* inWorkshop(
        { script },
        Effect.gen(function* () {
          const payments = yield* Payments
          const creating = yield* Effect.forkChild(
            payments.create(Workshop.shop, Workshop.key("order-1"), Workshop.order())
          )
          yield* Deferred.await(begun)
          yield* Fiber.interrupt(creating)
          yield* Deferred.succeed(answers, undefined)
          assert.deepStrictEqual(said((yield* entries)[1]!), {
            asked: 1,
            outcome: { _tag: "Abandoned" },
            payment: undefined
          })
        })
      )
      yield* inWorkshop(
        { between: () => ({ create: () => Effect.die(new Error("bug")) }) },
        Effect.gen(function* () {
          const payments = yield* Payments
          const exit = yield* Effect.exit(payments.create(Workshop.shop, Workshop.key("order-1"), Workshop.order()))
          assert.isTrue(Exit.hasDies(exit))
          assert.deepStrictEqual(said((yield* entries)[1]!).outcome, { _tag: "Broken" })
        })
      )
    })
  )

  it.effect("an operator's other commands are recorded in their own words", () =>
    inWorkshop(
      {},
      Effect.gen(function* () {
        const trail = yield* AuditTrail.AuditTrail
        const request = { _tag: "Operate", what: "replay dead letter pay_1/3" } as const
        yield* trail.audited({ request }, Effect.void, AuditTrail.tellPlain)
        yield* Effect.flip(trail.audited({ request }, Effect.fail(unavailable), AuditTrail.tellPlain))
        assert.deepStrictEqual((yield* entries).map(said), [
          { caller: embedded, request, payment: undefined },
          { asked: 1, outcome: { _tag: "Done" }, payment: undefined },
          { caller: embedded, request, payment: undefined },
          { asked: 3, outcome: { _tag: "Unavailable", because: "StorageUnavailable" }, payment: undefined }
        ])
      })
    )
  )
})
