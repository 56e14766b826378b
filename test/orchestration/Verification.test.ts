import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { GatewayError } from "../../src/adapters/PaymentGateway.ts"
import { InDoubt, NotSent } from "../../src/adapters/PaymentGateway.ts"
import type { Answer } from "../../src/domain/payment/Gateway.ts"
import type { PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import * as MemoryDatabase from "../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import { Payments } from "../../src/orchestration/Payments.ts"
import { verify } from "../../src/orchestration/Verification.ts"
import { describe as inWords } from "../../src/orchestration/VerificationReport.ts"
import { at, creation, paymentId } from "../../src/testing/contract/Samples.ts"
import { PaymentRepository } from "../../src/adapters/PaymentRepository.ts"
import * as Workshop from "./Workshop.ts"

const quiet = { payments: 0, events: 0, operations: 0, unasked: 0, open: 0, inDoubt: 0, differences: 0, found: [] }

/** What a lookup of an operation says, where it is not what was said before; `null` is "not found". */
type Lies = Map<string, Answer | null | GatewayError["reason"]>

/** A gateway that remembers its answers, and lies where it is told to. */
const rememberingGateway = (lies: Lies, capabilities = ScriptedGateway.capable) => {
  const answers = new Map<string, Answer>()
  return ScriptedGateway.make(
    "bank",
    (asked) => {
      const { operation } = asked.call
      if (asked.ask === "send") {
        const poor = asked.call._tag === "Authorize" && asked.call.method === "tok_poor"
        const lost = asked.call._tag === "Authorize" && asked.call.method === "tok_lost"
        if (lost) return Effect.fail(Workshop.lost)
        const said = poor ? Effect.succeed(Workshop.declined("otherInstrument")) : Workshop.agreeable(asked)
        return Effect.tap(said, (answer) => Effect.sync(() => answer && answers.set(operation, answer)))
      }
      const lie = lies.get(operation)
      if (lie === undefined) return Effect.succeed(answers.get(operation))
      if (lie === null) return Effect.succeed(undefined)
      return lie._tag === "NotSent" || lie._tag === "InDoubt" || lie._tag === "Misconfigured"
        ? Effect.fail(lie)
        : Effect.succeed(lie)
    },
    capabilities
  )
}

interface Stage {
  readonly database: MemoryDatabase.Tables
  readonly lies: Lies
  /** A captured and partly refunded payment, a voided one, a declined one. */
  readonly captured: PaymentId
  readonly voided: PaymentId
  readonly declined: PaymentId
}

/** Three payments at rest, ten operations in all, and `use` among them. */
const staged = (use: (stage: Stage) => Effect.Effect<void, unknown, Workshop.Services>, options = {}) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(at)
    const lies: Lies = new Map()
    const bank = yield* rememberingGateway(lies, { ...ScriptedGateway.capable, ...options })
    const database = MemoryDatabase.make()
    yield* Effect.gen(function* () {
      const payments = yield* Payments
      const pay = (key: string, changes: Parameters<typeof Workshop.order>[0]) =>
        Effect.map(payments.create(Workshop.shop, Workshop.key(key), Workshop.order(changes)), ({ view }) => view.id)
      const captured = yield* pay("k1", {})
      yield* payments.refund(captured, Workshop.request("r1"), { amount: Workshop.eur(99n) })
      const voided = yield* pay("k2", { capture: "manual" })
      yield* payments.cancel(voided, Workshop.request("r2"), undefined)
      const declined = yield* pay("k3", { methods: ["tok_poor" as never] })
      yield* use({ database, lies, captured, voided, declined })
    }).pipe(Effect.provide(Workshop.layer({ gateways: [bank], database, settings: { lingerMillis: 0 } })))
  })

const verified = verify({ askGateways: true })
const found = Effect.map(verified, (report) => report.found)

