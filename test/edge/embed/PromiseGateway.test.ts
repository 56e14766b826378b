import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Layer } from "effect"
import type { GatewayError, PaymentGateway } from "../../../src/adapters/PaymentGateway.ts"
import { Misconfigured, NotSent } from "../../../src/adapters/PaymentGateway.ts"
import type { Definition } from "../../../src/edge/embed/PromiseGateway.ts"
import * as PromiseGateway from "../../../src/edge/embed/PromiseGateway.ts"
import * as MemorySandboxBooks from "../../../src/infra/simulated/MemorySandboxBooks.ts"
import { capabilities } from "../../../src/infra/simulated/SandboxGateway.ts"
import { callsOf, GatewayUnderTest } from "../../../src/testing/contract/GatewayUnderTest.ts"
import * as PaymentGatewayContract from "../../../src/testing/contract/PaymentGatewayContract.ts"
import * as Fixture from "../../infra/simulated/SandboxFixture.ts"

/** As somebody without Effect would write it: the value, or the reason thrown. */
const promise = async <A>(effect: Effect.Effect<A, GatewayError>, signal?: AbortSignal): Promise<A> => {
  const exit = await Effect.runPromiseExit(effect, signal === undefined ? {} : { signal })
  if (exit._tag === "Success") return exit.value
  const error = Cause.squash(exit.cause)
  throw error instanceof Error && "reason" in error ? error.reason : error
}

const promised = (gateway: PaymentGateway): Definition => ({
  name: gateway.name,
  capabilities: gateway.capabilities,
  authorize: (call) => promise(gateway.authorize(call)),
  confirm: (call) => promise(gateway.confirm(call)),
  capture: (call) => promise(gateway.capture(call)),
  void: (call) => promise(gateway.void(call)),
  refund: (call) => promise(gateway.refund(call)),
  lookup: (call) => promise(gateway.lookup(call))
})

PaymentGatewayContract.suite(
  "sandbox by promises",
  Layer.effect(
    GatewayUnderTest,
    Effect.map(GatewayUnderTest, (under) => ({ ...under, gateway: PromiseGateway.make(promised(under.gateway)) }))
  ).pipe(Layer.provide(Fixture.inProcess()), Layer.provide(MemorySandboxBooks.layer())),
  capabilities
)

describe("PromiseGateway", () => {
  const never = () => Promise.reject(new Error("not asked in this test"))
  const authorizing = (authorize: Definition["authorize"]) =>
    PromiseGateway.make({
      name: "acme",
      capabilities,
      authorize,
      confirm: never,
      capture: never,
      void: never,
      refund: never,
      lookup: never
    })
  const failure = (authorize: Definition["authorize"]) => {
    const gateway = authorizing(authorize)
    return Effect.map(Effect.flip(gateway.authorize(callsOf(gateway, "tok_visa").authorize)), ({ reason }) => reason)
  }

  it.effect("keeps a reason that is thrown", () =>
    Effect.gen(function* () {
      const notSent = new NotSent({ because: "Throttled", retryAfterMillis: 500 })
      assert.strictEqual(yield* failure(() => Promise.reject(notSent)), notSent)
      const misconfigured = new Misconfigured({ detail: "no such account" })
      assert.strictEqual(yield* failure(() => Promise.reject(misconfigured)), misconfigured)
    })
  )

  it.effect("takes everything else that is thrown for doubt", () =>
    Effect.gen(function* () {
      const broken = new Error("socket hang up")
      const rejected = yield* failure(() => Promise.reject(broken))
      assert.deepInclude(rejected, { _tag: "InDoubt", because: "Unreadable", cause: broken })
      const thrown = yield* failure(() => {
        throw new Error("before any promise")
      })
      assert.strictEqual(thrown._tag, "InDoubt")
    })
  )

  it.effect("takes an answer that the operation cannot have for doubt", () =>
    Effect.gen(function* () {
      const voided = yield* failure(async () => JSON.parse('{"_tag":"Voided"}'))
      assert.strictEqual(voided._tag, "InDoubt")
      const nothing = yield* failure(async () => JSON.parse("null"))
      assert.strictEqual(nothing._tag, "InDoubt")
    })
  )

  it.live("tells the call when nobody waits any more", () =>
    Effect.gen(function* () {
      let isAborted = false
      const gateway = authorizing(
        (_, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              isAborted = true
              reject(new Error("aborted"))
            })
          })
      )
      yield* Effect.timeoutOption(gateway.authorize(callsOf(gateway, "tok_visa").authorize), "20 millis")
      assert.isTrue(isAborted)
    })
  )

  it("refuses a name that is none", () => {
    assert.throws(() => PromiseGateway.make({ ...authorizing(never), name: "Acme Inc" } as never), /gateway name/)
  })
})
