/**
 * Rows of a transaction file, from bytes into a `RowBlock`.
 *
 * A row as nearly all are, words and digits with white space around them, is
 * read here. Whatever else stands in a row (quotes, signs, more digits than
 * usual, a mistake) stops that, and `TransactionRow` reads the line: it says
 * what a row is, here only the speed is ours. A line is taken as Latin-1 for
 * it, because every character that means anything is ASCII.
 */
import * as Result from "effect/Result"
import * as TransactionRow from "../../domain/ledger/TransactionRow.ts"
import * as RowBlock from "./RowBlock.ts"
import * as RowCode from "./RowCode.ts"
import * as RowWords from "./RowWords.ts"
import * as UsualRow from "./UsualRow.ts"

/**
 * A longer line is refused without being read, so that one without an end takes no more memory than this. A row
 * of plain fields has some 40 bytes, one with all that is allowed some hundred.
 */
export const maxLineBytes = 4096

const newline = 10
const carriageReturn = 13
const space = 32
const tab = 9
const comma = 44
const dot = 46
const zero = 48

/** What the first nine digits of an id may be when there is a tenth: 4,294,967,295 is the largest id. */
const maxNineDigits = 429_496_729
const maxTenthDigit = 5
/** Whole units of an amount that still fits 32 bits as 10^-4. */
const maxShortWhole = 214_747
const unit = 10_000
const word = 4_294_967_296

const typeColumn = 0
const clientColumn = 1
const txColumn = 2

export class RowParser {
  readonly #reading: TransactionRow.Reading
  readonly #order: Int32Array
  readonly #isUsual: boolean

  constructor(reading: TransactionRow.Reading) {
    this.#reading = reading
    this.#order = Int32Array.from(reading.header, (column) => TransactionRow.columns.indexOf(column))
    this.#isUsual = this.#order.every((column, index) => column === index)
  }

  /**
   * Fills the block from the line at `at` on, and answers where it stopped: at `end`, or before it when the block is
   * full. The byte before `end` is a newline.
   */
  parse(bytes: Buffer, at: number, end: number, block: RowBlock.RowBlock): number {
    const { words } = block
    const { maxClient } = this.#reading
    const isUsual = this.#isUsual
    let to = 0
    let line = 0
    while (at < end && to < words.length) {
      line += 1
      let next = isUsual ? UsualRow.read(bytes, at, maxClient, words, to) : -1
      if (next === -1) next = this.#row(bytes, at, words, to)
      let isRow = true
      if (next === -1) {
        next = bytes.indexOf(newline, at) + 1
        isRow = this.#line(bytes, at, next - 1, words, to)
      } else if (next - 1 - at > maxLineBytes) {
        refuse(words, to, RowCode.malformedRow)
      }
      at = next
      if (!isRow) continue
      words[to + RowBlock.line] = line
      to += RowBlock.wordsPerRow
    }
    block.count = to / RowBlock.wordsPerRow
    block.lines = line
    return at
  }

  // --- A usual row ----------------------------------------------------------

  /** Where the next line begins; -1 when the row is not a usual one. */
  #row(bytes: Buffer, from: number, words: Int32Array, to: number): number {
    const order = this.#order
    let at = from
    let kind = 0
    let low = 0
    let high = 0
    let byte = bytes[at]!
    let hasAmount = false
    for (let index = 0; index < order.length; index++) {
      while (byte === space || byte === tab) byte = bytes[++at]!
      const column = order[index]!
      if (column === typeColumn) {
        kind = RowWords.kindAt(bytes, at)
        if (kind === 0) return -1
        at += RowWords.lengths[kind]!
        byte = bytes[at]!
      } else {
        // Nine digits fit 32 bits.
        const first = at
        let value = 0
        let digit = byte - zero
        while (digit >= 0 && digit <= 9 && at - first < 9) {
          value = Math.imul(value, 10) + digit
          byte = bytes[++at]!
          digit = byte - zero
        }
        if (column === clientColumn || column === txColumn) {
          if (at === first) return -1
          if (digit >= 0 && digit <= 9) {
            if (value > maxNineDigits || (value === maxNineDigits && digit > maxTenthDigit)) return -1
            value = (Math.imul(value, 10) + digit) | 0
            byte = bytes[++at]!
            if (byte >= zero && byte <= zero + 9) return -1
          }
          if (column === txColumn) words[to + RowBlock.tx] = value
          else if (value >>> 0 > this.#reading.maxClient) return -1
          else words[to + RowBlock.client] = value
        } else if (at > first) {
          hasAmount = true
          let fraction = 0
          if (byte === dot) {
            byte = bytes[++at]!
            digit = byte - zero
            let scale = unit / 10
            if (!(digit >= 0 && digit <= 9)) return -1
            while (digit >= 0 && digit <= 9) {
              if (scale === 0) return -1
              fraction += digit * scale
              scale = (scale / 10) | 0
              byte = bytes[++at]!
              digit = byte - zero
            }
          } else if (digit >= 0 && digit <= 9) return -1
          if (value <= maxShortWhole) {
            low = Math.imul(value, unit) + fraction
            high = 0
          } else {
            const amount = value * unit + fraction
            high = (amount / word) | 0
            low = amount | 0
          }
        }
      }
      while (byte === space || byte === tab) byte = bytes[++at]!
      if (byte === comma) {
        byte = bytes[++at]!
      } else {
        if (byte === carriageReturn) byte = bytes[++at]!
        // Only columns that are empty may be missing, and here the amount is the one that may be empty.
        if (byte !== newline || index < order.length - 2) return -1
        if (index === order.length - 2 && order[index + 1]! <= txColumn) return -1
        if (kind <= 2 && !(hasAmount && (low !== 0 || high !== 0))) return -1
        words[to + RowBlock.kind] = kind
        words[to + RowBlock.low] = low
        words[to + RowBlock.high] = high
        return at + 1
      }
    }
    // A comma after the last column.
    return -1
  }

  // --- Any other line -------------------------------------------------------

  /** Whether there is a row; `end` is the newline's place. */
  #line(bytes: Buffer, at: number, end: number, words: Int32Array, to: number): boolean {
    if (end === at) return false
    if (end - at > maxLineBytes) {
      refuse(words, to, RowCode.malformedRow)
      return true
    }
    const text = bytes.toString("latin1", at, end)
    if (TransactionRow.isBlank(text)) return false
    const parsed = TransactionRow.parse(text, this.#reading)
    if (Result.isFailure(parsed)) refuse(words, to, RowCode.of(parsed.failure))
    else RowBlock.write(words, to, parsed.success)
    return true
  }
}

const refuse = (words: Int32Array, to: number, code: number): void => {
  words[to + RowBlock.kind] = 0
  words[to + RowBlock.tx] = 0
  words[to + RowBlock.code] = code
}
