import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { CircuitBreaker } from "effect/persistence"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import { CallPolicies, defaultPolicy } from "../../../src/orchestration/GatewayCall.ts"
import { Payments } from "../../../src/orchestration/Payments.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import * as Server from "./Server.ts"

interface Shown {
  readonly name: string
  readonly health: string
  readonly breaker: { readonly state: string; readonly openings?: number; readonly retryAfterMillis?: number }
  readonly capabilities: unknown
}

describe("GET /v1/gateways", () => {
  it.live("says what each can do, and how each is doing: its breaker opens, and lets one call through again", () =>
    Effect.gen(function* () {
      const flaky = yield* ScriptedGateway.make("flaky", () => Effect.fail(Workshop.unreachable))
      const limited = { ...ScriptedGateway.capable, partialRefund: false }
      const steady = yield* ScriptedGateway.make("steady", Workshop.agreeable, limited)
      const policy = {
        ...defaultPolicy,
        retry: { ...defaultPolicy.retry, maxAttempts: 1 },
        breaker: { tripPolicy: CircuitBreaker.consecutive(1), openMillis: 500 }
      }
      const { context, url } = yield* Server.start({
        gateways: [flaky, steady],
        waits: { answerMillis: 100 }
      }).pipe(Effect.provideService(CallPolicies, new Map([[flaky.gateway.name, policy]])))
      const shown = Effect.promise(async (): Promise<ReadonlyArray<Shown>> => {
        const response = await fetch(`${url}/v1/gateways`)
        return ((await response.json()) as { gateways: ReadonlyArray<Shown> }).gateways
      })

      assert.deepStrictEqual(yield* shown, [
        { name: "flaky", health: "up", breaker: { state: "closed" }, capabilities: ScriptedGateway.capable },
        { name: "steady", health: "up", breaker: { state: "closed" }, capabilities: limited }
      ])

      yield* Effect.flatMap(Payments, (payments) =>
        payments.create(Workshop.shop, Workshop.key("k1"), Workshop.order())
      ).pipe(Effect.provideContext(context))
      const [opened, other] = yield* shown
      assert.deepInclude(opened, { name: "flaky", health: "down" })
      const { retryAfterMillis, ...breaker } = opened!.breaker
      assert.deepStrictEqual(breaker, { state: "open", openings: 1 })
      assert.isTrue(retryAfterMillis! > 0 && retryAfterMillis! <= 500)
      assert.deepInclude(other, { name: "steady", health: "up", breaker: { state: "closed" } })

      const later = yield* Effect.repeat(shown, { until: ([flaky]) => flaky!.health !== "down" })
      assert.deepInclude(later[0], { health: "probing", breaker: { state: "half_open", openings: 1 } })
    }).pipe(Effect.scoped)
  )
})
