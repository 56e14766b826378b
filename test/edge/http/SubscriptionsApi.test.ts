import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import type { Call } from "./Api.ts"
import { withApi } from "./Api.ts"

const bank = ScriptedGateway.make("bank", Workshop.agreeable)
const plan = { id: "basic", name: "Basic", amount: 1000, currency: "EUR", interval: { unit: "month", count: 1 } }

const subscribe = async (call: Call, changes: Record<string, unknown> = {}) => {
  const body = { customer: "ada", plan, paymentMethod: "tok_visa", ...changes }
  const begun = await call("POST", "/v1/subscriptions", { key: "sub-1", body })
  assert.strictEqual(begun.status, 201)
  return `/v1/subscriptions/${String(begun.body.id)}`
}

describe("the API of subscriptions", () => {
  it.live("pauses and resumes, each once for its key", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const path = await subscribe(call)
        assert.deepInclude((await call("GET", path)).body, { status: "active" })
        const paused = await call("POST", `${path}/pause`, { key: "p-1" })
        assert.deepInclude(paused.body, { status: "paused" })
        const resumed = await call("POST", `${path}/resume`, { key: "r-1" })
        assert.deepInclude(resumed.body, { status: "active" })
        // A repeat of the pause that came late pauses nothing: it is the one from before.
        const late = await call("POST", `${path}/pause`, { key: "p-1" })
        assert.deepStrictEqual(late.body, resumed.body)
        assert.deepInclude((await call("POST", `${path}/pause`, { key: "p-2" })).body, { status: "paused" })
        const cancelled = await call("POST", `${path}/cancel`, { body: { when: "now" } })
        assert.strictEqual(cancelled.status, 200)
        const refused = await call("POST", `${path}/resume`, { key: "r-2" })
        assert.deepInclude(refused.body, { status: 409, type: "urn:florin:problem:subscription-refused" })
        for (const what of ["pause", "resume"]) {
          assert.strictEqual((await call("POST", `/v1/subscriptions/sub_1/${what}`)).status, 404)
        }
      })
    )
  )

  it.live("applies a coupon from the next period on, and one of the beginning at once", () =>
    Effect.flatMap(bank, (gateway) =>
      withApi({ gateways: [gateway] }, async (call) => {
        const path = await subscribe(call, { coupon: { code: "HALF", percent: 50, periods: 1 } })
        const { invoices } = (await call("GET", `${path}/invoices`)).body
        assert.deepInclude((invoices as ReadonlyArray<object>)[0], { total: 500, due: 500 })
        const half = { code: "TENTH", percent: 12.5, periods: 3 }
        const coupon = await call("POST", `${path}/coupon`, { key: "c-1", body: { coupon: half } })
        assert.strictEqual(coupon.status, 200)
        assert.deepInclude(coupon.body, { coupon: "TENTH" })
        const repeat = await call("POST", `${path}/coupon`, { key: "c-1", body: { coupon: half } })
        assert.deepStrictEqual(repeat.body, coupon.body)
        const wrong: ReadonlyArray<readonly [Record<string, unknown>, string]> = [
          [{ code: "A", periods: 1 }, "percent"],
          [{ code: "A", percent: 10, amount: 5, currency: "EUR", periods: 1 }, "percent"],
          [{ code: "A", amount: 5, periods: 1 }, "currency"],
          [{ code: "A", percent: 0.001, periods: 1 }, "percent"],
          [{ code: "A", percent: 101, periods: 1 }, "percent"],
          [{ code: "A", percent: 10, periods: 0 }, "periods"]
        ]
        for (const [given, field] of wrong) {
          const { body, status } = await call("POST", `${path}/coupon`, { key: "c-2", body: { coupon: given } })
          assert.strictEqual(status, 400)
          const [error] = body.errors as ReadonlyArray<{ readonly path: ReadonlyArray<string> }>
          assert.deepStrictEqual(error!.path.slice(0, 3), ["payload", "coupon", field], JSON.stringify(given))
        }
        assert.deepInclude((await call("GET", path)).body, { coupon: "TENTH" })
      })
    )
  )
})
