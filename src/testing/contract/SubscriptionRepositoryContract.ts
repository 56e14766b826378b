/** What every `SubscriptionRepository` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option, Result } from "effect"
import type { Layer } from "effect"
import type { Append } from "../../adapters/SubscriptionRepository.ts"
import { SubscriptionRepository, SubscriptionRepositoryError } from "../../adapters/SubscriptionRepository.ts"
import * as Money from "../../domain/Money.ts"
import { plus } from "../../domain/Instant.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { TimeZone } from "../../domain/subscription/BillingAnchor.ts"
import { PlanId } from "../../domain/subscription/BillingPlan.ts"
import { idOf, SubscriptionId } from "../../domain/subscription/Invoice.ts"
import * as SubscriptionBilling from "../../domain/subscription/SubscriptionBilling.ts"
import * as SubscriptionDecision from "../../domain/subscription/SubscriptionDecision.ts"
import type { Event } from "../../domain/subscription/SubscriptionEvent.ts"
import { fold } from "../../domain/subscription/SubscriptionFold.ts"
import * as SubscriptionView from "../../domain/subscription/SubscriptionView.ts"
import { at, paymentId, unique } from "./Samples.ts"

const newId = () => SubscriptionId.make(unique("sub_"))

/** Three events begin it: with its first invoice, at the largest price there is. */
const begun = (subscription: SubscriptionId, merchant: MerchantId): ReadonlyArray<Event> => {
  const terms = {
    subscription,
    merchant,
    customer: "Ωmega 漢字 🂡 'quoted\" \\ $1",
    plan: {
      id: PlanId.make("gold"),
      name: "№ 1 'Gold'",
      price: Money.of("EUR", 1_000_000_000_000n),
      interval: { unit: "month", count: 1 },
      trialDays: 0
    },
    method: MethodToken.make("tok_visa"),
    zone: TimeZone.make("Europe/Berlin")
  } as const
  const subscribe = { _tag: "Subscribe", terms, at } as const
  return Result.getOrThrow(SubscriptionDecision.decide(subscribe, { _tag: "New" }, SubscriptionBilling.defaults))
}

/** The `count` events that follow `expected` of its history: its invoice is paid with the fifth. */
const appendOf = (
  subscription: SubscriptionId,
  merchant: MerchantId,
  expected: number,
  changes: Partial<Append> = {}
): Append => {
  const first = begun(subscription, merchant)
  const [invoice] = first.flatMap((event) => (event._tag === "InvoiceFinalized" ? [event.invoice] : []))
  const paid: Event = { _tag: "InvoicePaid", invoice: invoice!.id, at }
  const history = [...first, paid]
  const events = expected === 0 ? first : history.slice(expected)
  const state = fold(history.slice(0, expected + events.length))
  if (state._tag === "New") throw new Error("it has not begun")
  const view = SubscriptionView.of(state, expected + events.length, at)
  return { subscription, merchant, expected, events, view, due: undefined, ...changes }
}

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the repository, with whatever the hook needs, over a store
 * that is empty at first; and the hook `lose`, which takes the event of that
 * version away behind the repository's back.
 *
 * Checks: events, views and invoices come back as they were; an append is all
 * or nothing, and onto the expected version only; what is owed is found,
 * longest owed first; a merchant's invoices are numbered from 1 without gaps,
 * also when many are finalized at once and when appends are refused, and say
 * what became of them; a gap in a stream is an `EventContinuityError` of that
 * subscription alone.
 */
