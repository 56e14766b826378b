import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as LedgerAmount from "../../../src/domain/ledger/LedgerAmount.ts"

const anyInteger = Schema.BigInt
const digits = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9999 }))

describe("LedgerAmount.parse", () => {
  it("reads decimal text exactly, whatever its size", () => {
    const rows: Record<string, bigint | undefined> = {
      "0": 0n,
      "1": 10_000n,
      "-1": -10_000n,
      "+1.5": 15_000n,
      "0.0001": 1n,
      "1.20": 12_000n,
      "1.00000000": 10_000n,
      "0.1": 1000n,
      "922337203685477.5807": 9_223_372_036_854_775_807n,
      "-922337203685477.5808": -9_223_372_036_854_775_808n,
      "9007199254740993.0001": 90_071_992_547_409_930_001n,
      "0.00001": undefined,
      "1.00010001": undefined,
      ".5": undefined,
      "5.": undefined,
      "": undefined,
      "+": undefined,
      " 1": undefined,
      "1\n": undefined,
      "1,5": undefined,
      "1e3": undefined,
      "0x1": undefined
    }
    assert.deepStrictEqual(Object.fromEntries(Object.keys(rows).map((text) => [text, LedgerAmount.parse(text)])), rows)
  })

  it.prop("reads what is written", [anyInteger], ([value]) => {
    assert.strictEqual(LedgerAmount.parse(LedgerAmount.format(value)), value)
  })

  it.prop("is blind to a plus, to zeros in front and to zeros behind", [digits, digits], ([whole, fraction]) => {
    const text = `${whole}.${String(fraction).padStart(4, "0")}`
    assert.strictEqual(LedgerAmount.parse(text), BigInt(whole * 10_000 + fraction))
    assert.strictEqual(LedgerAmount.parse(`+00${text}000`), BigInt(whole * 10_000 + fraction))
  })
})

describe("LedgerAmount.format", () => {
  it("has four decimals, and a sign only below zero", () => {
    assert.deepStrictEqual([0n, 1n, -1n, 15_000n, -800_000n, 9_223_372_036_854_775_807n].map(LedgerAmount.format), [
      "0.0000",
      "0.0001",
      "-0.0001",
      "1.5000",
      "-80.0000",
      "922337203685477.5807"
    ])
  })
})

describe("LedgerAmount", () => {
  it("is more than nothing, and what fits", () => {
    const decode = Schema.decodeUnknownResult(LedgerAmount.LedgerAmount)
    const isTaken = (value: unknown) => Result.isSuccess(decode(value))
    assert.deepStrictEqual([1n, LedgerAmount.max].map(isTaken), [true, true])
    assert.deepStrictEqual([0n, -1n, LedgerAmount.max + 1n, 1, "1"].map(isTaken), [false, false, false, false, false])
    assert.match(String(decode(0n)), /an amount of 0.0001 to 922337203685477.5807/)
  })

  it("is in range as far below zero as above", () => {
    const { max } = LedgerAmount
    assert.strictEqual(max, 9_223_372_036_854_775_807n)
    assert.deepStrictEqual([max, -max, max + 1n, -max - 1n].map(LedgerAmount.isInRange), [true, true, false, false])
  })
})
