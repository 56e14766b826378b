/** The fast engine beside the specification over random files, with everything in them that people and programs do to CSV. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Policies from "../../../src/domain/ledger/LedgerPolicy.ts"
import * as FastLedger from "./FastLedger.ts"

/** What a seed gives; "mulberry32". */
const random = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
type Draw = ReturnType<typeof random>

const oneOf = <A>(draw: Draw, all: ReadonlyArray<A>): A => all[draw(all.length)]!

const types = [
  "deposit",
  "deposit",
  "deposit",
  "withdrawal",
  "withdrawal",
  "dispute",
  "dispute",
  "resolve",
  "chargeback"
]
const wrongTypes = [
  "",
  "Deposit",
  "deposits",
  "deposi",
  "withdraw",
  "refund",
  "dispute\u0000",
  "résolve",
  "type",
  '"deposit'
]
const clients = ["1", "1", "1", "1", "1", "01", "0", "007", "65535"]
const wrongClients = [
  "",
  "65536",
  "-1",
  "+1",
  "1.0",
  "0x1",
  "4294967295",
  "4294967296",
  "99999999999999999999",
  "1 2",
  "\u00a01"
]
const txs = ["0", "1", "2", "3", "4", "5", "6", "00000000007", "4294967295", "4294967294", "2147483648", "999999999"]
const wrongTxs = ["", "4294967296", "4294967299", "9999999999", "-0", "1e3", "१", "12345678901"]
const amounts = [
  "1",
  "2.5",
  "10.0000",
  "0.0001",
  "100",
  "3.1400000",
  "+7",
  "000000000000012.5",
  "214747.9999",
  "214748.0000",
  "999999999.9999",
  "1000000000",
  "900719925474.0991",
  "900719925474.0992",
  "922337203685477.5807",
  "450000000000000"
]
const wrongAmounts = [
  "",
  "0",
  "0.0000",
  "-1",
  "-0",
  ".5",
  "5.",
  "1.23456",
  "1e3",
  "1,5",
  "abc",
  "1.2.3",
  "+-1",
  "0.00001",
  "922337203685477.5808",
  "999999999999999999999999",
  "-922337203685477.5808",
  "1_000",
  "٣",
  "NaN",
  "Infinity",
  '"'
]
const spaces = ["", "", "", "", "", "", " ", "  ", "\t", " \t ", "\r"]
const lineEnds = ["\n", "\n", "\n", "\n", "\r\n", "\n\n", "\n \t\n", "\r\r\n"]

const field = (draw: Draw, right: ReadonlyArray<string>, wrong: ReadonlyArray<string>): string => {
  const text = draw(40) === 0 ? oneOf(draw, wrong) : oneOf(draw, right)
  const inner = draw(12) === 0 ? `"${oneOf(draw, spaces)}${text}${oneOf(draw, spaces)}"` : text
  return `${oneOf(draw, spaces)}${inner}${oneOf(draw, spaces)}`
}

const row = (draw: Draw, order: ReadonlyArray<string>): string => {
  const type = field(draw, types, wrongTypes)
  const hasAmount = /deposit|withdrawal/.test(type) ? draw(30) > 0 : draw(4) === 0
  const values: Record<string, string> = {
    type,
    client: field(draw, clients, wrongClients),
    tx: field(draw, txs, wrongTxs),
    amount: hasAmount ? field(draw, amounts, wrongAmounts) : oneOf(draw, spaces)
  }
  const cells = order.map((column) => values[column]!)
  if (!hasAmount && order.at(-1) === "amount" && draw(2) === 0) cells.pop()
  if (draw(60) === 0) cells.pop()
  if (draw(60) === 0) cells.push(oneOf(draw, ["", "extra"]))
  return draw(80) === 0 ? oneOf(draw, ["garbage", ",,,", '"', '""', ",", "\u{feff}deposit,1,1,1"]) : cells.join(",")
}

const orders = [
  ["type", "client", "tx", "amount"],
  ["type", "client", "tx", "amount"],
  ["client", "type", "amount", "tx"],
  ["amount", "tx", "client", "type"],
  ["tx", "amount", "type", "client"]
]

const header = (draw: Draw, order: ReadonlyArray<string>): string => {
  const names = order.map((name) => field(draw, [name], [name, name, name, "Type", ""]))
  return `${oneOf(draw, ["", "", "\u{feff}", "\u{feff}\u{feff}", "\n", "\u{feff} \r\n", "\n\u{feff}"])}${names.join(",")}${oneOf(draw, lineEnds)}`
}

const file = (draw: Draw): Buffer => {
  const order = oneOf(draw, orders)
  const rows = Array.from({ length: draw(60) }, () => `${row(draw, order)}${oneOf(draw, lineEnds)}`)
  const text = `${draw(200) === 0 ? "" : header(draw, order)}${rows.join("")}`
  const bytes = Buffer.from(draw(4) === 0 ? text.trimEnd() : text)
  // A byte that is no UTF-8, now and then.
  if (draw(20) === 0 && bytes.length > 0) bytes[draw(bytes.length)] = 0x80 + draw(0x80)
  return bytes
}

const others = [...Policies.choices].map(([name, [, other]]) => `${name}=${other}`)

const inText = (_key: string, value: unknown) => (typeof value === "bigint" ? String(value) : value)

const fileCount = 10_000
/** Some seconds, on a machine that has other things to do. */
const patience = 60_000

describe("TransactionReader", () => {
  it(
    `reads ${fileCount} random files as the specification does, wherever their chunks end`,
    { timeout: patience },
    () => {
      const seen = new Map<string, number>()
      for (let seed = 1; seed <= fileCount; seed++) {
        const draw = random(seed)
        const bytes = file(draw)
        const policy = Result.getOrThrow(Policies.parse(others.filter(() => draw(4) === 0).join(",")))
        const options = { size: 1 + draw(draw(2) === 0 ? 8 : bytes.length + 1), wide: draw(4) === 0 }
        const expected = FastLedger.specified(bytes, policy, options)
        const found = FastLedger.fast(bytes, policy, options)
        if (JSON.stringify(found, inText) !== JSON.stringify(expected, inText)) {
          const told = `seed ${seed}, chunks of ${options.size}, ${JSON.stringify(bytes.toString("utf8"))}`
          assert.deepStrictEqual(found, expected, told)
          assert.fail(told)
        }
        for (const rejection of expected.rejections) {
          const reason = rejection.slice(rejection.indexOf(":") + 1)
          seen.set(reason, (seen.get(reason) ?? 0) + 1)
        }
        seen.set("applied", (seen.get("applied") ?? 0) + expected.events.length)
      }
      // All that can be said is said often, so that nothing above was vacuous.
      assert.deepStrictEqual([...seen.keys()].toSorted(), [
        "AccountFrozen",
        "AlreadyDisputed",
        "AmountOutOfRange",
        "BadHeader",
        "ChargedBack",
        "ClientMismatch",
        "DuplicateTx",
        "InsufficientFunds",
        "MalformedRow:amount",
        "MalformedRow:client",
        "MalformedRow:row",
        "MalformedRow:tx",
        "NonPositiveAmount",
        "NotDisputable",
        "NotDisputed",
        "UnknownTx",
        "UnknownType",
        "applied"
      ])
      for (const [reason, times] of seen) assert.isAbove(times, 20, reason)
    }
  )
})
