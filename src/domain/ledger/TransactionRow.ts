/**
 * A row of a transaction file, as the specification reads it: one line of text
 * in, a transaction or what is wrong with the row out.
 *
 * The header names `type`, `client`, `tx` and `amount` in any order. Spaces,
 * tabs and the CR of a line end around a field, and a pair of double quotes
 * around what is left, are not part of it, nor is white space within the
 * quotes. Fields hold no commas, so a quote anywhere else has no meaning, and
 * the row is malformed. The columns after the last that has something in it
 * may be missing.
 *
 * Checked in this order, and the first fault is told: the row, `type`,
 * `client`, `tx`, `amount`.
 *
 * Format: RFC 4180 as far as it goes; the rest is florin's.
 */
import * as Result from "effect/Result"
import * as LedgerAmount from "./LedgerAmount.ts"
import type { Field, RowFault } from "./LedgerRefusal.ts"
import type { Transaction } from "./Transaction.ts"
import { ClientId, maxId, maxNarrowClient, TxId } from "./Transaction.ts"

export const columns = ["type", "client", "tx", "amount"] as const
export type Column = (typeof columns)[number]

/** The columns in the file's order. */
export type Header = ReadonlyArray<Column>

export interface Reading {
  readonly header: Header
  /** 65,535, or 4,294,967,295 where wide clients are allowed. */
  readonly maxClient: number
}

export const narrow = maxNarrowClient
export const wide = maxId

/** The types of rows and what they ask for. */
export const types = {
  deposit: "Deposit",
  withdrawal: "Withdrawal",
  dispute: "Dispute",
  resolve: "Resolve",
  chargeback: "Chargeback"
} as const

/**
 * A row is below 100 bytes and white space. What is longer than this, its line end aside, is no row, so that a reader
 * needs no more memory than this for a line that never ends.
 */
export const maxLineBytes = 65_536

const isColumn = (name: string): name is Column => columns.some((column) => column === name)

/** `undefined` when the line is not a header: a column is missing, there twice, or none of ours. */
export const header = (line: string): Header | undefined => {
  const names = isTooLong(line) ? undefined : fields(line)
  return names?.length === columns.length && new Set(names).size === columns.length && names.every(isColumn)
    ? names
    : undefined
}

/** A line without anything but white space is no row. */
export const isBlank = (line: string): boolean => !isTooLong(line) && trim(line) === ""

export const parse = (line: string, { header, maxClient }: Reading): Result.Result<Transaction, RowFault> => {
  const values = isTooLong(line) ? undefined : fields(line)
  if (values === undefined || values.length > header.length) return malformed("row")
  const value = (column: Column): string => values[header.indexOf(column)] ?? ""

  const type = value("type")
  if (!Object.hasOwn(types, type)) return Result.fail({ _tag: "UnknownType" })
  const _tag = types[type as keyof typeof types]
  const client = id(value("client"), maxClient)
  if (client === undefined) return malformed("client")
  const tx = id(value("tx"), maxId)
  if (tx === undefined) return malformed("tx")
  const amount = LedgerAmount.parse(value("amount"))

  if (_tag !== "Deposit" && _tag !== "Withdrawal") {
    // Its amount is the disputed transaction's; what stands there is not used, but it has to be one.
    if (amount === undefined && value("amount") !== "") return malformed("amount")
    return Result.succeed({ _tag, client: ClientId.make(client), tx: TxId.make(tx) })
  }
  if (amount === undefined) return malformed("amount")
  if (amount <= 0n) return Result.fail({ _tag: "NonPositiveAmount" })
  if (!LedgerAmount.isInRange(amount)) return Result.fail({ _tag: "AmountOutOfRange" })
  return Result.succeed({ _tag, client: ClientId.make(client), tx: TxId.make(tx), amount })
}

const malformed = (field: Field) => Result.fail<RowFault>({ _tag: "MalformedRow", field })

const encoder = new TextEncoder()
/** The CR of a line end counts. */
const isTooLong = (line: string): boolean =>
  line.length > maxLineBytes / 3 && encoder.encode(line).length > maxLineBytes

/** `undefined` when a quote is opened and not closed, or closed and followed by more. */
const fields = (line: string): ReadonlyArray<string> | undefined => {
  const values = line.split(",").map((field) => unquoted(trim(field)))
  return values.every((value) => value !== undefined) ? values : undefined
}

/** By hand: a pattern that looks for white space at the end takes the square of a line's length where it is in between. */
const trim = (text: string): string => {
  let from = 0
  let to = text.length
  while (from < to && isSpace(text, from)) from += 1
  while (from < to && isSpace(text, to - 1)) to -= 1
  return text.slice(from, to)
}

const isSpace = (text: string, at: number): boolean => " \t\r".includes(text.charAt(at))

const unquoted = (field: string): string | undefined => {
  if (!field.includes('"')) return field
  const [, inner] = /^"([^"]*)"$/.exec(field) ?? []
  return inner === undefined ? undefined : trim(inner)
}

/** Digits only; leading zeros are allowed. */
const id = (text: string, max: number): number | undefined => {
  if (!/^[0-9]+$/.test(text)) return undefined
  const value = Number(text)
  return value <= max ? value : undefined
}
