/** What every `PaymentRepository` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option, Result } from "effect"
import type { Layer } from "effect"
import { PaymentRepository, PaymentRepositoryError } from "../../adapters/PaymentRepository.ts"
import { Fingerprint } from "../../domain/Idempotency.ts"
import type { PaymentId } from "../../domain/payment/PaymentEvent.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { append, at, creation, historyOf, key, later, paymentId, run, shop, unique, viewOf } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the repository, with whatever the hook needs, over a store
 * that is empty at first; and the hook `lose`, which takes the event of that
 * version away behind the repository's back, as a disk or a person might.
 * Moments come with each request, so no clock is asked.
 *
 * Checks: events and views come back as they were, amounts up to 64 bits and
 * text in any script included; one key makes one payment, also for many at
 * once, and keeps the first answer; an append is all or nothing, and onto the
 * expected version only; a claim excludes others until it lapses, and a stalled
 * holder is `Fenced`; what is owed is found, longest owed first; lists are
 * newest first and page without a gap; a gap in a stream is an
 * `EventContinuityError` of that payment alone; the read model can be dropped
 * and put back, and never goes back to an earlier version.
 *
 *     const repository = AcmePaymentRepository.layer.pipe(Layer.provideMerge(AcmeDatabase.layer))
 *     const lose = (payment: PaymentId, version: number) => AcmeDatabase.deleteEvent(payment, version)
 *     PaymentRepositoryContract.suite("acme", repository, lose)
 */
