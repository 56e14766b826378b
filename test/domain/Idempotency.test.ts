import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { isDeepStrictEqual } from "node:util"
import * as Idempotency from "../../src/domain/Idempotency.ts"

const { decide, difference, fingerprint } = Idempotency
const differs = (before: Schema.Json, after: Schema.Json) => difference(fingerprint(before), fingerprint(after))

const request = {
  amount: { currency: "EUR", minor: "1099" },
  capture: "automatic",
  metadata: { order: "A-1", note: null, tags: [1, 2] },
  paymentMethods: ["tok_a", "tok_b"]
} as const

/** `request` once more, each time with another leaf changed, and the path of that leaf. */
const changed: ReadonlyArray<readonly [path: string, request: Schema.Json]> = [
  ["amount.currency", { ...request, amount: { currency: "USD", minor: "1099" } }],
  ["amount.minor", { ...request, amount: { currency: "EUR", minor: "1100" } }],
  ["amount.minor", { ...request, amount: { currency: "EUR", minor: 1099 } }],
  ["capture", { ...request, capture: "manual" }],
  ["metadata.order", { ...request, metadata: { ...request.metadata, order: "a-1" } }],
  ["metadata.note", { ...request, metadata: { ...request.metadata, note: "" } }],
  ["metadata.note", { ...request, metadata: { order: "A-1", tags: [1, 2] } }],
  ["metadata.added", { ...request, metadata: { ...request.metadata, added: null } }],
  ["metadata.tags", { ...request, metadata: { ...request.metadata, tags: { 0: 1, 1: 2 } } }],
  ["metadata.tags", { ...request, metadata: { ...request.metadata, tags: null } }],
  ["metadata.tags.0", { ...request, metadata: { ...request.metadata, tags: [2, 1] } }],
  ["metadata.tags.1", { ...request, metadata: { ...request.metadata, tags: [1] } }],
  ["metadata", { amount: request.amount, capture: request.capture, paymentMethods: request.paymentMethods }],
  ["paymentMethods.1", { ...request, paymentMethods: ["tok_a", "tok_c"] }],
  ["paymentMethods.2", { ...request, paymentMethods: ["tok_a", "tok_b", "tok_c"] }],
  ["zeal", { ...request, zeal: false }]
]

/** The same JSON with the keys of every object inserted backwards. */
const backwards = (json: Schema.Json): Schema.Json => {
  if (typeof json !== "object" || json === null) return json
  if (Array.isArray(json)) return json.map(backwards)
  const entries = Object.entries(json as Schema.JsonObject)
  return Object.fromEntries(entries.toReversed().map(([key, value]) => [key, backwards(value)]))
}

const stored = (json: Schema.Json): unknown => JSON.parse(JSON.stringify(json))

describe("Idempotency.fingerprint", () => {
  it("is JSON without spaces, with its keys sorted and its lists in their order", () => {
    const json = { b: [{ z: 1, a: "é" }, 2], a: { d: null, c: true } }
    assert.strictEqual<string>(fingerprint(json), '{"a":{"c":true,"d":null},"b":[{"a":"é","z":1},2]}')
    assert.strictEqual<string>(fingerprint("text"), '"text"')
    assert.strictEqual<string>(fingerprint([]), "[]")
    assert.strictEqual<string>(fingerprint({}), "{}")
  })

  it("takes `undefined` for absent, at every depth, and `null` for a value", () => {
    const absent = { a: 1, b: undefined, c: { d: undefined, e: [{ f: undefined }] } } as {} as Schema.Json
    assert.strictEqual<string>(fingerprint(absent), '{"a":1,"c":{"e":[{}]}}')
    assert.strictEqual<string>(fingerprint({ a: null }), '{"a":null}')
  })

  it("differs for any changed leaf", () => {
    const texts = [request, ...changed.map(([, request]) => request)].map((json) => fingerprint(json))
    assert.strictEqual(new Set(texts).size, changed.length + 1)
  })

  it.prop("ignores the order of keys at every depth", [Schema.Json], ([json]) => {
    assert.strictEqual(fingerprint(backwards(json)), fingerprint(json))
  })

  it.prop("loses nothing, so that two requests share it only when they are the same", [Schema.Json], ([json]) => {
    assert.isTrue(isDeepStrictEqual(JSON.parse(fingerprint(json)), stored(json)))
  })
})

