/**
 * Some of the transactions that a generated file holds so far, to draw from:
 * deposits that can be disputed, disputes that are open, and the like.
 *
 * At most `capacity` of them, so that a file of any length is made in the same
 * memory. When there are more, each that ever came has the same chance to be
 * here (reservoir sampling, algorithm R), so that a dispute may be about a
 * deposit far before it.
 */
import type { Draw } from "../Seed.ts"

/** `amount` in 10^-4. */
export interface Posting {
  readonly tx: number
  readonly client: number
  readonly amount: number
}

export interface Postings {
  readonly size: () => number
  readonly add: (tx: number, client: number, amount: number) => void
  /** One by chance; there has to be one. */
  readonly any: () => Posting
  /** One by chance, which is here no more. */
  readonly take: () => Posting
}

export const make = (capacity: number, draw: Draw): Postings => {
  const txs = new Uint32Array(capacity)
  const clients = new Uint32Array(capacity)
  const amounts = new Float64Array(capacity)
  let size = 0
  let came = 0

  const put = (place: number, tx: number, client: number, amount: number) => {
    txs[place] = tx
    clients[place] = client
    amounts[place] = amount
  }
  const at = (place: number): Posting => ({ tx: txs[place]!, client: clients[place]!, amount: amounts[place]! })

  return {
    size: () => size,
    add: (tx, client, amount) => {
      came += 1
      if (size < capacity) return put(size++, tx, client, amount)
      const place = draw.below(came)
      if (place < capacity) put(place, tx, client, amount)
    },
    any: () => at(draw.below(size)),
    take: () => {
      const place = draw.below(size)
      const taken = at(place)
      size -= 1
      put(place, txs[size]!, clients[size]!, amounts[size]!)
      return taken
    }
  }
}
