import { assert, describe, it } from "@effect/vitest"
import { PartitionedTable, partitionCount } from "../../../src/infra/ledger/PartitionedTable.ts"

const stride = 2
const seed = 0x5eed

/** Writes `value` under the key unless it is there; whether it was not. */
const put = (table: PartitionedTable, key: number, value: number): boolean => {
  const hash = table.hash(key)
  const at = table.seek(hash)
  const words = table.words(hash)
  if (words[at] !== 0) return false
  words[at] = table.mark(hash, 1)
  words[at + 1] = value
  table.filled(hash, at)
  return true
}

const get = (table: PartitionedTable, key: number): number | undefined => {
  const hash = table.hash(key)
  const at = table.seek(hash)
  return table.words(hash)[at] === 0 ? undefined : table.words(hash)[at + 1]
}

const holdsAll = (table: PartitionedTable, keys: number) => {
  for (let key = 0; key < keys; key++) if (get(table, key) !== key) assert.fail(`key ${key} of ${keys} is not there`)
}

/** Entries whose homes are taken lie in the order in which they came. */
const inOrder = (words: Int32Array) => {
  const entries = Array.from({ length: words.length / stride }, (_, nth) => [
    words[nth * stride]!,
    words[nth * stride + 1]!
  ])
  return entries.toSorted(([one], [other]) => one! - other!)
}

/** The key of a hash: the steps of the hash, backwards. */
const keyOf = (hash: number): number => {
  const unshift = (value: number, bits: number) => {
    let found = value
    for (let known = bits; known < 32; known += bits) found = value ^ (found >>> bits)
    return found
  }
  let key = unshift(hash, 15)
  key = Math.imul(key, inverseOf(0x735a2d97))
  key = unshift(key, 15)
  key = Math.imul(key, inverseOf(0x21f0aaad))
  return unshift(key, 16) ^ seed
}

/** Modulo 2^32, by Newton's iteration. */
const inverseOf = (odd: number): number => {
  let inverse = odd
  for (let round = 0; round < 5; round++) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse))
  return inverse
}

describe("PartitionedTable", () => {
  it("finds every key while it grows, between any two moves", () => {
    const table = new PartitionedTable(stride, seed)
    let moving = 0
    let isMoving = false
    let checked = 0
    for (let key = 0; key < 60_000; key++) {
      assert.isUndefined(get(table, key))
      assert.isTrue(put(table, key, key))
      assert.isFalse(put(table, key, -1))
      const was: boolean = isMoving
      isMoving = table.settled === undefined
      if (isMoving) moving += 1
      // Just begun, just ended, and now and then in between.
      if (was !== isMoving || (isMoving && key % 997 === 0)) {
        holdsAll(table, key + 1)
        checked += 1
      }
    }
    holdsAll(table, 60_000)
    assert.strictEqual(table.size, 60_000)
    assert.isAtLeast(checked, 10)
    // It is on the move for a small part of the time only.
    assert.isAbove(moving, partitionCount)
    assert.isBelow(moving, 60_000 / 4)
  })

  it("grows to what is expected at once", () => {
    const table = new PartitionedTable(stride, seed)
    table.expect(60_000)
    let rooms = 0
    let bytes = table.bytes
    for (let key = 0; key < 60_000; key++) {
      put(table, key, key)
      if (table.settled === undefined || table.bytes === bytes) continue
      bytes = table.bytes
      rooms += 1
    }
    assert.strictEqual(rooms, 1)
    holdsAll(table, 60_000)
  })

  it("makes room where more keys have their home at a partition's end than its tail holds", () => {
    const table = new PartitionedTable(stride, seed)
    const last = partitionCount - 1
    // All in the last sixteenth of the partition.
    const hashes = Array.from({ length: 200 }, (_, nth) => ((last << 24) | (0xffffff - nth * 5_000)) >>> 0)
    for (const [nth, hash] of hashes.entries()) {
      assert.strictEqual(table.hash(keyOf(hash)) >>> 0, hash)
      put(table, keyOf(hash), nth)
    }
    for (const [nth, hash] of hashes.entries()) assert.strictEqual(get(table, keyOf(hash)), nth)
    assert.strictEqual(table.count(last), 200)
    assert.strictEqual(table.size, 200)
  })

  it("gives the entries of each partition, and takes them again", () => {
    const table = new PartitionedTable(stride, seed)
    for (let key = 0; key < 30_000; key++) put(table, key, key)
    const again = new PartitionedTable(stride, seed)
    for (let partition = 0; partition < partitionCount; partition++) again.fill(partition, table.entries(partition))
    holdsAll(again, 30_000)
    assert.strictEqual(again.size, 30_000)
    for (let partition = 0; partition < partitionCount; partition++) {
      assert.deepStrictEqual(inOrder(again.entries(partition)), inOrder(table.entries(partition)))
    }
    for (let key = 30_000; key < 40_000; key++) put(again, key, key)
    holdsAll(again, 40_000)
  })

  it("takes partitions that are fuller, or fuller at their end, than the first one lets it expect", () => {
    const table = new PartitionedTable(stride, seed)
    const even = (partition: number, count: number) =>
      Array.from({ length: count }, (_, nth) => ((partition << 24) | (nth * 4_099)) >>> 0)
    const crowds = [
      even(3, 600),
      even(5, 3_000),
      // In the last sixty-fourth.
      Array.from({ length: 300 }, (_, nth) => ((7 << 24) | (0xffffff - (299 - nth) * 800)) >>> 0)
    ]
    const entriesOf = (crowd: ReadonlyArray<number>) =>
      new Int32Array(crowd.flatMap((hash, nth) => [table.mark(hash, 1), nth]))
    for (const crowd of crowds) table.fill(crowd[0]! >>> 24, entriesOf(crowd))
    for (const crowd of crowds) {
      assert.deepStrictEqual(inOrder(table.entries(crowd[0]! >>> 24)), inOrder(entriesOf(crowd)))
      for (const [nth, hash] of crowd.entries()) assert.strictEqual(get(table, keyOf(hash)), nth)
    }
  })
})