describe("Idempotency.difference", () => {
  it("names the path of the changed value, from either side", () => {
    for (const [path, other] of changed) {
      assert.strictEqual(differs(request, other), path)
      assert.strictEqual(differs(other, request), path)
    }
  })

  it("names the first of several by the order of the keys", () => {
    assert.strictEqual(differs({ b: 1, a: { z: 1, y: 1 } }, { b: 2, a: { z: 2, y: 2 } }), "a.y")
    assert.strictEqual(differs({ b: 1 }, { a: 1 }), "a")
  })

  it("takes a key for missing even when every object inherits one of that name", () => {
    assert.strictEqual(differs({}, JSON.parse('{"__proto__":{}}')), "__proto__")
    assert.strictEqual(differs({ a: 1 }, { a: 1, toString: "x" }), "toString")
  })

  it("names the whole request, as an empty path, when it is another kind of value", () => {
    assert.strictEqual(differs("a", "b"), "")
    assert.strictEqual(differs([], {}), "")
  })

  it.prop("leads to values that differ, whatever the requests", [Schema.Json, Schema.Json], ([a, b]) => {
    if (isDeepStrictEqual(stored(a), stored(b))) return
    // Paths join keys with dots, so keys of this world hold none.
    const nest = (json: Schema.Json) => ({ same: [1, { a, b }], here: { list: [0, json] } })
    const path = differs(nest(a), nest(b))
    assert.match(path, /^here\.list\.1/)
  })
})

describe("Idempotency.decide", () => {
  const first = fingerprint(request)

  it("proceeds under a key that nothing is stored under", () => {
    assert.deepStrictEqual(decide(undefined, first), { _tag: "Proceed" })
  })

  it("is in flight until there is an answer, then replays it", () => {
    assert.deepStrictEqual(decide({ fingerprint: first, answer: undefined }, first), { _tag: "InFlight" })
    assert.deepStrictEqual(decide({ fingerprint: first, answer: "paid" }, first), { _tag: "Replay", answer: "paid" })
  })

  it("replays an answer that is falsy", () => {
    for (const answer of [null, 0, "", false]) {
      assert.deepStrictEqual(decide({ fingerprint: first, answer }, first), { _tag: "Replay", answer })
    }
  })

  it("replays to a request whose keys come in another order", () => {
    const verdict = decide({ fingerprint: first, answer: "paid" }, fingerprint(backwards(request)))
    assert.deepStrictEqual(verdict, { _tag: "Replay", answer: "paid" })
  })

  it("is a conflict for another request, answered or not", () => {
    for (const answer of [undefined, "paid"]) {
      for (const [field, other] of changed) {
        assert.deepStrictEqual(decide({ fingerprint: first, answer }, fingerprint(other)), { _tag: "Conflict", field })
      }
    }
  })
})

const refusal = (key: string) => {
  const decoded = Schema.decodeUnknownResult(Idempotency.IdempotencyKey)(key)
  return Result.isFailure(decoded) ? String(decoded.failure) : undefined
}

describe("Idempotency.IdempotencyKey", () => {
  it("has 1 to 255 characters", () => {
    assert.match(refusal("")!, /an idempotency key that is not empty/)
    assert.isUndefined(refusal("k"))
    assert.isUndefined(refusal("k".repeat(255)))
    assert.match(refusal("k".repeat(256))!, /an idempotency key of at most 255 characters/)
  })

  it("accepts printable ASCII and no other unit", () => {
    const is = Schema.is(Idempotency.IdempotencyKey)
    const units = Array.from({ length: 0x1_0000 }, (_, unit) => unit)
    const printable = Array.from({ length: 95 }, (_, index) => 0x20 + index)
    assert.deepStrictEqual(
      units.filter((unit) => is(String.fromCharCode(unit))),
      printable
    )
  })

  it("refuses a bad character anywhere in the key", () => {
    for (const key of ["a\n", "\na", "a\tb", "\u0000", "ключ", "kéy", "😀", "a\u007f"]) {
      assert.match(refusal(key) ?? "accepted", /an idempotency key of printable ASCII characters/)
    }
  })
})
