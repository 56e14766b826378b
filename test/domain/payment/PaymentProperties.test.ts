import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema } from "effect"
import { Instant, plus } from "../../../src/domain/Instant.ts"
import type { Answer } from "../../../src/domain/payment/Gateway.ts"
import * as Operation from "../../../src/domain/payment/Operation.ts"
import * as Payment from "../../../src/domain/payment/Payment.ts"
import { Command } from "../../../src/domain/payment/PaymentCommand.ts"
import * as PaymentDecision from "../../../src/domain/payment/PaymentDecision.ts"
import * as PaymentDraft from "../../../src/domain/payment/PaymentDraft.ts"
import { Event } from "../../../src/domain/payment/PaymentEvent.ts"
import { fold } from "../../../src/domain/payment/PaymentFold.ts"
import * as PaymentPlan from "../../../src/domain/payment/PaymentPlan.ts"
import * as PaymentView from "../../../src/domain/payment/PaymentView.ts"
import * as Arbitraries from "../../../src/testing/Arbitraries.ts"
import { answersTo, gateways, kindOf } from "../../../src/testing/PaymentMoves.ts"
import { withoutStacks } from "../../testing/WithoutStacks.ts"

withoutStacks()

/** A third of the runs take money; each property needs about half a second. Every run of the tests draws other payments. */
const manyRuns = { arbitrary: { runs: 1500 } }

const { historyOf, statesOf } = Arbitraries

/** The plainest choice of details, after everything that happened. */
const plainly = { pick: 0, detail: 0, percent: 50, at: Instant.make(1_800_000_000_000) }

/** Minor units, straight from the events and not by the code under test. */
const moneyIn = (events: ReadonlyArray<Event>) => {
  const refunds = new Map<string, bigint>()
  const disputes = new Map<string, bigint>()
  let [authorized, captured, refunded] = [0n, 0n, 0n]
  for (const event of events) {
    if (event._tag === "Initiated") authorized = event.order.amount.minor
    if (event._tag === "Captured") captured += event.amount.minor
    if (event._tag === "RefundBegun") refunds.set(event.operation, event.amount.minor)
    if (event._tag === "Refunded") refunded += refunds.get(event.operation)!
    if (event._tag === "DisputeOpened") disputes.set(event.dispute, event.amount.minor)
    if (event._tag === "DisputeWon") disputes.delete(event.dispute)
  }
  const disputed = [...disputes.values()].reduce((sum, minor) => sum + minor, 0n)
  return { authorized, captured, refunded, disputed }
}

const isView = Schema.is(PaymentView.PaymentView)

describe("every history that decide accepts", () => {
  it.prop(
    "folds at every prefix to a state that has a view",
    [Arbitraries.journey],
    ([steps]) => {
      const history = historyOf(steps)
      for (let length = 1; length <= history.length; length++) {
        const draft = PaymentDraft.of(history.slice(0, length))
        assert.notStrictEqual(draft.state._tag, "New")
        const view = PaymentDraft.view(draft)
        assert.strictEqual(view?.version, length)
        assert.isTrue(isView(view))
      }
    },
    manyRuns
  )

  it.prop(
    "records nothing when a command is repeated at once",
    [Arbitraries.journey],
    ([steps]) => {
      const states = statesOf(steps)
      for (const [index, { command }] of steps.entries()) {
        const again = PaymentDecision.decide(command, states[index + 1]!)
        assert.deepStrictEqual(Result.isSuccess(again) ? again.success : again.failure.rule, [], command._tag)
      }
    },
    manyRuns
  )

  it.prop(
    "captures at most what was authorized, and gives back at most what was captured, after every event",
    [Arbitraries.history],
    ([history]) => {
      for (let length = 1; length <= history.length; length++) {
        const { authorized, captured, disputed, refunded } = moneyIn(history.slice(0, length))
        assert.isTrue(captured <= authorized, `captured ${captured} of ${authorized}`)
        assert.isTrue(refunded + disputed <= captured, `gave back ${refunded} and ${disputed} of ${captured}`)
      }
    },
    manyRuns
  )

  it.prop(
    "is shown with the sums that its events have",
    [Arbitraries.history],
    ([history]) => {
      const view = PaymentDraft.view(PaymentDraft.of(history))
      if (view === undefined) return assert.deepStrictEqual(history, [])
      const { captured, disputed, refunded } = moneyIn(history)
      assert.deepInclude(view, { capturedMinor: captured, disputedMinor: disputed, refundedMinor: refunded })
    },
    manyRuns
  )

  it.prop(
    "survives its stored form, whole",
    [Arbitraries.history],
    ([history]) => {
      const stored = Schema.toCodecJson(Schema.Array(Event))
      const text = JSON.stringify(Schema.encodeSync(stored)(history))
      assert.deepStrictEqual(Schema.decodeUnknownSync(stored)(JSON.parse(text)), history)
    },
    manyRuns
  )

  it.prop(
    "has one view, whether it was loaded whole or gone on with at any moment",
    [Arbitraries.journey],
    ([steps]) => {
      const whole = PaymentDraft.view(PaymentDraft.of(historyOf(steps)))
      for (let taken = 0; taken <= steps.length; taken++) {
        const before = historyOf(steps.slice(0, taken))
        const after = historyOf(steps.slice(taken))
        const draft = PaymentDraft.of(before)
        const updatedAt = after.at(-1)?.at ?? draft.updatedAt
        const goneOn = { ...draft, updatedAt, events: after, state: fold(after, draft.state) }
        assert.deepStrictEqual(PaymentDraft.view(goneOn), whole)
      }
    },
    manyRuns
  )
})

