import { assert, describe, it } from "@effect/vitest"
import { OperationId } from "../../src/domain/payment/Operation.ts"
import type { Entry } from "../../src/testing/Timeline.ts"
import { duration, toText } from "../../src/testing/Timeline.ts"
import { toSvg } from "../../src/testing/TimelinePicture.ts"
import * as True from "./TrueBooks.ts"

const at = 1_700_000_000_000
const operation = OperationId.make("pay_1/auth/1")

/** A death between the call and its answer, and the run after it. */
const story: ReadonlyArray<Entry> = [
  { _tag: "Recorded", at, event: True.begun("pay_1/auth/1") },
  { _tag: "Called", at: at + 4, operation, kind: "authorize", gateway: "able" },
  { _tag: "Acted", at: at + 90, gateway: "able", what: "holds 10.00 EUR" },
  { _tag: "Died", at: at + 100 },
  { _tag: "Answered", at: at + 120, operation, outcome: { _tag: "Lost", what: "nobody there" } },
  { _tag: "Booted", at: at + 3_000 },
  { _tag: "Called", at: at + 3_001, operation, kind: "lookup", gateway: "able" },
  { _tag: "Answered", at: at + 3_050, operation, outcome: { _tag: "Arrived", what: "Approved" } },
  { _tag: "Notified", at: at + 3_663_000, what: "auth/1 Approved" }
]

