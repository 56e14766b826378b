import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { plus } from "../../../src/domain/Instant.ts"
import { Answer, MethodToken } from "../../../src/domain/payment/Gateway.ts"
import * as Operation from "../../../src/domain/payment/Operation.ts"
import type * as Sandbox from "../../../src/infra/simulated/Sandbox.ts"
import { lookupLagMillis } from "../../../src/infra/simulated/Sandbox.ts"
import * as SandboxCharge from "../../../src/infra/simulated/SandboxCharge.ts"
import { capabilities } from "../../../src/infra/simulated/SandboxGateway.ts"
import type { SandboxRequest } from "../../../src/infra/simulated/SandboxRequest.ts"
import * as SandboxToken from "../../../src/infra/simulated/SandboxToken.ts"
import type { Books } from "./SandboxWorld.ts"
import {
  at,
  authorize,
  capture,
  confirm,
  empty,
  eur,
  explore,
  key,
  lookup,
  reference,
  refund,
  release,
  send
} from "./SandboxWorld.ts"

const tokens = [...Object.keys(SandboxToken.table), "tok_nobody_ever_issued"]
const day = 86_400_000

/** Sends one after the other, and what each was told: the answer's tag, or the failure. */
const told = (
  requests: ReadonlyArray<SandboxRequest>,
  rules = capabilities,
  from: Books = empty
): { readonly words: ReadonlyArray<string>; readonly books: Books } => {
  let books = from
  const words = requests.map((request) => {
    const step = send(books, request, rules)
    books = step.books
    return wordOf(step.reply)
  })
  return { words, books }
}
const wordOf = (reply: Sandbox.Reply): string =>
  reply._tag === "Answered" ? reply.answer._tag : reply._tag === "Failed" ? reply.failure : reply._tag

const looked = (books: Books, path: string, rules = capabilities, now = at) => lookup(books, key(path), rules, now)
const seen = (found: Sandbox.Looked): string => (found._tag === "Found" ? found.answer._tag : found._tag)

const chargeOf = (books: Books) => books.charges.get(reference)

/** Whether a capture after these is refused because the hold is gone; `undefined` if it is not refused. */
const goneAfter = (token: string, ...requests: ReadonlyArray<SandboxRequest>) => {
  const { reply } = send(told([authorize(token), ...requests]).books, capture(1n, 9), capabilities)
  return reply._tag === "Answered" && reply.answer._tag === "Refused" ? reply.answer.authorizationGone : undefined
}

/** Where an authorization that has a way back sends its customer. */
const pageOf = (returnUrl: string | undefined) => {
  const { reply } = send(empty, authorize("tok_3ds", { returnUrl }), capabilities)
  return reply._tag === "Answered" && reply.answer._tag === "ActionRequired" ? reply.answer.action.url : undefined
}

// --- The documented table ---------------------------------------------------

