import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Instant } from "../../../src/domain/Instant.ts"
import { plus } from "../../../src/domain/Instant.ts"
import type { GatewayName } from "../../../src/domain/payment/Gateway.ts"
import { Reference } from "../../../src/domain/payment/Gateway.ts"
import * as Notification from "../../../src/domain/payment/Notification.ts"
import { OperationId } from "../../../src/domain/payment/Operation.ts"
import type { Event } from "../../../src/domain/payment/PaymentEvent.ts"
import { DisputeId, PaymentId } from "../../../src/domain/payment/PaymentEvent.ts"
import * as Histories from "./Histories.ts"
import { able, answers, at, eur, later, plain, reference, usd } from "./World.ts"

type History = ReadonlyArray<Event>

const told = (news: Notification.News, gateway: GatewayName = able, id = "evt_9"): Notification.Notification => ({
  id,
  gateway,
  at,
  news
})
const about = (path: string, answer: Extract<Notification.News, { readonly _tag: "Answered" }>["answer"]) =>
  ({ _tag: "Answered", operation: OperationId.make(`pay_1/${path}`), answer }) as const
const dispute = { payment: PaymentId.make("pay_1"), dispute: DisputeId.make("dp_1") }
const opened = (minor: bigint) => ({ _tag: "DisputeOpened", ...dispute, amount: eur(minor) }) as const
const closed = (outcome: "Won" | "Lost") => ({ _tag: "DisputeClosed", ...dispute, outcome }) as const

/** The verdict in a word, with the rule or the events that it brings. */
const judged = (news: Notification.News, history: History, gateway: GatewayName = able): string => {
  const verdict = Notification.judge(told(news, gateway), history, later)
  if (verdict._tag === "Known") return "Known"
  if (verdict._tag !== "New") return `${verdict._tag} ${verdict.rule}`
  return `New ${verdict.draft.events.map(({ _tag }) => _tag).join(" ")}`
}

describe("Notification", () => {
  it("travels as JSON, with amounts as strings", () => {
    const notification = told(opened(4_00n))
    const json = {
      id: "evt_9",
      gateway: "able",
      at: 1_700_000_000_000,
      news: { _tag: "DisputeOpened", payment: "pay_1", dispute: "dp_1", amount: { currency: "EUR", minor: "400" } }
    }
    assert.deepStrictEqual<unknown>(Notification.encode(notification), json)
    assert.deepStrictEqual(Schema.decodeUnknownSync(Notification.Json)(json), notification)
  })

  it.prop("survives its journey, whatever it says", [Notification.Notification], ([notification]) => {
    const json: unknown = JSON.parse(JSON.stringify(Notification.encode(notification)))
    assert.deepStrictEqual(Schema.decodeUnknownSync(Notification.Json)(json), notification)
  })

  it("is a command to the payment that the operation's id begins with, with the message as its evidence", () => {
    const evidence = { _tag: "Webhook", gateway: "able", notification: "evt_9" }
    const when = 1_700_000_001_000
    assert.deepStrictEqual<unknown>(Notification.commandOf(told(about("auth/1/confirm/2", answers.approved)), later), {
      payment: "pay_1",
      command: {
        _tag: "RecordAnswer",
        operation: "pay_1/auth/1/confirm/2",
        answer: { _tag: "Approved", reference: "ref_1", captured: false },
        evidence,
        at: when
      }
    })
    assert.deepStrictEqual<unknown>(Notification.commandOf(told({ ...opened(4_00n), reason: "fraudulent" }), later), {
      payment: "pay_1",
      command: {
        _tag: "OpenDispute",
        dispute: "dp_1",
        amount: { currency: "EUR", minor: 400n },
        reason: "fraudulent",
        evidence,
        at: when
      }
    })
    assert.deepStrictEqual<unknown>(Notification.commandOf(told(closed("Lost")), later), {
      payment: "pay_1",
      command: { _tag: "CloseDispute", dispute: "dp_1", outcome: "Lost", evidence, at: when }
    })
  })
})

// --- What it is to a payment ------------------------------------------------

