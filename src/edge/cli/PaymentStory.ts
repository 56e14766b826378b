/**
 * One payment as an operator reads it: what it is, what happened and how long
 * each step took, what was asked of its gateways, and what is owed next.
 *
 * Pure: moments and the plan's policy are given.
 */
import { DateTime } from "effect"
import type { Instant } from "../../domain/Instant.ts"
import * as Money from "../../domain/Money.ts"
import type { Evidence } from "../../domain/payment/Evidence.ts"
import type { OperationHistory } from "../../domain/payment/OperationHistory.ts"
import * as OperationHistories from "../../domain/payment/OperationHistory.ts"
import * as Payment from "../../domain/payment/Payment.ts"
import type { Command } from "../../domain/payment/PaymentCommand.ts"
import * as PaymentDraft from "../../domain/payment/PaymentDraft.ts"
import type { Event } from "../../domain/payment/PaymentEvent.ts"
import type { Next, Policy } from "../../domain/payment/PaymentPlan.ts"
import { next } from "../../domain/payment/PaymentPlan.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"

// --- Moments ----------------------------------------------------------------

export const iso = (at: Instant): string => DateTime.formatIso(DateTime.makeUnsafe(at))

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000]
] as const

/** `25 ms`, `1.5 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: two units at most. */
export const duration = (millis: number): string => {
  if (millis < 1000) return `${millis} ms`
  if (millis < 60_000) return `${Math.floor(millis / 100) / 10} s`
  const first = units.findIndex(([, length]) => millis >= length)
  const [unit, length] = units[first]!
  const [smaller, smallerLength] = units[first + 1]!
  const rest = Math.floor((millis % length) / smallerLength)
  return `${Math.floor(millis / length)} ${unit}${rest === 0 ? "" : ` ${rest} ${smaller}`}`
}

// --- Events -----------------------------------------------------------------

const money = (amount: Money.Money) => `${Money.format(amount)} ${amount.currency}`

const words = (...parts: ReadonlyArray<string | undefined>) =>
  parts.filter((part) => part !== undefined && part !== "").join(", ")

/** How it is known. */
export const evidence = (of: Evidence): string => {
  switch (of._tag) {
    case "GatewayAnswer":
      return `answered by ${of.gateway}`
    case "Lookup":
      return `looked up at ${of.gateway}`
    case "Webhook":
      return `notified by ${of.gateway} (${of.notification})`
    case "Operator":
      return `decided by ${of.name}: ${of.reason}`
  }
}

const amountOf = (event: Event): string | undefined =>
  "amount" in event ? money(event.amount) : event._tag === "Initiated" ? money(event.order.amount) : undefined

/** What is particular to an event beside its operation, amount and evidence. */
const particulars = (event: Event): string => {
  switch (event._tag) {
    case "Initiated":
      return words(`${event.order.capture} capture`, event.screening ? "to be screened" : undefined)
    case "Screened":
      return words(event.verdict, ...event.reasons.map(({ _tag }) => _tag))
    case "AuthorizationBegun":
      return words(
        `at ${event.gateway}`,
        `method ${event.method + 1}`,
        ...event.routing.reasons.map(({ _tag }) => _tag)
      )
    case "ActionRequired":
      return words(event.action.type, event.expiresAt === undefined ? undefined : `until ${iso(event.expiresAt)}`)
    case "Authorized":
      return words(event.reference, event.expiresAt === undefined ? undefined : `until ${iso(event.expiresAt)}`)
    case "AuthorizationDeclined":
      return words(`${event.decline.code} (${event.decline.category})`, event.decline.advice)
    case "CaptureBegun":
      return event.final ? "final" : "more may follow"
    case "Captured":
    case "Refunded":
      return event.reference ?? ""
    case "CaptureFailed":
      return words(event.code, event.authorizationGone ? "the hold is gone" : undefined)
    case "VoidFailed":
    case "RefundFailed":
      return event.code
    case "VoidBegun":
      return event.reason
    case "RefundBegun":
    case "CancelRequested":
    case "Cancelled":
    case "DisputeOpened":
      return event.reason ?? ""
    case "DisputeWon":
    case "DisputeLost":
      return event.dispute
    case "OperationNotSent":
      return event.reason
    case "OperationDoubted":
      return `${event.asked}: ${event.reason}`
    case "OperationEscalated":
      return words(event.reason, event.detail)
    case "Failed":
      return event.reason._tag
    case "ActionCompleted":
    case "Voided":
    case "OperationResumed":
    case "OperationPending":
    case "Expired":
      return ""
  }
}

