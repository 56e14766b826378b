/** Every reachable state of a small subscription: in steps of half a day. */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Instant, plus } from "../../../src/domain/Instant.ts"
import * as Subscription from "../../../src/domain/subscription/Subscription.ts"
import type { Policy } from "../../../src/domain/subscription/SubscriptionBilling.ts"
import type { Command } from "../../../src/domain/subscription/SubscriptionCommand.ts"
import { Rule } from "../../../src/domain/subscription/SubscriptionCommand.ts"
import { decide } from "../../../src/domain/subscription/SubscriptionDecision.ts"
import { Event } from "../../../src/domain/subscription/SubscriptionEvent.ts"
import { fold } from "../../../src/domain/subscription/SubscriptionFold.ts"
import * as SubscriptionPlan from "../../../src/domain/subscription/SubscriptionPlan.ts"
import * as SubscriptionView from "../../../src/domain/subscription/SubscriptionView.ts"
import { amountOff, at, method, once, plan, request, terms } from "./Subscriptions.ts"
import { withoutStacks } from "../../testing/WithoutStacks.ts"

withoutStacks()

const daily = { interval: { unit: "day", count: 1 } } as const
const small = plan("Small", 10n, daily)
const large = plan("Large", 30n, { interval: { unit: "day", count: 2 } })
const larger = plan("Larger", 20n, daily)
const dollars = { ...larger, price: { currency: "USD", minor: 20n } } as const
const start = at("2027-04-01")
const step = 43_200_000

/** How far the clock goes, and how much is asked for meanwhile: far with one wish, less far with two. */
interface Horizon {
  readonly steps: number
  readonly maxWishes: number
}
const horizons: ReadonlyArray<Horizon> = [
  { steps: 4, maxWishes: 1 },
  { steps: 2, maxWishes: 2 }
]

const policy: Policy = {
  proration: "second",
  dunning: {
    retries: { retryLater: [step], otherInstrument: [], final: [] },
    ladder: [
      { afterMillis: step, to: "pastDue" },
      { afterMillis: 2 * step, to: "paused" },
      { afterMillis: 3 * step, to: "cancelled" }
    ]
  }
}

interface Place {
  readonly state: Subscription.State
  readonly now: Instant
  readonly version: number
}

interface Move {
  readonly from: Place
  readonly command: Command
  readonly decision: ReturnType<typeof decide>
  readonly to: Place
}

const wishes = (now: Instant): ReadonlyArray<Command> => [
  { _tag: "ChangePlan", request: request("larger"), plan: larger, at: now },
  { _tag: "ChangePlan", request: request("large"), plan: large, at: now },
  { _tag: "ChangePlan", request: request("dollars"), plan: dollars, at: now },
  { _tag: "ApplyCoupon", request: request("coupon"), coupon: amountOff(5n, once), at: now },
  { _tag: "UpdateMethod", request: request("method"), method: method("tok_new"), at: now },
  { _tag: "Cancel", request: request("now"), when: "now", at: now },
  { _tag: "Cancel", request: request("end"), when: "periodEnd", at: now },
  { _tag: "Pause", request: request("pause"), at: now },
  { _tag: "Resume", request: request("resume"), at: now }
]

const moves = ({ now, state }: Place, maxWishes: number): ReadonlyArray<Command> => {
  if (state._tag === "New") {
    return [
      { _tag: "Subscribe", terms: terms({ plan: small, email: "nowhere" }), at: now },
      { _tag: "Subscribe", terms: terms({ plan: small }), at: now },
      { _tag: "Subscribe", terms: terms({ plan: { ...small, trialDays: 1 }, coupon: amountOff(3n, once) }), at: now },
      { _tag: "Bill", at: now }
    ]
  }
  const { open } = state
  const about = {
    invoice: open?.invoice.id ?? `${state.terms.subscription}/inv/9`,
    attempt: open?.attempts ?? 1,
    at: now
  }
  const charge = { ...about, invoice: about.invoice as NonNullable<typeof open>["invoice"]["id"] }
  const failures = (["retryLater", "final"] as const).map((category) => ({ failure: { code: "51", category } }))
  return [
    { _tag: "Subscribe", terms: terms({ customer: "bob" }), at: now },
    ...(state.requests.length < maxWishes ? wishes(now) : []),
    { _tag: "RecordCharge", ...charge },
    ...failures.map((failure) => ({ _tag: "RecordCharge", ...charge, ...failure }) as const),
    { _tag: "Bill", at: now },
    { _tag: "RetryCharge", at: now },
    { _tag: "Advance", at: now },
    { _tag: "Conclude", at: now }
  ]
}

