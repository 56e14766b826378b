/** How inventory is worked on, as data. */
export interface InventoryPolicy {
  /**
   * `perProduct`: whoever works on a product has it to himself for a moment, so
   * that many at once need not decide again and again. What is promised rests
   * on the conditional append alone, with the lock or without.
   */
  readonly lock: "perProduct" | "none"
  /** A lock lapses after this; whoever held it goes on, and finds out by its append. */
  readonly lockMillis: number
  /** Who has waited this long for a lock goes on without it. */
  readonly lockPatienceMillis: number
  /** Decides again so often when others were quicker. */
  readonly attempts: number
}

/**
 * Work on a product takes three statements, some ten milliseconds: a lock of
 * two seconds outlives it by far, and one that is waited for longer than that
 * belongs to somebody who died. A round of decisions always lets one through,
 * so that 200 attempts are 200 others that were served first.
 */
export const usual: InventoryPolicy = {
  lock: "perProduct",
  lockMillis: 2000,
  lockPatienceMillis: 2000,
  attempts: 200
}
