/**
 * A row as nearly all are: the columns in their usual order, and nothing in
 * them but words and digits.
 *
 *     deposit,1,2,3.5000
 *     dispute, 1, 2
 *
 * That no column has to be looked up makes it twice as fast as `RowParser`'s
 * own reading of a row, which is asked about any row that stands otherwise.
 */
import * as RowBlock from "./RowBlock.ts"
import * as RowWords from "./RowWords.ts"

const newline = 10
const carriageReturn = 13
const space = 32
const comma = 44
const dot = 46
const zero = 48

/** More do not fit 32 bits, but for an id's tenth. */
const maxDigits = 9
const maxPlaces = 4
/** What turns so many decimal places into units of 10^-4. */
const scales = Int32Array.of(0, 1000, 100, 10, 1)
const unit = 10_000
/** Whole units of an amount that still fits 32 bits as 10^-4. */
const maxShortWhole = 214_747
const word = 4_294_967_296

/**
 * Reads the line at `from` into the block's words at `to`. Answers where the next line begins, or -1 when the row is
 * not a usual one; then what it wrote means nothing. A newline follows somewhere in the bytes.
 */
export const read = (bytes: Uint8Array, from: number, maxClient: number, words: Int32Array, to: number): number => {
  const kind = RowWords.kindAt(bytes, from)
  if (kind === 0) return -1
  let at = from + RowWords.lengths[kind]!
  if (bytes[at] !== comma) return -1

  let byte = bytes[++at]!
  if (byte === space) byte = bytes[++at]!
  let digit = byte - zero
  let first = at
  let client = 0
  while (digit >>> 0 <= 9) {
    client = (Math.imul(client, 10) + digit) | 0
    digit = bytes[++at]! - zero
  }
  if (bytes[at] !== comma || !isId(bytes, first, at) || client >>> 0 > maxClient) return -1

  byte = bytes[++at]!
  if (byte === space) byte = bytes[++at]!
  digit = byte - zero
  first = at
  let tx = 0
  while (digit >>> 0 <= 9) {
    tx = (Math.imul(tx, 10) + digit) | 0
    digit = bytes[++at]! - zero
  }
  if (!isId(bytes, first, at)) return -1

  let whole = 0
  let fraction = 0
  if (bytes[at] === comma) {
    byte = bytes[++at]!
    if (byte === space) byte = bytes[++at]!
    digit = byte - zero
    first = at
    while (digit >>> 0 <= 9) {
      whole = (Math.imul(whole, 10) + digit) | 0
      digit = bytes[++at]! - zero
    }
    if (at - first > maxDigits) return -1
    if (bytes[at] === dot) {
      const point = at
      digit = bytes[++at]! - zero
      while (digit >>> 0 <= 9) {
        fraction = (Math.imul(fraction, 10) + digit) | 0
        digit = bytes[++at]! - zero
      }
      const places = at - point - 1
      if (point === first || places === 0 || places > maxPlaces) return -1
      fraction = Math.imul(fraction, scales[places]!)
    }
  }
  if (bytes[at] === carriageReturn) at++
  if (bytes[at] !== newline) return -1
  // A deposit or a withdrawal moves something.
  if (kind <= 2 && whole === 0 && fraction === 0) return -1

  words[to + RowBlock.kind] = kind
  words[to + RowBlock.client] = client
  words[to + RowBlock.tx] = tx
  if (whole <= maxShortWhole) {
    words[to + RowBlock.low] = Math.imul(whole, unit) + fraction
    words[to + RowBlock.high] = 0
  } else {
    const amount = whole * unit + fraction
    words[to + RowBlock.low] = amount | 0
    words[to + RowBlock.high] = (amount / word) | 0
  }
  return at + 1
}

/** Whether the digits from `first` to `end` are an id: 0 to 4,294,967,295, of ten digits at most. */
const isId = (bytes: Uint8Array, first: number, end: number): boolean => {
  const digits = end - first
  if (digits <= maxDigits) return digits > 0
  if (digits > maxDigits + 1) return false
  const leading = bytes[first]! - zero
  if (leading !== 4) return leading < 4
  let rest = 0
  for (let at = first + 1; at < end; at++) rest = Math.imul(rest, 10) + (bytes[at]! - zero)
  return rest <= 294_967_295
}
