/**
 * Which gateway to try, as a choice that explains itself.
 *
 * A table of gateways and rules, what is to be paid, and how each gateway is
 * doing give an order. First what cannot serve is left out, with the reason.
 * The rest is ranked: a gateway that is down comes last whatever the rules
 * say; then the order of the first rule that applies and prefers; then what the
 * first rule that applies and ranks puts first, or else the healthier and then
 * the cheaper; then the order of the table.
 *
 * Nothing that is merely unhealthy is left out: a breaker that is open answers
 * for itself, without a call, and the only gateway there is may still come back.
 *
 * Terms and rules are data, which a setting can hold as JSON.
 */
import * as Arr from "effect/Array"
import * as Schema from "effect/Schema"
import * as Currency from "./Currency.ts"
import type { Money } from "./Money.ts"
import { Minor } from "./Money.ts"
import type { Capabilities, MethodToken } from "./payment/Gateway.ts"
import { GatewayName } from "./payment/Gateway.ts"
import { Text } from "./Text.ts"

// --- The table --------------------------------------------------------------

const BasisPoints = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What a gateway's name and its capabilities do not say. */
export const Terms = Schema.Struct({
  /** Currencies it settles; all when absent. */
  currencies: Schema.optional(Schema.Array(Currency.Currency)),
  /** Prefixes of the tokens it takes; all when absent. */
  methods: Schema.optional(Schema.Array(Schema.NonEmptyString)),
  /** What it charges, in hundredths of a percent; unknown counts as dearest. */
  costBasisPoints: Schema.optional(BasisPoints)
})
export type Terms = typeof Terms.Type

export interface Gateway extends Terms {
  readonly name: GatewayName
  readonly capabilities: Capabilities
}

/** What gateways can be ranked by: how they are doing, and what they charge. */
export const Criterion = Schema.Literals(["health", "cost"])
export type Criterion = typeof Criterion.Type

/** Where no rule says otherwise: a cheap gateway that does not answer sells nothing. */
const healthThenCost: ReadonlyArray<Criterion> = ["health", "cost"]

export const Rule = Schema.Struct({
  /** Names the rule in explanations. */
  name: Text(100),
  /** All conditions that are given must hold. */
  when: Schema.Struct({
    currencies: Schema.optional(Schema.Array(Currency.Currency)),
    /** Prefixes of tokens. */
    methods: Schema.optional(Schema.Array(Schema.NonEmptyString)),
    /** Bounds on the amount in minor units, both inclusive. */
    minMinor: Schema.optional(Minor),
    maxMinor: Schema.optional(Minor)
  }),
  /** Gateways in the order to prefer them. */
  prefer: Schema.optional(Schema.Array(GatewayName)),
  /** What to rank by, the first thing first, after any preference. */
  rankBy: Schema.optional(Schema.Array(Criterion)),
  /** Gateways not to use at all. */
  exclude: Schema.optional(Schema.Array(GatewayName))
})
export type Rule = typeof Rule.Type

export interface Table {
  readonly gateways: ReadonlyArray<Gateway>
  readonly rules: ReadonlyArray<Rule>
}

/** `up`: its breaker is closed; `probing`: half open; `down`: open. */
export type Health = "up" | "probing" | "down"

export interface Request {
  readonly amount: Money
  readonly method: MethodToken
  /** Gateways that this method was tried at before, or that could not be reached for this payment. */
  readonly tried: ReadonlyArray<GatewayName>
}

// --- The choice -------------------------------------------------------------

/** Why a gateway stands where it stands, or why it was left out. */
export const Reason = Schema.TaggedUnion({
  Preferred: { rule: Text(100) },
  Down: {},
  Probing: {},
  Cost: { basisPoints: BasisPoints },
  /** Ranked by something else than health and then cost. */
  RankedBy: { rule: Text(100), criteria: Schema.Array(Criterion) },
  Excluded: { rule: Text(100) },
  CurrencyUnsupported: {},
  MethodUnsupported: {},
  AlreadyTried: {}
})
export type Reason = typeof Reason.Type

/** Why this gateway was chosen, why each other was passed over, and how those stood that could have served as well. */
export const Explanation = Schema.Struct({
  reasons: Schema.Array(Reason),
  passedOver: Schema.Array(Schema.Struct({ gateway: GatewayName, reason: Reason })),
  /** In their order; absent when there were none. */
  outranked: Schema.optionalKey(
    Schema.NonEmptyArray(Schema.Struct({ gateway: GatewayName, reasons: Schema.Array(Reason) }))
  )
})
export type Explanation = typeof Explanation.Type