const explore = ({ maxWishes, steps }: Horizon) => {
  const key = (place: Place) =>
    `${place.now} ${JSON.stringify(place.state, (_, value) => (typeof value === "bigint" ? `${value}n` : value))}`
  const first: Place = { state: Subscription.initial, now: start, version: 0 }
  const seen = new Map([[key(first), first]])
  const all: Array<Move> = []
  const queue = [first]
  const visit = (place: Place) => {
    const named = key(place)
    if (seen.has(named)) return
    seen.set(named, place)
    queue.push(place)
  }
  for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
    for (const command of moves(place, maxWishes)) {
      const decision = decide(command, place.state, policy)
      const events = Result.isSuccess(decision) ? decision.success : []
      const to = { state: fold(events, place.state), now: place.now, version: place.version + events.length }
      all.push({ from: place, command, decision, to })
      visit(to)
    }
    if (place.now < start + steps * step) visit({ ...place, now: plus(place.now, step) })
  }
  return { places: [...seen.values()], moves: all }
}

const worlds = horizons.map(explore)
const world = { places: worlds.flatMap(({ places }) => places), moves: worlds.flatMap(({ moves }) => moves) }
const changing = world.moves.flatMap((move) =>
  Result.isSuccess(move.decision) && move.decision.success.length > 0
    ? [{ ...move, events: move.decision.success }]
    : []
)
const isInternal = ({ _tag }: Command) => ["Bill", "RetryCharge", "Advance", "Conclude"].includes(_tag)
const show = ({ command, from }: Move) =>
  `${command._tag} in ${JSON.stringify(from.state, (_, value) => (typeof value === "bigint" ? `${value}n` : value))}`

