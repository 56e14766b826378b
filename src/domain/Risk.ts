/**
 * Whether to take a payment at all, as rules in data.
 *
 * Rules and facts in, a verdict with its reasons out. Every rule that fires
 * gives its reason; the strictest verdict wins: block over challenge over
 * allow. `challenge` asks for 3-D Secure. A screen that cannot be asked has a
 * verdict too, by a policy that somebody chose (`unavailable`).
 */
import * as Schema from "effect/Schema"
import * as Money from "./Money.ts"
import type { Instant } from "./Instant.ts"
import type { MethodToken } from "./payment/Gateway.ts"
import { Text } from "./Text.ts"

export const Verdict = Schema.Literals(["allow", "challenge", "block"])
export type Verdict = typeof Verdict.Type

// --- Rules and facts --------------------------------------------------------

const name = Text(100)
const positive = Schema.Int.check(Schema.isGreaterThan(0))

export const Rule = Schema.TaggedUnion({
  /** An amount of `limit` or more, in its currency. */
  AmountAtLeast: { name, limit: Money.Money, verdict: Verdict },
  /** More than `payments` of one customer within `windowMillis`, this one included. */
  VelocityAbove: { name, payments: positive, windowMillis: positive, verdict: Verdict },
  /** A token that equals an entry, or starts with one that ends in `*`. */
  MethodListed: { name, methods: Schema.Array(Text(255)), verdict: Verdict }
})
export type Rule = typeof Rule.Type

export interface Subject {
  readonly amount: Money.Money
  readonly methods: ReadonlyArray<MethodToken>
  /** Velocity cannot be counted without one. */
  readonly customer: string | undefined
  readonly at: Instant
}

/** How many payments the customer has begun within `windowMillis` before now, this one included. */
export type Velocity = (windowMillis: number) => number

/** Why a verdict is what it is. */
export const Reason = Schema.TaggedUnion({
  AmountAtLeast: { rule: name, limit: Money.Money },
  VelocityAbove: { rule: name, payments: positive, counted: positive, windowMillis: positive },
  MethodListed: { rule: name, method: Text(255) },
  /** The screen gave no verdict; `policy` says what that means. */
  ScreenUnavailable: { policy: Schema.Literals(["failClosed", "failOpen"]) },
  /** A screen outside florin, in its own words. */
  Stated: { by: name, detail: Text(200) }
})
export type Reason = typeof Reason.Type

export interface Assessment {
  readonly verdict: Verdict
  readonly reasons: ReadonlyArray<Reason>
}

// --- Assessing --------------------------------------------------------------

const strictness: Record<Verdict, number> = { allow: 0, challenge: 1, block: 2 }

export const assess = (rules: ReadonlyArray<Rule>, subject: Subject, velocity: Velocity): Assessment => {
  const fired = rules.flatMap((rule) => {
    const reason = fires(rule, subject, velocity)
    return reason === undefined ? [] : [{ verdict: rule.verdict, reason }]
  })
  return {
    verdict: fired.reduce<Verdict>(
      (worst, { verdict }) => (strictness[verdict] > strictness[worst] ? verdict : worst),
      "allow"
    ),
    reasons: fired.map(({ reason }) => reason)
  }
}

const fires = (rule: Rule, subject: Subject, velocity: Velocity): Reason | undefined => {
  switch (rule._tag) {
    case "AmountAtLeast":
      return Money.atMost(rule.limit, subject.amount)
        ? { _tag: "AmountAtLeast", rule: rule.name, limit: rule.limit }
        : undefined
    case "VelocityAbove": {
      if (subject.customer === undefined) return undefined
      const { name, payments, windowMillis } = rule
      const counted = velocity(windowMillis)
      return counted > payments ? { _tag: "VelocityAbove", rule: name, payments, counted, windowMillis } : undefined
    }
    case "MethodListed": {
      const method = subject.methods.find((token) => rule.methods.some((entry) => isListed(entry, token)))
      return method === undefined ? undefined : { _tag: "MethodListed", rule: rule.name, method }
    }
  }
}

const isListed = (entry: string, token: string): boolean =>
  entry.endsWith("*") ? token.startsWith(entry.slice(0, -1)) : token === entry

/** The windows that `rules` need counted, each once. */
export const windows = (rules: ReadonlyArray<Rule>): ReadonlyArray<number> => [
  ...new Set(rules.flatMap((rule) => (rule._tag === "VelocityAbove" ? [rule.windowMillis] : [])))
]

// --- No verdict -------------------------------------------------------------

/** `failClosed` loses a sale when the screen is down, `failOpen` takes the risk. There is no default. */
export type UnavailablePolicy = "failClosed" | "failOpen"

export const unavailable = (policy: UnavailablePolicy): Assessment => ({
  verdict: policy === "failClosed" ? "block" : "allow",
  reasons: [{ _tag: "ScreenUnavailable", policy }]
})
