import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Mix from "../../../src/testing/ledger/Mix.ts"

const message = (text: string) => Result.getOrThrow(Result.flip(Mix.parse(text))).message
const shares = (text: string) => Mix.toText(Result.getOrThrow(Mix.parse(text)))

describe("Mix.parse", () => {
  it("reads what is named, and has nothing of the rest", () => {
    assert.strictEqual(shares(" withdrawal = 1 , deposit=2.5"), "deposit=2.5,withdrawal=1")
    assert.strictEqual(shares("deposit=1,malformed=0"), "deposit=1")
    assert.strictEqual(
      Mix.toText(Mix.usual),
      "deposit=60,withdrawal=34,dispute=3,resolve=1.9,chargeback=0.1,overdraft=1"
    )
    assert.deepStrictEqual(Mix.parse(Mix.toText(Mix.usual)), Result.succeed(Mix.usual))
  })

  it("names the part that is wrong, and what was expected", () => {
    assert.match(
      message("deposit=1,deposits=2"),
      /^mix: expected a kind of row, one of deposit, withdrawal, .*, malformed; got "deposits"$/
    )
    const share = "mix: expected dispute to have a share of 0 to 1000000, as in dispute=2.5; got"
    for (const part of [
      "dispute",
      "dispute=",
      "dispute=-1",
      "dispute=5%",
      "dispute=1e3",
      "dispute=1=2",
      "dispute=1000001"
    ]) {
      assert.strictEqual(message(`deposit=1,${part}`), `${share} "${part}"`)
    }
    assert.strictEqual(message("deposit=1,deposit=1"), "mix: expected deposit once; got it twice")
    assert.match(message(""), /got ""$/)
    assert.match(message("toString=1"), /got "toString"$/)
  })

  it("refuses shares that cannot hold", () => {
    const about = "mix: expected deposit to have a share, as all else is about deposits; got none"
    assert.strictEqual(message("withdrawal=1"), about)
    assert.strictEqual(message("deposit=0"), about)
    assert.strictEqual(
      message("deposit=1,resolve=1"),
      "mix: expected dispute to have a share, as resolve has one; got none"
    )
    assert.strictEqual(
      message("deposit=1,frozen=1"),
      "mix: expected chargeback to have a share, as frozen has one; got none"
    )
    assert.strictEqual(
      message("deposit=1,dispute=2,resolve=1.5,chargeback=1"),
      "mix: expected resolve and chargeback to come to at most 2, the share of dispute; got 2.5"
    )
  })
})