describe("SandboxToken", () => {
  const hold = ["Approved"]
  const table: Record<string, ReadonlyArray<string>> = {
    tok_visa: hold,
    tok_mastercard: hold,
    tok_amex: hold,
    tok_declined_insufficient_funds: ["Declined"],
    tok_declined_expired_card: ["Declined"],
    tok_declined_issuer_unavailable: ["Declined"],
    tok_declined_stolen: ["Declined"],
    tok_declined_unknown: ["Declined"],
    tok_3ds: ["ActionRequired"],
    tok_3ds_fails: ["ActionRequired"],
    tok_3ds_abandoned: ["ActionRequired"],
    tok_pending: ["Pending"],
    tok_timeout_before: ["hang", "Approved"],
    tok_timeout_after: ["hang", "Approved"],
    tok_lost_answer: ["drop", "Approved"],
    tok_500_before: ["serverError", "Approved"],
    tok_500_after: ["serverError", "Approved"],
    tok_throttled: ["throttle", "throttle", "Approved"],
    tok_slow: hold,
    tok_unreachable: ["refuse", "refuse", "refuse", "refuse"],
    tok_never_answers: ["drop", "drop", "drop", "drop"],
    tok_capture_refused: hold,
    tok_capture_lost_answer: hold,
    tok_authorization_expired: hold,
    tok_refund_refused: hold,
    tok_refund_lost_answer: hold,
    tok_void_lost_answer: hold,
    tok_nobody_ever_issued: ["Declined"]
  }

  it("says what sending an authorization again and again is told", () => {
    assert.sameMembers(Object.keys(table), tokens)
    for (const [token, expected] of Object.entries(table)) {
      const last = expected.at(-1)!
      const { words } = told(Array.from({ length: 4 }, () => authorize(token)))
      assert.deepStrictEqual(words, [...expected, ...Array.from({ length: 4 - expected.length }, () => last)], token)
    }
  })

  it("has acted on the first send of those that fail after acting, and of no other", () => {
    const after = ["tok_timeout_after", "tok_lost_answer", "tok_500_after", "tok_never_answers"]
    const before = ["tok_timeout_before", "tok_500_before", "tok_throttled", "tok_unreachable"]
    for (const token of [...after, ...before]) {
      const { books } = told([authorize(token)])
      assert.strictEqual(chargeOf(books)?.status, after.includes(token) ? "authorized" : undefined, token)
    }
  })

  it("has heard nothing of what was refused a connection", () => {
    assert.deepStrictEqual(told([authorize("tok_unreachable")]).books, empty)
  })

  it("sends the holder of every card it issued to their bank when told to, and nobody else", () => {
    for (const token of tokens) {
      const { words } = told(Array.from({ length: 4 }, () => authorize(token, { challenge: true })))
      const expected = table[token]!.map((word) =>
        ["Approved", "Declined", "Pending"].includes(word) ? "ActionRequired" : word
      )
      assert.strictEqual(
        words.at(-1),
        SandboxToken.isKnown(MethodToken.make(token)) ? expected.at(-1) : "Declined",
        token
      )
    }
  })

  const later: ReadonlyArray<readonly [string, ReadonlyArray<SandboxRequest>, ReadonlyArray<string>]> = [
    ["tok_visa", [capture(1n), release(), capture(1n, 2)], ["Captured", "Captured", "Refused"]],
    [
      "tok_visa",
      [capture(1n), refund(1n), capture(1n, 2), refund(1n, 2)],
      ["Captured", "Refunded", "Captured", "Refunded"]
    ],
    ["tok_visa", [release(), release(2), refund(1n)], ["Voided", "Voided", "Refused"]],
    ["tok_declined_stolen", [confirm(), release(), refund(1n)], ["Declined", "Refused", "Refused"]],
    ["tok_capture_refused", [capture(2n), capture(2n, 2)], ["Refused", "Refused"]],
    ["tok_capture_lost_answer", [capture(1n), capture(1n), capture(1n, 2)], ["drop", "Captured", "drop"]],
    ["tok_authorization_expired", [capture(1n), release()], ["Refused", "Refused"]],
    ["tok_authorization_expired", [release()], ["Voided"]],
    ["tok_refund_refused", [capture(2n), refund(1n)], ["Captured", "Refused"]],
    ["tok_refund_lost_answer", [capture(2n), refund(1n), refund(1n)], ["Captured", "drop", "Refunded"]],
    ["tok_void_lost_answer", [release(), release()], ["drop", "Voided"]],
    ["tok_3ds", [confirm(), capture(2n)], ["Approved", "Captured"]],
    ["tok_3ds_fails", [confirm(), capture(2n)], ["Declined", "Refused"]],
    ["tok_3ds_abandoned", [confirm(), release(), confirm(2)], ["ActionRequired", "Voided", "Declined"]],
    ["tok_pending", [capture(2n), release()], ["Refused", "Refused"]]
  ]
  it("says what becomes of the hold", () => {
    for (const [token, requests, expected] of later) {
      const { words } = told(requests, capabilities, told([authorize(token)]).books)
      assert.deepStrictEqual(words, expected, token)
    }
  })

  it("tells a hold that is gone from one that stands", () => {
    assert.isTrue(goneAfter("tok_authorization_expired"))
    assert.isTrue(goneAfter("tok_visa", release()))
    assert.isTrue(goneAfter("tok_declined_stolen"))
    assert.isFalse(goneAfter("tok_capture_refused"))
    assert.isFalse(goneAfter("tok_visa", capture(2n)))
  })

  it("answers tok_slow's first send late, and no other", () => {
    const first = send(empty, authorize("tok_slow"), capabilities)
    const second = send(first.books, authorize("tok_slow"), capabilities)
    const other = send(first.books, capture(2n), capabilities)
    const delays = [first, second, other].map(({ reply }) => reply._tag === "Answered" && reply.delayMillis)
    assert.deepStrictEqual(delays, [2000, 0, 0])
  })

  it("approves tok_pending from its second lookup on, and counts in the books", () => {
    const first = looked(told([authorize("tok_pending")]).books, "auth/1")
    const second = looked(first.books, "auth/1")
    assert.deepStrictEqual(
      [first, second].map((one) => seen(one.looked)),
      ["Pending", "Approved"]
    )
    assert.strictEqual(chargeOf(second.books)?.status, "authorized")
    assert.deepStrictEqual(told([authorize("tok_pending"), capture(2n)], capabilities, second.books).words, [
      "Approved",
      "Captured"
    ])
  })

  it("declines an amount that is none", () => {
    for (const minor of [0n, -1n]) {
      const { books, reply } = send(empty, authorize("tok_visa", { amount: eur(minor) }), capabilities)
      assert.strictEqual(
        reply._tag === "Answered" && reply.answer._tag === "Declined" && reply.answer.decline.code,
        "13"
      )
      assert.strictEqual(chargeOf(books)?.status, "declined")
    }
  })
})

