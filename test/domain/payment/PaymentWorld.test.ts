import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Operation from "../../../src/domain/payment/Operation.ts"
import * as Payment from "../../../src/domain/payment/Payment.ts"
import { Rule } from "../../../src/domain/payment/PaymentCommand.ts"
import * as PaymentDecision from "../../../src/domain/payment/PaymentDecision.ts"
import * as PaymentEvent from "../../../src/domain/payment/PaymentEvent.ts"
import { fold } from "../../../src/domain/payment/PaymentFold.ts"
import { describeTestimony } from "../../testing/TestimonyInWorld.ts"
import { describePlan } from "./PlanInWorld.ts"
import type { Move } from "./World.ts"
import { able, authorizing, explore, plain, settling } from "./World.ts"
import { withoutStacks } from "../../testing/WithoutStacks.ts"

withoutStacks()

/** Ten seconds' work, so all that is asked of every state is asked in this file. */
const explored = { authorizing: explore(authorizing), settling: explore(settling) }
const worlds = Object.values(explored)
const states = worlds.flatMap((world) => world.states)
const moves = worlds.flatMap((world) => world.moves)
const changing = moves.filter(({ events }) => events.length > 0)
const rules = new Set(worlds.flatMap(({ refusals }) => [...refusals]))

const kinds: ReadonlyArray<Payment.State["_tag"]> = [
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

/** Operations whose effect on money is unknown: sent or about to be, without proof of either end. */
const unknownMoney = (state: Payment.State) =>
  Payment.openOperations(state).filter(({ standing }) => standing._tag !== "NotSent")

const says = ({ asked, from }: Move) =>
  `${asked._tag} in ${JSON.stringify(from, (_, v) => (typeof v === "bigint" ? String(v) : v))}`

/** Of all moves only those that break a rule are put into words, and three of them say enough. */
const told = (broken: ReadonlyArray<Move>) => broken.slice(0, 3).map(says)

describe("Payment, in every reachable state", () => {
  it("visits every kind of state, every standing of every operation, every event and every rule", () => {
    assert.sameMembers([...new Set(states.map(({ _tag }) => _tag))], [...kinds])
    assert.sameMembers(
      [...new Set(changing.flatMap(({ events }) => events.map(({ _tag }) => _tag)))],
      Object.keys(PaymentEvent.Event.cases)
    )
    assert.sameMembers([...rules], [...Rule.literals])
    const standings = new Set(
      states.flatMap((state) => Payment.openOperations(state).map(({ kind, standing }) => `${kind} ${standing._tag}`))
    )
    for (const kind of ["authorize", "confirm", "capture", "void", "refund"]) {
      for (const standing of ["InFlight", "NotSent", "InDoubt", "Escalated"]) {
        assert.isTrue(standings.has(`${kind} ${standing}`), `${kind} ${standing}`)
      }
    }
  })

  it("an accepted command can be repeated and then records nothing", () => {
    const records = changing.filter(({ asked, to }) => {
      const again = PaymentDecision.decide(asked, to)
      return Result.isFailure(again) || again.success.length > 0
    })
    assert.deepStrictEqual(told(records), [])
  })

  it("moves only along the diagram at the top of Payment.ts", () => {
    const edges = (from: Payment.State["_tag"]) =>
      [...new Set(changing.filter((move) => move.from._tag === from).map(({ to }) => to._tag))]
        .filter((to) => to !== from)
        .toSorted()
    assert.deepStrictEqual(edges("New"), ["Ready", "Screening"])
    assert.deepStrictEqual(edges("Screening"), ["Cancelled", "Expired", "Failed", "Ready"])
    assert.deepStrictEqual(edges("Ready"), ["Authorizing", "Cancelled", "Expired", "Failed"])
    assert.deepStrictEqual(edges("Authorizing"), [
      "ActionRequired",
      "Authorized",
      "Cancelled",
      "Captured",
      "Expired",
      "Failed",
      "Ready"
    ])
    assert.deepStrictEqual(edges("ActionRequired"), ["Authorized", "Authorizing", "Captured", "Ready", "Voiding"])
    assert.deepStrictEqual(edges("Authorized"), ["Captured", "Capturing", "Voiding"])
    assert.deepStrictEqual(edges("Capturing"), ["Authorized", "Captured", "Expired"])
    assert.deepStrictEqual(edges("Captured"), ["Capturing"])
    assert.deepStrictEqual(edges("Voiding"), [
      "ActionRequired",
      "Authorized",
      "Captured",
      "Expired",
      "Failed",
      "Voided"
    ])
    for (const end of ["Voided", "Cancelled", "Expired", "Failed"] as const) assert.deepStrictEqual(edges(end), [])
  })

  it("captures at most what was authorized, gives back at most what was captured", () => {
    for (const state of states) {
      if (!("captures" in state)) continue
      const minor = {
        captured: Payment.captured(state).minor,
        refunded: Payment.refunded(state).minor,
        disputed: Payment.disputed(state).minor
      }
      assert.isTrue(minor.captured <= state.order.amount.minor)
      assert.isTrue(minor.refunded + minor.disputed <= minor.captured)
      assert.isTrue(Payment.refundable(state).minor >= 0n)
    }
  })

  it("begins one attempt at a time, and none while another may have moved money (R5)", () => {
    const begun = changing.filter(({ events }) => events.some(({ _tag }) => _tag === "AuthorizationBegun"))
    assert.isAbove(begun.length, 100)
    assert.deepStrictEqual(told(begun.filter(({ from }) => unknownMoney(from).length > 0)), [])
    assert.deepStrictEqual(
      told(begun.filter(({ from }) => from._tag === "Authorizing" && from.operation.kind !== "authorize")),
      []
    )
  })

  it("ends without money only where no money can have moved", () => {
    const ending = changing.filter(
      ({ events, from }) =>
        from._tag !== "Screening" &&
        from._tag !== "Ready" &&
        events.some(({ _tag }) => _tag === "Cancelled" || _tag === "Expired" || _tag === "Failed")
    )
    assert.isAbove(ending.length, 10)
    assert.deepStrictEqual(
      told(ending.filter(({ from }) => from._tag !== "Authorizing" || from.operation.kind !== "authorize")),
      []
    )
    assert.deepStrictEqual(told(ending.filter(({ from }) => unknownMoney(from).length > 0)), [])
  })

  it("an operation leaves doubt only by an answer, by proof, or by being taken on", () => {
    const doubtful = (state: Payment.State) => Payment.openOperations(state).filter(Operation.isDoubtful)
    const clearing = changing.filter(({ from, to }) => {
      const before = doubtful(from)
      if (before.length === 0) return false
      const after = new Set(doubtful(to).map(({ id }) => id))
      return before.some(({ id }) => !after.has(id))
    })
    assert.isAbove(clearing.length, 1000)
    assert.deepStrictEqual(
      told(clearing.filter(({ asked }) => asked._tag !== "RecordAnswer" && asked._tag !== "RecordNotFound")),
      []
    )
    assert.deepStrictEqual(told(clearing.filter(({ events }) => !events.some((event) => "evidence" in event))), [])
  })

  it("becomes captured, declined, refunded or failed only with evidence (R4)", () => {
    const claims = new Set([
      "Authorized",
      "AuthorizationDeclined",
      "ActionRequired",
      "Captured",
      "CaptureFailed",
      "Voided",
      "VoidFailed",
      "Refunded",
      "RefundFailed",
      "DisputeOpened",
      "DisputeWon",
      "DisputeLost",
      "OperationPending"
    ])
    const claiming = changing.flatMap(({ events }) => events).filter(({ _tag }) => claims.has(_tag))
    assert.isAbove(claiming.length, 1000)
    assert.deepStrictEqual(
      claiming.filter((event) => !("evidence" in event)),
      []
    )
  })

  it("takes a gateway's word only of what it was asked (R4)", () => {
    const words = changing.flatMap((move) => {
      const { asked } = move
      if (asked._tag === "RecordNotFound") return [{ move, gateway: asked.gateway }]
      if (!("evidence" in asked) || asked.evidence._tag === "Operator") return []
      return [{ move, gateway: asked.evidence.gateway }]
    })
    assert.sameMembers([...new Set(words.map(({ gateway }) => gateway))], [able, plain])
    const others = words.filter(({ gateway, move: { from } }) => {
      const attempt =
        from._tag === "Authorizing" ? from.attempt : "authorization" in from ? from.authorization : undefined
      return gateway !== attempt?.gateway
    })
    assert.deepStrictEqual(told(others.map(({ move }) => move)), [])
  })

  it("never takes news that all has been captured for known when the record has less", () => {
    const taken = moves.filter(
      ({ asked }) => asked._tag === "RecordAnswer" && asked.answer._tag === "Approved" && asked.answer.captured
    )
    assert.isAbove(taken.length, 100)
    assert.deepStrictEqual(told(taken.filter(({ to }) => !("captures" in to) || Payment.captured(to).minor !== 2n)), [])
  })

  it("leaves an escalation to a person when pending is all that is said again", () => {
    const lifted = changing.filter(({ asked, from }) => {
      if (asked._tag !== "RecordAnswer" || asked.answer._tag !== "Pending") return false
      const before = Payment.openOperations(from).find(({ id }) => id === asked.operation)?.standing
      return before?._tag === "Escalated" && (before.pending !== undefined || asked.at <= before.at)
    })
    assert.deepStrictEqual(told(lifted), [])
  })

  it("takes an operator's word only where nobody else can know", () => {
    const byOperator = changing.filter(
      ({ asked }) => asked._tag === "RecordAnswer" && asked.evidence._tag === "Operator"
    )
    assert.isAbove(byOperator.length, 100)
    assert.deepStrictEqual(
      told(
        byOperator.filter(({ from }) =>
          Payment.openOperations(from).every(({ standing }) => standing._tag !== "Escalated")
        )
      ),
      []
    )
  })

  it("gives every operation an id that none had before", () => {
    const reused = changing.filter(({ events, from }) =>
      events.some((event) => {
        const begins =
          event._tag === "AuthorizationBegun" ||
          event._tag === "ActionCompleted" ||
          event._tag === "CaptureBegun" ||
          event._tag === "VoidBegun" ||
          event._tag === "RefundBegun"
        if (!begins || from._tag === "New") return false
        return (
          event.operation in from.ended ||
          Payment.openOperations(from).some(({ id }) => id === event.operation) ||
          from.closed.some(({ operation }) => operation === event.operation)
        )
      })
    )
    assert.deepStrictEqual(told(reused), [])
  })

  it("a cancel that was accepted never begins another attempt or capture", () => {
    const cancelled = changing.filter(({ from }) => from._tag !== "New" && from.cancel !== undefined)
    assert.isAbove(cancelled.length, 1000)
    assert.deepStrictEqual(
      told(
        cancelled.filter(({ events }) =>
          events.some(({ _tag }) => _tag === "AuthorizationBegun" || _tag === "CaptureBegun")
        )
      ),
      []
    )
  })
})

describe("PaymentFold.fold", () => {
  it("dies on a history that decide could not have written", () => {
    const captured = PaymentEvent.Event.cases.DisputeWon.make({
      dispute: PaymentEvent.DisputeId.make("dp_1"),
      evidence: { _tag: "Operator", name: "Ada", reason: "none" },
      at: 1 as never
    })
    assert.throws(() => fold([captured]), /corrupt history: DisputeWon after New/)
  })
})

describePlan(states)
for (const [name, world] of Object.entries(explored)) describeTestimony(name, world)
