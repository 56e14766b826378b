/** The rules, in every state of a small world. What has to hold is said without asking the rules. */
import { assert, describe, it } from "@effect/vitest"
import { LedgerEvent } from "../../../src/domain/ledger/LedgerEvent.ts"
import * as LedgerAmount from "../../../src/domain/ledger/LedgerAmount.ts"
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import { Refusal } from "../../../src/domain/ledger/LedgerRefusal.ts"
import type { Move } from "./SmallWorld.ts"
import { clients, copy, explore, keyOf, txs } from "./SmallWorld.ts"

const shown = ({ asked, decision, from, to }: Move) =>
  JSON.stringify([asked, decision, keyOf(from), keyOf(to)], (_, value) =>
    typeof value === "bigint" ? `${value}` : value
  )

/** What an account has to hold, from nothing but the transactions that are on record. */
const owed = ({ entries }: LedgerBook.LedgerBook, client: number) => {
  let held = 0n
  let total = 0n
  let isFrozen = false
  for (const { amount, client: owner, dispute, kind } of entries.values()) {
    if (owner !== client) continue
    if (dispute === "open") held += amount
    if (dispute === "chargedBack") isFrozen = true
    if (kind === "deposit" && dispute !== "chargedBack") total += amount
    // A withdrawal under dispute is claimed by the client, and theirs again when it is charged back.
    if (kind === "withdrawal" && dispute !== "chargedBack" && dispute !== "open") total -= amount
  }
  return { held, total, isFrozen }
}

const findings = ({ asked, decision, from, to }: Move): ReadonlyArray<string> => {
  const found: Array<string> = []
  const expect = (holds: boolean, what: string) => holds || found.push(what)
  for (const client of clients) {
    const account = to.accounts.get(client)
    const before = from.accounts.get(client)
    const { held, isFrozen, total } = owed(to, client)
    expect(account !== undefined || before === undefined, "an account is never closed")
    expect(client === asked.client || account === before, "another client's account is as it was")
    if (account === undefined) {
      expect(total === 0n && held === 0n, "money without an account")
      continue
    }
    expect(account.held >= 0n, "held is not below zero")
    expect(account.held === held, "held is what is under dispute")
    expect(account.available + account.held === total, "the total is what came in and did not go out")
    expect(account.locked === isFrozen, "frozen by a chargeback and by nothing else")
    expect(account.locked || before?.locked !== true, "a frozen account stays frozen")
    for (const balance of [account.available, account.held, account.available + account.held])
      expect(balance <= LedgerAmount.max && balance >= -LedgerAmount.max, "a balance fits")
  }
  for (const tx of txs) {
    const [entry, before] = [to.entries.get(tx), from.entries.get(tx)]
    expect(tx === asked.tx || entry === before, "another transaction is as it was")
    if (before !== undefined) {
      const isSame = entry?.kind === before.kind && entry.client === before.client && entry.amount === before.amount
      expect(isSame, "an id is used once")
      expect(before.dispute !== "chargedBack" || entry?.dispute === "chargedBack", "what is charged back stays so")
    }
  }
  if (decision._tag === "Applied") {
    const copied = copy(from)
    LedgerBook.replay(copied, decision.event)
    expect(keyOf(copied) === keyOf(to), "the event replayed is the transaction applied")
    expect(decision.event.client === asked.client && keyOf(from) !== keyOf(to), "what is applied changes something")
  } else {
    expect(
      [...to.entries].every(([tx, entry]) => from.entries.get(tx) === entry),
      "a refused transaction is not kept"
    )
    const opened = [...to.accounts].filter(([client]) => !from.accounts.has(client))
    expect(opened.length === (decision.opens ? 1 : 0), "a refused transaction opens what it says")
    expect(
      opened.every(([, { available, held, locked }]) => available === 0n && held === 0n && !locked),
      "an opened account is empty"
    )
    expect(
      [...from.accounts].every(([client, account]) => to.accounts.get(client) === account),
      "no account changed"
    )
  }
  return found
}

/** What was seen on the way. */
const explored = (policy: LedgerPolicy.LedgerPolicy) => {
  const events = new Set<string>()
  const refusals = new Set<string>()
  const disputes = new Set<string>()
  const broken: Array<string> = []
  let overdrawn = 0
  const states = explore(policy, (move) => {
    if (broken.length < 3) broken.push(...findings(move).map((what) => `${what}: ${shown(move)}`))
    if (move.decision._tag === "Refused") {
      refusals.add(move.decision.refusal)
      if (move.decision.opens) events.add("Opened")
      return
    }
    events.add(move.decision.event._tag)
    const entry = move.to.entries.get(move.decision.event._tag === "Opened" ? -1 : move.decision.event.tx)
    disputes.add(`${entry?.kind} ${entry?.dispute}`)
    if (move.to.accounts.get(move.asked.client)!.available < 0n) overdrawn += 1
  })
  return { broken, disputes: [...disputes], events: [...events], overdrawn, refusals: [...refusals], states }
}

const deposits = ["deposit none", "deposit open", "deposit resolved", "deposit chargedBack"]
const withdrawals = ["withdrawal open", "withdrawal resolved", "withdrawal chargedBack"]

describe("The rules, in every state of a small world", () => {
  it("hold under the standard policy, which reaches every event, every refusal and every state of a dispute", () => {
    const { broken, disputes, events, overdrawn, refusals, states } = explored(LedgerPolicy.standard)
    assert.deepStrictEqual(broken, [])
    assert.sameMembers(events, Object.keys(LedgerEvent.cases))
    assert.sameMembers(refusals, [...Refusal.literals])
    assert.sameMembers(disputes, [...deposits, "withdrawal none"])
    assert.isAbove(overdrawn, 100)
    assert.strictEqual(states, 6012)
  })

  it("hold when withdrawals can be disputed too", () => {
    const { broken, disputes, states } = explored({ ...LedgerPolicy.standard, disputable: "all" })
    assert.deepStrictEqual(broken, [])
    assert.sameMembers(disputes, [...deposits, "withdrawal none", ...withdrawals])
    assert.strictEqual(states, 13_176)
  })

  it("hold when every choice is the other one, and no account is below zero then", () => {
    const opposite: LedgerPolicy.LedgerPolicy = {
      frozenDeposits: "refuse",
      frozenWithdrawals: "accept",
      frozenDisputes: "refuse",
      disputable: "all",
      spentDisputes: "refuse",
      repeatedDisputes: "refuse",
      unseenWithdrawals: "ignore"
    }
    const { broken, overdrawn, states } = explored(opposite)
    assert.deepStrictEqual(broken, [])
    assert.deepStrictEqual({ overdrawn, states }, { overdrawn: 0, states: 5107 })
  })
})
