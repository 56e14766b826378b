/** An event as a line of CSV or JSON: what happened, when, and where it comes from. */
import { DateTime } from "effect"
import type { Instant } from "../../domain/Instant.ts"
import * as LedgerAmount from "../../domain/ledger/LedgerAmount.ts"
import type { LedgerEvent } from "../../domain/ledger/LedgerEvent.ts"

export interface Sequenced {
  readonly sequence: number
  readonly at: Instant
  readonly source: string
  readonly line: number
  readonly event: LedgerEvent
}

/** The type that a row of a transaction file has; `opened` has none, a refused withdrawal made the account. */
export const typeOf: Record<LedgerEvent["_tag"], string> = {
  Opened: "opened",
  Deposited: "deposit",
  Withdrawn: "withdrawal",
  Disputed: "dispute",
  Resolved: "resolve",
  ChargedBack: "chargeback"
}

export const heading = "sequence,time,source,line,type,client,tx,amount"

export const csv = ({ at, event, line, sequence, source }: Sequenced): string => {
  const what = event._tag === "Opened" ? "," : `${event.tx},${LedgerAmount.format(event.amount)}`
  return `${sequence},${timeOf(at)},${field(source)},${line},${typeOf[event._tag]},${event.client},${what}`
}

/** Amounts are text, because a JSON number may not hold one. */
export const json = ({ at, event, line, sequence, source }: Sequenced): string =>
  JSON.stringify({
    sequence,
    time: timeOf(at),
    source,
    line,
    type: typeOf[event._tag],
    client: event.client,
    ...(event._tag !== "Opened" && { tx: event.tx, amount: LedgerAmount.format(event.amount) })
  })

export const timeOf = (at: Instant): string => DateTime.formatIso(DateTime.makeUnsafe(at))

/** RFC 4180: quoted where it has to be. */
const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
