import { assert, describe, it } from "@effect/vitest"
import * as LedgerAmount from "../../../src/domain/ledger/LedgerAmount.ts"
import * as AccountsCsv from "../../../src/edge/ledger/AccountsCsv.ts"

describe("AccountsCsv", () => {
  it("writes every amount with four decimals, below zero and beyond what a double holds too", () => {
    const amounts = [0n, 1n, -1n, 9999n, -10_000n, 123_456_789n, 2n ** 53n - 1n, 2n ** 53n + 1n, LedgerAmount.min]
    const written = [
      ...AccountsCsv.parts(amounts.map((available, client) => [client, { available, held: 0n, locked: false }]))
    ]
    assert.strictEqual(
      Buffer.concat(written).toString(),
      `client,available,held,total,locked
0,0.0000,0.0000,0.0000,false
1,0.0001,0.0000,0.0001,false
2,-0.0001,0.0000,-0.0001,false
3,0.9999,0.0000,0.9999,false
4,-1.0000,0.0000,-1.0000,false
5,12345.6789,0.0000,12345.6789,false
6,900719925474.0991,0.0000,900719925474.0991,false
7,900719925474.0993,0.0000,900719925474.0993,false
8,-922337203685477.5807,0.0000,-922337203685477.5807,false
`
    )
  })

  it("comes in parts of a thousand rows, and is a header where there are none", () => {
    const account = { available: 5n, held: 7n, locked: true }
    const sizes = (count: number) =>
      Array.from(
        AccountsCsv.parts(Array.from({ length: count }, (_, client) => [client, account] as const)),
        (part) => Buffer.from(part).toString().split("\n").length - 1
      )
    assert.deepStrictEqual(sizes(0), [1])
    assert.deepStrictEqual(sizes(2500), [1025, 1024, 452])
  })
})
