/** Each token's fault, as a caller meets it: the same words in process and over HTTP. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Fiber, Layer, Schedule } from "effect"
import { TestClock } from "effect/testing"
import type { GatewayError } from "../../../src/adapters/PaymentGateway.ts"
import { Answer } from "../../../src/domain/payment/Gateway.ts"
import * as MemorySandboxBooks from "../../../src/infra/simulated/MemorySandboxBooks.ts"
import * as SqlSandboxBooks from "../../../src/infra/simulated/SqlSandboxBooks.ts"
import { callsOf, GatewayUnderTest, reasonOf, referenceOf } from "../../../src/testing/contract/GatewayUnderTest.ts"
import { at } from "../../../src/testing/contract/Samples.ts"
import * as Fixture from "./SandboxFixture.ts"

/** The answer's tag, or the error's reason. */
const wordOf = (asking: Effect.Effect<{ readonly _tag: string }, GatewayError>): Effect.Effect<string> =>
  asking.pipe(
    Effect.map(({ _tag }) => _tag),
    Effect.catch((error) => reasonOf(Effect.fail(error)))
  )

/** `expected` is `Timeout` where the caller has to give up, and only there is its patience short. */
type Patience = (asking: Effect.Effect<string>, expected: string) => Effect.Effect<string>

/** No time passes: whoever waits for 30 seconds is told that they are over. */
const virtual: Patience = Effect.fnUntraced(function* (asking) {
  const fiber = yield* Effect.forkChild(
    Effect.timeoutOrElse(asking, { duration: "30 seconds", orElse: () => Effect.succeed("Timeout") })
  )
  yield* TestClock.adjust("30 seconds")
  return yield* Fiber.join(fiber)
})

const real: Patience = (asking, expected) =>
  Effect.timeoutOrElse(asking, {
    duration: expected === "Timeout" ? "250 millis" : "10 seconds",
    orElse: () => Effect.succeed("Timeout")
  })

type Sends = ReadonlyArray<readonly [told: string, charges: number]>

/** What sending the authorization again and again is told, and how many charges there are after each. */
const authorizations: Readonly<Record<string, Sends>> = {
  tok_timeout_before: [
    ["Timeout", 0],
    ["Approved", 1]
  ],
  tok_timeout_after: [
    ["Timeout", 1],
    ["Approved", 1]
  ],
  tok_lost_answer: [
    ["InDoubt ConnectionLost", 1],
    ["Approved", 1]
  ],
  tok_500_before: [
    ["InDoubt ServerError", 0],
    ["Approved", 1]
  ],
  tok_500_after: [
    ["InDoubt ServerError", 1],
    ["Approved", 1]
  ],
  tok_throttled: [
    ["NotSent Throttled", 0],
    ["NotSent Throttled", 0],
    ["Approved", 1]
  ],
  tok_unreachable: [
    ["NotSent ConnectionRefused", 0],
    ["NotSent ConnectionRefused", 0]
  ],
  tok_never_answers: [
    ["InDoubt ConnectionLost", 1],
    ["InDoubt ConnectionLost", 1]
  ]
}

/** Each token of the table; one after the other where they share a clock. */
const eachToken = <A>(
  patience: Patience,
  one: (token: string, sends: Sends) => Effect.Effect<A, GatewayError, GatewayUnderTest>
) =>
  Effect.forEach(Object.entries(authorizations), ([token, sends]) => one(token, sends), {
    concurrency: patience === real ? "unbounded" : 1,
    discard: true
  })

