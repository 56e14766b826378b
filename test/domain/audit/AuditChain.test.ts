import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { createHash } from "node:crypto"
import * as AuditChain from "../../../src/domain/audit/AuditChain.ts"
import type { Broken, Link } from "../../../src/domain/audit/AuditChain.ts"
import { Draft } from "../../../src/domain/audit/AuditEntry.ts"
import * as AuditEntry from "../../../src/domain/audit/AuditEntry.ts"
import { at, paymentId, shop } from "../../../src/testing/contract/Samples.ts"

const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest("hex")

const chainOf = (drafts: ReadonlyArray<Draft>, from = AuditChain.genesis): ReadonlyArray<Link> => {
  const links: Array<Link> = []
  for (const draft of drafts) {
    const before = links.at(-1) ?? from
    const text = AuditChain.textAfter(before, draft)
    links.push({ sequence: before.sequence + 1, hash: sha256(text), text })
  }
  return links
}

const headOf = (links: ReadonlyArray<Link>) => {
  const { hash, sequence } = links.at(-1) ?? AuditChain.genesis
  return { sequence, hash, last: sequence }
}

/** What verification says of these links under that head. */
const verify = (links: ReadonlyArray<Link>, head: AuditChain.Head): Result.Result<AuditChain.Anchor, Broken> => {
  let end = AuditChain.genesis
  for (const link of links) {
    const followed = AuditChain.follow(end, link, sha256(link.text))
    if (Result.isFailure(followed)) return followed
    end = followed.success
  }
  return AuditChain.close(end, head)
}
const brokenAt = (links: ReadonlyArray<Link>, head: AuditChain.Head) => {
  const result = verify(links, head)
  return Result.isFailure(result) ? [result.failure.sequence, result.failure.how] : "whole"
}

const asked = (what: string): Draft => ({
  _tag: "Asked",
  at,
  caller: { actor: "ada", origin: "test" },
  merchant: shop,
  request: { _tag: "Operate", what }
})
const five = chainOf(["one", "two", "three", "four", "five"].map(asked))
const replace = (index: number, link: Partial<Link>) => five.with(index, { ...five[index]!, ...link })
const hashedAnew = (index: number, text: string) => replace(index, { text, hash: sha256(text) })
const swapped = (place: number) => {
  const { hash, text } = five[place]!
  const other = five[place + 1]!
  return five
    .with(place, { ...five[place]!, text: other.text, hash: other.hash })
    .with(place + 1, { ...other, text, hash })
}

