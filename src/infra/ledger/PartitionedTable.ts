/**
 * Entries by 32-bit key in open addressing, cut into 256 partitions that grow
 * one at a time: what has to be copied at once is a small part of the table.
 *
 * An entry is a few words in a row, so that a look-up touches one cache line or
 * two. The first word of an entry is its mark: 24 bits of the key's hash, then
 * four bits that belong to whoever uses the table and are never all zero; a
 * mark of zero is an empty slot. The hash is a bijection of the 32-bit integers
 * and its upper eight bits choose the partition, so those 24 bits are all that
 * is left to compare: no two keys share both.
 *
 * Slots are in the order of the hash, as far as collisions allow. Therefore
 * growing reads and writes memory from its beginning to its end.
 *
 * `seed` keeps whoever chooses the keys from choosing such that collide.
 */

/** More would cost a look-up more: the processor has to have what it knows of each partition at hand. */
const partitionBits = 8
export const partitionCount = 1 << partitionBits
const markShift = 4
const lowBits = 32 - partitionBits
const lowMask = (1 << lowBits) - 1

/** Linear probing looks at some 8 slots for a key that is not there when three quarters are taken. */
const maxLoad = 0.75
/** Less than 2, so that what is kept free is never more than half. */
const growth = 1.5
const firstCapacity = 8
/** By how much a partition may have more than its share of those that are expected: some standard deviations. */
const spread = 0.06
/** Slots after the last home, so that probing need not go round to the first. */
const tailSlots = 16

export class PartitionedTable {
  readonly seed: number
  /** Words of an entry. */
  readonly stride: number
  /** Entries of each partition, by the hash's upper bits. */
  readonly partitions: Array<Int32Array>
  /** What turns a hash's lower bits into its home slot in the partition. */
  readonly scales = new Float64Array(partitionCount)
  /** What all partitions share that hold nothing: empty slots, which are never filled. */
  readonly #empty: Int32Array
  readonly #counts = new Int32Array(partitionCount)
  readonly #limits = new Int32Array(partitionCount)

  /** How many entries a partition will have; 0 when nobody knows. */
  #share = 0

  constructor(stride: number, seed: number) {
    this.seed = seed
    this.stride = stride
    this.#empty = new Int32Array(tailSlots * stride)
    this.partitions = Array.from({ length: partitionCount }, () => this.#empty)
  }

  get size(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  get bytes(): number {
    return this.partitions.reduce((sum, entries) => sum + (entries === this.#empty ? 0 : entries.byteLength), 0)
  }

  /**
   * So many entries are to be expected in all. A partition that has to grow then grows to its share at once, which
   * saves copying; one that gets more goes on growing.
   */
  expect(count: number): void {
    this.#share = (count / partitionCount) * (1 + spread)
  }

  hash(key: number): number {
    return mix(key ^ this.seed)
  }

  /** The first word that is looked at for a key of this hash. */
  home(hash: number): number {
    return (((hash & lowMask) * this.scales[hash >>> lowBits]!) | 0) * this.stride
  }

  partition(hash: number): Int32Array {
    return this.partitions[hash >>> lowBits]!
  }

  /** Where in its partition the entry of this hash is, or, where the mark is zero, would be. */
  seek(hash: number): number {
    const entries = this.partitions[hash >>> lowBits]!
    const low = hash & lowMask
    let at = ((low * this.scales[hash >>> lowBits]!) | 0) * this.stride
    let mark = entries[at]!
    while (mark !== 0 && mark >>> markShift !== low) {
      at += this.stride
      mark = entries[at]!
    }
    return at
  }

  /** The mark of an entry of this hash. */
  mark(hash: number, tag: number): number {
    return ((hash & lowMask) << markShift) | tag
  }

  /** Where an entry of this hash may be written, for which `seek` found the empty slot at `at`; `filled` follows. */
  claim(hash: number, at: number): number {
    const partition = hash >>> lowBits
    if (this.partitions[partition] !== this.#empty) return at
    this.#allocate(partition, firstCapacityOf(partition))
    return this.seek(hash)
  }

  /** To be called when the empty slot at `at` was filled. */
  filled(hash: number, at: number): void {
    const partition = hash >>> lowBits
    const count = this.#counts[partition]! + 1
    this.#counts[partition] = count
    // The last slot stays empty: it is what ends a search.
    if (count > this.#limits[partition]! || at + this.stride === this.partitions[partition]!.length) {
      this.#grow(partition, count)
    }
  }

  /** Takes entries of an empty partition as they are, in its order. */
  fill(partition: number, entries: Int32Array): void {
    const count = entries.length / this.stride
    if (count === 0) return
    this.#allocate(partition, Math.max(firstCapacityOf(partition), Math.ceil((count / maxLoad) * Math.sqrt(growth))))
    this.#counts[partition] = count
    if (!this.#copy(partition, entries)) this.#grow(partition, count, entries)
  }

  count(partition: number): number {
    return this.#counts[partition]!
  }

  #allocate(partition: number, capacity: number): void {
    this.partitions[partition] = new Int32Array((capacity + tailSlots) * this.stride)
    this.scales[partition] = capacity / (lowMask + 1)
    this.#limits[partition] = Math.floor(capacity * maxLoad)
  }

  #grow(partition: number, count: number, before = this.partitions[partition]!): void {
    let capacity = Math.ceil(Math.max(this.#limits[partition]! * growth, this.#share) / maxLoad)
    this.#allocate(partition, capacity)
    // Where so many keys have their home at the end that its tail does not hold them, more room spreads them.
    while (!this.#copy(partition, before)) {
      capacity = Math.ceil(capacity * growth)
      this.#allocate(partition, capacity)
    }
    this.#counts[partition] = count
  }

  #copy(partition: number, from: Int32Array): boolean {
    const { stride } = this
    const entries = this.partitions[partition]!
    const scale = this.scales[partition]!
    const last = entries.length - stride
    for (let at = 0; at < from.length; at += stride) {
      const mark = from[at]!
      if (mark === 0) continue
      let to = (((mark >>> markShift) * scale) | 0) * stride
      while (to < last && entries[to] !== 0) to += stride
      if (to >= last) return false
      entries[to] = mark
      for (let word = 1; word < stride; word++) entries[to + word] = from[at + word]!
    }
    return true
  }
}

/** Keys come in equal shares: from equal capacities all partitions would grow at the same time. */
const firstCapacityOf = (partition: number): number =>
  Math.round(firstCapacity * growth ** (partition / partitionCount))

// --- The hash ---------------------------------------------------------------

/** Two rounds of xor-shift and multiplication, "lowbias32" of Chris Wellons' Hash Prospector: every step can be undone,
 * so that it is a bijection. */
const mix = (key: number): number => {
  let hash = key ^ (key >>> 16)
  hash = Math.imul(hash, 0x21f0aaad)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x735a2d97)
  return hash ^ (hash >>> 15)
}