// --- What is owed -----------------------------------------------------------

const hour = 3_600_000
const steady = { maxAttempts: 3, baseMillis: 1000, factor: 2, capMillis: 60_000 }
const patience = { resend: steady, verify: steady, poll: steady, keyMarginMillis: 600_000, settleMillis: 120_000 }
const policy: PaymentPlan.Policy = {
  runner: Operation.RunId.make("run_1"),
  routing: { gateways, rules: [] },
  health: () => "up",
  authorizing: patience,
  settling: patience,
  readyMillis: hour,
  actionMillis: hour,
  authorizationMillis: 24 * hour
}

describe("what a payment owes next", () => {
  it.prop(
    "is a step that decide takes, at any moment and for any run, so that the loop never turns without moving",
    [Arbitraries.journey],
    ([steps]) => {
      for (const [index, state] of statesOf(steps).entries()) {
        const last = historyOf(steps.slice(0, index)).at(-1)?.at ?? plainly.at
        for (const millis of [0, 1000, 48 * hour]) {
          for (const runner of ["run_1", "run_9"]) {
            const by = { ...policy, runner: Operation.RunId.make(runner) }
            const next = PaymentPlan.next(state, plus(last, millis), by)
            if (next._tag !== "Decide") continue
            const decision = PaymentDecision.decide(next.command, state)
            const isMove = Result.isSuccess(decision) && decision.success.length > 0
            assert.isTrue(isMove, `${next.command._tag} in ${state._tag}`)
          }
        }
      }
    },
    manyRuns
  )
})

// --- Late answers -----------------------------------------------------------

/** The first capture asks for all: what is said of the authorization may be said of it. */
const isCapturingAll = (state: Payment.Begun) =>
  state._tag === "Capturing" && state.captures.length === 0 && state.capture.amount.minor === state.order.amount.minor

/** What may still come of an operation that has ended for florin: the customer's word, and money moved by others. */
const mayBeNews = (state: Payment.Begun, operation: string, answer: Answer) => {
  const ofAttempt =
    "authorization" in state &&
    state.authorization !== undefined &&
    (operation === state.authorization.operation || operation.startsWith(`${state.authorization.operation}/confirm/`))
  if (state._tag === "ActionRequired" && ofAttempt) return answer._tag === "Approved" || answer._tag === "Declined"
  const says = answer._tag === "Captured" || (answer._tag === "Approved" && answer.captured)
  return ofAttempt && says && (state._tag === "Authorized" || state._tag === "Voiding" || isCapturingAll(state))
}

const isOpen = (state: Payment.Begun, operation: string) =>
  Payment.openOperations(state).some(({ id }) => id === operation)

/** The gateway of the attempt that an operation belongs to, from the events; a hold's captures are of the last. */
const gatewayIn = (events: ReadonlyArray<Event>, operation: string) => {
  const attempts = events.flatMap((event) => (event._tag === "AuthorizationBegun" ? [event] : []))
  const own = attempts.find((begun) => `${operation}/`.startsWith(`${begun.operation}/`))
  return (own ?? attempts.at(-1))!.gateway
}