/** Everything about an event but its name and its moment. */
export const detail = (event: Event): string =>
  words(
    "operation" in event ? event.operation : undefined,
    amountOf(event),
    particulars(event),
    "evidence" in event && event.evidence !== undefined ? evidence(event.evidence) : undefined
  )

// --- Operations -------------------------------------------------------------

/** How an operation ended, or where it stands. */
export const standing = ({ end }: OperationHistory): string => {
  if (end._tag === "Answered") {
    return words(end.answer, end.evidence === undefined ? undefined : evidence(end.evidence))
  }
  if (end._tag === "NotSent") return `not sent: ${end.reason}`
  const { standing } = end.operation
  switch (standing._tag) {
    case "InFlight":
      return `in flight, by ${standing.by}`
    case "NotSent":
      return `not sent yet: ${standing.reason}`
    case "InDoubt":
      return `in doubt: ${standing.reason}, asked ${standing.asks} times, last at ${iso(standing.askedAt)}`
    case "Pending":
      return `pending at the gateway since ${iso(standing.since)}, asked ${standing.asks} times`
    case "Escalated":
      return `waits for an operator since ${iso(standing.at)}: ${standing.reason}`
  }
}

// --- What is owed -----------------------------------------------------------

export interface Owed {
  /** What is to be done. */
  readonly what: string
  /** Since when it is owed; absent when it is not owed yet. */
  readonly since: Instant | undefined
  /** When it is to be done; absent when now. */
  readonly until: Instant | undefined
}

/** The plan's next step, in words; nothing when the payment is at rest. */
export const owed = (draft: PaymentDraft.Draft, at: Instant, policy: Policy): Owed | undefined => {
  const { state, updatedAt = at } = draft
  const now = next(state, at, policy)
  switch (now._tag) {
    case "Rest": {
      const escalated = Payment.openOperations(state).find((one) => one.standing._tag === "Escalated")
      return escalated?.standing._tag === "Escalated"
        ? { what: `an operator's decision about ${escalated.id}`, since: escalated.standing.at, until: undefined }
        : undefined
    }
    case "Wait":
      return { what: step(next(state, now.until, policy)), since: undefined, until: now.until }
    case "Decide":
    case "Perform": {
      const before = next(state, updatedAt, policy)
      const since = before._tag === "Wait" && before.until <= at ? before.until : updatedAt
      return { what: step(now), since, until: undefined }
    }
  }
}

const step = (of: Next): string => {
  switch (of._tag) {
    case "Decide":
      return decision(of.command)
    case "Perform":
      return of.step._tag === "Screen"
        ? "screen the order"
        : `${of.step._tag === "Send" ? "send" : "look up"} ${of.step.call.operation} at ${of.step.call.gateway}`
    case "Wait":
      return "go on waiting"
    case "Rest":
      return "nothing"
  }
}