export const suite = <R, E>(
  name: string,
  implementation: Layer.Layer<PaymentRepository | R, E>,
  lose: (payment: PaymentId, version: number) => Effect.Effect<void, unknown, R>
) =>
  layer(implementation)(`PaymentRepository (${name})`, (it) => {
    const failure = <A>(effect: Effect.Effect<A, PaymentRepositoryError, PaymentRepository>) =>
      Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

    it.effect("an unknown payment has no history", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        assert.deepStrictEqual(yield* repository.load(paymentId()), { history: [], version: 0 })
        assert.deepStrictEqual(yield* repository.find(paymentId()), Option.none())
      })
    )

    it.effect("gives back what was created and appended, events and view alike", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        yield* repository.create(creation(id))
        yield* repository.append(append(id, 1, 2))
        yield* repository.append(append(id, 3, 2))
        const history = historyOf(id)
        assert.deepStrictEqual(yield* repository.load(id), { history, version: 5 })
        assert.deepStrictEqual(yield* repository.find(id), Option.some(viewOf(history)))
      })
    )

    it.effect("keeps amounts beyond what a JSON number holds, and text in any script", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        const order = {
          amount: { currency: "EUR", minor: 9_223_372_036_854_775_807n },
          customer: "Ωmega 漢字 🂡 'quoted\" \\ $1",
          metadata: { order: "№ 42" }
        } as const
        const created = creation(id, { order })
        yield* repository.create(created)
        assert.deepStrictEqual((yield* repository.load(id)).history, created.events)
        assert.deepStrictEqual(yield* repository.find(id), Option.some(created.view))
      })
    )

    it.effect("of concurrent creations with one key, one creates and the others learn of it", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const shared = key()
        const fingerprint = Fingerprint.make(`{"amount":"1"}`)
        const ids = Array.from({ length: 8 }, paymentId)
        const results = yield* Effect.forEach(
          ids,
          (id) => repository.create(creation(id, { key: shared, fingerprint })),
          { concurrency: "unbounded" }
        )
        const winners = ids.filter((_, index) => results[index]?._tag === "Created")
        assert.strictEqual(winners.length, 1)
        for (const result of results.filter(({ _tag }) => _tag === "KeyTaken")) {
          assert.deepStrictEqual(result, { _tag: "KeyTaken", payment: winners[0], fingerprint, answer: undefined })
        }
        for (const id of ids.filter((candidate) => candidate !== winners[0])) {
          assert.strictEqual((yield* repository.load(id)).version, 0)
          assert.deepStrictEqual(yield* repository.find(id), Option.none())
        }
      })
    )

    it.effect("a key belongs to its merchant", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const shared = key()
        yield* repository.create(creation(paymentId(), { key: shared }))
        const other = creation(paymentId(), { key: shared, merchant: MerchantId.make("other") })
        assert.strictEqual((yield* repository.create(other))._tag, "Created")
      })
    )

    it.effect("answers a repeated key with the view of the first rest, and keeps that answer", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        const first = creation(id)
        const repeat = creation(paymentId(), { key: first.key })
        yield* repository.create(first)
        const answer = viewOf(historyOf(id).slice(0, 3))
        yield* repository.append(append(id, 1, 2, { answer }))
        yield* repository.append(append(id, 3, 2, { answer: viewOf(historyOf(id)) }))
        const taken = yield* repository.create(repeat)
        assert.isTrue(taken._tag === "KeyTaken")
        assert.deepStrictEqual(Reflect.get(taken, "answer"), answer)
      })
    )

    it.effect("of two writers at one version, one wins and one sees VersionConflict", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        yield* repository.create(creation(id))
        const results = yield* Effect.forEach(
          Array.from({ length: 6 }),
          () => Effect.result(repository.append(append(id, 1, 2))),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(results.filter(Result.isSuccess).length, 1)
        for (const result of results.filter(Result.isFailure)) {
          assert.strictEqual(result.failure.reason._tag, "VersionConflict")
        }
        assert.strictEqual((yield* repository.load(id)).version, 3)
      })
    )

    it.effect("appends nothing onto another version, ahead or behind", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        yield* repository.create(creation(id))
        const before = yield* repository.find(id)
        assert.strictEqual(yield* failure(repository.append(append(id, 2, 1))), "VersionConflict")
        assert.strictEqual(yield* failure(repository.append(append(id, 0, 1))), "VersionConflict")
        assert.strictEqual(yield* failure(repository.append(append(paymentId(), 1, 1))), "VersionConflict")
        assert.strictEqual((yield* repository.load(id)).version, 1)
        assert.deepStrictEqual(yield* repository.find(id), before)
      })
    )

    it.effect("a claim is had by one run until it lapses or is released", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        yield* repository.create(creation(id))
        const lease = { owner: run("other"), until: later(5000) }
        assert.strictEqual(yield* failure(repository.claim(id, lease, later(999))), "Claimed")
        const taken = yield* repository.claim(id, lease, later(1000))
        assert.strictEqual(taken.version, 1)
        assert.isAbove(taken.token, 1)
        const third = { owner: run("third"), until: later(9000) }
        assert.strictEqual(yield* failure(repository.claim(id, third, later(4999))), "Claimed")
        yield* repository.release(id, taken.token)
        assert.isAbove((yield* repository.claim(id, third, later(1001))).token, taken.token)
      })
    )

    it.effect("of concurrent claims, one has it", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        yield* repository.create(creation(id))
        const results = yield* Effect.forEach(
          Array.from({ length: 6 }, (_, index) => run(`r${index}`)),
          (owner) => Effect.result(repository.claim(id, { owner, until: later(9000) }, later(2000))),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(results.filter(Result.isSuccess).length, 1)
      })
    )

    it.effect("a stalled holder's write is refused by its fencing token, at the right version too", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        yield* repository.create(creation(id))
        const stalled = { token: 1, until: later(9000) }
        yield* repository.claim(id, { owner: run("next"), until: later(9000) }, later(2000))
        assert.strictEqual(yield* failure(repository.append(append(id, 1, 2, { claim: stalled }))), "Fenced")
        assert.strictEqual(yield* failure(repository.renew(id, 1, later(9000))), "Fenced")
        yield* repository.release(id, 1)
        const third = { owner: run("third"), until: later(9000) }
        assert.strictEqual(yield* failure(repository.claim(id, third, later(3000))), "Claimed")
        assert.strictEqual((yield* repository.load(id)).version, 1)
      })
    )

    it.effect("an append with the claim extends it or gives it up; one without leaves it alone", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        const other = { owner: run("other"), until: later(9000) }
        yield* repository.create(creation(id))
        yield* repository.append(append(id, 1, 1, { claim: { token: 1, until: later(3000) } }))
        assert.strictEqual(yield* failure(repository.claim(id, other, later(2000))), "Claimed")
        yield* repository.append(append(id, 2, 1))
        assert.strictEqual(yield* failure(repository.claim(id, other, later(2000))), "Claimed")
        yield* repository.renew(id, 1, later(4000))
        assert.strictEqual(yield* failure(repository.claim(id, other, later(3500))), "Claimed")
        yield* repository.append(append(id, 3, 0, { claim: { token: 1, until: "released" } }))
        assert.strictEqual((yield* repository.claim(id, other, later(2000))).version, 3)
      })
    )

    it.effect("finds what is owed and held by nobody, longest owed first, page by page", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        // Far from the other tests' moments, so that theirs are not found here.
        const base = -1_000_000_000
        const ids = [paymentId(), paymentId(), paymentId(), paymentId(), paymentId()] as const
        const lease = { owner: run("creator"), until: later(base) }
        for (const [index, id] of ids.entries()) {
          yield* repository.create(creation(id, { due: later(base + [30, 10, 20, 20, 90][index]!), lease }))
        }
        yield* repository.claim(ids[2], { owner: run("busy"), until: later(base + 1000) }, later(base + 1))
        const query = { before: later(base + 50), now: later(base + 50), limit: 1 }
        const found: Array<PaymentId> = []
        for (let after; ;) {
          const page: ReadonlyArray<{ readonly payment: PaymentId; readonly due: typeof at }> =
            yield* repository.overdue({ ...query, after })
          if (page.length === 0) break
          found.push(...page.map(({ payment }) => payment))
          after = page.at(-1)
        }
        assert.deepStrictEqual(found, [ids[1], ids[3], ids[0]])
        yield* repository.append(append(ids[1], 1, 1, { due: undefined }))
        const rest = yield* repository.overdue({ ...query, limit: 10 })
        assert.deepStrictEqual(
          rest.map(({ payment }) => payment),
          [ids[3], ids[0]]
        )
      })
    )

    it.effect("lists newest first, filtered, with a cursor that neither skips nor repeats", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const customer = unique("customer-")
        const ids = Array.from({ length: 5 }, paymentId)
        for (const id of ids) yield* repository.create(creation(id, { order: { customer } }))
        yield* repository.append(append(ids[2]!, 1, 4, { view: { ...viewOf(historyOf(ids[2]!)), customer } }))
        const listed: Array<PaymentId> = []
        let cursor: PaymentId | undefined
        do {
          const page = yield* repository.list({ customer }, { limit: 2, cursor })
          listed.push(...page.payments.map(({ id }) => id))
          cursor = page.cursor
        } while (cursor !== undefined)
        assert.deepStrictEqual(listed, ids.toReversed())
        const matching = (filter: Parameters<typeof repository.list>[0]) =>
          Effect.map(repository.list({ customer, ...filter }, { limit: 10 }), ({ payments }) => payments.length)
        assert.strictEqual(yield* matching({ status: "succeeded" }), 1)
        assert.strictEqual(yield* matching({ merchant: shop }), 5)
        assert.strictEqual(yield* matching({ merchant: MerchantId.make("nobody") }), 0)
        assert.strictEqual(yield* matching({ from: at }), 5)
        assert.strictEqual(yield* matching({ until: at }), 0)
      })
    )

    it.effect("newest is by creation, whatever the ids; each status is found, by merchant and without", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const customer = unique("customer-")
        const ids = Array.from({ length: 6 }, paymentId)
        const statuses = ["processing", "failed", "failed", "succeeded", "in_doubt", "failed"] as const
        for (const [index, id] of ids.entries()) {
          const view = { ...viewOf(historyOf(id).slice(0, 1)), customer, status: statuses[index]! }
          // The later an id, the earlier its payment; two share a moment.
          const createdAt = later(1000 - 10 * Math.max(index, 1))
          yield* repository.create(creation(id, { view: { ...view, createdAt } }))
        }
        const [zero, one, two, three, four, five] = ids
        const pages = Effect.fnUntraced(function* (filter: Parameters<typeof repository.list>[0]) {
          const listed: Array<PaymentId> = []
          let cursor: PaymentId | undefined
          do {
            const page = yield* repository.list({ customer, ...filter }, { limit: 1, cursor })
            listed.push(...page.payments.map(({ id }) => id))
            cursor = page.cursor
          } while (cursor !== undefined)
          return listed
        })
        assert.deepStrictEqual(yield* pages({}), [one, zero, two, three, four, five])
        for (const merchant of [shop, undefined]) {
          assert.deepStrictEqual(yield* pages({ merchant, status: "failed" }), [one, two, five])
          assert.deepStrictEqual(yield* pages({ merchant, status: "in_doubt" }), [four])
          assert.deepStrictEqual(yield* pages({ merchant, status: "processing" }), [zero])
          assert.deepStrictEqual(yield* pages({ merchant, from: later(970), until: later(990) }), [two, three])
        }
      })
    )

    it.effect("a gap in a stream stops that payment, and no other", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const [broken, whole, beheaded, cut] = [paymentId(), paymentId(), paymentId(), paymentId()] as const
        for (const id of [broken, whole, beheaded, cut]) {
          yield* repository.create(creation(id))
          yield* repository.append(append(id, 1, 4))
        }
        yield* lose(broken, 3)
        yield* lose(beheaded, 1)
        yield* lose(cut, 5)
        for (const id of [broken, beheaded, cut]) {
          assert.strictEqual(yield* failure(repository.load(id)), "EventContinuityError")
          const lease = { owner: run("other"), until: later(9000) }
          assert.strictEqual(yield* failure(repository.claim(id, lease, later(2000))), "EventContinuityError")
        }
        const { reason } = yield* Effect.flip(repository.load(broken))
        assert.deepInclude(reason, { expected: 3, actual: 4 })
        assert.strictEqual((yield* repository.load(whole)).version, 5)
        const all = yield* repository.histories({ limit: 1000 })
        const streamOf = (id: PaymentId) => all.find(({ payment }) => payment === id)?.stream
        assert.isTrue(Result.isFailure(streamOf(broken)!))
        assert.isTrue(Result.isSuccess(streamOf(whole)!))
      })
    )

    it.effect("hands out all histories by id, page by page", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const ids = Array.from({ length: 5 }, paymentId)
        for (const id of ids) yield* repository.create(creation(id))
        const found: Array<PaymentId> = []
        let after: PaymentId | undefined
        while (true) {
          const page = yield* repository.histories({ limit: 2, after })
          found.push(...page.map(({ payment }) => payment))
          if (page.length < 2) break
          after = page.at(-1)?.payment
        }
        assert.deepStrictEqual(found, found.toSorted())
        assert.includeMembers(found, ids)
        assert.strictEqual(new Set(found).size, found.length)
      })
    )

    it.effect("hands out all views by id, page by page, within bounds, and counts the streams", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const before = yield* repository.count
        const ids = Array.from({ length: 5 }, paymentId).toSorted()
        for (const id of ids) yield* repository.create(creation(id))
        assert.strictEqual(yield* repository.count, before + 5)
        const [first, second, third] = ids
        const idsOf = (query: Parameters<typeof repository.views>[0]) =>
          Effect.map(repository.views(query), (rows) => rows.map(({ payment }) => payment))
        assert.deepStrictEqual(yield* idsOf({ after: first, upTo: third, limit: 10 }), [second!, third!])
        assert.deepStrictEqual(yield* idsOf({ after: first, upTo: ids[4], limit: 2 }), [second!, third!])
        const all = yield* repository.views({ limit: 10_000 })
        assert.includeMembers(
          all.map(({ payment }) => payment),
          ids
        )
        const row = all.find(({ payment }) => payment === first)
        assert.deepStrictEqual(row?.view, Result.succeed(viewOf(historyOf(first!).slice(0, 1))))
      })
    )

    it.effect("puts views back without replacing a later one", () =>
      Effect.gen(function* () {
        const repository = yield* PaymentRepository
        const id = paymentId()
        yield* repository.create(creation(id))
        yield* repository.append(append(id, 1, 4))
        const latest = viewOf(historyOf(id))
        yield* repository.putViews([viewOf(historyOf(id).slice(0, 2))])
        assert.deepStrictEqual(yield* repository.find(id), Option.some(latest))
        yield* repository.dropViews
        assert.deepStrictEqual(yield* repository.find(id), Option.none())
        yield* repository.putViews([latest])
        assert.deepStrictEqual(yield* repository.find(id), Option.some(latest))
        assert.strictEqual((yield* repository.load(id)).version, 5)
      })
    )
  })
