import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as OperationHistory from "../../../src/domain/payment/OperationHistory.ts"
import * as Payment from "../../../src/domain/payment/Payment.ts"
import { Event } from "../../../src/domain/payment/PaymentEvent.ts"
import { fold } from "../../../src/domain/payment/PaymentFold.ts"
import * as Histories from "./Histories.ts"
import { at, eur, evidence, later } from "./World.ts"

const isEvent = Schema.is(Event)

/** Every history that the other tests tell, by name. */
const told = Object.entries<unknown>(Histories).flatMap(([name, value]) =>
  Array.isArray(value) && value.length > 0 && value.every(isEvent) ? [{ name, history: value }] : []
)

const of = (history: ReadonlyArray<Event>) =>
  OperationHistory.of(history).map(({ call, end, sends }) => ({
    call: call._tag,
    operation: call.operation,
    sends,
    end: end._tag === "Open" ? end.operation.standing._tag : end._tag === "NotSent" ? end._tag : end.answer
  }))

describe("OperationHistory", () => {
  it("has every operation that was begun, and of those the open ones open", () => {
    assert.isAbove(told.length, 40)
    for (const { history, name } of told) {
      const begun = history.flatMap((event) =>
        event._tag.endsWith("Begun") || event._tag === "ActionCompleted"
          ? [String(Reflect.get(event, "operation"))]
          : []
      )
      const operations = OperationHistory.of(history)
      assert.deepStrictEqual(
        operations.map(({ call }) => String(call.operation)),
        begun,
        name
      )
      const open = operations.flatMap(({ end }) => (end._tag === "Open" ? [end.operation] : []))
      assert.sameDeepMembers(open, [...Payment.openOperations(fold(history))], name)
    }
  })

  it("tells each operation's call, how often it was sent, and its end", () => {
    assert.deepStrictEqual(of([...Histories.unsent, Histories.resumed, Histories.authorized()]), [
      { call: "Authorize", operation: "pay_1/auth/1", sends: 2, end: "Approved" }
    ])
    assert.deepStrictEqual(of([...Histories.refunding, Histories.refunded]), [
      { call: "Authorize", operation: "pay_1/auth/1", sends: 1, end: "Approved" },
      { call: "Capture", operation: "pay_1/capture/1", sends: 1, end: "Captured" },
      { call: "Refund", operation: "pay_1/refund/1", sends: 1, end: "Refunded" }
    ])
    assert.deepStrictEqual(of(Histories.retried), [
      { call: "Authorize", operation: "pay_1/auth/1", sends: 1, end: "Declined" },
      { call: "Authorize", operation: "pay_1/auth/2", sends: 1, end: "InFlight" }
    ])
    assert.deepStrictEqual(of([...Histories.unsent, Histories.cancelled]), [
      { call: "Authorize", operation: "pay_1/auth/1", sends: 1, end: "NotSent" }
    ])
    assert.deepStrictEqual(of([...Histories.back, Histories.confirmed]), [
      { call: "Authorize", operation: "pay_1/auth/1", sends: 1, end: "Approved" },
      { call: "Confirm", operation: "pay_1/auth/1/confirm/1", sends: 1, end: "Approved" }
    ])
    assert.deepStrictEqual(of(Histories.soldWhileVoiding), [
      { call: "Authorize", operation: "pay_1/auth/1", sends: 1, end: "Captured" },
      { call: "Void", operation: "pay_1/void/1", sends: 1, end: "Captured" }
    ])
  })

  it("keeps what the call was made of, so that it can be asked about", () => {
    const [, capture] = OperationHistory.of(Histories.capturingPart)
    assert.deepStrictEqual({ ...capture!.call }, {
      _tag: "Capture",
      operation: "pay_1/capture/1",
      gateway: "able",
      reference: "ref_1",
      amount: eur(4_00n),
      final: true
    } as never)
    assert.deepInclude(OperationHistory.of([...Histories.screened, Histories.begun("pay_1/auth/1")])[0]!.call, {
      _tag: "Authorize",
      order: Histories.order,
      challenge: false
    })
  })

  it("keeps the doubts, and the evidence of the end", () => {
    const [operation] = OperationHistory.of([...Histories.inDoubt, Histories.unfound, Histories.authorized()])
    assert.deepStrictEqual(operation!.doubts, [
      { asked: "send", reason: "Timeout", at },
      { asked: "lookup", reason: "NotFound", at: later }
    ])
    assert.deepInclude(operation!.end, { answer: "Approved", evidence: Histories.authorized().evidence })
    const [byWord] = OperationHistory.of(Histories.soldByWord)
    assert.deepInclude(byWord!.end, { evidence: evidence.operator })
  })
})
