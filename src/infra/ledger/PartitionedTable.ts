/**
 * Entries by 32-bit key in open addressing, in one array: 256 partitions that
 * lie one after another and grow one at a time, so that what has to be copied
 * at once is a small part of the table.
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
 * One array, because the processor fetches four times as many scattered
 * entries at a time from one that it knows as from one that each hash has to
 * look up first. A table that grows has two: `room`, and `older` for the
 * partitions that have not moved yet.
 *
 * `seed` keeps whoever chooses the keys from choosing such that collide.
 */

const partitionBits = 8
export const partitionCount = 1 << partitionBits
const markShift = 4
const lowBits = 32 - partitionBits
const lowMask = (1 << lowBits) - 1

/** Linear probing looks at some 8 slots for a key that is not there when three quarters are taken. */
const maxLoad = 0.75
/** Less than 2, so that what is kept free is never more than half. */
const growth = 1.5
/** Of a partition. */
const firstCapacity = 8
/** By how much a partition may have more than its share of those that are expected: some standard deviations. */
const spread = 0.06
/**
 * Slots after a partition's last home, so that probing need not go round to the first. At three quarters one partition
 * in some thousands has more than 16 entries there, and none in a lifetime 64; small partitions cannot fill as many.
 */
const tailOf = (capacity: number): number => Math.min(64, 16 + Math.floor(capacity / 8))
/** A table has moved by the time that it holds a sixteenth more: it seldom has two arrays, and no entry moves many. */
const haste = 16

/** An array with room for so many entries a partition. */
class Room {
  /** Homes of a partition. */
  readonly capacity: number
  readonly words: Int32Array
  /** Words of a partition. */
  readonly span: number
  readonly stride: number
  /** What turns a hash's lower bits into its home slot in the partition. */
  readonly scale: number
  /** Entries that it takes. */
  readonly limit: number

  constructor(capacity: number, stride: number) {
    this.capacity = capacity
    this.span = (capacity + tailOf(capacity)) * stride
    // Written from its beginning to its end: a page that is first read, anywhere, is handed out twice.
    this.words = new Int32Array(this.span * partitionCount).fill(0)
    this.stride = stride
    this.scale = capacity / (lowMask + 1)
    this.limit = Math.floor(capacity * maxLoad) * partitionCount
  }

  home(hash: number): number {
    return (hash >>> lowBits) * this.span + (((hash & lowMask) * this.scale) | 0) * this.stride
  }
}

export class PartitionedTable {
  readonly seed: number
  /** Words of an entry. */
  readonly stride: number
  #room: Room
  /** The room before, while some partitions are still there; otherwise the same. */
  #older: Room
  /** How many partitions are in `#room`. */
  #moved = partitionCount
  /** Entries to come until the next partition moves. */
  #patience = 0
  #size = 0
  readonly #counts = new Int32Array(partitionCount)
  /** How many entries there will be; 0 when nobody knows. */
  #expected = 0

  constructor(stride: number, seed: number) {
    this.seed = seed
    this.stride = stride
    this.#room = new Room(firstCapacity, stride)
    this.#older = this.#room
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    const { byteLength } = this.#room.words
    return this.#isMoving ? byteLength + this.#older.words.byteLength : byteLength
  }

  /**
   * So many entries are to be expected in all. A table that has to grow then grows to that at once, which saves
   * copying; one that gets more goes on growing.
   */
  expect(count: number): void {
    this.#expected = count
  }

  // --- Looking up -----------------------------------------------------------

  hash(key: number): number {
    return mix(key ^ this.seed)
  }

  /** The first word that is looked at for a key of this hash, in its `words`. */
  home(hash: number): number {
    return this.#of(hash).home(hash)
  }

  /** The array in which entries of this hash are, until the next is filled. */
  words(hash: number): Int32Array {
    return this.#of(hash).words
  }

  /** The array in which all entries are; none while some of them are on the move. */
  get settled(): Int32Array | undefined {
    return this.#isMoving ? undefined : this.#room.words
  }

