/** What every `IdempotencyStore` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Layer } from "effect"
import { IdempotencyStore } from "../../adapters/IdempotencyStore.ts"
import { Fingerprint } from "../../domain/Idempotency.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { at, key, later, run, shop } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the store; it need not be empty. Moments come with each
 * request, so no clock is asked.
 *
 * Checks: of many claims of one key, one has it; the stored answer is given as
 * it was, whatever JSON it is, to every later claim; a release frees the key; a
 * lapsed lease is taken over by the same request only; who lost the key can
 * neither answer nor release it; an answered key stays answered; keys of two
 * merchants do not meet.
 *
 *     const database = Layer.fresh(AcmeDatabase.layer)
 *     const store = AcmeIdempotencyStore.layer.pipe(Layer.provide(database))
 *     IdempotencyStoreContract.suite("acme", store)
 */
export const suite = <E>(name: string, implementation: Layer.Layer<IdempotencyStore, E>) =>
  layer(implementation)(`IdempotencyStore (${name})`, (it) => {
    const fingerprint = Fingerprint.make(`{"amount":"1"}`)
    const request = () => ({
      merchant: shop,
      key: key(),
      fingerprint,
      owner: run("first"),
      now: at,
      until: later(1000)
    })

    it.effect("a key is claimed once, by one of many at once", () =>
      Effect.gen(function* () {
        const store = yield* IdempotencyStore
        const first = request()
        const claims = yield* Effect.forEach(
          Array.from({ length: 8 }, (_, index) => run(`r${index}`)),
          (owner) => store.claim({ ...first, owner }),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(claims.filter(({ _tag }) => _tag === "Claimed").length, 1)
        for (const claim of claims.filter(({ _tag }) => _tag === "Taken")) {
          assert.deepStrictEqual(claim, { _tag: "Taken", fingerprint, answer: undefined })
        }
      })
    )

    it.effect("gives the answer that was stored, whatever JSON it is, to another request too", () =>
      Effect.gen(function* () {
        const store = yield* IdempotencyStore
        for (const answer of [
          { status: 200, body: { amount: "9223372036854775807", list: [1, null, "é"] } },
          "",
          0,
          false
        ]) {
          const first = request()
          yield* store.claim(first)
          yield* store.complete(shop, first.key, first.owner, answer)
          const other = { ...first, owner: run("other"), fingerprint: Fingerprint.make(`{"amount":"2"}`) }
          assert.deepStrictEqual(yield* store.claim(other), { _tag: "Taken", fingerprint, answer })
        }
      })
    )

    it.effect("a released key can be claimed again", () =>
      Effect.gen(function* () {
        const store = yield* IdempotencyStore
        const first = request()
        yield* store.claim(first)
        yield* store.release(shop, first.key, first.owner)
        assert.deepStrictEqual(yield* store.claim({ ...first, owner: run("other") }), { _tag: "Claimed" })
      })
    )

    it.effect("a lease that lapsed is taken over by the same request, not by another, not before", () =>
      Effect.gen(function* () {
        const store = yield* IdempotencyStore
        const first = request()
        const next = { ...first, owner: run("next"), until: later(9000) }
        yield* store.claim(first)
        assert.strictEqual((yield* store.claim({ ...next, now: later(999) }))._tag, "Taken")
        const another = { ...next, now: later(1000), fingerprint: Fingerprint.make("{}") }
        assert.strictEqual((yield* store.claim(another))._tag, "Taken")
        assert.strictEqual((yield* store.claim({ ...next, now: later(1000) }))._tag, "Claimed")
      })
    )

    it.effect("who lost the key can neither answer nor release it", () =>
      Effect.gen(function* () {
        const store = yield* IdempotencyStore
        const first = request()
        const next = { ...first, owner: run("next"), now: later(1000), until: later(9000) }
        yield* store.claim(first)
        yield* store.claim(next)
        yield* store.complete(shop, first.key, first.owner, "late")
        yield* store.release(shop, first.key, first.owner)
        const third = yield* store.claim({ ...next, owner: run("third") })
        assert.deepStrictEqual(third, { _tag: "Taken", fingerprint, answer: undefined })
      })
    )

    it.effect("an answered key is neither released nor taken over", () =>
      Effect.gen(function* () {
        const store = yield* IdempotencyStore
        const first = request()
        yield* store.claim(first)
        yield* store.complete(shop, first.key, first.owner, "done")
        yield* store.release(shop, first.key, first.owner)
        const late = { ...first, owner: run("late"), now: later(100_000), until: later(200_000) }
        assert.deepStrictEqual(yield* store.claim(late), { _tag: "Taken", fingerprint, answer: "done" })
      })
    )

    it.effect("a key belongs to its merchant", () =>
      Effect.gen(function* () {
        const store = yield* IdempotencyStore
        const first = request()
        yield* store.claim(first)
        const other = { ...first, merchant: MerchantId.make("other") }
        assert.strictEqual((yield* store.claim(other))._tag, "Claimed")
      })
    )
  })