export const suite = <R, E>(
  name: string,
  implementation: Layer.Layer<SubscriptionRepository | R, E>,
  lose: (subscription: SubscriptionId, version: number) => Effect.Effect<void, unknown, R>
) =>
  layer(implementation)(`SubscriptionRepository (${name})`, (it) => {
    const failure = <A>(effect: Effect.Effect<A, SubscriptionRepositoryError, SubscriptionRepository>) =>
      Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

    it.effect("an unknown subscription has no history", () =>
      Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        assert.deepStrictEqual(yield* repository.load(newId()), { history: [], version: 0 })
        assert.deepStrictEqual(yield* repository.find(newId()), Option.none())
      })
    )

    it.effect("gives back what was appended: events, view and invoice alike", () =>
      Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        const [id, merchant] = [newId(), MerchantId.make(unique("m"))]
        const [first, second] = [appendOf(id, merchant, 0), appendOf(id, merchant, 4)]
        yield* repository.append(first)
        yield* repository.append(second)
        assert.deepStrictEqual(yield* repository.load(id), {
          history: [...first.events, ...second.events],
          version: 5
        })
        assert.deepStrictEqual(yield* repository.find(id), Option.some(second.view))
        const invoice = first.events.flatMap((event) => (event._tag === "InvoiceFinalized" ? [event.invoice] : []))[0]!
        assert.deepStrictEqual(yield* repository.invoices({ merchant, limit: 10 }), [
          { number: 1, subscription: id, invoice, status: "paid", settledAt: at }
        ])
      })
    )

    it.effect("of many writers at one version, one wins and the others see VersionConflict", () =>
      Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        const [id, merchant] = [newId(), MerchantId.make(unique("m"))]
        for (const expected of [0, 4]) {
          const results = yield* Effect.forEach(
            Array.from({ length: 6 }),
            () => Effect.result(repository.append(appendOf(id, merchant, expected))),
            { concurrency: "unbounded" }
          )
          assert.strictEqual(results.filter(Result.isSuccess).length, 1)
          for (const result of results.filter(Result.isFailure)) {
            assert.strictEqual(result.failure.reason._tag, "VersionConflict")
          }
        }
        assert.strictEqual((yield* repository.load(id)).version, 5)
        assert.strictEqual((yield* repository.invoices({ merchant, limit: 10 })).length, 1)
      })
    )

    it.effect("appends nothing onto another version, and begins nothing without an event", () =>
      Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        const [id, merchant] = [newId(), MerchantId.make(unique("m"))]
        assert.strictEqual(yield* failure(repository.append(appendOf(id, merchant, 4))), "VersionConflict")
        assert.strictEqual(
          yield* failure(repository.append(appendOf(id, merchant, 0, { events: [] }))),
          "VersionConflict"
        )
        assert.strictEqual((yield* repository.load(id)).version, 0)
        yield* repository.append(appendOf(id, merchant, 0))
        assert.strictEqual(yield* failure(repository.append(appendOf(id, merchant, 3))), "VersionConflict")
        assert.strictEqual((yield* repository.load(id)).version, 4)
      })
    )

    it.effect("numbers each merchant's invoices from 1 without gaps, many at once and refused ones among them", () =>
      Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        const merchants = [MerchantId.make(unique("m")), MerchantId.make(unique("m"))] as const
        const ids = Array.from({ length: 24 }, (_, index) => ({ id: newId(), merchant: merchants[index % 2]! }))
        // Each is tried twice: one of the two is refused, and must not take a number.
        yield* Effect.forEach(
          [...ids, ...ids],
          ({ id, merchant }) => Effect.result(repository.append(appendOf(id, merchant, 0))),
          { concurrency: "unbounded" }
        )
        for (const merchant of merchants) {
          const register = yield* repository.invoices({ merchant, limit: 100 })
          assert.deepStrictEqual(
            register.map(({ number }) => number),
            Array.from({ length: 12 }, (_, index) => index + 1)
          )
          assert.strictEqual(new Set(register.map(({ invoice }) => invoice.id)).size, 12)
          const page = yield* repository.invoices({ merchant, after: 5, limit: 3 })
          assert.deepStrictEqual(page, register.slice(5, 8))
          const [first] = register
          assert.deepStrictEqual(
            yield* repository.invoices({ merchant, subscription: first!.subscription, limit: 9 }),
            [first!]
          )
        }
      })
    )

    it.effect("says of each invoice whether it is open, paid and by which payment, or void", () =>
      Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        const [id, merchant, payment] = [newId(), MerchantId.make(unique("m")), paymentId()]
        const first = appendOf(id, merchant, 0)
        const [invoice] = first.events.flatMap((event) => (event._tag === "InvoiceFinalized" ? [event.invoice] : []))
        const nth = (count: number) => ({ ...invoice!, id: idOf(id, count) })
        yield* repository.append(first)
        const open = { number: 1, subscription: id, invoice: nth(1), status: "open" } as const
        assert.deepStrictEqual(yield* repository.invoices({ merchant, limit: 9 }), [open])
        // One is paid, and two are finalized, in one append.
        const events: ReadonlyArray<Event> = [
          { _tag: "InvoicePaid", invoice: idOf(id, 1), payment, at: plus(at, 1) },
          { _tag: "InvoiceFinalized", invoice: nth(2), at },
          { _tag: "InvoiceVoided", invoice: idOf(id, 2), at: plus(at, 2) },
          { _tag: "InvoiceFinalized", invoice: nth(3), at }
        ]
        yield* repository.append({ ...first, expected: 4, events })
        assert.deepStrictEqual(yield* repository.invoices({ merchant, limit: 9 }), [
          { ...open, status: "paid", payment, settledAt: plus(at, 1) },
          { ...open, number: 2, invoice: nth(2), status: "void", settledAt: plus(at, 2) },
          { ...open, number: 3, invoice: nth(3) }
        ])
      })
    )

    it.effect("finds what is owed, longest owed first, page by page, and no events only move it", () =>
      Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        const merchant = MerchantId.make(unique("m"))
        // Far from the other tests' moments, so that theirs are not found here.
        const base = plus(at, -1_000_000_000)
        const ids = [newId(), newId(), newId(), newId()] as const
        for (const [index, id] of ids.entries()) {
          yield* repository.append(appendOf(id, merchant, 0, { due: plus(base, [30, 10, 20, 90][index]!) }))
        }
        const query = { before: plus(base, 50), limit: 2 }
        const page = yield* repository.due(query)
        const rest = yield* repository.due({ ...query, after: page.at(-1) })
        assert.deepStrictEqual(
          [...page, ...rest].map(({ subscription }) => subscription),
          [ids[1], ids[2], ids[0]]
        )
        const view = Option.getOrThrow(yield* repository.find(ids[1]))
        const moved = { events: [], view, due: plus(base, 40) }
        yield* repository.append(appendOf(ids[1], merchant, 4, moved))
        yield* repository.append(appendOf(ids[2], merchant, 4, { ...moved, due: undefined }))
        assert.deepStrictEqual(yield* repository.due({ ...query, limit: 9 }), [
          { subscription: ids[0], due: plus(base, 30) },
          { subscription: ids[1], due: plus(base, 40) }
        ])
        assert.strictEqual((yield* repository.load(ids[1])).version, 4)
      })
    )

    it.effect("lists a merchant's subscriptions, page by page", () =>
      Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        const merchant = MerchantId.make(unique("m"))
        const ids = Array.from({ length: 3 }, newId).toSorted()
        for (const id of ids) yield* repository.append(appendOf(id, merchant, 0))
        const page = yield* repository.list({ merchant, limit: 2 })
        const rest = yield* repository.list({ merchant, limit: 2, after: page.at(-1)!.id })
        assert.deepStrictEqual(
          [...page, ...rest].map(({ id }) => id),
          ids
        )
      })
    )

    it.effect("a gap in a stream stops that subscription alone", () =>
      Effect.gen(function* () {
        const repository = yield* SubscriptionRepository
        const merchant = MerchantId.make(unique("m"))
        const [broken, sound] = [newId(), newId()]
        yield* repository.append(appendOf(broken, merchant, 0))
        yield* repository.append(appendOf(sound, merchant, 0))
        yield* lose(broken, 2)
        assert.strictEqual(yield* failure(repository.load(broken)), "EventContinuityError")
        assert.strictEqual((yield* repository.load(sound)).version, 4)
      }).pipe(Effect.orDie)
    )
  })
