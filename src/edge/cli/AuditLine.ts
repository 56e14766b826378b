/** An entry of the audit log as one line of a table. */
import { DateTime, Option } from "effect"
import type { Link } from "../../domain/audit/AuditChain.ts"
import * as AuditChain from "../../domain/audit/AuditChain.ts"
import type { Entry, Outcome, Request } from "../../domain/audit/AuditEntry.ts"
import * as Money from "../../domain/Money.ts"

const row = (sequence: string, at: string, who: string, from: string, payment: string, what: string) =>
  [sequence.padStart(7), at.padEnd(24), who.padEnd(18), from.padEnd(20), payment.padEnd(30), what].join("  ")

export const heading = row("entry", "at", "who", "from", "payment", "what")

export const of = (link: Link): string =>
  Option.match(AuditChain.entryOf(link), {
    onNone: () => row(String(link.sequence), "", "", "", "", "unreadable"),
    onSome: (entry) => {
      const { actor, origin } = entry._tag === "Asked" ? entry.caller : { actor: "", origin: "" }
      const at = DateTime.formatIso(DateTime.makeUnsafe(entry.at))
      return row(String(link.sequence), at, actor, origin, entry.payment ?? "", whatOf(entry))
    }
  })

const whatOf = (entry: Entry): string =>
  entry._tag === "Asked" ? requestOf(entry.request) : `${entry.asked}: ${outcomeOf(entry.outcome)}`

const amountOf = (amount: Money.Money | undefined) =>
  amount === undefined ? "all" : `${Money.format(amount)} ${amount.currency}`

const requestOf = (request: Request): string => {
  switch (request._tag) {
    case "Create":
      return `create ${amountOf(request.amount)}, captured ${request.capture === "automatic" ? "automatically" : "later"}`
    case "Capture":
      return `capture ${amountOf(request.amount)}${request.final ? "" : ", more to come"}`
    case "Refund":
      return `refund ${amountOf(request.amount)}`
    case "Cancel":
      return "cancel"
    case "CompleteAction":
      return "complete the customer's action"
    case "Decide":
      return `${request.operator} decides that ${request.operation} is ${request.answer}: ${request.reason}`
    case "Operate":
      return request.what
  }
}

const outcomeOf = (outcome: Outcome): string => {
  switch (outcome._tag) {
    case "Accepted": {
      const { replayed = false, settled, status, version } = outcome
      return `accepted, ${status} at version ${version}${settled ? "" : ", on its way"}${replayed ? ", a repeat" : ""}`
    }
    case "Done":
      return "done"
    case "Refused":
      return `refused in ${outcome.state}: ${outcome.rule}`
    case "KeyReused":
      return `refused, the key names another request: ${outcome.field} differs`
    case "InFlight":
      return "refused, the first request of this key has no answer yet"
    case "NotFound":
      return "no such payment"
    case "Unavailable":
      return `could not be answered: ${outcome.because}`
    case "Abandoned":
      return "the caller went away"
    case "Broken":
      return "failed on a bug"
  }
}
