import { assert, describe, it } from "@effect/vitest"
import type * as Gateway from "../../../src/domain/payment/Gateway.ts"
import * as Payment from "../../../src/domain/payment/Payment.ts"
import type { Command } from "../../../src/domain/payment/PaymentCommand.ts"
import * as PaymentPlan from "../../../src/domain/payment/PaymentPlan.ts"
import {
  able,
  answers,
  at,
  beginAuthorization,
  capabilities,
  command,
  evidenceOf,
  given,
  initiate,
  op,
  plain,
  record,
  run1,
  run2
} from "./World.ts"
import { hour, later, minute, policy, told } from "./PlanPolicy.ts"
import { withoutStacks } from "../../testing/WithoutStacks.ts"

withoutStacks()

const next = (state: Payment.State, millis = 0, by = run1) =>
  PaymentPlan.next(state, later(millis), { ...policy, runner: by })

const begun = [initiate("automatic"), beginAuthorization("able")]
const doubt = (operation: string, reason: Gateway.DoubtReason = "Timeout", millis = 0) =>
  command.RecordDoubt.make({ operation: op(operation), asked: "send", reason, at: later(millis) })
const notSent = (operation: string, reason: Gateway.NotSentReason = "ConnectionRefused") =>
  command.RecordNotSent.make({ operation: op(operation), by: run1, reason, at })

