/** Numbers that look random and follow from a seed: the same seed, the same numbers, on every machine. */
import { SecureRandom } from "effect/crypto"

export interface Draw {
  /** At least 0, below 1. */
  readonly unit: () => number
  /** An integer, at least 0, below `bound`. */
  readonly below: (bound: number) => number
}

/** Mulberry32, by Tommy Ettinger: 32 bits of state, which is enough to choose orders and ids, and nothing secret. */
export const make = (seed: number): Draw => {
  let state = seed >>> 0
  const unit = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { unit, below: (bound) => Math.floor(unit() * bound) }
}

/** A seed that follows from another and from what it is for, so that one part's draws do not shift another's. */
export const derive = (seed: number, purpose: string): number => {
  // FNV-1a over the purpose, from the seed.
  let hash = (seed ^ 0x811c9dc5) >>> 0
  for (let index = 0; index < purpose.length; index++)
    hash = Math.imul(hash ^ purpose.charCodeAt(index), 0x01000193) >>> 0
  return hash
}

/** Ids by a seed, where the live ones come from the system's entropy. */
export const ids = (seed: number) => {
  const draw = make(seed)
  return SecureRandom.make((size) => Uint8Array.from({ length: size }, () => draw.below(256)))
}