// --- Keys -------------------------------------------------------------------

describe("Sandbox keys", () => {
  it("answers a key as before until its retention ends, and then charges anew", () => {
    const first = send(empty, authorize("tok_visa"), capabilities)
    const kept = send(first.books, authorize("tok_visa"), capabilities, plus(at, day - 1))
    assert.deepStrictEqual(kept.reply, first.reply)
    assert.strictEqual(kept.books.charges.size, 1)
    const forgotten = send(kept.books, authorize("tok_visa"), capabilities, plus(at, day))
    assert.deepStrictEqual([...forgotten.books.charges.keys()], [reference, "ch_1_auth_1-2"])
    // The new run has a retention of its own.
    const again = send(forgotten.books, authorize("tok_visa"), capabilities, plus(at, 2 * day - 1))
    assert.strictEqual(again.books.charges.size, 2)
  })

  it("captures anew under a forgotten key, but never more than was authorized", () => {
    const first = told([authorize("tok_visa"), capture(1n)]).books
    const second = send(first, capture(1n), capabilities, plus(at, day))
    assert.strictEqual(chargeOf(second.books)?.capturedMinor, 2n)
    const third = send(second.books, capture(1n), capabilities, plus(at, 2 * day))
    assert.strictEqual(wordOf(third.reply), "Refused")
  })

  it("finds an operation however long ago its key was forgotten", () => {
    const { books } = told([authorize("tok_visa")])
    assert.strictEqual(seen(looked(books, "auth/1", capabilities, plus(at, 30 * day)).looked), "Approved")
  })

  it("knows no keys where the retention is nothing, and still gets over its faults", () => {
    const keyless = { ...capabilities, idempotencyKey: { ...capabilities.idempotencyKey, retentionMillis: 0 } }
    const { books, words } = told([authorize("tok_timeout_before"), authorize("tok_timeout_before")], keyless)
    assert.deepStrictEqual(words, ["hang", "Approved"])
    assert.strictEqual(told([authorize("tok_timeout_before")], keyless, books).books.charges.size, 2)
  })

  it("says which parameter differs, and that a key is too long", () => {
    const { books } = told([authorize("tok_visa")])
    const other = send(books, authorize("tok_visa", { amount: eur(1n) }), capabilities).reply
    assert.deepStrictEqual(other, { _tag: "KeyMisused", detail: "the key stands for another amount.minor" })
    const short = { ...capabilities, idempotencyKey: { ...capabilities.idempotencyKey, maxLength: 11 } }
    const long = { _tag: "KeyMisused", detail: "the key is longer than 11" } as const
    assert.strictEqual(wordOf(send(empty, { ...authorize("tok_visa"), key: key("a/123") }, short).reply), "Approved")
    assert.deepStrictEqual(send(empty, { ...authorize("tok_visa"), key: key("auth/12") }, short).reply, long)
  })

  it("repeats a 5xx for as long as the key lives where errors are stored under it", () => {
    const storing = { ...capabilities, idempotencyKey: { ...capabilities.idempotencyKey, storesErrors: true } }
    for (const [token, found] of [
      ["tok_500_before", "NotFound"],
      ["tok_500_after", "Approved"]
    ] as const) {
      const { books, words } = told([authorize(token), authorize(token), authorize(token)], storing)
      assert.deepStrictEqual(words, ["serverError", "serverError", "serverError"])
      assert.strictEqual(seen(looked(books, "auth/1", storing).looked), found)
      assert.strictEqual(wordOf(send(books, authorize(token), storing, plus(at, day)).reply), "Approved")
    }
  })

  it("says not found of what an eventual lookup has not heard of yet", () => {
    const eventual = { ...capabilities, lookup: "eventual" } as const
    const { books } = told([authorize("tok_visa")])
    const moments = [at, plus(at, lookupLagMillis - 1), plus(at, lookupLagMillis)]
    const words = moments.map((now) => seen(looked(books, "auth/1", eventual, now).looked))
    assert.deepStrictEqual(words, ["NotFound", "NotFound", "Approved"])
  })
})

