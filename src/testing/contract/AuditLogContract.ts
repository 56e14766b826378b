/** What every `AuditLog` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Option, Result } from "effect"
import { Digest } from "effect/crypto"
import type { Page } from "../../adapters/AuditLog.ts"
import { AuditLog } from "../../adapters/AuditLog.ts"
import * as AuditChain from "../../domain/audit/AuditChain.ts"
import type { Draft } from "../../domain/audit/AuditEntry.ts"
import type { PaymentId } from "../../domain/payment/PaymentEvent.ts"
import * as AuditVerification from "../../orchestration/AuditVerification.ts"
import { at, paymentId, shop } from "./Samples.ts"

const caller = { actor: "ada", origin: "test" }

export const asked = (what: string, payment?: PaymentId): Draft => ({
  _tag: "Asked",
  at,
  caller,
  merchant: shop,
  request: { _tag: "Operate", what },
  ...(payment !== undefined && { payment })
})

export const answered = (of: number, payment?: PaymentId): Draft => ({
  _tag: "Answered",
  at,
  asked: of,
  outcome: { _tag: "Done" },
  ...(payment !== undefined && { payment })
})

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the log over a store that is empty each time the layer is
 * built (`Layer.fresh`): there is one chain for all, so every test builds its own.
 *
 * Checks: sequences count from 1 without gaps, and the chain verifies; each
 * append hears its own sequence, and its entries stand side by side, also when
 * many append at once; an entry is kept to the letter; pages go both ways, from
 * a cursor, and by payment, with the command that made it.
 *
 *     const database = Layer.fresh(AcmeDatabase.layer)
 *     AuditLogContract.suite("acme", AcmeAuditLog.layer.pipe(Layer.provide(database)))
 */
export const suite = <E>(name: string, implementation: Layer.Layer<AuditLog, E>) => {
  const sequences = (page: Partial<Page>) =>
    Effect.gen(function* () {
      const log = yield* AuditLog
      const links = yield* log.read({ order: "oldestFirst", limit: 100, ...page })
      return links.map(({ sequence }) => sequence)
    })
  const requests = Effect.gen(function* () {
    const log = yield* AuditLog
    const links = yield* log.read({ order: "oldestFirst", limit: 1000 })
    return links.map((link) => {
      const entry = Option.getOrThrow(AuditChain.entryOf(link))
      return entry._tag === "Asked" && entry.request._tag === "Operate" ? entry.request.what : undefined
    })
  })
  const verified = Effect.gen(function* () {
    const result = yield* AuditVerification.verify()
    assert.isTrue(Result.isSuccess(result), JSON.stringify(result))
  })

  const cases: Record<string, Effect.Effect<void, unknown, AuditLog | Digest.Digest>> = {
    "is empty at first": Effect.gen(function* () {
      const log = yield* AuditLog
      assert.deepStrictEqual(yield* log.head, { sequence: 0, hash: "0".repeat(64), last: 0 })
      assert.deepStrictEqual(yield* sequences({}), [])
      yield* verified
    }),

    "counts from 1, and chains each entry to the one before": Effect.gen(function* () {
      const log = yield* AuditLog
      assert.strictEqual(yield* log.append([asked("one")]), 1)
      assert.strictEqual(yield* log.append([asked("two"), answered(1)]), 2)
      assert.strictEqual(yield* log.append([asked("four")]), 4)
      assert.deepStrictEqual(yield* sequences({}), [1, 2, 3, 4])
      const [first, second] = yield* log.read({ order: "oldestFirst", limit: 2 })
      assert.strictEqual(Option.getOrThrow(AuditChain.entryOf(first!)).previous, "0".repeat(64))
      assert.strictEqual(Option.getOrThrow(AuditChain.entryOf(second!)).previous, first!.hash)
      const { hash, last, sequence } = yield* log.head
      assert.deepStrictEqual([sequence, last], [4, 4])
      const [newest] = yield* log.read({ order: "newestFirst", limit: 1 })
      assert.strictEqual(newest!.hash, hash)
      yield* verified
    }),

    "keeps an entry to the letter": Effect.gen(function* () {
      const log = yield* AuditLog
      const draft = asked(`"quoted" \\ Größe 金額 😀 {"sequence":9}`, paymentId())
      yield* log.append([draft])
      const [link] = yield* log.read({ order: "oldestFirst", limit: 1 })
      assert.deepStrictEqual(Option.getOrThrow(AuditChain.entryOf(link!)), {
        ...draft,
        sequence: 1,
        previous: "0".repeat(64)
      })
      yield* verified
    }),

    "of many that append at once, each hears its own sequence, and there is one chain": Effect.gen(function* () {
      const log = yield* AuditLog
      const named = Array.from({ length: 200 }, (_, index) => `command ${index}`)
      const given = yield* Effect.forEach(named, (what) => log.append([asked(what), asked(`${what}, continued`)]), {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(given).size, 200)
      const kept = yield* requests
      assert.strictEqual(kept.length, 400)
      for (const [index, what] of named.entries()) {
        const place = given[index]! - 1
        assert.deepStrictEqual(kept.slice(place, place + 2), [what, `${what}, continued`])
      }
      yield* verified
    }),

    "pages go both ways, from a cursor": Effect.gen(function* () {
      const log = yield* AuditLog
      yield* log.append([asked("1"), asked("2"), asked("3"), asked("4"), asked("5")])
      assert.deepStrictEqual(yield* sequences({ limit: 2 }), [1, 2])
      assert.deepStrictEqual(yield* sequences({ after: 2, limit: 2 }), [3, 4])
      assert.deepStrictEqual(yield* sequences({ after: 1, before: 4 }), [2, 3])
      assert.deepStrictEqual(yield* sequences({ order: "newestFirst", limit: 2 }), [5, 4])
      assert.deepStrictEqual(yield* sequences({ order: "newestFirst", before: 4, limit: 2 }), [3, 2])
      assert.deepStrictEqual(yield* sequences({ after: 5 }), [])
    }),

    "shows one payment, with the command that made it": Effect.gen(function* () {
      const log = yield* AuditLog
      const [mine, other] = [paymentId(), paymentId()]
      yield* log.append([
        asked("create"),
        asked("create"),
        answered(2, mine),
        answered(1, other),
        asked("refund", mine)
      ])
      assert.deepStrictEqual(yield* sequences({ payment: mine }), [2, 3, 5])
      assert.deepStrictEqual(yield* sequences({ payment: mine, order: "newestFirst", limit: 2 }), [5, 3])
      assert.deepStrictEqual(yield* sequences({ payment: other }), [1, 4])
      assert.deepStrictEqual(yield* sequences({ payment: paymentId() }), [])
    })
  }

  for (const [sentence, test] of Object.entries(cases)) {
    layer(Layer.mergeAll(implementation, Digest.layerWebCrypto))(`AuditLog (${name})`, (it) => {
      it.effect(sentence, () => test)
    })
  }
}
