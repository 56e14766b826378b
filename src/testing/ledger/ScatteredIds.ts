/**
 * Transaction ids in scattered order: a permutation of all unsigned 32-bit
 * integers, so that no two indices have one id and none has to be remembered.
 *
 * The finalizer of MurmurHash3 (Austin Appleby) over the index and the seed:
 * each of its steps can be undone, an exclusive or with a shift and a
 * multiplication by an odd number, and so can the whole.
 */
import * as Seed from "../Seed.ts"

/** From an index of 0 to 2^32 - 1 to an id in the same range. */
export const make = (seed: number): ((index: number) => number) => {
  const offset = Seed.derive(seed, "transaction ids")
  return (index) => {
    let mixed = (index + offset) | 0
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return (mixed ^ (mixed >>> 16)) >>> 0
  }
}
