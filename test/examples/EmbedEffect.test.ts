import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { EventBus, Money } from "florin"
import { PaymentCore, Stores } from "florin/node"
import { MemorySandboxBooks, SandboxGateway } from "florin/testing"
import { execFileSync } from "node:child_process"
import * as Example from "../../examples/embed-effect.ts"

/** The example's own layers, with the one line changed. */
const sandbox = SandboxGateway.make("sandbox").pipe(
  Effect.map(PaymentCore.gateways),
  Layer.unwrap,
  Layer.provide(MemorySandboxBooks.layer())
)
const onSandbox = Example.Shop.layer.pipe(
  Layer.provide(PaymentCore.layer(PaymentCore.defaults)),
  Layer.provide(sandbox),
  Layer.provideMerge(Stores.memory([]))
)

describe("examples/embed-effect.ts", () => {
  it("runs as a program, through a gateway of its own", () => {
    // The subscriber's receipts come at a moment of their own, or after the program has ended.
    const said = execFileSync(process.execPath, ["examples/embed-effect.ts"], { encoding: "utf8" })
      .split("\n")
      .filter((line) => !line.startsWith("a receipt for pay_"))
    assert.strictEqual(
      said[0],
      "Initiated, AuthorizationBegun, Authorized, CaptureBegun, Captured, RefundBegun, Refunded"
    )
    assert.match(said[1]!, /^pay_\w+ cancelled, captured 0, refunded 0$/)
    assert.match(said[2]!, /^pay_\w+ succeeded, captured 8000, refunded 1000$/)
  })

  it.live("is the same shop on another gateway", () =>
    Effect.gen(function* () {
      const latest = yield* Example.day("tok_lost_answer")
      assert.deepStrictEqual(
        latest.map(({ capturedMinor, gateway, status }) => `${status} ${capturedMinor} ${gateway}`),
        ["cancelled 0 sandbox", "succeeded 8000 sandbox"]
      )
    }).pipe(Effect.provide(onSandbox))
  )

  it.live("goes on with a customer who comes back from their bank", () =>
    Effect.gen(function* () {
      const shop = yield* Example.Shop
      const { view } = yield* shop.order("1003", Money.of("EUR", 12_00n), "tok_3ds")
      assert.strictEqual(yield* shop.status(view.id), "requires_action")
      yield* shop.confirm(view.id)
      assert.strictEqual(yield* shop.status(view.id), "authorized")
    }).pipe(Effect.provide(onSandbox))
  )

  it.live("hears of what it has captured", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const bus = yield* EventBus.EventBus
      yield* bus.handle("receipts", ({ event }) => Effect.sync(() => void heard.push(event._tag)))
      yield* Example.day("tok_visa")
      yield* Effect.sync(() => heard.includes("Captured")).pipe(Effect.repeat({ until: (found) => found }))
      assert.include(heard, "Refunded")
    }).pipe(Effect.scoped, Effect.provide(onSandbox))
  )
})
