import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Operation from "../../../src/domain/payment/Operation.ts"
import * as Payment from "../../../src/domain/payment/Payment.ts"
import { Rule } from "../../../src/domain/payment/PaymentCommand.ts"
import * as PaymentDecision from "../../../src/domain/payment/PaymentDecision.ts"
import * as PaymentEvent from "../../../src/domain/payment/PaymentEvent.ts"
import { fold } from "../../../src/domain/payment/PaymentFold.ts"
import type { Move } from "./World.ts"
import { able, authorizing, explore, plain, settling } from "./World.ts"
import { withoutStacks } from "../../testing/WithoutStacks.ts"

withoutStacks()

const worlds = [explore(authorizing), explore(settling)]
const states = worlds.flatMap((world) => world.states)
const changing = worlds
  .flatMap((world) => world.moves)
  .flatMap((move) =>
    Result.isSuccess(move.decision) && move.decision.success.length > 0
      ? [{ ...move, events: move.decision.success }]
      : []
  )
const rules = new Set(
  worlds
    .flatMap((world) => world.moves)
    .flatMap(({ decision }) => (Result.isFailure(decision) ? [decision.failure.rule] : []))
)

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

const says = (text: string, { asked, from }: Move) =>
  `${text}: ${asked._tag} in ${JSON.stringify(from, (_, v) => (typeof v === "bigint" ? String(v) : v))}`

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
    for (const move of changing) {
      const again = PaymentDecision.decide(move.asked, move.to)
      assert.deepStrictEqual(Result.isSuccess(again) ? again.success : again.failure.rule, [], says("repeated", move))
    }
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
    for (const move of changing) {
      if (!move.events.some(({ _tag }) => _tag === "AuthorizationBegun")) continue
      assert.deepStrictEqual(unknownMoney(move.from), [], says("second attempt", move))
      if (move.from._tag === "Authorizing") assert.strictEqual(move.from.operation.kind, "authorize")
    }
  })

  it("ends without money only where no money can have moved", () => {
    for (const move of changing) {
      const ends = move.events.some(({ _tag }) => _tag === "Cancelled" || _tag === "Expired" || _tag === "Failed")
      if (!ends || move.from._tag === "Screening" || move.from._tag === "Ready") continue
      assert.isTrue(move.from._tag === "Authorizing" && move.from.operation.kind === "authorize", says("ended", move))
      assert.deepStrictEqual(unknownMoney(move.from), [], says("ended", move))
    }
  })

  it("an operation leaves doubt only by an answer, by proof, or by being taken on", () => {
    for (const move of changing) {
      for (const operation of Payment.openOperations(move.from).filter(Operation.isDoubtful)) {
        const after = Payment.openOperations(move.to).find(({ id }) => id === operation.id)
        if (after !== undefined && Operation.isDoubtful(after)) continue
        assert.include(["RecordAnswer", "RecordNotFound"], move.asked._tag, says("lost its doubt", move))
        const last = move.events.at(-1)!
        assert.isTrue("evidence" in last || move.events.some((event) => "evidence" in event), says("no evidence", move))
      }
    }
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
    for (const event of claiming) assert.property(event, "evidence")
  })

  it("takes a gateway's word only of what it was asked (R4)", () => {
    const words = changing.flatMap((move) => {
      const { asked } = move
      if (asked._tag === "RecordNotFound") return [{ move, gateway: asked.gateway }]
      if (!("evidence" in asked) || asked.evidence._tag === "Operator") return []
      return [{ move, gateway: asked.evidence.gateway }]
    })
    assert.sameMembers([...new Set(words.map(({ gateway }) => gateway))], [able, plain])
    for (const { gateway, move } of words) {
      const { from } = move
      const attempt =
        from._tag === "Authorizing" ? from.attempt : "authorization" in from ? from.authorization : undefined
      assert.strictEqual(gateway, attempt?.gateway, says("another's word", move))
    }
  })

  it("never takes news that all has been captured for known when the record has less", () => {
    const sales = worlds
      .flatMap((world) => world.moves)
      .filter(({ asked }) => asked._tag === "RecordAnswer" && asked.answer._tag === "Approved" && asked.answer.captured)
    const taken = sales.filter(({ decision }) => Result.isSuccess(decision))
    assert.isAbove(taken.length, 100)
    for (const move of taken) {
      const captured = "captures" in move.to ? Payment.captured(move.to).minor : 0n
      assert.strictEqual(captured, 2n, says("swallowed", move))
    }
  })

  it("leaves an escalation to a person when pending is all that is said again", () => {
    for (const move of changing) {
      if (move.asked._tag !== "RecordAnswer" || move.asked.answer._tag !== "Pending") continue
      const { operation } = move.asked
      const before = Payment.openOperations(move.from).find(({ id }) => id === operation)?.standing
      if (before?._tag !== "Escalated") continue
      assert.isTrue(before.pending === undefined && move.asked.at > before.at, says("lifted", move))
    }
  })

  it("takes an operator's word only where nobody else can know", () => {
    for (const move of changing) {
      if (move.asked._tag !== "RecordAnswer" || move.asked.evidence._tag !== "Operator") continue
      assert.isTrue(
        Payment.openOperations(move.from).some(({ standing }) => standing._tag === "Escalated"),
        says("operator", move)
      )
    }
  })

  it("gives every operation an id that none had before", () => {
    for (const move of changing) {
      for (const event of move.events) {
        const begins =
          event._tag === "AuthorizationBegun" ||
          event._tag === "ActionCompleted" ||
          event._tag === "CaptureBegun" ||
          event._tag === "VoidBegun" ||
          event._tag === "RefundBegun"
        if (!begins || move.from._tag === "New") continue
        assert.notProperty(move.from.ended, event.operation, says("reused id", move))
        assert.isFalse(
          Payment.openOperations(move.from).some(({ id }) => id === event.operation),
          says("reused id", move)
        )
        assert.isFalse(
          move.from.closed.some(({ operation }) => operation === event.operation),
          says("reused id", move)
        )
      }
    }
  })

  it("a cancel that was accepted never begins another attempt or capture", () => {
    for (const move of changing) {
      if (move.from._tag === "New" || move.from.cancel === undefined) continue
      const begun = move.events.filter(({ _tag }) => _tag === "AuthorizationBegun" || _tag === "CaptureBegun")
      assert.deepStrictEqual(begun, [], says("went on", move))
    }
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