  /** Where in its `words` the entry of this hash is, or, where the mark is zero, would be. */
  seek(hash: number): number {
    const room = this.#of(hash)
    const { words } = room
    const low = hash & lowMask
    let at = room.home(hash)
    let mark = words[at]!
    while (mark !== 0 && mark >>> markShift !== low) {
      at += this.stride
      mark = words[at]!
    }
    return at
  }

  /** The mark of an entry of this hash. */
  mark(hash: number, tag: number): number {
    return ((hash & lowMask) << markShift) | tag
  }

  #of(hash: number): Room {
    return hash >>> lowBits < this.#moved ? this.#room : this.#older
  }

  // --- Filling --------------------------------------------------------------

  /** To be called when the empty slot at `at` was filled; entries may be elsewhere afterwards. */
  filled(hash: number, at: number): void {
    const partition = hash >>> lowBits
    const room = this.#of(hash)
    this.#counts[partition]! += 1
    this.#size += 1
    // The last slot stays empty: it is what ends a search.
    if (at + this.stride === (partition + 1) * room.span) return this.#make(this.#larger())
    if (this.#isMoving) {
      this.#patience -= 1
      if (this.#patience <= 0) this.#moveNext()
    } else if (this.#size > room.limit) {
      this.#room = new Room(this.#larger(), this.stride)
      this.#moved = 0
      this.#moveNext()
    }
  }

  count(partition: number): number {
    return this.#counts[partition]!
  }

  /** The entries of a partition, in its order. */
  entries(partition: number): Int32Array {
    const words = new Int32Array(this.count(partition) * this.stride)
    const from = this.#slots(partition)
    let to = 0
    for (let at = 0; at < from.length; at += this.stride) {
      if (from[at] === 0) continue
      for (let word = 0; word < this.stride; word++) words[to + word] = from[at + word]!
      to += this.stride
    }
    return words
  }

  /** Takes entries of an empty partition as `entries` gives them. */
  fill(partition: number, entries: Int32Array): void {
    const count = entries.length / this.stride
    this.#counts[partition] = count
    this.#size += count
    // Keys come in equal shares, so a partition shows how many there will be at least.
    this.#expected = Math.max(this.#expected, count * partitionCount)
    if (count > this.#room.capacity * maxLoad) this.#make(this.#larger())
    while (!copy(entries, this.#room, partition)) {
      this.#slots(partition).fill(0)
      this.#make(this.#larger())
    }
  }

  // --- Growing --------------------------------------------------------------

  get #isMoving(): boolean {
    return this.#moved < partitionCount
  }

  /** Of each partition, in a larger room. */
  #larger(): number {
    const share = (this.#expected / partitionCount) * (1 + spread)
    return Math.ceil(Math.max(this.#room.capacity * growth, share / maxLoad))
  }

  #slots(partition: number): Int32Array {
    const { span, words } = partition < this.#moved ? this.#room : this.#older
    return words.subarray(partition * span, (partition + 1) * span)
  }

  #moveNext(): void {
    if (!copy(this.#slots(this.#moved), this.#room, this.#moved)) return this.#make(this.#larger())
    this.#moved += 1
    this.#patience = Math.floor(this.#size / haste / partitionCount)
    if (!this.#isMoving) this.#older = this.#room
  }

  /** Moves everything into a new room at once; where so many keys have their home at the end of a partition that its
   * tail does not hold them, more room spreads them. */
  #make(capacity: number): void {
    const room = new Room(capacity, this.stride)
    for (let partition = 0; partition < partitionCount; partition++) {
      if (!copy(this.#slots(partition), room, partition)) return this.#make(Math.ceil(capacity * growth))
    }
    this.#room = room
    this.#older = room
    this.#moved = partitionCount
  }
}

/** Entries into an empty partition of a room; false where it does not hold them. */
const copy = (from: Int32Array, { scale, span, stride, words }: Room, partition: number): boolean => {
  const first = partition * span
  const last = first + span - stride
  for (let at = 0; at < from.length; at += stride) {
    const mark = from[at]!
    if (mark === 0) continue
    let to = first + (((mark >>> markShift) * scale) | 0) * stride
    while (to < last && words[to] !== 0) to += stride
    if (to >= last) return false
    words[to] = mark
    for (let word = 1; word < stride; word++) words[to + word] = from[at + word]!
  }
  return true
}

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