const verdicts: ReadonlyArray<readonly [why: string, news: Notification.News, history: History, verdict: string]> = [
  ["answers what is in flight", about("auth/1", answers.approved), Histories.sent, "New Authorized"],
  ["resolves a doubt", about("auth/1", answers.approved), Histories.inDoubt, "New Authorized"],
  ["resolves a doubt to a decline", about("auth/1", answers.declined), Histories.inDoubt, "New AuthorizationDeclined"],
  ["resolves what an operator was asked", about("auth/1", answers.approved), Histories.handedOver, "New Authorized"],
  ["ends what was taken on", about("auth/1", answers.approved), Histories.takenOn, "New Authorized"],
  ["overtakes the customer", about("auth/1", answers.approved), Histories.away, "New Authorized"],
  ["is heard while the customer is confirmed", about("auth/1", answers.approved), Histories.back, "New Authorized"],
  ["answers a capture", about("capture/1", answers.captured(10_00n)), Histories.capturing, "New Captured"],
  ["answers a capture, of the authorization", about("auth/1", answers.sold), Histories.capturing, "New Captured"],
  ["answers a void", about("void/1", answers.voided), Histories.voiding, "New Voided"],
  ["answers a refund", about("refund/1", answers.refunded), Histories.refunding, "New Refunded"],
  ["opens a dispute", opened(4_00n), Histories.paid, "New DisputeOpened"],
  ["closes a dispute", closed("Won"), Histories.claimed, "New DisputeWon"],
  ["loses a dispute", closed("Lost"), Histories.claimed, "New DisputeLost"],

  ["was answered already", about("auth/1", answers.approved), Histories.held, "Known"],
  ["was answered long ago", about("auth/1", answers.approved), Histories.refunding, "Known"],
  ["was declined already", about("auth/1", answers.declined), Histories.retried, "Known"],
  ["was captured already", about("capture/1", answers.captured(10_00n)), Histories.paid, "Known"],
  ["was sold already", about("auth/1", answers.sold), Histories.paid, "Known"],
  ["sends the customer away once more", about("auth/1", answers.redirect), Histories.back, "Known"],
  ["says pending of what was taken on", about("auth/1", answers.pending), Histories.takenOn, "Known"],
  ["says pending of what an operator was asked", about("auth/1", answers.pending), Histories.gaveUpWaiting, "Known"],
  ["says pending of what has ended", about("auth/1", answers.pending), Histories.held, "Known"],
  ["was opened already", opened(4_00n), Histories.claimed, "Known"],
  ["was opened before it was closed", opened(4_00n), [...Histories.claimed, Histories.won], "Known"],
  ["was closed already", closed("Won"), [...Histories.claimed, Histories.won], "Known"],

  ["disputes before the answer", opened(4_00n), Histories.sent, "Early WrongState"],
  ["disputes before the customer is back", opened(4_00n), Histories.away, "Early WrongState"],
  ["disputes before the capture", opened(4_00n), Histories.held, "Early WrongState"],
  ["disputes before the capture's answer", opened(4_00n), Histories.capturing, "Early AboveCaptured"],
  ["disputes what a void may not have stopped", opened(4_00n), Histories.voiding, "Early WrongState"],
  ["disputes what an open refund may not take", opened(10_00n), Histories.refunding, "Early AboveCaptured"],
  [
    "disputes again before the first was won",
    { ...opened(10_00n), dispute: DisputeId.make("dp_2") },
    Histories.claimed,
    "Early AboveCaptured"
  ],
  ["closes before it was opened", closed("Won"), Histories.paid, "Early UnknownDispute"],
  ["closes before the capture", closed("Won"), Histories.held, "Early WrongState"],
  [
    "captured by hand before the approval",
    about("auth/1", answers.captured(4_00n)),
    Histories.sent,
    "Early AnswerMismatch"
  ],
  [
    "captured by hand before the return",
    about("auth/1", answers.captured(4_00n)),
    Histories.away,
    "Early AnswerMismatch"
  ],
  [
    "captured a part, of the authorization, before the capture's answer",
    about("auth/1", answers.captured(4_00n)),
    Histories.capturing,
    "Early ContradictsRecord"
  ],
  [
    "sold, before the answer of the capture of a part",
    about("auth/1", answers.sold),
    Histories.capturingPart,
    "Early ContradictsRecord"
  ],

  ["declines what was approved", about("auth/1", answers.declined), Histories.held, "Contradiction ContradictsRecord"],
  [
    "approves what was declined",
    about("auth/1", answers.approved),
    Histories.refused,
    "Contradiction ContradictsRecord"
  ],
  [
    "declines while capturing",
    about("auth/1", answers.declined),
    Histories.capturing,
    "Contradiction ContradictsRecord"
  ],
  [
    "refunds what has failed",
    about("refund/1", answers.refunded),
    Histories.unrefunded,
    "Contradiction ContradictsRecord"
  ],
  [
    "captures another sum",
    about("capture/1", answers.captured(9_00n)),
    Histories.paid,
    "Contradiction ContradictsRecord"
  ],
  [
    "captures more than was authorized",
    about("capture/1", answers.captured(10_01n)),
    Histories.capturing,
    "Contradiction AboveAuthorized"
  ],
  [
    "sells what was captured in part",
    about("auth/1", answers.sold),
    Histories.paidLess,
    "Contradiction ContradictsRecord"
  ],
  ["sells what was given back", about("auth/1", answers.sold), Histories.released, "Contradiction ContradictsRecord"],
  ["voids an authorization", about("auth/1", answers.voided), Histories.sent, "Contradiction AnswerMismatch"],
  [
    "is about what never began",
    about("capture/2", answers.captured(1n)),
    Histories.paid,
    "Contradiction UnknownOperation"
  ],
  ["disputes more than was paid", opened(10_01n), Histories.paid, "Contradiction AboveCaptured"],
  [
    "disputes in another currency",
    { ...opened(1n), amount: usd(1n) },
    Histories.paid,
    "Contradiction CurrencyMismatch"
  ],
  ["disputes what was never captured", opened(1n), Histories.gaveUpRedirect, "Contradiction WrongState"],
  ["disputes what nobody paid", opened(1n), Histories.refused, "Contradiction WrongState"],
  ["wins what was lost", closed("Won"), [...Histories.claimed, Histories.lost], "Contradiction ContradictsRecord"]
]

