/**
 * Which gateway to try, as a choice that explains itself.
 *
 * A table of gateways and rules, what is to be paid, and how each gateway is
 * doing give an order. First what cannot serve is left out, with the reason.
 * The rest is ranked: a gateway that is down comes last whatever the rules
 * say; then the order of the first rule that applies and prefers; then the
 * healthier; then the cheaper; then the order of the table.
 *
 * Nothing that is merely unhealthy is left out: a breaker that is open answers
 * for itself, without a call, and the only gateway there is may still come back.
 */
import { Schema } from "effect"
import type { Currency } from "./Currency.ts"
import type { Money } from "./Money.ts"
import type { Capabilities, MethodToken } from "./payment/Gateway.ts"
import { GatewayName } from "./payment/Gateway.ts"
import { Text } from "./Text.ts"

// --- The table --------------------------------------------------------------

export interface Gateway {
  readonly name: GatewayName
  readonly capabilities: Capabilities
  /** Currencies it settles; all when absent. */
  readonly currencies?: ReadonlyArray<Currency> | undefined
  /** Prefixes of the tokens it takes; all when absent. */
  readonly methods?: ReadonlyArray<string> | undefined
  /** What it charges, in hundredths of a percent; unknown counts as dearest. */
  readonly costBasisPoints?: number | undefined
}

export interface Rule {
  /** Names the rule in explanations. */
  readonly name: string
  /** All conditions that are given must hold. */
  readonly when: {
    readonly currencies?: ReadonlyArray<Currency> | undefined
    /** Prefixes of tokens. */
    readonly methods?: ReadonlyArray<string> | undefined
    /** Bounds on the amount in minor units, both inclusive. */
    readonly minMinor?: bigint | undefined
    readonly maxMinor?: bigint | undefined
  }
  /** Gateways in the order to prefer them. */
  readonly prefer?: ReadonlyArray<GatewayName> | undefined
  /** Gateways not to use at all. */
  readonly exclude?: ReadonlyArray<GatewayName> | undefined
}

export interface Table {
  readonly gateways: ReadonlyArray<Gateway>
  readonly rules: ReadonlyArray<Rule>
}

/** `up`: its breaker is closed; `probing`: half open; `down`: open. */
export type Health = "up" | "probing" | "down"

export interface Request {
  readonly amount: Money
  readonly method: MethodToken
  /** Gateways that this method was tried at before. */
  readonly tried: ReadonlyArray<GatewayName>
}

// --- The choice -------------------------------------------------------------

/** Why a gateway stands where it stands, or why it was left out. */
export const Reason = Schema.TaggedUnion({
  Preferred: { rule: Text(100) },
  Down: {},
  Probing: {},
  Cost: { basisPoints: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)) },
  Excluded: { rule: Text(100) },
  CurrencyUnsupported: {},
  MethodUnsupported: {},
  AlreadyTried: {}
})
export type Reason = typeof Reason.Type

/** Why this gateway was chosen, and why each other was passed over. */
export const Explanation = Schema.Struct({
  reasons: Schema.Array(Reason),
  passedOver: Schema.Array(Schema.Struct({ gateway: GatewayName, reason: Reason }))
})
export type Explanation = typeof Explanation.Type

export interface Choice {
  /** Best first. */
  readonly ordered: ReadonlyArray<{ readonly gateway: Gateway; readonly reasons: ReadonlyArray<Reason> }>
  readonly passedOver: Explanation["passedOver"]
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
  const preferring = applying.find(({ prefer }) => prefer !== undefined)
  const place = preferring?.prefer?.indexOf(name) ?? -1
  return [
    health === "down" ? 1 : 0,
    place === -1 ? Infinity : place,
    health === "probing" ? 1 : 0,
    costBasisPoints ?? Infinity
  ]
}

const compare = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  const index = a.findIndex((value, at) => value !== b[at])
  return index === -1 ? 0 : a[index]! < b[index]! ? -1 : 1
}

const reasonsFor = ({ costBasisPoints, name }: Gateway, applying: ReadonlyArray<Rule>, health: Health) => {
  const preferring = applying.find(({ prefer }) => prefer !== undefined)
  const reasons: Array<Reason> = []
  if (preferring?.prefer?.includes(name) === true) reasons.push({ _tag: "Preferred", rule: preferring.name })
  if (health === "down") reasons.push({ _tag: "Down" })
  if (health === "probing") reasons.push({ _tag: "Probing" })
  if (costBasisPoints !== undefined) reasons.push({ _tag: "Cost", basisPoints: costBasisPoints })
  return reasons
}
