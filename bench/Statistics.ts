/**
 * What rounds of two sides come to.
 *
 * A ratio is taken within a round, whose two turns follow each other at once,
 * and only then are the rounds summarised: when the machine is slow for a
 * while, both sides of a round are. The absolute medians stand beside it for
 * scale; they are of this machine, at that moment.
 */

/** What one turn of each side measured, in the same unit. */
export interface Round {
  readonly florin: number
  readonly peer: number
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface Summary {
  readonly rounds: number
  /** Medians over the rounds. */
  readonly florin: number
  readonly peer: number
  /** Of the rounds' own ratios, florin by peer; so it need not be the quotient of the two medians. */
  readonly ratio: Spread
}

/** The value in the middle, or the mean of the two that are; NaN of none. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper
}

export const spread = (values: ReadonlyArray<number>): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values)
})

export const summarize = (rounds: ReadonlyArray<Round>): Summary => ({
  rounds: rounds.length,
  florin: median(rounds.map(({ florin }) => florin)),
  peer: median(rounds.map(({ peer }) => peer)),
  ratio: spread(rounds.map(({ florin, peer }) => florin / peer))
})