describe("AuditChain", () => {
  it("the text of an entry is its JSON with sorted keys, its sequence, and the hash before", () => {
    assert.strictEqual(
      five[0]!.text,
      '{"_tag":"Asked","at":1700000000000,"caller":{"actor":"ada","origin":"test"},"merchant":"shop",' +
        `"previous":"${"0".repeat(64)}","request":{"_tag":"Operate","what":"one"},"sequence":1}`
    )
    // Of `printf %s TEXT | sha256sum`.
    assert.strictEqual(five[0]!.hash, "108b65fb0ee92b2d8a24f60f9f6143b98bcb1d249bc35386b45386dabda5cad3")
    assert.include(five[1]!.text, `"previous":"108b65fb0ee92b2d8a24f60f9f6143b98bcb1d249bc35386b45386dabda5cad3"`)
  })

  it("amounts are text, so that none is rounded by whoever reads them", () => {
    const draft: Draft = {
      _tag: "Asked",
      at,
      caller: { actor: "ada", origin: "test" },
      payment: paymentId(),
      request: {
        _tag: "Refund",
        amount: { currency: "EUR", minor: 9_007_199_254_740_993n },
        key: sha256("key")
      }
    }
    assert.include(
      AuditChain.textAfter(AuditChain.genesis, draft),
      '"amount":{"currency":"EUR","minor":"9007199254740993"}'
    )
  })

  const head = headOf(five)
  const words = (index: number, text: string) => five[index]!.text.replace(/"what":"\w+"/, `"what":"${text}"`)
  const cases: ReadonlyArray<
    readonly [what: string, links: ReadonlyArray<Link>, head: AuditChain.Head, found: unknown]
  > = [
    ["a chain that nobody touched", five, head, "whole"],
    ["an empty one", [], headOf([]), "whole"],
    ["a text that was changed", replace(2, { text: words(2, "tree") }), head, [3, "Changed"]],
    ["a hash that was changed", replace(2, { hash: sha256("tree") }), head, [3, "Changed"]],
    ["a text that was changed and hashed anew", hashedAnew(2, words(2, "tree")), head, [4, "Unlinked"]],
    ["the last one, changed and hashed anew", hashedAnew(4, words(4, "hive")), head, [5, "HeadChanged"]],
    ["the first one missing", five.slice(1), head, [1, "Missing"]],
    ["one missing", five.toSpliced(2, 1), head, [3, "Missing"]],
    ["the last two missing", five.slice(0, 3), head, [4, "Missing"]],
    ["all missing", [], head, [1, "Missing"]],
    [
      "one missing, and the later ones moved up",
      five.toSpliced(2, 1).map((link, index) => ({ ...link, sequence: index + 1 })),
      { ...head, sequence: 4, last: 4 },
      [3, "Moved"]
    ],
    ["two in each other's place", swapped(1), head, [2, "Moved"]],
    ["no entry, but hashed", hashedAnew(1, '{"sequence":2}'), head, [2, "Unreadable"]],
    ["a head that knows less", five, { ...headOf(five.slice(0, 3)), last: 5 }, [3, "HeadChanged"]],
    ["a head with another hash", five, { ...head, hash: sha256("") }, [5, "HeadChanged"]],
    ["one that was added past the head", five, { ...head, last: 6 }, [6, "Unclaimed"]]
  ]
  for (const [what, links, saidHead, found] of cases) {
    it(`${what}: ${Array.isArray(found) ? `${found[1]} at ${found[0]}` : "holds"}`, () => {
      assert.deepStrictEqual(brokenAt(links, saidHead), found)
    })
  }

  it.effect.prop("any entries make a chain that holds, and read back as they were", [Schema.Array(Draft)], ([drafts]) =>
    Effect.sync(() => {
      const links = chainOf(drafts)
      assert.strictEqual(brokenAt(links, headOf(links)), "whole")
      assert.deepStrictEqual(
        links.map((link) => AuditChain.entryOf(link)._tag),
        drafts.map(() => "Some")
      )
    })
  )

  it.effect.prop(
    "whatever one letter is changed, the first broken link is that one",
    [Schema.Array(Draft), Schema.Int, Schema.Int],
    ([drafts, which, where]) =>
      Effect.sync(() => {
        const links = chainOf([asked("first"), ...drafts])
        const index = Math.abs(which) % links.length
        const { text } = links[index]!
        const place = Math.abs(where) % text.length
        const other = text[place] === "x" ? "y" : "x"
        const changed = text.slice(0, place) + other + text.slice(place + 1)
        assert.deepStrictEqual(brokenAt(links.with(index, { ...links[index]!, text: changed }), headOf(links)), [
          index + 1,
          "Changed"
        ])
      })
  )

  it.effect.prop("whichever is taken out, it is missing", [Schema.Array(Draft), Schema.Int], ([drafts, which]) =>
    Effect.sync(() => {
      const links = chainOf([asked("first"), ...drafts])
      const index = Math.abs(which) % links.length
      assert.deepStrictEqual(brokenAt(links.toSpliced(index, 1), headOf(links)), [index + 1, "Missing"])
    })
  )
})

describe("AuditEntry.plain", () => {
  const cases: ReadonlyArray<readonly [text: string, kept: string]> = [
    ["ada", "ada"],
    ["", "unknown"],
    ["two\nlines\u0000", "two?lines?"],
    ["half \uD83D of a letter", "half ? of a letter"],
    ["card 4242 4242 4242 4242", "card [card number ending 4242]"],
    ["a".repeat(500), "a".repeat(200)],
    [`${"a".repeat(199)}😀`, `${"a".repeat(199)}?`]
  ]
  for (const [text, kept] of cases) {
    it(`keeps ${JSON.stringify(text.slice(0, 40))} as ${JSON.stringify(kept.slice(0, 40))}`, () => {
      assert.strictEqual(AuditEntry.plain(text), kept)
    })
  }
})