describe("a subscription, in every reachable state of a small world", () => {
  it("visits every kind of state, every event and every rule", () => {
    assert.sameMembers(
      [...new Set(world.places.map(({ state }) => state._tag))],
      ["New", "Trialing", "Active", "Grace", "PastDue", "Paused", "Cancelled", "Ended"]
    )
    assert.sameMembers(
      [...new Set(changing.flatMap(({ events }) => events.map(({ _tag }) => _tag)))],
      Object.keys(Event.cases)
    )
    const rules = world.moves.flatMap(({ decision }) => (Result.isFailure(decision) ? [decision.failure.rule] : []))
    assert.sameMembers([...new Set(rules)], [...Rule.literals])
    assert.isAbove(world.places.length, 10_000)
  })

  it("moves only along the diagram at the top of Subscription.ts", () => {
    const edges = (tag: Subscription.State["_tag"]) =>
      [...new Set(changing.filter(({ from }) => from.state._tag === tag).map(({ to }) => to.state._tag))]
        .filter((to) => to !== tag)
        .toSorted()
    assert.deepStrictEqual(edges("New"), ["Active", "Trialing"])
    assert.deepStrictEqual(edges("Trialing"), ["Active", "Cancelled", "Ended"])
    assert.deepStrictEqual(edges("Active"), ["Cancelled", "Ended", "Grace", "Paused"])
    assert.deepStrictEqual(edges("Grace"), ["Active", "Cancelled", "Ended", "PastDue"])
    assert.deepStrictEqual(edges("PastDue"), ["Active", "Cancelled", "Ended", "Paused"])
    assert.deepStrictEqual(edges("Paused"), ["Active", "Cancelled", "Ended", "PastDue"])
    for (const end of ["Cancelled", "Ended"] as const) assert.deepStrictEqual(edges(end), [])
  })

  it("what was accepted can be asked again, and then records nothing", () => {
    for (const move of changing.filter(({ command }) => !isInternal(command))) {
      const again = decide(move.command, move.to.state, policy)
      assert.deepStrictEqual(Result.isSuccess(again) ? again.success : again.failure.rule, [], show(move))
    }
  })

  it("what is owed is always accepted, and comes to a wait or to rest", () => {
    const longest = world.places.map((place) => {
      let { state } = place
      for (let count = 0; ; count++) {
        const owed = SubscriptionPlan.next(state, place.now, policy)
        if (owed._tag === "Wait") assert.isAbove(owed.until, place.now)
        if (owed._tag !== "Decide") return count
        const decision = decide(owed.command, state, policy)
        const events = Result.isSuccess(decision) ? decision.success : []
        assert.isAbove(events.length, 0, `${owed.command._tag} in ${state._tag}`)
        state = fold(events, state)
        assert.isBelow(count, 10)
      }
    })
    assert.isAbove(Math.max(...longest), 1)
  })

  it("charges one invoice at a time, each attempt once, and the next only after a definite failure", () => {
    for (const move of changing) {
      const open = move.from.state._tag === "New" ? undefined : move.from.state.open
      for (const event of move.events) {
        const isVoided = move.events.some(({ _tag }) => _tag === "InvoiceVoided")
        if (event._tag === "InvoiceFinalized" && !isVoided) assert.isUndefined(open, show(move))
        if (event._tag !== "ChargeBegun") continue
        assert.isFalse(open?.isCharging === true, show(move))
        assert.strictEqual(event.attempt, open === undefined ? 1 : open.attempts + 1, show(move))
        if (open !== undefined) assert.isDefined(open.failures, show(move))
        assert.include(["New", "Trialing", "Active", "Grace", "PastDue", "Paused"], move.from.state._tag, show(move))
        if (move.from.state._tag === "Paused") assert.isTrue(open?.retryNow, show(move))
      }
    }
  })

  it("sums every invoice from its lines, owes nothing below zero, and never loses credit", () => {
    for (const move of changing) {
      const credit = move.from.state._tag === "New" ? 0n : move.from.state.creditMinor
      let change = 0n
      for (const event of move.events) {
        if (event._tag === "InvoiceVoided" && move.from.state._tag !== "New") {
          change += move.from.state.open!.invoice.fromCreditMinor
        }
        if (event._tag !== "InvoiceFinalized") continue
        const { dueMinor, fromCreditMinor, lines, totalMinor } = event.invoice
        assert.strictEqual(
          lines.reduce((sum, line) => sum + line.amountMinor, 0n),
          totalMinor,
          show(move)
        )
        assert.strictEqual(dueMinor + fromCreditMinor, totalMinor, show(move))
        assert.isTrue(dueMinor >= 0n && lines.length > 0, show(move))
        change -= fromCreditMinor
      }
      const after = move.to.state
      assert.isTrue(
        after._tag !== "New" && after.creditMinor === credit + change && after.creditMinor >= 0n,
        show(move)
      )
    }
  })

  it("numbers its invoices one after the other", () => {
    for (const move of changing) {
      const before = move.from.state._tag === "New" ? 0 : move.from.state.invoices
      const finalized = move.events.flatMap((event) => (event._tag === "InvoiceFinalized" ? [event.invoice.id] : []))
      assert.deepStrictEqual<ReadonlyArray<string>>(
        finalized,
        finalized.map((_, index) => `sub_1/inv/${before + index + 1}`),
        show(move)
      )
    }
  })

  it("bills period after period without a gap, but for what lapsed", () => {
    for (const move of changing) {
      const { state } = move.from
      for (const event of move.events) {
        if (event._tag !== "PeriodBegun" || state._tag === "New") continue
        const { period } = event
        assert.isTrue(period.start <= move.from.now && period.end > period.start, show(move))
        if (move.command._tag !== "Bill") continue
        const until = Subscription.paidUntil(state)!
        assert.strictEqual(period.start, state.lapsed ? move.from.now : until, show(move))
      }
    }
  })

  it("says nothing more once it is over", () => {
    for (const move of changing) assert.isFalse(Subscription.isOver(move.from.state), show(move))
    for (const { now, state } of world.places.filter((place) => Subscription.isOver(place.state))) {
      assert.deepStrictEqual(SubscriptionPlan.next(state, now, policy), { _tag: "Rest" })
    }
  })

  it("has a view of every state, and both survive their stored form", () => {
    const roundTrip = <A, I>(codec: Schema.Codec<A, I>, value: A): A =>
      Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(value))))
    const eventJson = Schema.toCodecJson(Event)
    const viewJson = Schema.toCodecJson(SubscriptionView.SubscriptionView)
    const events = new Map(
      changing.flatMap(({ events }) => events.map((event) => [`${event._tag} ${Object.keys(event).join()}`, event]))
    )
    for (const event of events.values()) assert.deepStrictEqual(roundTrip(eventJson, event), event)
    const views = new Map(
      world.places.flatMap(({ now, state, version }) => {
        if (state._tag === "New") return []
        const view = SubscriptionView.of(state, version, now)
        return [[Object.keys(view).join() + view.status, view]]
      })
    )
    assert.isAbove(views.size, 10)
    for (const view of views.values()) assert.deepStrictEqual(roundTrip(viewJson, view), view)
  })
})
