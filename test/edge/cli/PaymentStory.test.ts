import { assert, describe, it } from "@effect/vitest"
import { plus } from "../../../src/domain/Instant.ts"
import type { Event } from "../../../src/domain/payment/PaymentEvent.ts"
import * as PaymentStory from "../../../src/edge/cli/PaymentStory.ts"
import * as PaymentPolicy from "../../../src/orchestration/PaymentPolicy.ts"
import * as Histories from "../../domain/payment/Histories.ts"
import { able, at, capabilities, run2 } from "../../domain/payment/World.ts"

const policy = {
  ...PaymentPolicy.defaults,
  routing: { gateways: [{ name: able, capabilities: capabilities.able }], rules: [] },
  runner: run2,
  health: () => "up" as const
}

const owed = (history: ReadonlyArray<Event>, afterMillis: number) =>
  PaymentStory.of(history, plus(at, afterMillis), policy).owed

const second = 1000
const day = 86_400_000

describe("PaymentStory.duration", () => {
  it.for([
    [0, "0 ms"],
    [999, "999 ms"],
    [1000, "1 s"],
    [1549, "1.5 s"],
    [59_999, "59.9 s"],
    [60_000, "1 min"],
    [200_000, "3 min 20 s"],
    [7_500_000, "2 h 5 min"],
    [3 * day + 4 * 3_600_000, "3 d 4 h"],
    [400 * day, "400 d"]
  ] as const)("writes %s ms as %s", ([millis, written]) => {
    assert.strictEqual(PaymentStory.duration(millis), written)
  })
})

describe("PaymentStory.owed", () => {
  it("is nothing at rest", () => {
    assert.isUndefined(owed(Histories.paid, day))
    assert.isUndefined(owed(Histories.released, day))
    assert.isUndefined(owed([...Histories.refused, Histories.failed({ _tag: "NoRoute" })], day))
  })

  it("is what comes next, since the last event, when nobody does it", () => {
    assert.deepStrictEqual(owed(Histories.ready, second), {
      what: "authorize at able with method 1",
      since: at,
      until: undefined
    })
    assert.deepStrictEqual(owed(Histories.sent, second), {
      what: "take pay_1/auth/1 over from its run, unless that is at it still",
      since: at,
      until: undefined
    })
  })

  it("is what is due later, and when", () => {
    assert.deepStrictEqual(owed(Histories.inDoubt, 1), {
      what: "send pay_1/auth/1 at able",
      since: undefined,
      until: plus(at, second)
    })
    assert.deepStrictEqual(owed(Histories.held, day), {
      what: "void the hold: AuthorizationExpired",
      since: undefined,
      until: plus(at, 7 * day - 3600 * second)
    })
  })

  it("is overdue since the wait was over", () => {
    assert.deepStrictEqual(owed(Histories.inDoubt, 5 * second), {
      what: "send pay_1/auth/1 at able",
      since: plus(at, second),
      until: undefined
    })
  })

  it("is a person's decision once florin asks no more", () => {
    assert.deepStrictEqual(owed(Histories.handedOver, day), {
      what: "an operator's decision about pay_1/auth/1",
      since: at,
      until: undefined
    })
  })
})

describe("PaymentStory.toText", () => {
  const told = (history: ReadonlyArray<Event>, afterMillis = day) => {
    const now = plus(at, afterMillis)
    return PaymentStory.toText(PaymentStory.of(history, now, policy), now)
  }

  it("names the evidence, whoever gave it", () => {
    const text = told(Histories.soldByWord)
    assert.match(text, /OperationEscalated +pay_1\/auth\/1, NoWayToAsk\n/)
    assert.match(text, /Authorized +pay_1\/auth\/1, \S+, decided by \w+: /)
    assert.include(told(Histories.claimed), "notified by")
    assert.include(told(Histories.paid), "answered by able")
  })

  it("says what waits for a person, and for how long", () => {
    const text = told(Histories.handedOver)
    assert.match(text, /^pay_1 {2}in_doubt \(escalated\) {2}10\.00 EUR\n/)
    assert.match(text, /\n {2}pay_1\/auth\/1 {2}Authorize {2}at able {2}waits for an operator since \S+Z: NoWayToAsk\n/)
    assert.match(text, /\nowed next\n {2}an operator's decision about pay_1\/auth\/1\n {2}since \S+Z, for 1 d$/)
  })

  it("tells every history that there is, one line an event", () => {
    for (const [name, history] of Object.entries<unknown>(Histories)) {
      if (!Array.isArray(history) || history[0] !== Histories.initiated) continue
      const lines = told(history).split("\n")
      const from = lines.indexOf("timeline")
      const to = lines.findIndex((line) => line.startsWith("  in all "))
      assert.strictEqual(to - from - 1, history.length, name)
    }
  })
})
