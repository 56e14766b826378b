/** A flow as a command shows it: what was asked, each thing that happened, its context, and what is owed. */
import { DateTime } from "effect"
import * as FlowError from "../../domain/flow/FlowError.ts"
import type { Event } from "../../domain/flow/FlowEvent.ts"
import type { Entries } from "../../domain/flow/FlowContext.ts"
import type { Summary } from "../../adapters/FlowStore.ts"
import type { Instant } from "../../domain/Instant.ts"
import * as FlowState from "../../domain/flow/FlowState.ts"

export const iso = (at: Instant) => DateTime.formatIso(DateTime.makeUnsafe(at))

export const toJson = ({ context, dispatchedAt, due, id, name, status, worker }: Summary) => ({
  id,
  name,
  status,
  worker,
  context,
  dispatchedAt: iso(dispatchedAt),
  due: due === undefined ? null : iso(due)
})

/** What happened, in a phrase. */
export const phrase = (event: Event): string => {
  switch (event._tag) {
    case "Dispatched":
      return "dispatched"
    case "SendingBegun":
      return `asked by ${event.by}`
    case "OutcomeRecorded":
      return outcome(event.outcome)
    case "GivenUp":
      return "given up: it was never sent"
    case "Escalated":
      return "escalated: asking again cannot tell whether it was done"
    case "HandlingBegun":
      return `handled by ${event.by}`
    case "HandlingFailed":
      return `the handler failed: ${event.detail}`
    case "Handled":
      return "handled"
    case "Buried":
      return "dead: its handler failed too often"
    case "Retried":
      return `retried by ${event.who}`
  }
}

const outcome = (outcome: Extract<Event, { _tag: "OutcomeRecorded" }>["outcome"]): string => {
  switch (outcome._tag) {
    case "Answered":
      return "answered"
    case "Failed":
      return `failed: ${FlowError.summary(outcome.error)}`
    case "NotSent":
      return `not sent (${outcome.because}): ${FlowError.summary(outcome.error)}`
    case "InDoubt":
      return `in doubt (${outcome.because}): ${FlowError.summary(outcome.error)}`
  }
}

/** How often the gateway was asked, and a handler begun. */
export const attempts = (events: ReadonlyArray<Event>) => ({
  sent: events.filter(({ _tag }) => _tag === "SendingBegun").length,
  handled: events.filter(({ _tag }) => _tag === "HandlingBegun").length
})

/** The request and the response stand as they are: they are data, and hold no secret. */
export const toText = (summary: Summary, events: ReadonlyArray<Event>, entries: Entries): string => {
  const state = FlowState.fold(events)
  const { handled, sent } = attempts(events)
  const asked = state._tag === "New" ? undefined : state.order.request
  const result = "result" in state ? state.result : undefined
  return [
    `${summary.id}: ${summary.name}, ${summary.status}, of worker ${summary.worker}`,
    `asked the gateway ${sent} times, began its handler ${handled} times`,
    ...(summary.due === undefined ? ["nothing is owed"] : [`due at ${iso(summary.due)}`]),
    "",
    ...events.map((event) => `${iso(event.at)}  ${phrase(event)}`),
    "",
    `request   ${JSON.stringify(asked)}`,
    ...(result?._tag === "Answered" ? [`response  ${JSON.stringify(result.response)}`] : []),
    `context   ${summary.context} ${JSON.stringify(entries)}`
  ].join("\n")
}