describe("Verification", () => {
  it.effect("finds no difference where there is none, and says how much it looked at", () =>
    staged(({ database }) =>
      Effect.gen(function* () {
        const events = [...database.views.values()].reduce((sum, { version }) => sum + version, 0)
        assert.deepStrictEqual(yield* verified, { ...quiet, payments: 3, events, operations: 6 })
        assert.deepStrictEqual(yield* verify({ askGateways: false }), { ...quiet, payments: 3, events, unasked: 6 })
      })
    )
  )

  it.effect("tells a view that is missing, behind, different, or without events", () =>
    staged(({ captured, database, declined, voided }) =>
      Effect.gen(function* () {
        const view = database.views.get(captured)!
        database.views.set(captured, { ...view, capturedMinor: 1n })
        const behind = database.views.get(voided)!
        database.views.set(voided, { ...behind, version: behind.version - 1, state: "Voiding", status: "processing" })
        database.views.delete(declined)
        const stranger = { ...view, id: paymentId() }
        database.views.set(stranger.id, stranger)
        const { differences, found } = yield* verified
        assert.strictEqual(differences, 4)
        assert.deepStrictEqual(
          [...found],
          [
            { _tag: "ViewWithoutEvents", payment: stranger.id },
            {
              _tag: "ViewDiffers",
              payment: captured,
              fields: [{ field: "capturedMinor", view: "1", events: "1099" }]
            },
            {
              _tag: "ViewBehind",
              payment: voided,
              view: behind.version - 1,
              events: behind.version,
              fields: [
                { field: "status", view: "processing", events: "cancelled" },
                { field: "state", view: "Voiding", events: "Voided" },
                { field: "version", view: behind.version - 1, events: behind.version }
              ]
            },
            { _tag: "ViewMissing", payment: declined }
          ]
        )
        assert.strictEqual(
          inWords(found[1]!),
          `${captured}: its view differs: capturedMinor is "1", by the events "1099"`
        )
      })
    )
  )

  it.effect("tells a stream with a gap, and one that makes no sense, and goes on with the others", () =>
    staged(({ captured, database, voided }) =>
      Effect.gen(function* () {
        const rowOf = (payment: PaymentId) => database.streams.get(payment)!
        rowOf(captured).events = rowOf(captured).events.filter(({ version }) => version !== 2)
        rowOf(voided).events = rowOf(voided).events.map(({ event, version }) => ({
          version,
          event: version === 2 ? { ...event, _tag: "Refunded" as never } : event
        }))
        const { found, operations, payments } = yield* verified
        assert.deepStrictEqual(
          [...found],
          [
            { _tag: "StreamGap", payment: captured, expected: 2, actual: 3 },
            { _tag: "StreamUnreadable", payment: voided, detail: "corrupt history: Refunded after Ready" }
          ]
        )
        assert.deepStrictEqual([payments, operations], [3, 1])
      })
    )
  )

  const captureOf = ({ captured }: Stage) => `${captured}/capture/1`
  const authorizationOf = (payment: PaymentId) => `${payment}/auth/1`

  it.effect("tells in which way a gateway disagrees", () =>
    staged((stage) =>
      Effect.gen(function* () {
        const { captured, declined, lies, voided } = stage
        const cases: ReadonlyArray<readonly [string, Answer | null, string, string, string]> = [
          [captureOf(stage), null, "Unknown", "Captured", "nothing"],
          [
            captureOf(stage),
            { _tag: "Captured", amount: Workshop.eur(10_98n) },
            "Contradicts",
            "Captured",
            "Captured 10.98 EUR"
          ],
          [
            `${captured}/refund/1`,
            { _tag: "Refused", code: "no", authorizationGone: false },
            "Contradicts",
            "Refunded",
            "Refused (no)"
          ],
          [`${captured}/refund/1`, { _tag: "Pending" }, "Pending", "Refunded", "Pending"],
          [authorizationOf(declined), Workshop.approved, "Contradicts", "Declined", "Approved"],
          [
            authorizationOf(voided),
            { ...Workshop.approved, captured: true } as Answer,
            "Contradicts",
            "Approved",
            "Approved and captured"
          ]
        ]
        for (const [operation, lie, how, recorded, said] of cases) {
          lies.clear()
          lies.set(operation, lie)
          const [payment] = operation.split("/")
          assert.deepStrictEqual(
            [...(yield* found)],
            [{ _tag: "GatewayDisagrees", payment, operation, gateway: "bank", how, recorded, found: said } as never]
          )
        }
      })
    )
  )

  it.effect("does not mind that a gateway keeps no declines", () =>
    staged(({ declined, lies }) =>
      Effect.gen(function* () {
        lies.set(authorizationOf(declined), null)
        assert.deepStrictEqual([...(yield* found)], [])
      })
    )
  )

  it.effect("tells that money has moved which florin has not heard of", () =>
    staged(({ lies }) =>
      Effect.gen(function* () {
        const payments = yield* Payments
        const held = yield* payments.create(Workshop.shop, Workshop.key("k4"), Workshop.order({ capture: "manual" }))
        lies.set(authorizationOf(held.view.id), { ...Workshop.approved, captured: true } as Answer)
        const [difference] = yield* found
        assert.deepInclude(difference, { _tag: "GatewayDisagrees", how: "Ahead", found: "Approved and captured" })
      })
    )
  )

  it.effect("tells that a gateway cannot be asked, and why", () =>
    staged((stage) =>
      Effect.gen(function* () {
        stage.lies.set(captureOf(stage), new InDoubt({ because: "ServerError" }))
        assert.deepStrictEqual(
          [...(yield* found)],
          [
            {
              _tag: "GatewayCannotBeAsked",
              payment: stage.captured,
              operation: captureOf(stage) as never,
              gateway: "bank" as never,
              because: "ServerError"
            }
          ]
        )
      })
    )
  )

  it.effect("waits for a gateway that says later", () =>
    staged((stage) =>
      Effect.gen(function* () {
        const later = new NotSent({ because: "Throttled", retryAfterMillis: 60_000 })
        stage.lies.set(captureOf(stage), later)
        const fiber = yield* Effect.forkChild(verified, { startImmediately: true })
        yield* TestClock.adjust("59 seconds")
        assert.isUndefined(fiber.pollUnsafe())
        stage.lies.clear()
        yield* TestClock.adjust("1 minute")
        assert.deepInclude(yield* Fiber.join(fiber), { differences: 0, operations: 6 })
      })
    )
  )

  it.effect("counts what is in doubt, which is no difference", () =>
    staged(() =>
      Effect.gen(function* () {
        const payments = yield* Payments
        yield* payments.create(Workshop.shop, Workshop.key("k4"), Workshop.order({ methods: ["tok_lost" as never] }))
        assert.deepInclude(yield* verified, { payments: 4, operations: 6, open: 1, inDoubt: 1, differences: 0 })
      })
    )
  )

  it.effect("does not ask a gateway that has no lookup, nor believes that an eventual one knows all at once", () =>
    Effect.gen(function* () {
      yield* staged(() => Effect.map(verified, (report) => assert.deepInclude(report, { operations: 0, unasked: 6 })), {
        lookup: "none"
      })
      yield* staged(
        (stage) =>
          Effect.gen(function* () {
            stage.lies.set(captureOf(stage), null)
            assert.deepInclude(yield* verified, { operations: 5, unasked: 1, differences: 0 })
            yield* TestClock.adjust("2 minutes")
            assert.deepInclude(yield* verified, { operations: 6, unasked: 0, differences: 1 })
          }),
        { lookup: "eventual" }
      )
    })
  )

  it.effect("reads once more what moved between two readings", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const database = MemoryDatabase.make()
      const between = (repository: PaymentRepository["Service"]) => ({
        // The view is written just after the page of views was read.
        views: (query: Parameters<typeof repository.views>[0]) =>
          Effect.tap(repository.views(query), () => repository.putViews([created.view]))
      })
      const created = creation(paymentId())
      yield* Effect.gen(function* () {
        const repository = yield* PaymentRepository
        yield* repository.create(created)
        yield* repository.dropViews
        assert.deepInclude(yield* verified, { payments: 1, differences: 0 })
      }).pipe(Effect.provide(Workshop.layer({ gateways: [], database, between })))
    })
  )

  it.effect("goes through more than a page of payments, counts every difference and lists a thousand", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      yield* Effect.gen(function* () {
        const repository = yield* PaymentRepository
        for (let index = 0; index < 1203; index++) yield* repository.create(creation(paymentId()))
        yield* repository.dropViews
        const seen: Array<number> = []
        const report = yield* verify({
          askGateways: true,
          onProgress: ({ payments }) => Effect.sync(() => void seen.push(payments))
        })
        assert.deepStrictEqual(seen, [500, 1000, 1203])
        assert.deepInclude(report, { payments: 1203, events: 1203, differences: 1203 })
        assert.strictEqual(report.found.length, 1000)
      }).pipe(Effect.provide(Workshop.layer({ gateways: [] })))
    })
  )
})