// --- The customer's way back ------------------------------------------------

describe("the customer's page", () => {
  it("carries the way back, escaped", () => {
    assert.strictEqual(pageOf(undefined), "/3ds/ch_1_auth_1")
    assert.strictEqual(
      pageOf("https://shop.example/?a=1&b=2"),
      `/3ds/ch_1_auth_1?return=${encodeURIComponent("https://shop.example/?a=1&b=2")}`
    )
  })

  it("always fits an action, however long the way back is", () => {
    for (const length of [10, 500, 900, 2048]) {
      const returnUrl = `https://shop.example/${"&".repeat(length)}`.slice(0, 2048)
      const action = { type: "redirect", url: `https://${"o".repeat(200)}.example${pageOf(returnUrl)}` }
      assert.isTrue(Schema.is(Answer)({ _tag: "ActionRequired", reference, action }), String(length))
    }
  })
})

// --- Every reachable state --------------------------------------------------

const worlds = [
  ...tokens.map((token) => explore(token, capabilities)),
  ...["tok_visa", "tok_declined_stolen", "tok_pending", "tok_nobody_ever_issued"].map((token) =>
    explore(token, capabilities, { challenge: true })
  ),
  explore("tok_visa", capabilities, { size: "many" }),
  explore("tok_visa", { ...capabilities, multipleCaptures: false, partialRefund: false })
]
const states = worlds.flatMap((world) => world.states)
const moves = worlds.flatMap((world) => world.moves)
const looks = worlds.flatMap((world) => world.looks)

/** What the stored answers add up to, which is what callers believe. */
const sum = ({ operations }: Books, tag: "Captured" | "Refunded") => {
  let total = 0n
  for (const { answer, fingerprint, kind } of operations.values()) {
    if (kind !== (tag === "Captured" ? "capture" : "refund") || answer?._tag !== tag) continue
    total += BigInt((JSON.parse(fingerprint) as { amount: { minor: string } }).amount.minor)
  }
  return total
}

