import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { RiskScreen, RiskScreenError } from "../../src/adapters/RiskScreen.ts"
import { MethodToken } from "../../src/domain/payment/Gateway.ts"
import type * as Risk from "../../src/domain/Risk.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import { Payments } from "../../src/orchestration/Payments.ts"
import { at } from "../../src/testing/contract/Samples.ts"
import * as Workshop from "./Workshop.ts"

const rules: ReadonlyArray<Risk.Rule> = [
  { _tag: "MethodListed", name: "stolen", methods: ["tok_stolen"], verdict: "block" },
  { _tag: "AmountAtLeast", name: "large", limit: Workshop.eur(1000_00n), verdict: "challenge" }
]

const pay = (changes: Parameters<typeof Workshop.order>[0] = {}) =>
  Effect.gen(function* () {
    const payments = yield* Payments
    const { view } = yield* payments.create(Workshop.shop, Workshop.key("k1"), Workshop.order(changes))
    return { view, events: yield* payments.events(view.id) }
  })

const tags = (events: ReadonlyArray<{ readonly _tag: string }>) => events.map(({ _tag }) => _tag)

describe("screening", () => {
  it.effect("a blocked payment fails with its reasons, and no gateway hears of it", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
      const { events, view } = yield* pay({ methods: [MethodToken.make("tok_stolen")] }).pipe(
        Effect.provide(Workshop.layer({ gateways: [bank], rules }))
      )
      assert.deepInclude(view, { status: "failed", failure: { code: "blocked_by_screening" } })
      assert.deepStrictEqual(tags(events), ["Initiated", "Screened", "Failed"])
      const reason = { _tag: "MethodListed", rule: "stolen", method: "tok_stolen" } as const
      assert.deepInclude(events[1], { verdict: "block", reasons: [reason] })
      assert.deepStrictEqual(yield* bank.asked, [])
    })
  )

  it.effect("a challenged payment asks the gateway for 3-D Secure, an allowed one does not", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      for (const [minor, challenge] of [
        [999_99n, false],
        [1000_00n, true]
      ] as const) {
        const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
        const { view } = yield* pay({ amount: Workshop.eur(minor) }).pipe(
          Effect.provide(Workshop.layer({ gateways: [bank], rules }))
        )
        assert.strictEqual(view.status, "succeeded")
        assert.deepInclude((yield* bank.asked)[0]!.call, { _tag: "Authorize", challenge })
      }
    })
  )

  const screens = {
    "that fails": () => Effect.fail(new RiskScreenError({ payment: "pay_1" as never, cause: "down" })),
    "that throws": () => Effect.die(new TypeError("undefined is not a function")),
    "that is silent": () => Effect.never
  } satisfies Record<string, RiskScreen["Service"]["screen"]>

  for (const [what, screen] of Object.entries(screens)) {
    it.effect(`a screen ${what} follows its policy`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(at)
        for (const [whenUnavailable, status] of [
          ["failClosed", "failed"],
          ["failOpen", "succeeded"]
        ] as const) {
          const bank = yield* ScriptedGateway.make("bank", Workshop.agreeable)
          const settings = { screening: { whenUnavailable, timeoutMillis: 2000 } }
          const paying = yield* pay().pipe(
            Effect.provide(
              Workshop.layer({ gateways: [bank], settings, screen: Layer.succeed(RiskScreen, { screen }) })
            ),
            Effect.forkChild({ startImmediately: true })
          )
          yield* TestClock.adjust("5 seconds")
          const { events, view } = yield* Fiber.join(paying)
          assert.strictEqual(view.status, status)
          assert.deepInclude(events[1], { reasons: [{ _tag: "ScreenUnavailable", policy: whenUnavailable }] })
        }
      })
    )
  }
})