describe("an answer about an operation that has ended", () => {
  it.prop(
    "records nothing, or is refused as a contradiction",
    [Arbitraries.journey],
    ([steps]) => {
      for (const [index, state] of statesOf(steps).entries()) {
        if (state._tag === "New") continue
        const events = historyOf(steps.slice(0, index))
        for (const [id, end] of Object.entries(state.ended)) {
          // A redirect ends the call and not the attempt.
          if (end === "ActionRequired" || isOpen(state, id)) continue
          const operation = Operation.OperationId.make(id)
          const evidence = { _tag: "Lookup", gateway: gatewayIn(events, id) } as const
          for (const answer of answersTo(kindOf(operation), state, plainly)) {
            if (mayBeNews(state, id, answer)) continue
            const command = { _tag: "RecordAnswer", operation, answer, evidence, at: plainly.at } as const
            const decision = PaymentDecision.decide(command, state)
            assert.deepStrictEqual(
              Result.isSuccess(decision) ? decision.success : decision.failure.rule,
              Result.isSuccess(decision) ? [] : "ContradictsRecord",
              `${id} ${end}, then ${answer._tag}, in ${state._tag}`
            )
            // What the record does not have is never taken for a repeat.
            if (answer._tag !== "Approved" || !answer.captured || Result.isFailure(decision)) continue
            const { authorized, captured } = moneyIn(events)
            assert.strictEqual(captured, authorized, `${id}, all captured, in ${state._tag}`)
          }
        }
      }
    },
    manyRuns
  )
})

describe("any command at all", () => {
  it.prop(
    "is answered by any payment, and never with what breaks its sums",
    [Arbitraries.payment, Arbitraries.command],
    ([{ history, state }, command]) => {
      const decision = PaymentDecision.decide(command, state)
      if (Result.isFailure(decision)) return
      fold(decision.success, state)
      const { authorized, captured, disputed, refunded } = moneyIn([...history, ...decision.success])
      assert.isTrue(captured <= authorized && refunded + disputed <= captured)
    },
    manyRuns
  )
})

// --- Reach ------------------------------------------------------------------

describe("the arbitraries", () => {
  const journeys = Arbitrary.sampleEffect(Arbitraries.journey, { count: 2000, seed: "reach" })

  it.effect("reach every state, every command and every event, so that no property is vacuous", () =>
    Effect.gen(function* () {
      const seen = { states: new Set<string>(), commands: new Set<string>(), events: new Set<string>() }
      for (const steps of yield* journeys) {
        for (const state of statesOf(steps)) seen.states.add(state._tag)
        for (const { command } of steps) seen.commands.add(command._tag)
        for (const event of historyOf(steps)) seen.events.add(event._tag)
      }
      assert.sameMembers(
        [...seen.states],
        [
          "New",
          "Screening",
          "Ready",
          "Authorizing",
          "ActionRequired",
          "Authorized",
          "Capturing",
          "Captured",
          "Voiding",
          "Voided",
          "Cancelled",
          "Expired",
          "Failed"
        ]
      )
      assert.sameMembers([...seen.commands], Object.keys(Command.cases))
      assert.sameMembers([...seen.events], Object.keys(Event.cases))
    })
  )

  it.effect("reach money that is taken and given back in many of them", () =>
    Effect.gen(function* () {
      const ends = (yield* journeys).map((steps) => moneyIn(historyOf(steps)))
      const share = (holds: (money: (typeof ends)[number]) => boolean) => ends.filter(holds).length / ends.length
      assert.isAbove(
        share(({ captured }) => captured > 0n),
        0.3
      )
      assert.isAbove(
        share(({ refunded }) => refunded > 0n),
        0.1
      )
      assert.isAbove(
        share(({ disputed }) => disputed > 0n),
        0.1
      )
      assert.isAbove(
        share(({ disputed, refunded }) => refunded > 0n && disputed > 0n),
        0.03
      )
    })
  )

  it.effect("shrink to the shortest history that still shows what was found", () =>
    Effect.gen(function* () {
      const neverRefunds = (history: ReadonlyArray<Event>) => history.every(({ _tag }) => _tag !== "Refunded")
      const found = yield* Arbitrary.checkEffect(Arbitraries.history, neverRefunds, { runs: 500, seed: "shrink" })
      assert.isTrue(found._tag === "Falsified")
      const smallest: ReadonlyArray<Event> = Reflect.get(found, "shrunkInput")
      assert.isAtMost(smallest.length, 7)
      assert.deepStrictEqual(
        smallest.map(({ _tag }) => _tag).filter((tag) => tag !== "CaptureBegun"),
        ["Initiated", "AuthorizationBegun", "Authorized", "Captured", "RefundBegun", "Refunded"]
      )
    })
  )
})
