/**
 * All that goes wrong in a batch of payments: by chance, from rates, or exactly
 * as it did before.
 *
 * Each chance is drawn by itself, from the seed and from what it is about: a
 * crossing's number, or an order's n-th send of an operation. So neither
 * another rate nor another order shifts it.
 */
import type { Asked, Mischief } from "./AdversarialGateway.ts"
import * as AdversarialGateway from "./AdversarialGateway.ts"
import type { Boundary, Crossing, Fault, PlannedFault, Point } from "./FaultPlan.ts"
import * as FaultPlan from "./FaultPlan.ts"
import type { FaultRates, Name } from "./FaultRates.ts"
import { namesOf } from "./FaultRates.ts"
import * as Seed from "./Seed.ts"

/** What did go wrong. `ask` and `notification` name what they struck, the same in every run of the order. */
export type Strike =
  | (PlannedFault & { readonly _tag: "Crossing"; readonly name: Name; readonly boundary: Boundary })
  | { readonly _tag: "Ask"; readonly name: Name; readonly ask: string; readonly mischief: Mischief }
  /** Its travels in milliseconds, one a delivery. */
  | {
      readonly _tag: "Notification"
      readonly name: Name
      readonly notification: string
      readonly travels: ReadonlyArray<number>
    }

type Of<Tag extends Strike["_tag"]> = Extract<Strike, { readonly _tag: Tag }>

/** `undefined`: nothing goes wrong here. */
export interface Disturbance {
  readonly crossing: (crossing: Crossing, point: Point) => Of<"Crossing"> | undefined
  /** `ask` is the order, the gateway, the operation and which send of it. */
  readonly ask: (ask: string, asked: Asked) => Of<"Ask"> | undefined
  /** `notification` is the order, the gateway and which of its notifications. */
  readonly notification: (notification: string) => Of<"Notification"> | undefined
}

/** As it was. */
export const planned = (strikes: ReadonlyArray<Strike>): Disturbance => {
  const crossings = new Map<string, Of<"Crossing">>()
  const asks = new Map<string, Of<"Ask">>()
  const notifications = new Map<string, Of<"Notification">>()
  for (const strike of strikes) {
    if (strike._tag === "Crossing") crossings.set(`${strike.crossing} ${strike.point}`, strike)
    if (strike._tag === "Ask") asks.set(strike.ask, strike)
    if (strike._tag === "Notification") notifications.set(strike.notification, strike)
  }
  return {
    crossing: ({ ordinal }, point) => crossings.get(`${ordinal} ${point}`),
    ask: (ask) => asks.get(ask),
    notification: (notification) => notifications.get(notification)
  }
}

/** By chance, until `isOver`. */
export const byChance = (seed: number, rates: FaultRates, isOver: () => boolean): Disturbance => ({
  crossing: (crossing, point) => (isOver() ? undefined : atCrossing(seed, rates, crossing, point)),
  ask: (ask, asked) => {
    if (isOver()) return undefined
    const draw = Seed.make(Seed.derive(seed, ask))
    const named = namesOf("calls").flatMap((name) => {
      const mischief = mischiefs[name]?.(draw)
      return mischief === undefined ? [] : [{ name, chance: rates[name] / 100, mischief }]
    })
    const mischief = AdversarialGateway.random(draw.unit, named)(asked)
    const met = named.find((one) => one.mischief === mischief)
    return met && { _tag: "Ask", name: met.name, ask, mischief: met.mischief }
  },
  notification: (notification) => {
    if (isOver()) return undefined
    const draw = Seed.make(Seed.derive(seed, notification))
    let left = draw.unit() * 100
    for (const name of namesOf("notifications")) {
      left -= rates[name]
      if (left < 0) return { _tag: "Notification", name, notification, travels: travels[name]!(draw) }
    }
    return undefined
  }
})

/** In one line: `12 before PaymentRepository.append: Die`. */
export const toText = (strike: Strike): string => {
  switch (strike._tag) {
    case "Crossing":
      return FaultPlan.toText(strike, strike.boundary)
    case "Ask":
      return `${strike.ask}: ${Object.values(strike.mischief).join(" ")}`
    case "Notification":
      return `${strike.notification}: ${strike.travels.length === 0 ? "lost" : `after ${strike.travels.join(" and ")} ms`}`
  }
}