describe("Notification.judge", () => {
  for (const [why, news, history, verdict] of verdicts) {
    it(`${verdict.toLowerCase()}: ${why}`, () => {
      assert.strictEqual(judged(news, history), verdict)
    })
  }

  it("hears a gateway about its own operations only", () => {
    const foreign: ReadonlyArray<readonly [Notification.News, History]> = verdicts.map(([, news, history]) => [
      news,
      history
    ])
    const unheard = foreign.filter(([news, history]) => /^(New|Known|Early)/.test(judged(news, history, plain)))
    assert.deepStrictEqual(unheard, [])
    assert.strictEqual(judged(about("auth/1", answers.approved), Histories.sent, plain), "Contradiction WrongGateway")
    assert.strictEqual(judged(opened(4_00n), Histories.paid, plain), "Contradiction WrongGateway")
    assert.strictEqual(judged(opened(4_00n), Histories.paidByPlain, plain), "New DisputeOpened")
  })

  it("knows the gateway of each attempt, and of what hangs below it", () => {
    const second = about("auth/2", answers.approved)
    assert.strictEqual(judged(second, Histories.retried, plain), "New Authorized")
    assert.strictEqual(judged(second, Histories.retried, able), "Contradiction WrongGateway")
    const first = about("auth/1", answers.declined)
    assert.strictEqual(judged(first, Histories.retried, able), "Known")
    assert.strictEqual(judged(first, Histories.retried, plain), "Contradiction WrongGateway")
    // Never begun by florin, but of its attempt.
    const confirmed = about("auth/1/confirm/7", answers.approved)
    assert.strictEqual(judged(confirmed, Histories.away, able), "New Authorized")
    assert.strictEqual(judged(confirmed, Histories.away, plain), "Contradiction WrongGateway")
  })

  it("counts one message that says pending once, and a further message that names another reference again", () => {
    const pending = (id: string, named = reference) =>
      told(about("auth/1", { ...answers.pending, reference: named }), able, id)
    const after = (history: History, message: Notification.Notification, at: Instant) => {
      const verdict = Notification.judge(message, history, at)
      return verdict._tag === "New" ? [...history, ...verdict.draft.events] : assert.fail(verdict._tag)
    }
    const other = Reference.make("ref_2")
    const first = after(Histories.sent, pending("evt_1"), at)
    assert.strictEqual(Notification.judge(pending("evt_1"), first, later)._tag, "Known")
    assert.strictEqual(Notification.judge(pending("evt_2"), first, later)._tag, "Known")
    const second = after(first, pending("evt_2", other), later)
    assert.strictEqual(Notification.judge(pending("evt_1"), second, plus(later, 1))._tag, "Known")
    assert.strictEqual(Notification.judge(pending("evt_2", other), second, plus(later, 1))._tag, "Known")
    // Another gateway's message may have the same id.
    const elsewhere = [...first, Histories.declined(), Histories.begun("pay_1/auth/2", "plain")]
    const namesake = told(about("auth/2", answers.pending), plain, "evt_1")
    assert.strictEqual(Notification.judge(namesake, elsewhere, at)._tag, "New")
  })

  it("records the message as the evidence of what it told", () => {
    const verdict = Notification.judge(told(about("auth/1", answers.approved)), Histories.inDoubt, later)
    const events = verdict._tag === "New" ? verdict.draft.events : []
    assert.deepStrictEqual<unknown>(events, [
      {
        _tag: "Authorized",
        operation: "pay_1/auth/1",
        reference: "ref_1",
        evidence: { _tag: "Webhook", gateway: "able", notification: "evt_9" },
        at: 1_700_000_001_000
      }
    ])
  })
})
