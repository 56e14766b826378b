/** What every `LedgerSubscriptions` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Layer } from "effect"
import type { DeadLetter } from "../../adapters/LedgerSubscriptions.ts"
import { LedgerSubscriptions } from "../../adapters/LedgerSubscriptions.ts"
import * as LedgerAmount from "../../domain/ledger/LedgerAmount.ts"
import { ClientId, TxId } from "../../domain/ledger/Transaction.ts"
import { later, unique } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Checks: a position begins at 0, belongs to one handler of one ledger, and only
 * moves forward; a burial is a letter and a position past it, and a repeated one
 * changes the letter; letters keep their event to the last digit, and are listed
 * the longest dead first; one that is put back is no dead letter any more, waits
 * for its own handler only, and is gone once it is settled or dead again once it
 * is buried; what rests cannot be settled away.
 *
 *     LedgerSubscriptionsContract.suite("acme", AcmeLedgerSubscriptions.layer)
 */
export const suite = <E>(name: string, implementation: Layer.Layer<LedgerSubscriptions, E>) =>
  layer(implementation)(`LedgerSubscriptions (${name})`, (it) => {
    const subscription = (handler = "mailer") => ({ ledger: unique("shop/"), handler })

    const letter = (changes: Partial<DeadLetter>): DeadLetter => ({
      ...subscription(),
      sequence: 5,
      event: { _tag: "Deposited", client: ClientId.make(4_294_967_295), tx: TxId.make(0), amount: LedgerAmount.max },
      recordedAt: later(1),
      failures: 3,
      error: 'Error: no "answer" 金',
      at: later(2),
      ...changes
    })

    it.effect("a position begins at 0, is its handler's own, and only moves forward", () =>
      Effect.gen(function* () {
        const subscriptions = yield* LedgerSubscriptions
        const one = subscription()
        assert.strictEqual(yield* subscriptions.position(one), 0)
        yield* subscriptions.advance(one, 7)
        yield* subscriptions.advance(one, 3)
        assert.strictEqual(yield* subscriptions.position(one), 7)
        assert.strictEqual(yield* subscriptions.position({ ...one, handler: "other" }), 0)
        assert.strictEqual(yield* subscriptions.position({ ...one, ledger: unique("other") }), 0)
        yield* subscriptions.advance(one, 4_503_599_627_370_496)
        assert.strictEqual(yield* subscriptions.position(one), 4_503_599_627_370_496)
      })
    )

    it.effect("a burial is a letter, as it was, and a position past it", () =>
      Effect.gen(function* () {
        const subscriptions = yield* LedgerSubscriptions
        const dead = letter({ sequence: 9 })
        assert.deepStrictEqual(yield* subscriptions.deadLetter(dead), Option.none())
        yield* subscriptions.bury(dead)
        assert.deepStrictEqual(yield* subscriptions.deadLetter(dead), Option.some(dead))
        assert.strictEqual(yield* subscriptions.position(dead), 9)
        const opened = letter({ sequence: 4, event: { _tag: "Opened", client: ClientId.make(1) } })
        yield* subscriptions.bury({ ...opened, ledger: dead.ledger })
        assert.strictEqual(yield* subscriptions.position(dead), 9)
        const again = { ...dead, failures: 6, error: "again", at: later(3) }
        yield* subscriptions.bury(again)
        assert.deepStrictEqual(yield* subscriptions.deadLetter(dead), Option.some(again))
      })
    )

    it.effect("dead letters are listed the longest dead first", () =>
      Effect.gen(function* () {
        const subscriptions = yield* LedgerSubscriptions
        const letters = [
          letter({ sequence: 3, at: later(-9) }),
          letter({ sequence: 1, at: later(-7) }),
          letter({ sequence: 2, at: later(-8) })
        ]
        yield* Effect.forEach(letters, subscriptions.bury)
        const listed = yield* subscriptions.deadLetters(2)
        assert.deepStrictEqual(listed, [letters[0]!, letters[2]!])
      })
    )

    it.effect("one that is put back waits for its handler, and is gone when it is settled", () =>
      Effect.gen(function* () {
        const subscriptions = yield* LedgerSubscriptions
        const one = letter({ sequence: 6 })
        const two = { ...one, sequence: 5 }
        assert.isFalse(yield* subscriptions.replay(one))
        yield* subscriptions.bury(one)
        yield* subscriptions.bury(two)
        yield* subscriptions.settle(one)
        assert.isTrue(yield* subscriptions.replay(one))
        assert.isTrue(yield* subscriptions.replay(two))
        assert.isFalse(yield* subscriptions.replay(one))
        assert.deepStrictEqual(yield* subscriptions.deadLetter(one), Option.none())
        assert.deepStrictEqual(yield* subscriptions.returned(one, 10), [two, one])
        assert.deepStrictEqual(yield* subscriptions.returned(one, 1), [two])
        assert.deepStrictEqual(yield* subscriptions.returned({ ...one, handler: "other" }, 10), [])
        assert.notInclude(
          (yield* subscriptions.deadLetters(1000)).map(({ ledger }) => ledger),
          one.ledger
        )
        yield* subscriptions.settle(two)
        yield* subscriptions.bury({ ...one, failures: 6 })
        assert.deepStrictEqual(yield* subscriptions.returned(one, 10), [])
        assert.deepStrictEqual(yield* subscriptions.deadLetter(two), Option.none())
        assert.deepStrictEqual(yield* subscriptions.deadLetter(one), Option.some({ ...one, failures: 6 }))
      })
    )
  })
