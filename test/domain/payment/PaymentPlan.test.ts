import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { Instant, plus } from "../../../src/domain/Instant.ts"
import type * as Gateway from "../../../src/domain/payment/Gateway.ts"
import * as Operation from "../../../src/domain/payment/Operation.ts"
import * as Payment from "../../../src/domain/payment/Payment.ts"
import type { Command } from "../../../src/domain/payment/PaymentCommand.ts"
import * as PaymentDecision from "../../../src/domain/payment/PaymentDecision.ts"
import { fold } from "../../../src/domain/payment/PaymentFold.ts"
import * as PaymentPlan from "../../../src/domain/payment/PaymentPlan.ts"
import { once, type RetryPolicy } from "../../../src/domain/RetryPolicy.ts"
import {
  able,
  answers,
  at,
  authorizing,
  beginAuthorization,
  capabilities,
  command,
  evidenceOf,
  explore,
  given,
  initiate,
  op,
  plain,
  record,
  run1,
  run2,
  settling
} from "./World.ts"
import { withoutStacks } from "../../testing/WithoutStacks.ts"

withoutStacks()

const minute = 60_000
const hour = 60 * minute
const steady: RetryPolicy = { maxAttempts: 3, baseMillis: 1000, factor: 2, capMillis: minute }
const patience: Operation.Patience = {
  resend: steady,
  verify: steady,
  poll: steady,
  keyMarginMillis: 10 * minute,
  settleMillis: 2 * minute
}
const policy: PaymentPlan.Policy = {
  runner: run1,
  routing: {
    gateways: [
      { name: able, capabilities: capabilities.able },
      { name: plain, capabilities: capabilities.plain }
    ],
    rules: []
  },
  health: () => "up",
  authorizing: patience,
  settling: patience,
  readyMillis: hour,
  actionMillis: 15 * minute,
  authorizationMillis: 24 * hour
}
const later = (millis: number) => plus(at, millis)
const next = (state: Payment.State, millis = 0, by = run1) =>
  PaymentPlan.next(state, later(millis), { ...policy, runner: by })

/** What `next` says, in a word or two. */
const told = (answer: PaymentPlan.Next): string => {
  switch (answer._tag) {
    case "Decide":
      return answer.command._tag
    case "Perform":
      return answer.step._tag === "Screen" ? "Screen" : `${answer.step._tag} ${answer.step.call._tag}`
    case "Wait":
      return `Wait ${answer.until - at}`
    case "Rest":
      return "Rest"
  }
}

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