const decision = (command: Command): string => {
  switch (command._tag) {
    case "BeginAuthorization":
      return `authorize at ${command.gateway} with method ${command.method + 1}`
    case "TakeOver":
      return `take ${command.operation} over from its run, unless that is at it still`
    case "Resume":
      return `send ${command.operation} again`
    case "Escalate":
      return `hand ${command.operation} to an operator: ${command.reason}`
    case "Void":
      return `void the hold: ${command.reason}`
    case "Capture":
      return "capture all that is held"
    case "Cancel":
      return "cancel it, as it was asked for"
    case "Expire":
      return "let it expire: it was never begun"
    case "Fail":
      return "end it as failed: nothing is left to try"
    case "Initiate":
    case "RecordScreening":
    case "CompleteAction":
    case "Refund":
    case "RecordAnswer":
    case "RecordNotSent":
    case "RecordDoubt":
    case "RecordNotFound":
    case "OpenDispute":
    case "CloseDispute":
      // News and wishes come from outside; the plan never owes them.
      return command._tag
  }
}

// --- The whole --------------------------------------------------------------

export interface Story {
  readonly view: PaymentView
  readonly history: ReadonlyArray<Event>
  readonly operations: ReadonlyArray<OperationHistory>
  readonly owed: Owed | undefined
}

/** From its events alone: the read model has no part in it. */
export const of = (history: ReadonlyArray<Event>, at: Instant, policy: Policy): Story => {
  const draft = PaymentDraft.of(history)
  return {
    view: PaymentDraft.view(draft)!,
    history,
    operations: OperationHistories.of(history),
    owed: owed(draft, at, policy)
  }
}

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = rows.reduce<ReadonlyArray<number>>(
    (widest, row) => row.map((cell, index) => Math.max(widest[index] ?? 0, cell.length)),
    []
  )
  return rows.map((row) => `  ${row.map((cell, index) => cell.padEnd(widths[index]!)).join("  ")}`.trimEnd())
}

const sums = ({ authorizedMinor, capturedMinor, currency, disputedMinor, refundedMinor }: PaymentView) =>
  Object.entries({
    authorized: authorizedMinor,
    captured: capturedMinor,
    refunded: refundedMinor,
    disputed: disputedMinor
  })
    .map(([what, minor]) => `${what} ${Money.format(Money.of(currency, minor))}`)
    .join(", ")

const owedLines = (of: Owed | undefined, at: Instant): ReadonlyArray<string> => {
  if (of === undefined) return ["  nothing"]
  if (of.until !== undefined) return [`  ${of.what}`, `  not before ${iso(of.until)}, in ${duration(of.until - at)}`]
  const { since = at } = of
  return [`  ${of.what}`, `  since ${iso(since)}, for ${duration(Math.max(0, at - since))}`]
}

export const toText = ({ history, operations, owed, view }: Story, at: Instant): string => {
  const { amountMinor, currency, customer, escalated, failure, gateway, id, merchant, method, status } = view
  const started = history[0]!.at
  return [
    `${id}  ${status}${escalated ? " (escalated)" : ""}  ${money(Money.of(currency, amountMinor))}`,
    `  ${sums(view)}`,
    `  ${words(`merchant ${merchant}`, customer && `customer ${customer}`, gateway && `gateway ${gateway}`, method && `method ${method}`, failure && `failure ${failure.code}`)}`,
    "",
    "timeline",
    ...table(
      history.map((event, index) => [
        String(index + 1),
        iso(event.at),
        index === 0 ? "" : `+${duration(event.at - history[index - 1]!.at)}`,
        event._tag,
        detail(event)
      ])
    ),
    `  in all ${duration(history.at(-1)!.at - started)}`,
    "",
    "operations at gateways",
    ...(operations.length === 0 ? ["  none"] : []),
    ...operations.flatMap((operation) => [
      ...table([[operation.call.operation, operation.call._tag, `at ${operation.call.gateway}`, standing(operation)]]),
      `    begun ${iso(operation.begunAt)}, sent as new ${operation.sends === 1 ? "once" : `${operation.sends} times`}`,
      ...operation.doubts.map(({ asked, at, reason }) => `    doubt ${iso(at)}, ${asked}: ${reason}`)
    ]),
    "",
    "owed next",
    ...owedLines(owed, at)
  ].join("\n")
}