// --- Crossings --------------------------------------------------------------

interface Kind {
  readonly name: Name
  /** Where it can strike. */
  readonly boundary: RegExp
  readonly points: ReadonlyArray<Point>
  /**
   * How many such crossings a payment of the workload makes: about so many,
   * between a run without faults and one with the usual ones. A payment's chance
   * is spread over them.
   */
  readonly crossingsPerPayment: number
  readonly fault: (draw: Seed.Draw) => Fault
}

/**
 * Claims are left out: a request that waits for another's claim asks twenty
 * times a second, and would meet most of the faults in place of those who work.
 */
const anywhere = /^(?!PaymentRepository\.claim$)/
const stores = /^(?!PaymentRepository\.claim$)(PaymentRepository|IdempotencyStore|Outbox)\./
const both: ReadonlyArray<Point> = ["before", "after"]

/** Where two would strike at once, the first of the list does. */
const kinds: ReadonlyArray<Kind> = [
  { name: "crash", boundary: anywhere, points: both, crossingsPerPayment: 30, fault: () => ({ _tag: "Die" }) },
  { name: "db", boundary: stores, points: both, crossingsPerPayment: 20, fault: () => ({ _tag: "Fail" }) },
  {
    name: "conflict",
    boundary: /^PaymentRepository\.append$/,
    // What was committed is never answered with a conflict.
    points: ["before"],
    crossingsPerPayment: 6,
    fault: () => ({ _tag: "Refuse" })
  },
  {
    name: "stall",
    boundary: anywhere,
    points: both,
    crossingsPerPayment: 30,
    // From a pause that nobody notices to three times the lease of 15 s.
    fault: (draw) => ({ _tag: "Stall", millis: 1000 + draw.below(44_000) })
  },
  {
    name: "jump",
    boundary: anywhere,
    points: ["before"],
    crossingsPerPayment: 30,
    // As a time server corrects a machine that drifted.
    fault: (draw) => ({ _tag: "ClockJump", millis: (1 + draw.below(5000)) * (draw.below(2) === 0 ? 1 : -1) })
  }
]

/** Whether a fault of this name can strike there. */
export const strikesAt = (name: Name, boundary: Boundary): boolean =>
  kinds.some((kind) => kind.name === name && kind.boundary.test(boundary))

const atCrossing = (
  seed: number,
  rates: FaultRates,
  { boundary, ordinal }: Crossing,
  point: Point
): Of<"Crossing"> | undefined => {
  for (const { boundary: where, crossingsPerPayment, fault, name, points } of kinds) {
    if (rates[name] === 0 || !points.includes(point) || !where.test(boundary)) continue
    const draw = Seed.make(Seed.derive(seed, `${name} ${ordinal} ${point}`))
    if (draw.unit() * 100 * crossingsPerPayment * points.length >= rates[name]) continue
    return { _tag: "Crossing", name, crossing: ordinal, point, boundary, fault: fault(draw) }
  }
  return undefined
}

// --- Gateways ---------------------------------------------------------------

const mischiefs: Partial<Record<Name, (draw: Seed.Draw) => Mischief>> = {
  lost: () => ({ _tag: "LoseAnswer" }),
  // Florin gives up after 30 s, and takes what is on its way for lost after 120.
  late: (draw) => ({ _tag: "ActLate", afterMillis: 31_000 + draw.below(60_000) }),
  timeout: () => ({ _tag: "Silence" }),
  refused: () => ({ _tag: "RefuseBefore" }),
  error: (draw) => ({ _tag: draw.below(2) === 0 ? "ServerErrorBefore" : "ServerErrorAfter" }),
  throttle: (draw) => ({ _tag: "Throttle", retryAfterMillis: 1000 * (1 + draw.below(5)) }),
  slow: (draw) => ({ _tag: "Slow", millis: 500 + draw.below(10_000) })
}

const travels: Partial<Record<Name, (draw: Seed.Draw) => ReadonlyArray<number>>> = {
  "webhook-lost": () => [],
  "webhook-twice": (draw) => [draw.below(1000), draw.below(60_000)],
  "webhook-late": (draw) => [60_000 + draw.below(600_000)]
}
