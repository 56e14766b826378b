/**
 * How many snapshots are kept: the latest three. The latest is what a start
 * needs, the second does when the first is damaged, and the third is there
 * while another is being written. What is older only saves time to those who
 * ask for the past, which the journal answers from its beginning.
 */
export const kept = 3

/** The sequences of those to be dropped. */
export const surplus = (sequences: ReadonlyArray<number>): ReadonlyArray<number> =>
  sequences.toSorted((a, b) => b - a).slice(kept)
