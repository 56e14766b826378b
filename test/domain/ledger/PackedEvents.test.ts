import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { LedgerEvent } from "../../../src/domain/ledger/LedgerEvent.ts"
import * as PackedEvents from "../../../src/domain/ledger/PackedEvents.ts"
import { ClientId, TxId } from "../../../src/domain/ledger/Transaction.ts"

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const bytes = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"))

const moves = { client: ClientId.make(65_535), tx: TxId.make(0x0a0b0c0d), amount: 15_000n }
const events: ReadonlyArray<LedgerEvent> = [
  { _tag: "Opened", client: ClientId.make(7) },
  { _tag: "Deposited", ...moves },
  { _tag: "Withdrawn", ...moves },
  { _tag: "Disputed", ...moves },
  { _tag: "Resolved", ...moves },
  { _tag: "ChargedBack", ...moves, client: ClientId.make(4_294_967_295), amount: 9_223_372_036_854_775_807n }
]
const lined = events.map((event, index) => ({ event, line: 10 + index * index }))

// kind and gap, tx, client, amount
const stored = [
  "50000000 00000000 07000000 0000000000000000",
  "09000000 0d0c0b0a ffff0000 983a000000000000",
  "1a000000 0d0c0b0a ffff0000 983a000000000000",
  "2b000000 0d0c0b0a ffff0000 983a000000000000",
  "3c000000 0d0c0b0a ffff0000 983a000000000000",
  "4d000000 0d0c0b0a ffffffff ffffffffffffff7f"
].join("")

describe("PackedEvents", () => {
  it("are stored as these bytes, which no later version may read otherwise", () => {
    assert.strictEqual(hex(PackedEvents.pack(lined, 0)), stored.replaceAll(" ", ""))
    assert.deepStrictEqual(PackedEvents.unpack(bytes(stored), 0), lined)
  })

  it("have every kind of event", () => {
    assert.sameMembers([...PackedEvents.kinds], Object.keys(LedgerEvent.cases))
    assert.strictEqual(PackedEvents.pack(lined, 0).length, 6 * PackedEvents.bytesPerEvent)
    assert.deepStrictEqual(PackedEvents.unpack(PackedEvents.pack([], 5), 5), [])
  })

  it.prop(
    "unpack to what was packed, from any line and out of a larger buffer",
    [
      Schema.Array(
        Schema.Struct({
          event: LedgerEvent,
          gap: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
        })
      )
    ],
    ([rows]) => {
      let line = 4_000_000_000
      const packed = rows.map(({ event, gap }) => ({ event, line: (line += gap) }))
      const wide = new Uint8Array([1, 2, 3, ...PackedEvents.pack(packed, 4_000_000_000), 4])
      assert.deepStrictEqual(PackedEvents.unpack(wide.subarray(3, wide.length - 1), 4_000_000_000), packed)
    }
  )

  it("bridge the largest gap between lines, and refuse one more and none backwards", () => {
    const at = (line: number) => [{ event: events[0]!, line }]
    const far = 536_870_911
    assert.strictEqual(hex(PackedEvents.pack(at(far), 0)).slice(0, 8), "f8ffffff")
    assert.deepStrictEqual(PackedEvents.unpack(PackedEvents.pack(at(far), 0), 0), at(far))
    assert.throws(() => PackedEvents.pack(at(far + 1), 0), "an event 536870912 lines after the one before it")
    assert.throws(() => PackedEvents.pack(at(4), 5), "an event -1 lines after the one before it")
  })

  it("are refused where the bytes are none that are packed", () => {
    const refused: Record<string, string> = {
      "0e000000 01000000 01000000 0100000000000000": "an event of kind 6",
      "0f000000 01000000 01000000 0100000000000000": "an event of kind 7",
      "09000000 01000000 01000000 0000000000000000": "an event of kind Deposited, transaction 1 and amount 0",
      "09000000 01000000 01000000 0000000000000080":
        "an event of kind Deposited, transaction 1 and amount 9223372036854775808",
      "08000000 01000000 01000000 0000000000000000": "an event of kind Opened, transaction 1 and amount 0",
      "08000000 00000000 01000000 0100000000000000": "an event of kind Opened, transaction 0 and amount 1",
      "08000000 00000000 01000000 00000000000000": "19 bytes are no whole events"
    }
    for (const [text, message] of Object.entries(refused)) {
      assert.throws(() => PackedEvents.unpack(bytes(text), 0), message)
    }
  })
})