/** Names of elements in the order in which they open, or what is wrong with the nesting. */
const elements = (xml: string): ReadonlyArray<string> | string => {
  const names: Array<string> = []
  const open: Array<string> = []
  const text = xml.replaceAll(
    /<(\/?)([a-z]+)((?: [a-zA-Z0-9:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*)(\/?)>/g,
    (...match) => {
      const [, closes, name = "", , isEmpty] = match.map(String)
      if (closes === "/") return open.pop() === name ? "" : `<unbalanced ${name}>`
      names.push(name)
      if (isEmpty === "") open.push(name)
      return ""
    }
  )
  const stray = /<|&(?!(?:amp|lt|gt|quot);)/.exec(text)
  if (stray !== null) return `stray ${text.slice(stray.index, stray.index + 40)}`
  return open.length === 0 ? names : `open ${open.join(" ")}`
}

const count = (xml: string, part: string) => xml.split(part).length - 1

describe("Timeline as text", () => {
  it("is a line an entry, with the time since the first, and one for a long pause", () => {
    assert.deepStrictEqual(toText(story), [
      "   +0.000 s  florin              AuthorizationBegun auth/1",
      "   +0.004 s  florin -> gateway   auth/1 at able",
      "   +0.090 s            gateway   able: holds 10.00 EUR",
      "   +0.100 s  florin              process died",
      "   +0.120 s  florin x- gateway   auth/1: nobody there",
      "   +3.000 s  florin              process booted",
      "   +3.001 s  florin -> gateway   lookup auth/1 at able",
      "   +3.050 s  florin <- gateway   auth/1: Approved",
      "             ... 1 h 1 min later",
      "+3663.000 s  florin <- webhook   auth/1 Approved"
    ])
  })

  it("is in the order of time, and of telling within a moment", () => {
    const booted: Entry = { _tag: "Booted", at, process: "b" }
    assert.deepStrictEqual(toText([{ _tag: "Died", at: at + 1, process: "b" }, { ...booted, process: "a" }, booted]), [
      "+0.000 s  florin              a booted",
      "+0.000 s  florin              b booted",
      "+0.001 s  florin              b died"
    ])
  })

  it("says of an event its operation, its amount and its reason", () => {
    const lines = toText(
      [
        True.initiated("pay_1"),
        True.captured("pay_1/capture/1"),
        True.disputed(8_00n),
        True.unroutable,
        True.declined("pay_1/auth/1")
      ].map((event) => ({ _tag: "Recorded", at, event }))
    )
    assert.deepStrictEqual(
      lines.map((line) => line.slice(30)),
      [
        "Initiated 10.00 EUR",
        "Captured capture/1 10.00 EUR",
        "DisputeOpened dp_1 8.00 EUR",
        "Failed NoRoute",
        "AuthorizationDeclined auth/1 51"
      ]
    )
  })

  it("tells a length of time in its two largest units", () => {
    assert.deepStrictEqual([0, 999, 1250, 59_990, 60_000, 61_000, 3_600_000, 93_000_000, 86_400_000].map(duration), [
      "0 ms",
      "999 ms",
      "1.25 s",
      "59.99 s",
      "1 min",
      "1 min 1 s",
      "1 h",
      "1 d 1 h",
      "1 d"
    ])
  })

  it("is nothing of nothing", () => {
    assert.deepStrictEqual(toText([]), [])
  })
})

describe("Timeline as a picture", () => {
  it("is well-formed, with a title and a text for who cannot see it", () => {
    const svg = toSvg("pay_1", story)
    const names = elements(svg)
    assert.deepStrictEqual(names.slice(0, 5), ["svg", "title", "desc", "style", "rect"])
    assert.include(svg, '<title id="timeline-pay_1-title">Timeline of pay_1</title>')
    assert.include(svg, 'role="img" aria-labelledby="timeline-pay_1-title timeline-pay_1-text"')
    assert.include(svg, "+0.120 s  florin x- gateway   auth/1: nobody there")
    assert.isArray(elements(toSvg("pay_1", [])))
  })

  it("has the same bytes for the same entries, in whatever order they are told", () => {
    assert.strictEqual(toSvg("pay_1", story), toSvg("pay_1", structuredClone(story)))
    assert.strictEqual(toSvg("pay_1", story), toSvg("pay_1", story.toReversed()))
  })

  it("needs nothing from outside, and follows the reader's choice of light or dark", () => {
    const svg = toSvg("pay_1", story)
    assert.deepStrictEqual(svg.match(/https?:[^"]*|url\(|@import|href|<image|<script/g), ["http://www.w3.org/2000/svg"])
    assert.include(svg, "@media (prefers-color-scheme: dark)")
  })

  it("escapes what others wrote, and shows what XML cannot hold", () => {
    const svg = toSvg('<b>&"', [{ _tag: "Notified", at, what: 'a<b>&"c"\u0000\uD800' }])
    assert.isArray(elements(svg))
    assert.include(svg, '<title id="timeline-_b___-title">Timeline of &lt;b&gt;&amp;&quot;</title>')
    assert.include(svg, ">a&lt;b&gt;&amp;&quot;c&quot;\uFFFD\uFFFD</text>")
  })

  it("draws entries downwards in time", () => {
    const svg = toSvg("pay_1", story)
    const lines = [
      "AuthorizationBegun",
      "auth/1 at able",
      "holds 10.00 EUR",
      "process died",
      "process booted",
      "lookup auth/1"
    ]
    const heights = lines.map((label) => Number(new RegExp(`y="([\\d.]+)"[^\\n]*>${label}`).exec(svg)?.[1]))
    assert.deepStrictEqual(
      heights,
      heights.toSorted((one, other) => one - other)
    )
    assert.strictEqual(new Set(heights).size, lines.length)
  })

  it("draws a lost answer and a call that never left as broken arrows, and no other", () => {
    const call: Entry = { _tag: "Called", at, operation, kind: "authorize", gateway: "able" }
    const ending = (outcome: Extract<Entry, { readonly _tag: "Answered" }>["outcome"]) => {
      const svg = toSvg("pay_1", [call, { _tag: "Answered", at: at + 9, operation, outcome }])
      return { whole: count(svg, 'class="tip'), broken: count(svg, 'class="arrow bad lost"') }
    }
    assert.deepStrictEqual(ending({ _tag: "Arrived", what: "Approved" }), { whole: 2, broken: 0 })
    assert.deepStrictEqual(ending({ _tag: "Lost", what: "timeout" }), { whole: 1, broken: 1 })
    assert.deepStrictEqual(ending({ _tag: "NotSent", what: "refused" }), { whole: 0, broken: 1 })
  })

  it("dots florin's lane while no process lives", () => {
    assert.strictEqual(count(toSvg("pay_1", story), 'class="lane florin dead"'), 1)
    const two: ReadonlyArray<Entry> = [
      { _tag: "Booted", at, process: "a" },
      { _tag: "Booted", at, process: "b" },
      { _tag: "Died", at: at + 1, process: "a" }
    ]
    assert.strictEqual(count(toSvg("pay_1", two), 'class="lane florin dead"'), 0)
  })

  it("breaks the lanes where nothing happened for long", () => {
    assert.strictEqual(count(toSvg("pay_1", story), 'class="break"'), 3)
    assert.include(toSvg("pay_1", story), ">1 h 1 min later</text>")
  })

  it("gives each row its own height, so that no label lies on another", () => {
    const many = Array.from({ length: 30 }, (): Entry => ({ _tag: "Notified", at, what: "x".repeat(200) }))
    const svg = toSvg("pay_1", many)
    const labels = [...svg.matchAll(/<text class="label" x="\d+" y="(\d+)"[^>]*>([^<]*)</g)]
    const heights = labels.map(([, y]) => Number(y))
    assert.strictEqual(heights.length, 30)
    assert.isTrue(heights.every((y, index) => index === 0 || y - heights[index - 1]! >= 36))
    // 222 pixels from lane to lane, less the margins, at 7.4 pixels a letter.
    assert.isTrue(labels.every(([, , label]) => label!.length <= 30 && label!.endsWith("…")))
  })
})
