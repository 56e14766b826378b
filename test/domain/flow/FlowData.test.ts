/** Names, errors and contexts of flows. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as FlowContext from "../../../src/domain/flow/FlowContext.ts"
import * as FlowError from "../../../src/domain/flow/FlowError.ts"
import * as FlowName from "../../../src/domain/flow/FlowName.ts"

const refused = (type: string): FlowError.FlowError => ({
  _tag: "Refused",
  status: 402,
  type,
  message: "no",
  body: {}
})

describe("FlowName", () => {
  it("derives a flow's id from its name and key, and the key at the gateway from the id", () => {
    const id = FlowName.idOf("0123456789abcdef".repeat(4))
    assert.strictEqual(id, "flow_0123456789abcdef0123456789abcdef01234567")
    assert.strictEqual(FlowName.gatewayKey(id, 1), `${id}/1`)
  })
})

describe("FlowError", () => {
  it.each([
    [refused("card_error"), "notify"],
    [refused("rate_limit_error"), "retryLater"],
    [refused("api_error"), "log"],
    [refused("something_new"), "log"],
    [{ _tag: "Transport", detail: "gone" }, "log"],
    [{ _tag: "NotJson", text: "<html>" }, "log"]
  ] as const)("%o is for %s", (error, advice) => {
    assert.strictEqual(FlowError.advice(error), advice)
  })

  it("keeps an answer without secrets, card numbers and what no store can hold", () => {
    const body = {
      error: { payment_intent: { client_secret: "pi_1_secret_2", id: "pi_1" } },
      note: "card 4242 4242 4242 4242",
      odd: "a\0b\uD800",
      nothing: undefined,
      big: Infinity
    }
    assert.deepStrictEqual(FlowError.keptJson(body), {
      error: { payment_intent: { client_secret: "[redacted]", id: "pi_1" } },
      note: "card [card number ending 4242]",
      odd: "a\uFFFDb\uFFFD",
      nothing: null,
      big: null
    })
  })

  it("keeps data as it is, whatever it looks like", () => {
    const odd = '`${process.exit(1)}` "quoted" \\ {{x}} $(y)'
    assert.strictEqual(FlowError.keptText(odd), odd)
  })

  it("keeps no more of an answer than a page", () => {
    assert.strictEqual(FlowError.keptText("x".repeat(100_000)).length, 16_384)
    let deep: unknown = "end"
    for (let depth = 0; depth < 10_000; depth++) deep = [deep]
    assert.isBelow(JSON.stringify(FlowError.keptJson(deep)).length, 100)
  })
})

describe("FlowContext", () => {
  const rule = (entries: FlowContext.Entries, key: string, value: string) => {
    const set = FlowContext.set(entries, key, value)
    return Result.isFailure(set) ? set.failure.rule : undefined
  }
  const full = Object.fromEntries(Array.from({ length: FlowContext.maxEntries }, (_, index) => [`k${index}`, index]))

  it("holds values by key, and sets them anew", () => {
    const one = Result.getOrThrow(FlowContext.set({}, "product_id", "prod_1"))
    const two = Result.getOrThrow(FlowContext.set(one, "product_id", "prod_2"))
    assert.deepStrictEqual(two, { product_id: "prod_2" })
    assert.strictEqual(FlowContext.get(two, "product_id"), "prod_2")
    assert.isUndefined(FlowContext.get(two, "toString"))
  })

  it("is bounded, in entries and in length, and can still be set where it is full", () => {
    assert.strictEqual(rule(full, "one_more", "x"), "TooManyEntries")
    assert.isUndefined(rule(full, "k0", "x"))
    assert.strictEqual(rule({}, "long", "x".repeat(FlowContext.maxLength)), "TooLong")
    assert.isUndefined(rule({}, "long", "x".repeat(FlowContext.maxLength - 11)))
  })

  it("takes no card number, and no key that is not a word", () => {
    assert.strictEqual(rule({}, "card", "4242424242424242"), "CardNumber")
    assert.strictEqual(rule({}, "a key", "x"), "BadKey")
    assert.strictEqual(rule({}, "", "x"), "BadKey")
  })

  it("a key may be called as anything is on the prototype", () => {
    const set = Result.getOrThrow(FlowContext.set({}, "__proto__", "x"))
    assert.strictEqual(FlowContext.get(set, "__proto__"), "x")
    assert.strictEqual(JSON.stringify(set), '{"__proto__":"x"}')
  })
})