describe("Sandbox, in every reachable state", () => {
  it("visits every status, every kind of answer to every request, every failure and every reply", () => {
    const statuses = new Set(states.flatMap(({ charges }) => [...charges.values()].map(({ status }) => status)))
    assert.sameMembers([...statuses], [...SandboxCharge.Status.literals])
    assert.sameMembers(
      [...new Set(moves.map(({ reply }) => reply._tag))],
      ["Answered", "Failed", "KeyMisused", "NoSuchCharge"]
    )
    const failures = new Set(moves.flatMap(({ reply }) => (reply._tag === "Failed" ? [reply.failure] : [])))
    assert.sameMembers([...failures], ["hang", "drop", "serverError", "throttle", "refuse"])
    const kinds = ["authorize", "confirm", "capture", "void", "refund"] as const
    for (const kind of kinds) {
      const answers = moves.flatMap(({ reply, request }) =>
        request.kind === kind && reply._tag === "Answered" ? [reply.answer._tag] : []
      )
      const expected = Operation.accepts[kind].filter(
        (tag) => kind === "authorize" || kind === "confirm" || tag !== "Pending"
      )
      assert.sameMembers([...new Set(answers)], expected, kind)
    }
    assert.sameMembers([...new Set(looks.map((look) => look.looked._tag))], ["Found", "NotFound", "Failed"])
  })

  it("holds at most one charge, whatever is sent again", () => {
    for (const { charges } of states) assert.isAtMost(charges.size, 1)
  })

  it("captures at most what was authorized, refunds at most what was captured, and nothing that nobody was told", () => {
    for (const books of states) {
      const charge = chargeOf(books)
      if (charge === undefined) continue
      const { amountMinor, capturedMinor, refundedMinor } = charge
      assert.isTrue(0n <= refundedMinor && refundedMinor <= capturedMinor && capturedMinor <= amountMinor)
      assert.strictEqual(capturedMinor, sum(books, "Captured"))
      assert.strictEqual(refundedMinor, sum(books, "Refunded"))
    }
    assert.isTrue(states.some((books) => (chargeOf(books)?.refundedMinor ?? 0n) === 2n))
  })

  it("moves only along the diagram at the top of SandboxCharge.ts", () => {
    const edges = new Set(
      [...moves, ...looks].flatMap(({ from, to }) => {
        const [before, after] = [chargeOf(from)?.status ?? "none", chargeOf(to)?.status ?? "none"]
        return before === after ? [] : [`${before} -> ${after}`]
      })
    )
    assert.sameMembers(
      [...edges],
      [
        "none -> requires_action",
        "none -> pending",
        "none -> authorized",
        "none -> declined",
        "requires_action -> pending",
        "requires_action -> authorized",
        "requires_action -> declined",
        "requires_action -> voided",
        "pending -> authorized",
        "authorized -> captured",
        "authorized -> voided",
        "authorized -> expired"
      ]
    )
  })

  it("gives a key that was acted on its stored answer, and moves nothing", () => {
    let repeated = 0
    for (const { from, reply, request, to } of moves) {
      const stored = from.operations.get(request.key)
      if (stored?.answer === undefined) continue
      repeated++
      assert.strictEqual(chargeOf(to), chargeOf(from))
      assert.strictEqual(to.operations.get(request.key)?.answer, stored.answer)
      if (reply._tag === "Answered") assert.strictEqual(reply.answer, stored.answer)
    }
    assert.isAbove(repeated, 10_000)
  })

  it("changes nothing at all for a key that is misused or a charge that is not there", () => {
    for (const { from, reply, request, to } of moves) {
      if (reply._tag !== "KeyMisused" && reply._tag !== "NoSuchCharge") continue
      assert.strictEqual(chargeOf(to), chargeOf(from))
      assert.strictEqual(to.operations.get(request.key), from.operations.get(request.key))
    }
  })

  it("an answer that was lost is what the next send under its key is told, or never told at all", () => {
    let ended = 0
    for (const { reply, request, to } of moves) {
      if (reply._tag !== "Failed" || (request.kind === "authorize" && request.method === "tok_never_answers")) continue
      const after = to.operations.get(request.key)
      if (after?.answer === undefined) continue
      const again = send(to, request, capabilities).reply
      assert.strictEqual(again._tag === "Answered" && again.answer, after.answer)
      ended++
    }
    assert.isAbove(ended, 100)
  })

  it("finds by a lookup what the key would be answered, and nothing where nothing was done", () => {
    assert.isAbove(looks.length, 10_000)
    for (const { from, key, looked, to } of looks) {
      const stored = from.operations.get(key)
      if (looked._tag === "NotFound") assert.isUndefined(stored?.answer)
      if (looked._tag === "Found") assert.strictEqual(looked.answer, to.operations.get(key)?.answer)
      if (stored?.answer?._tag !== "Pending") assert.strictEqual(chargeOf(to), chargeOf(from))
    }
  })
})