describe("PaymentPlan.next, in every reachable state", () => {
  const states = [authorizing, settling].flatMap((pool) => explore(pool).states)
  const moments = [0, 1000, 2 * minute, hour, 24 * hour, 400 * 24 * hour]
  const impatient: Operation.Patience = { ...patience, resend: once, verify: once, poll: once }
  const policies: ReadonlyArray<PaymentPlan.Policy> = [
    policy,
    { ...policy, runner: run2 },
    { ...policy, authorizing: impatient, settling: impatient }
  ]
  const asked = states.flatMap((state) =>
    moments.flatMap((millis) =>
      policies.map((chosen) => ({
        state,
        millis,
        by: chosen.runner,
        answer: PaymentPlan.next(state, later(millis), chosen)
      }))
    )
  )

  it("says each of its words", () => {
    assert.sameMembers(
      [...new Set(asked.map(({ answer }) => told(answer).replace(/^Wait .*/, "Wait")))],
      [
        "Rest",
        "Wait",
        "Screen",
        "BeginAuthorization",
        "Fail",
        "Expire",
        "Cancel",
        "Capture",
        "Void",
        "TakeOver",
        "Resume",
        "Escalate",
        ...["Authorize", "Confirm", "Capture", "Void", "Refund"].flatMap((call) => [`Send ${call}`, `Lookup ${call}`])
      ]
    )
  })

  it("decides only what is accepted and changes something, so that the loop cannot spin", () => {
    const spinning = asked.flatMap(({ answer, state }) => {
      if (answer._tag !== "Decide") return []
      const decision = PaymentDecision.decide(answer.command, state)
      const moves = Result.isSuccess(decision) && decision.success.length > 0
      return moves ? [] : [`${answer.command._tag} in ${state._tag}`]
    })
    assert.deepStrictEqual(spinning, [])
  })

  it("waits only for what is still to come", () => {
    const past = asked.filter(({ answer, millis }) => answer._tag === "Wait" && answer.until <= later(millis))
    assert.deepStrictEqual(past, [])
  })

  it("sends only what this run began, or what the gateway will recognise", () => {
    const blind = asked.filter(({ answer, by, millis, state }) => {
      if (answer._tag !== "Perform" || answer.step._tag !== "Send") return false
      const { call } = answer.step
      const { standing } = Payment.openOperations(state).find(({ id }) => id === call.operation)!
      if (standing._tag === "InFlight") return standing.by !== by
      return standing._tag !== "InDoubt" || call.gateway !== able || millis >= 24 * hour - 10 * minute
    })
    assert.deepStrictEqual(blind.slice(0, 3), [])
  })

  it("rests only at an end, or where a person has to decide", () => {
    const ends = new Set(["New", "Captured", "Voided", "Cancelled", "Expired", "Failed"])
    const abandoned = asked.filter(({ answer, state }) => {
      if (answer._tag !== "Rest") return false
      const open = Payment.openOperations(state)
      const escalated = open.some(({ standing }) => standing._tag === "Escalated")
      return !escalated && (!ends.has(state._tag) || open.length > 0)
    })
    assert.deepStrictEqual(abandoned.slice(0, 3), [])
  })

  it("comes to rest from everywhere, whatever the gateway answers", () => {
    const answerTo: Record<string, (call: PaymentPlan.Call) => Gateway.Answer | undefined> = {
      "to all": ({ _tag }) =>
        ({
          Authorize: answers.approved,
          Confirm: answers.approved,
          Capture: answers.captured(1n),
          Void: answers.voided,
          Refund: answers.refunded
        })[_tag],
      "no to all": ({ _tag }) => (_tag === "Authorize" || _tag === "Confirm" ? answers.declined : answers.refused),
      "nothing at all": () => undefined
    }
    for (const [name, reply] of Object.entries(answerTo)) {
      const restless = states.filter((start) => run(start, reply) === undefined)
      assert.deepStrictEqual(restless.slice(0, 3), [], name)
    }
  })

  /** Runs the plan in virtual time until it rests; `undefined` when it does not within a bound. */
  const run = (start: Payment.State, reply: (call: PaymentPlan.Call) => Gateway.Answer | undefined) => {
    let state = start
    let now: Instant = at
    for (let turn = 0; turn < 60; turn++) {
      // Time stands still but for waits: a loop that needs a tick to get on would spin.
      const answer = PaymentPlan.next(state, now, policy)
      if (answer._tag === "Rest") return state
      if (answer._tag === "Wait") {
        now = answer.until
        continue
      }
      const asked = answer._tag === "Decide" ? answer.command : outcome(answer.step, reply, now)
      const decision = PaymentDecision.decide(asked, state)
      if (Result.isFailure(decision)) throw decision.failure
      state = fold(decision.success, state)
    }
    return undefined
  }

  const outcome = (
    step: PaymentPlan.Step,
    reply: (call: PaymentPlan.Call) => Gateway.Answer | undefined,
    now: Instant
  ): Command => {
    if (step._tag === "Screen") return command.RecordScreening.make({ verdict: "allow", reasons: [], at: now })
    const { gateway, operation } = step.call
    const what = reply(step.call)
    if (what !== undefined) {
      const how = step._tag === "Lookup" ? evidenceOf(gateway).lookup : evidenceOf(gateway).answer
      return command.RecordAnswer.make({ operation, answer: what, evidence: how, at: now })
    }
    return step._tag === "Lookup"
      ? command.RecordNotFound.make({ operation, gateway, at: now })
      : command.RecordDoubt.make({ operation, asked: "send", reason: "Timeout", at: now })
  }
})
