import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as FaultRates from "../../src/testing/FaultRates.ts"

describe("FaultRates", () => {
  const read: ReadonlyArray<readonly [text: string, printed: string]> = [
    ["none", "none"],
    ["lost=0%", "none"],
    ["lost=5%", "lost=5%"],
    ["crash=0.5%", "crash=0.5%"],
    ["jump=0.0001%", "jump=0.0001%"],
    ["timeout=100%", "timeout=100%"],
    [" db = 7% , lost=0.07% ", "lost=0.07%,db=7%"],
    ["webhook-late=1%,webhook-lost=2.50%", "webhook-lost=2.5%,webhook-late=1%"]
  ]
  for (const [text, printed] of read) {
    it(`reads ${text} and prints ${printed}, which reads back as the same`, () => {
      const rates = Result.getOrThrow(FaultRates.parse(text))
      assert.strictEqual(FaultRates.toText(rates), printed)
      assert.deepStrictEqual(Result.getOrThrow(FaultRates.parse(printed)), rates)
    })
  }

  const names =
    "lost, late, timeout, refused, error, throttle, slow, crash, stall, db, conflict, jump, webhook-lost, webhook-twice, webhook-late"
  const refused: ReadonlyArray<readonly [text: string, message: string]> = [
    ["", `faults: expected a fault, one of ${names}, or none; got ""`],
    ["lots=5%", `faults: expected a fault, one of ${names}, or none; got "lots"`],
    ["toString=5%", `faults: expected a fault, one of ${names}, or none; got "toString"`],
    ["lost=5%,", `faults: expected a fault, one of ${names}, or none; got ""`],
    ["lost=5", 'faults: expected lost to be from 0% to 100%, as in lost=0.5%; got "lost=5"'],
    ["lost", 'faults: expected lost to be from 0% to 100%, as in lost=0.5%; got "lost"'],
    ["db=101%", 'faults: expected db to be from 0% to 100%, as in db=0.5%; got "db=101%"'],
    ["db=-1%", 'faults: expected db to be from 0% to 100%, as in db=0.5%; got "db=-1%"'],
    ["db=1e1%", 'faults: expected db to be from 0% to 100%, as in db=0.5%; got "db=1e1%"'],
    ["db=1%=2%", 'faults: expected db to be from 0% to 100%, as in db=0.5%; got "db=1%=2%"'],
    ["db=1%,db=2%", "faults: expected db once; got it twice"],
    [
      "lost=60%,late=41%",
      "faults: expected at most 100% of calls, as each meets one fault at most; got 101% altogether"
    ],
    [
      "webhook-lost=60%,webhook-twice=60%",
      "faults: expected at most 100% of notifications, as each meets one fault at most; got 120% altogether"
    ]
  ]
  for (const [text, message] of refused) {
    it(`refuses "${text}" and says what it expected`, () => {
      assert.strictEqual(Result.merge(Result.mapError(FaultRates.parse(text), (error) => error.message)), message)
    })
  }

  it("has usual rates for a run that names none", () => {
    assert.strictEqual(
      FaultRates.toText(FaultRates.usual),
      "lost=5%,late=2%,timeout=10%,refused=3%,error=2%,throttle=2%,slow=5%,crash=1%,stall=0.5%,db=1%,conflict=0.5%,jump=0.1%,webhook-lost=2%,webhook-twice=5%,webhook-late=5%"
    )
  })
})