export interface Choice {
  /** Best first. */
  readonly ordered: ReadonlyArray<{ readonly gateway: Gateway; readonly reasons: ReadonlyArray<Reason> }>
  readonly passedOver: Explanation["passedOver"]
}

/** Why the first of `ordered` was chosen, for the event that begins with it. */
export const explain = ({ ordered: [best, ...others], passedOver }: Choice): Explanation => {
  const outranked = others.map(({ gateway, reasons }) => ({ gateway: gateway.name, reasons }))
  return {
    reasons: best?.reasons ?? [],
    passedOver,
    ...(Arr.isReadonlyArrayNonEmpty(outranked) && { outranked })
  }
}

export const choose = (request: Request, table: Table, health: (gateway: GatewayName) => Health): Choice => {
  const applying = table.rules.filter((rule) => applies(rule, request))
  const leftOut = new Map(
    table.gateways.flatMap((gateway) => {
      const reason = cannotServe(gateway, request, applying)
      return reason === undefined ? [] : [[gateway.name, reason] as const]
    })
  )
  const ordered = table.gateways
    .filter(({ name }) => !leftOut.has(name))
    .map((gateway) => ({ gateway, rank: rank(gateway, applying, health(gateway.name)) }))
    .toSorted((a, b) => compare(a.rank, b.rank))
    .map(({ gateway }) => ({ gateway, reasons: reasonsFor(gateway, applying, health(gateway.name)) }))
  return { ordered, passedOver: [...leftOut].map(([gateway, reason]) => ({ gateway, reason })) }
}

const hasPrefix = (prefixes: ReadonlyArray<string>, token: string) =>
  prefixes.some((prefix) => token.startsWith(prefix))

const applies = ({ when }: Rule, { amount, method }: Request): boolean =>
  (when.currencies === undefined || when.currencies.includes(amount.currency)) &&
  (when.methods === undefined || hasPrefix(when.methods, method)) &&
  (when.minMinor === undefined || amount.minor >= when.minMinor) &&
  (when.maxMinor === undefined || amount.minor <= when.maxMinor)

const cannotServe = (gateway: Gateway, request: Request, applying: ReadonlyArray<Rule>): Reason | undefined => {
  const { currencies, methods, name } = gateway
  if (request.tried.includes(name)) return { _tag: "AlreadyTried" }
  if (currencies !== undefined && !currencies.includes(request.amount.currency)) return { _tag: "CurrencyUnsupported" }
  if (methods !== undefined && !hasPrefix(methods, request.method)) return { _tag: "MethodUnsupported" }
  const excluding = applying.find(({ exclude }) => exclude?.includes(name))
  return excluding === undefined ? undefined : { _tag: "Excluded", rule: excluding.name }
}

/** Smaller is better, the first difference counts; equal ranks keep the order of the table. */
const rank = ({ costBasisPoints, name }: Gateway, applying: ReadonlyArray<Rule>, health: Health) => {
  const place = preferring(applying)?.prefer?.indexOf(name) ?? -1
  const by: Record<Criterion, number> = { health: health === "probing" ? 1 : 0, cost: costBasisPoints ?? Infinity }
  const criteria = ranking(applying)?.rankBy ?? healthThenCost
  return [health === "down" ? 1 : 0, place === -1 ? Infinity : place, ...criteria.map((criterion) => by[criterion])]
}

const preferring = (applying: ReadonlyArray<Rule>) => applying.find(({ prefer }) => prefer !== undefined)
const ranking = (applying: ReadonlyArray<Rule>) => applying.find(({ rankBy }) => rankBy !== undefined)

const compare = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  const index = a.findIndex((value, at) => value !== b[at])
  return index === -1 ? 0 : a[index]! < b[index]! ? -1 : 1
}

const reasonsFor = ({ costBasisPoints, name }: Gateway, applying: ReadonlyArray<Rule>, health: Health) => {
  const prefers = preferring(applying)
  const ranks = ranking(applying)
  const reasons: Array<Reason> = []
  if (prefers?.prefer?.includes(name) === true) reasons.push({ _tag: "Preferred", rule: prefers.name })
  if (ranks?.rankBy !== undefined) reasons.push({ _tag: "RankedBy", rule: ranks.name, criteria: ranks.rankBy })
  if (health === "down") reasons.push({ _tag: "Down" })
  if (health === "probing") reasons.push({ _tag: "Probing" })
  if (costBasisPoints !== undefined) reasons.push({ _tag: "Cost", basisPoints: costBasisPoints })
  return reasons
}