describe("PaymentPlan.next", () => {
  it("names the one thing owed in every state of a plain payment", () => {
    const steps: ReadonlyArray<readonly [Command | undefined, string]> = [
      [initiate("automatic", true), "Screen"],
      [command.RecordScreening.make({ verdict: "allow", reasons: [], at }), "BeginAuthorization"],
      [beginAuthorization("able"), "Send Authorize"],
      [record("auth/1", answers.redirect), `Wait ${15 * minute}`],
      [command.CompleteAction.make({ by: run1, at }), "Send Confirm"],
      [record("auth/1/confirm/1", answers.approved), "Capture"],
      [command.Capture.make({ by: run1, final: true, at }), "Send Capture"],
      [record("capture/1", answers.captured(2n)), "Rest"],
      [command.Refund.make({ by: run1, request: "req_1" as never, at }), "Send Refund"],
      [record("refund/1", answers.refunded), "Rest"]
    ]
    const asked: Array<Command> = []
    for (const [step, expected] of steps) {
      if (step !== undefined) asked.push(step)
      assert.strictEqual(told(next(given(...asked))), expected)
    }
  })

  it("asks for 3-D Secure when the screen wants a challenge", () => {
    const screened = given(
      initiate("automatic", true),
      command.RecordScreening.make({ verdict: "challenge", reasons: [], at }),
      beginAuthorization("able")
    )
    const answer = next(screened)
    assert.isTrue(answer._tag === "Perform" && answer.step._tag === "Send" && answer.step.call._tag === "Authorize")
    assert.propertyVal(Reflect.get(Reflect.get(answer, "step"), "call"), "challenge", true)
  })

  describe("after a decline", () => {
    const declined = (category: Gateway.DeclineCategory) =>
      record("auth/1", { ...answers.declined, decline: { code: "x", category } })
    const chosen = (answer: PaymentPlan.Next) =>
      answer._tag === "Decide" && answer.command._tag === "BeginAuthorization"
        ? `card ${answer.command.method} at ${answer.command.gateway}`
        : told(answer)

    it("goes to the next gateway, to the next card, or ends, by category", () => {
      assert.strictEqual(chosen(next(given(...begun, declined("retryLater")))), "card 0 at plain")
      assert.strictEqual(chosen(next(given(...begun, declined("otherInstrument")))), "card 1 at able")
      assert.strictEqual(chosen(next(given(...begun, declined("final")))), "Fail")
    })

    it("goes to the next card once every gateway had this one", () => {
      const both = given(
        ...begun,
        declined("retryLater"),
        beginAuthorization("plain"),
        record(
          "auth/2",
          { ...answers.declined, decline: { code: "x", category: "retryLater" } },
          evidenceOf(plain).answer
        )
      )
      assert.strictEqual(chosen(next(both)), "card 1 at able")
    })

    it("fails when no card is left", () => {
      const both = given(
        ...begun,
        declined("otherInstrument"),
        beginAuthorization("able", 1),
        record("auth/2", answers.declined)
      )
      assert.strictEqual(told(next(both)), "Fail")
    })
  })

  describe("after proof that an authorization was not sent", () => {
    it("tries the same card at another gateway at once", () => {
      const answer = next(given(...begun, notSent("auth/1")))
      assert.isTrue(
        answer._tag === "Decide" && answer.command._tag === "BeginAuthorization" && answer.command.gateway === plain
      )
    })

    it("waits and sends again when there is no other, as often as the policy says, then fails", () => {
      const alone = { ...policy, routing: { ...policy.routing, gateways: policy.routing.gateways.slice(0, 1) } }
      const tell = (state: Payment.State, millis: number) => told(PaymentPlan.next(state, later(millis), alone))
      const resume = command.Resume.make({ operation: op("auth/1"), by: run1, at })
      const once = given(...begun, notSent("auth/1"))
      assert.strictEqual(tell(once, 0), "Wait 1000")
      assert.strictEqual(tell(once, 1000), "Resume")
      const twice = given(...begun, notSent("auth/1"), resume, notSent("auth/1"))
      assert.strictEqual(tell(twice, 1000), "Wait 2000")
      const thrice = given(...begun, notSent("auth/1"), resume, notSent("auth/1"), resume, notSent("auth/1"))
      assert.strictEqual(tell(thrice, 0), "Fail")
      assert.strictEqual(tell(given(...begun, notSent("auth/1", "Refused")), 0), "Fail")
    })

    it("goes on to the next card where another gateway takes it, in the end, and to no card of the same gateway", () => {
      const [one, other] = policy.routing.gateways
      const routed = (methods: ReadonlyArray<string>): PaymentPlan.Policy => ({
        ...policy,
        routing: { ...policy.routing, gateways: [one!, { ...other!, methods }] }
      })
      const state = given(...begun, notSent("auth/1", "Refused"))
      const [, second] = state._tag === "Authorizing" ? state.order.methods : []
      const answer = PaymentPlan.next(state, at, routed([second!]))
      assert.isTrue(
        answer._tag === "Decide" &&
          answer.command._tag === "BeginAuthorization" &&
          answer.command.method === 1 &&
          answer.command.gateway === plain
      )
      assert.strictEqual(told(PaymentPlan.next(state, at, routed(["nobody's"]))), "Fail")
      assert.strictEqual(told(PaymentPlan.next(given(...begun, notSent("auth/1")), at, routed([second!]))), "Wait 1000")
    })

    it("escalates a capture that could never be sent", () => {
      const capturing = [
        ...begun,
        record("auth/1", answers.approved),
        command.Capture.make({ by: run1, final: true, at })
      ]
      assert.strictEqual(told(next(given(...capturing, notSent("capture/1", "Refused")))), "Escalate")
    })
  })

  describe("in doubt", () => {
    it("another run takes over before it asks, and asks at once", () => {
      const inFlight = given(...begun)
      assert.strictEqual(told(next(inFlight, 0, run1)), "Send Authorize")
      assert.strictEqual(told(next(inFlight, 0, run2)), "TakeOver")
      const taken = given(...begun, command.TakeOver.make({ operation: op("auth/1"), at }))
      assert.strictEqual(told(next(taken, 0, run2)), "Send Authorize")
    })

    it("sends the same key again while the gateway keeps it, with growing waits", () => {
      const once = given(...begun, doubt("auth/1"))
      assert.strictEqual(told(next(once)), "Wait 1000")
      assert.strictEqual(told(next(once, 1000)), "Send Authorize")
      const twice = given(...begun, doubt("auth/1"), doubt("auth/1", "Timeout", 1000))
      assert.strictEqual(told(next(twice, 1000)), "Wait 3000")
      const answer = next(twice, 3000)
      assert.deepInclude(Reflect.get(Reflect.get(answer, "step"), "call"), { operation: op("auth/1"), gateway: able })
    })

    it("looks up once the key may be gone, and never sends then", () => {
      const doubted = given(...begun, doubt("auth/1"))
      const margin = 24 * hour - 10 * minute
      assert.strictEqual(told(next(doubted, margin - 1)), "Send Authorize")
      assert.strictEqual(told(next(doubted, margin)), "Lookup Authorize")
      assert.strictEqual(told(next(doubted, 30 * 24 * hour)), "Lookup Authorize")
    })

    it("looks up where errors are stored under the key, after the send has settled", () => {
      const broken = given(...begun, doubt("auth/1", "ServerError"))
      assert.strictEqual(told(next(broken, 1000)), `Wait ${2 * minute}`)
      assert.strictEqual(told(next(broken, 2 * minute)), "Lookup Authorize")
    })

    it("sends nothing where the gateway keeps no keys", () => {
      const doubted = given(initiate("automatic"), beginAuthorization("plain"), doubt("auth/1"))
      assert.strictEqual(told(next(doubted, 1000)), `Wait ${2 * minute}`)
      assert.strictEqual(told(next(doubted, 2 * minute)), "Lookup Authorize")
    })

    it("escalates when asking has lasted too long, or when there is no way to ask", () => {
      const thrice = given(...begun, doubt("auth/1"), doubt("auth/1", "Timeout", 1), doubt("auth/1", "Timeout", 2))
      const tired = next(thrice, hour)
      assert.deepInclude(Reflect.get(tired, "command"), { _tag: "Escalate", reason: "AsksExhausted" })

      const mute = { ...capabilities.plain, lookup: "none" as const }
      const unanswerable = given(
        initiate("automatic"),
        { ...beginAuthorization("plain"), capabilities: mute },
        doubt("auth/1")
      )
      assert.deepInclude(Reflect.get(next(unanswerable), "command"), { _tag: "Escalate", reason: "NoWayToAsk" })
    })

    it("rests when escalated: only evidence or an operator moves it", () => {
      const escalated = given(...begun, command.Escalate.make({ operation: op("auth/1"), reason: "NoWayToAsk", at }))
      assert.strictEqual(told(next(escalated, 365 * 24 * hour)), "Rest")
    })
  })

  describe("as time passes", () => {
    it("gives back a hold that was not captured in time", () => {
      const held = given(initiate("manual"), beginAuthorization("able"), record("auth/1", answers.approved))
      assert.strictEqual(told(next(held)), `Wait ${24 * hour}`)
      assert.strictEqual(told(next(held, 24 * hour)), "Void")
      const short = given(
        initiate("manual"),
        beginAuthorization("able"),
        record("auth/1", { ...answers.approved, expiresAt: later(5) })
      )
      assert.strictEqual(told(next(short, 5)), "Void")
    })

    it("gives up a redirect that nobody came back from", () => {
      const waiting = given(...begun, record("auth/1", answers.redirect))
      assert.deepInclude(Reflect.get(next(waiting, 15 * minute), "command"), { _tag: "Void", reason: "ActionExpired" })
    })

    it("begins nothing for a customer who is long gone", () => {
      assert.strictEqual(told(next(given(initiate("automatic")), hour)), "Expire")
      assert.strictEqual(told(next(given(initiate("automatic", true)), hour)), "Expire")
    })

    it("asks what became of what the gateway has taken on, then tells a person", () => {
      const pending = given(...begun, record("auth/1", answers.pending))
      assert.strictEqual(told(next(pending)), "Wait 1000")
      assert.strictEqual(told(next(pending, 1000)), "Lookup Authorize")
      const again = (millis: number) => ({ ...record("auth/1", answers.pending), at: later(millis) })
      const long = given(...begun, again(0), again(1), again(2))
      assert.deepInclude(Reflect.get(next(long, hour), "command"), { _tag: "Escalate", reason: "NoOutcome" })
    })
  })

  it("grants a cancel as soon as nothing is in flight", () => {
    const wish = command.Cancel.make({ at })
    assert.strictEqual(told(next(given(...begun, wish, record("auth/1", answers.declined)))), "Cancel")
    assert.strictEqual(told(next(given(...begun, wish, record("auth/1", answers.approved)))), "Void")
    assert.strictEqual(told(next(given(...begun, record("auth/1", answers.redirect), wish))), "Void")
    assert.strictEqual(told(next(given(...begun, wish, notSent("auth/1")))), "Cancel")
  })

  it("gives the hold back when a capture was refused, but leaves a manual one to the merchant", () => {
    const refusedIn = (mode: "automatic" | "manual") =>
      given(
        initiate(mode),
        beginAuthorization("able"),
        record("auth/1", answers.approved),
        command.Capture.make({ by: run1, final: true, at }),
        record("capture/1", answers.refused)
      )
    assert.deepInclude(Reflect.get(next(refusedIn("automatic")), "command"), { _tag: "Void", reason: "CaptureRefused" })
    assert.strictEqual(told(next(refusedIn("manual"))), `Wait ${24 * hour}`)
  })
})
