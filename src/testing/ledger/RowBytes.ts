/**
 * Rows of a transaction file as bytes, written into one buffer that is emptied
 * again and again: a string for each of millions of rows would cost more than
 * the rows.
 */

export interface RowBytes {
  /** ASCII. */
  readonly text: (text: string) => void
  /** 0 to 2^53 - 1. */
  readonly integer: (value: number) => void
  /** In 10^-4, 0 to 2^53 - 1, without trailing zeros: `12.5`. */
  readonly amount: (value: number) => void
  readonly isFull: () => boolean
  /** What was written since the last time. */
  readonly take: () => Uint8Array<ArrayBuffer>
}

/** Written at a time: large enough that writing costs little beside making, small beside all that florin holds. */
const chunkBytes = 1 << 20
/** More than the longest row. */
const longestRow = 128

const zero = 48
const dot = 46
const billion = 1_000_000_000
const unit = 10_000

export const make = (): RowBytes => {
  const bytes = new Uint8Array(chunkBytes)
  let at = 0

  /** The lowest `count` digits of an unsigned 32-bit integer. */
  const digits = (value: number, count: number) => {
    let rest = value >>> 0
    for (let place = at + count - 1; place >= at; place--) {
      const above = (rest / 10) >>> 0
      bytes[place] = zero + rest - above * 10
      rest = above
    }
    at += count
  }

  const integer = (value: number) => {
    if (value < billion) return digits(value, width(value))
    const above = Math.floor(value / billion)
    digits(above, width(above))
    digits(value - above * billion, 9)
  }

  return {
    integer,
    text: (text) => {
      for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index)
    },
    amount: (value) => {
      const whole = Math.floor(value / unit)
      integer(whole)
      const fraction = value - whole * unit
      if (fraction === 0) return
      bytes[at++] = dot
      digits(fraction, 4)
      while (bytes[at - 1] === zero) at--
    },
    isFull: () => at > chunkBytes - longestRow,
    take: () => {
      const taken = bytes.slice(0, at)
      at = 0
      return taken
    }
  }
}

/** How many digits an integer below 10^10 has. */
const width = (value: number): number => {
  let count = 1
  for (let bound = 10; count < 10 && value >= bound; bound *= 10) count++
  return count
}
