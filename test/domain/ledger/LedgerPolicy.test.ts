import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"

const message = (text: string) => Result.getOrThrow(Result.flip(LedgerPolicy.parse(text))).message

describe("LedgerPolicy.parse", () => {
  it("takes what is named, and leaves the rest as it stands", () => {
    assert.deepStrictEqual(LedgerPolicy.parse(""), Result.succeed(LedgerPolicy.standard))
    assert.deepStrictEqual(
      LedgerPolicy.parse("frozen-deposits=refuse, disputable=all"),
      Result.succeed({
        frozenDeposits: "refuse",
        frozenWithdrawals: "refuse",
        frozenDisputes: "accept",
        disputable: "all",
        spentDisputes: "accept",
        repeatedDisputes: "accept",
        unseenWithdrawals: "open"
      })
    )
  })

  it("says which part is wrong, and what was expected of it", () => {
    assert.strictEqual(
      message("frozen-deposit=refuse"),
      'policy: expected one of frozen-deposits, frozen-withdrawals, frozen-disputes, disputable, spent-disputes, repeated-disputes, unseen-withdrawals; got "frozen-deposit"'
    )
    assert.strictEqual(
      message("disputable=deposits,frozen-deposits=ignore"),
      'policy: expected frozen-deposits=accept or frozen-deposits=refuse; got "frozen-deposits=ignore"'
    )
    assert.strictEqual(
      message("disputable=all=all"),
      'policy: expected disputable=deposits or disputable=all; got "disputable=all=all"'
    )
    assert.strictEqual(
      message("disputable"),
      'policy: expected disputable=deposits or disputable=all; got "disputable"'
    )
    assert.strictEqual(message("disputable=all,disputable=all"), "policy: expected disputable once; got it twice")
    assert.match(message("disputable=all,"), /; got ""$/)
    assert.match(message("constructor=all"), /; got "constructor"$/)
  })
})

describe("LedgerPolicy.choices", () => {
  it("name the default first", () => {
    assert.strictEqual(
      [...LedgerPolicy.choices].map(([name, [first]]) => `${name}=${first}`).join(","),
      LedgerPolicy.toText(LedgerPolicy.standard)
    )
  })

  it("read back as they are written, each of them", () => {
    for (const [name, allowed] of LedgerPolicy.choices) {
      for (const choice of allowed) {
        const policy = Result.getOrThrow(LedgerPolicy.parse(`${name}=${choice}`))
        assert.include(LedgerPolicy.toText(policy).split(","), `${name}=${choice}`)
        assert.deepStrictEqual(LedgerPolicy.parse(LedgerPolicy.toText(policy)), Result.succeed(policy))
      }
    }
  })
})
