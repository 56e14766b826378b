/**
 * What happened to one payment, moment by moment, at florin, at its gateways
 * and on the way between them; and the same as lines to read.
 *
 *     +0.000 s  florin             Initiated 10.00 EUR
 *     +0.004 s  florin -> gateway  auth/1 at able
 *     +0.090 s           gateway   able: holds 10.00 EUR
 *     +0.120 s  florin x- gateway  auth/1: connection lost
 *     +0.200 s  florin             process died
 *
 * `at` is in milliseconds of whichever clock ran; only differences are shown.
 * `TimelinePicture` draws it.
 */
import * as Money from "../domain/Money.ts"
import type { Kind, OperationId } from "../domain/payment/Operation.ts"
import type { Event } from "../domain/payment/PaymentEvent.ts"

/** How a call ended, as florin saw it; `what` says it in a few words. */
export type Outcome =
  | { readonly _tag: "Arrived"; readonly what: string }
  /** The answer was lost, or florin gave up waiting: the gateway may have acted. */
  | { readonly _tag: "Lost"; readonly what: string }
  /** The call never left. */
  | { readonly _tag: "NotSent"; readonly what: string }

export type Entry =
  /** florin stored this event. */
  | { readonly _tag: "Recorded"; readonly at: number; readonly event: Event }
  | {
      readonly _tag: "Called"
      readonly at: number
      readonly operation: OperationId
      readonly kind: Kind | "lookup"
      readonly gateway: string
    }
  /** The end of the call of this operation that is open. */
  | { readonly _tag: "Answered"; readonly at: number; readonly operation: OperationId; readonly outcome: Outcome }
  /** The gateway's books changed. */
  | { readonly _tag: "Acted"; readonly at: number; readonly gateway: string; readonly what: string }
  /** A notification of the gateway's reached florin. */
  | { readonly _tag: "Notified"; readonly at: number; readonly what: string }
  /** A process of florin's; `process` names it where there are several. */
  | { readonly _tag: "Died"; readonly at: number; readonly process?: string | undefined }
  | { readonly _tag: "Booted"; readonly at: number; readonly process?: string | undefined }

/** In time; what happened in the same millisecond stays in the order in which it was told. */
export const inOrder = (entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> =>
  entries.toSorted((one, other) => one.at - other.at)

/** One line an entry, with the time since the first in seconds, and a line for each long pause. */
export const toText = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const ordered = inOrder(entries)
  const [first] = ordered
  if (first === undefined) return []
  const times = ordered.map(({ at }) => `+${((at - first.at) / 1000).toFixed(3)} s`)
  const width = Math.max(...times.map(({ length }) => length))
  return ordered.flatMap((entry, index) => {
    const pause = index === 0 ? 0 : entry.at - ordered[index - 1]!.at
    const line = `${times[index]!.padStart(width)}  ${way(entry)}  ${words(entry)}`
    return isLong(pause) ? [`${" ".repeat(width)}  ... ${duration(pause)} later`, line] : [line]
  })
}

// --- Words -----------------------------------------------------------------------

/** From where to where, in three columns of one width. */
const way = (entry: Entry): string => {
  switch (entry._tag) {
    case "Recorded":
    case "Died":
    case "Booted":
      return "florin            "
    case "Called":
      return "florin -> gateway "
    case "Answered":
      return { Arrived: "florin <- gateway ", Lost: "florin x- gateway ", NotSent: "florin -x gateway " }[
        entry.outcome._tag
      ]
    case "Acted":
      return "          gateway "
    case "Notified":
      return "florin <- webhook "
  }
}

/** An entry in a few words. */
export const words = (entry: Entry): string => {
  switch (entry._tag) {
    case "Recorded":
      return [entry.event._tag, about(entry.event)].filter((part) => part !== "").join(" ")
    case "Called":
      // A path names its kind: `capture/1`.
      return `${entry.kind === "lookup" ? "lookup " : ""}${pathOf(entry.operation)} at ${entry.gateway}`
    case "Answered":
      return `${pathOf(entry.operation)}: ${entry.outcome.what}`
    case "Acted":
      return `${entry.gateway}: ${entry.what}`
    case "Notified":
      return entry.what
    case "Died":
      return `${entry.process ?? "process"} died`
    case "Booted":
      return `${entry.process ?? "process"} booted`
  }
}

/** What an event says beyond its name: the operation, the amount, why. */
export const about = (event: Event): string => {
  const parts: Array<string> = []
  if ("operation" in event) parts.push(pathOf(event.operation))
  if ("dispute" in event) parts.push(event.dispute)
  if (event._tag === "Initiated") parts.push(moneyOf(event.order.amount))
  if ("amount" in event) parts.push(moneyOf(event.amount))
  if ("decline" in event) parts.push(event.decline.code)
  if ("code" in event) parts.push(event.code)
  if ("verdict" in event) parts.push(event.verdict)
  if ("reason" in event && event.reason !== undefined) {
    parts.push(typeof event.reason === "string" ? event.reason : event.reason._tag)
  }
  return parts.join(" ")
}

const moneyOf = (money: Money.Money): string => `${Money.format(money)} ${money.currency}`

/** An operation's id without its payment's: `auth/1`. */
export const pathOf = (operation: string): string => operation.slice(operation.indexOf("/") + 1)

/** A pause that would hide everything else if it were drawn to scale: longer than any answer takes. */
export const isLong = (pauseMillis: number): boolean => pauseMillis >= longMillis

const longMillis = 5000

/** A length of time in its two largest units: `2 d 3 h`, `5 min`, `1.25 s`, `12 ms`. */
export const duration = (millis: number): string => {
  if (millis < 1000) return `${Math.round(millis)} ms`
  if (millis < 60_000) return `${Number((millis / 1000).toFixed(2))} s`
  const seconds = Math.round(millis / 1000)
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24]
  const minutes = Math.floor(seconds / 60) % 60
  const units = [`${days} d`, `${hours} h`, `${minutes} min`, `${seconds % 60} s`].slice(
    days > 0 ? 0 : hours > 0 ? 1 : 2
  )
  return units
    .slice(0, 2)
    .filter((unit) => !unit.startsWith("0 "))
    .join(" ")
}