const suite = <E>(
  name: string,
  implementation: Layer.Layer<GatewayUnderTest, E>,
  patience: Patience,
  setUp: Effect.Effect<void> = Effect.void
) =>
  layer(implementation, { excludeTestServices: patience === real })(`the sandbox's faults (${name})`, (it) => {
    const begin = Effect.fnUntraced(function* (token: string) {
      yield* setUp
      const { chargesOf, gateway } = yield* GatewayUnderTest
      const calls = callsOf(gateway, token)
      // A caller that gave up may look before the books are written.
      const charges = (expected: number) =>
        chargesOf!(calls.payment).pipe(
          Effect.repeat({ until: (count) => count >= expected, schedule: Schedule.spaced("5 millis") }),
          patience === real ? Effect.timeout("5 seconds") : (effect) => effect,
          Effect.orDie
        )
      return { gateway, calls, charges }
    })
    const held = Effect.fnUntraced(function* (token: string) {
      const { calls, gateway } = yield* begin(token)
      return { gateway, calls, reference: referenceOf(yield* gateway.authorize(calls.authorize)) }
    })

    it.effect("strikes the first sends of an authorization, and the next one is told the truth", () =>
      eachToken(
        patience,
        Effect.fnUntraced(function* (token, sends) {
          const { calls, charges, gateway } = yield* begin(token)
          for (const [expected, count] of sends) {
            assert.strictEqual(yield* patience(wordOf(gateway.authorize(calls.authorize)), expected), expected, token)
            assert.strictEqual(yield* charges(count), count, token)
          }
        })
      )
    )

    it.effect("tells by a lookup what acted and what did not", () =>
      eachToken(
        patience,
        Effect.fnUntraced(function* (token, [first]) {
          const { calls, charges, gateway } = yield* begin(token)
          const [told, count] = first!
          yield* patience(wordOf(gateway.authorize(calls.authorize)), told)
          yield* charges(count)
          const acted = count === 1 ? "Found" : "NotFound"
          const expected = token === "tok_never_answers" ? "InDoubt ConnectionLost" : acted
          assert.strictEqual(yield* wordOf(gateway.lookup(calls.authorize)), expected, token)
        })
      )
    )

    it.effect("says how long a throttled caller has to wait", () =>
      Effect.gen(function* () {
        const { calls, gateway } = yield* begin("tok_throttled")
        const { reason } = yield* Effect.flip(gateway.authorize(calls.authorize))
        assert.strictEqual(reason._tag === "NotSent" && reason.retryAfterMillis, 1000)
      })
    )

    it.effect("loses the answers of captures, refunds and voids, but not what they did", () =>
      Effect.gen(function* () {
        const twice = Effect.fnUntraced(function* (asking: Effect.Effect<Answer, GatewayError>) {
          return [yield* wordOf(asking), yield* wordOf(asking)]
        })
        const lost = "InDoubt ConnectionLost"
        const capture = yield* held("tok_capture_lost_answer")
        const refund = yield* held("tok_refund_lost_answer")
        yield* refund.gateway.capture(refund.calls.capture(refund.reference, 10_00n))
        // Had the first been done twice, nothing would be left for the second.
        for (const [ordinal, minor] of [6_00n, 4_00n].entries()) {
          const captures = capture.gateway.capture(capture.calls.capture(capture.reference, minor, ordinal + 1))
          assert.deepStrictEqual(yield* twice(captures), [lost, "Captured"])
          const refunds = refund.gateway.refund(refund.calls.refund(refund.reference, minor, ordinal + 1))
          assert.deepStrictEqual(yield* twice(refunds), [lost, "Refunded"])
        }
        const { calls, gateway, reference } = yield* held("tok_void_lost_answer")
        assert.deepStrictEqual(yield* twice(gateway.void(calls.void(reference))), [lost, "Voided"])
      })
    )

    it.effect("refuses what its token says, and says when the hold is gone", () =>
      Effect.gen(function* () {
        const { cases } = Answer
        const refused = (code: string, authorizationGone: boolean) => cases.Refused.make({ code, authorizationGone })
        for (const [token, expected] of [
          ["tok_capture_refused", refused("capture_refused", false)],
          ["tok_authorization_expired", refused("charge_expired", true)]
        ] as const) {
          const { calls, gateway, reference } = yield* held(token)
          const answer: Answer = yield* gateway.capture(calls.capture(reference, 10_00n))
          assert.deepStrictEqual(answer, expected)
        }
        const { calls, gateway, reference } = yield* held("tok_refund_refused")
        yield* gateway.capture(calls.capture(reference, 10_00n))
        const answer: Answer = yield* gateway.refund(calls.refund(reference, 1_00n))
        assert.deepStrictEqual(answer, refused("refund_refused", false))
      })
    )

    it.effect("takes tok_pending on, and approves it at the second lookup", () =>
      Effect.gen(function* () {
        const { calls, gateway } = yield* begin("tok_pending")
        assert.strictEqual(yield* wordOf(gateway.authorize(calls.authorize)), "Pending")
        const looks = yield* Effect.all([gateway.lookup(calls.authorize), gateway.lookup(calls.authorize)])
        assert.deepStrictEqual(
          looks.map((found) => (found._tag === "Found" ? found.answer._tag : found._tag)),
          ["Pending", "Approved"]
        )
      })
    )

    it.effect("answers tok_slow's first send after two seconds, which some callers do not wait for", () =>
      Effect.gen(function* () {
        const { calls, charges, gateway } = yield* begin("tok_slow")
        const impatient = Effect.timeoutOrElse(wordOf(gateway.authorize(calls.authorize)), {
          duration: patience === real ? "250 millis" : "1999 millis",
          orElse: () => Effect.succeed("Timeout")
        })
        assert.strictEqual(yield* patience(impatient, "Approved"), "Timeout")
        assert.strictEqual(yield* charges(1), 1)
        assert.strictEqual(yield* wordOf(gateway.authorize(calls.authorize)), "Approved")
      })
    )
  })

suite(
  "in process, books in memory",
  Fixture.inProcess().pipe(Layer.provide(MemorySandboxBooks.layer())),
  virtual,
  TestClock.setTime(at)
)
suite(
  "in process, books in PostgreSQL",
  Fixture.inProcess().pipe(Layer.provide(SqlSandboxBooks.layer), Layer.provide(Layer.fresh(Fixture.database))),
  real
)
for (const [name, client] of [
  ["undici", NodeHttpClient.layerUndici],
  ["fetch", NodeHttpClient.layerFetch],
  ["node:http", NodeHttpClient.layerNodeHttp]
] as const) {
  suite(
    `over HTTP by ${name}, books in memory`,
    Fixture.overHttp({}, client).pipe(Layer.provide(MemorySandboxBooks.layer())),
    real
  )
}
suite(
  "over HTTP, books in PostgreSQL",
  Fixture.overHttp().pipe(Layer.provide(SqlSandboxBooks.layer), Layer.provide(Layer.fresh(Fixture.database))),
  real
)

describe("tok_slow in process", () => {
  it.effect("is answered at two seconds, and not before", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const { gateway } = yield* GatewayUnderTest
      const fiber = yield* Effect.forkChild(gateway.authorize(callsOf(gateway, "tok_slow").authorize))
      yield* TestClock.adjust(1999)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Approved")
    }).pipe(Effect.provide(Fixture.inProcess().pipe(Layer.provide(MemorySandboxBooks.layer()))))
  )
})
