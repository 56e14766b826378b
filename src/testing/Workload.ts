/**
 * What customers and a merchant do, as data that follows from a seed: orders of
 * every kind that the sandbox has a card for, and what becomes of them later.
 *
 * An order follows from the seed and its number alone. Amounts are minor units
 * of EUR, as numbers, so that an order can be written down as JSON and read
 * back. Times are virtual milliseconds.
 */
import { Effect } from "effect"
import { MethodToken } from "../domain/payment/Gateway.ts"
import type { AdversarialGateway } from "./AdversarialGateway.ts"
import * as Seed from "./Seed.ts"
import type { Shop } from "./Shop.ts"
import { eur, order } from "./Shop.ts"

export interface Visit {
  /** The merchant's number of the order, and its idempotency key: `order-7`. */
  readonly order: string
  /** From the beginning of the batch. */
  readonly atMillis: number
  readonly minor: number
  readonly capture: "automatic" | "manual"
  readonly methods: readonly [string, ...ReadonlyArray<string>]
  /** Sent by two clients at once, under one key. */
  readonly twice: boolean
  /** One after the other, each when the one before it was answered and its time has passed. */
  readonly deeds: ReadonlyArray<Deed>
}

export type Deed = { readonly afterMillis: number } & (
  | { readonly _tag: "Capture"; readonly minor: number; readonly final: boolean }
  | { readonly _tag: "Cancel" }
  | { readonly _tag: "Refund"; readonly minor: number }
  /** The customer is back from their bank. */
  | { readonly _tag: "Return" }
  /** The customer finishes at their bank and closes the window. */
  | { readonly _tag: "FinishAtBank" }
  | { readonly _tag: "Dispute"; readonly minor: number }
  | { readonly _tag: "CloseDispute"; readonly outcome: "Won" | "Lost" }
)

/** Two seconds between two orders: each payment of some seconds meets several others. */
const arrivalMillis = 2000

export const make = (seed: number, payments: number): ReadonlyArray<Visit> =>
  Array.from({ length: payments }, (_, index) => visit(seed, index + 1, payments))

/** Every tenth order is sent twice: browsers, proxies and merchants all repeat. */
const twicePercent = 10

const visit = (seed: number, number: number, payments: number): Visit => {
  const name = `order-${number}`
  const draw = Seed.make(Seed.derive(seed, name))
  // From 3.00 to 102.99 EUR.
  const minor = 300 + draw.below(10_000)
  const atMillis = draw.below(payments * arrivalMillis)
  const twice = draw.below(100) < twicePercent
  return { order: name, atMillis, minor, twice, ...kindOf(draw)(minor, draw) }
}

// --- Kinds of orders --------------------------------------------------------

type Kind = (minor: number, draw: Seed.Draw) => Pick<Visit, "capture" | "methods" | "deeds">

const soon = (draw: Seed.Draw): number => 100 + draw.below(5000)
const pick = <A>(draw: Seed.Draw, list: ReadonlyArray<A>): A => list[draw.below(list.length)]!

const good = ["tok_visa", "tok_mastercard", "tok_amex"]
const declined = ["tok_declined_insufficient_funds", "tok_declined_expired_card", "tok_declined_issuer_unavailable"]
const refused = ["tok_declined_stolen", "tok_declined_unknown", "tok_no_such_card"]
const troubled = [
  "tok_pending",
  "tok_timeout_before",
  "tok_timeout_after",
  "tok_lost_answer",
  "tok_500_before",
  "tok_500_after",
  "tok_throttled",
  "tok_unreachable",
  "tok_slow",
  "tok_capture_refused",
  "tok_capture_lost_answer",
  "tok_authorization_expired"
]

const automatic =
  (methods: (draw: Seed.Draw) => Visit["methods"], deeds: (minor: number, draw: Seed.Draw) => Visit["deeds"]): Kind =>
  (minor, draw) => ({ capture: "automatic", methods: methods(draw), deeds: deeds(minor, draw) })

const manual =
  (token: string | undefined, deeds: (minor: number, draw: Seed.Draw) => Visit["deeds"]): Kind =>
  (minor, draw) => ({ capture: "manual", methods: [token ?? pick(draw, good)], deeds: deeds(minor, draw) })

const one = (tokens: ReadonlyArray<string>) => (draw: Seed.Draw) => [pick(draw, tokens)] as const
const back = (_: number, draw: Seed.Draw): Visit["deeds"] => [{ _tag: "Return", afterMillis: 2000 + soon(draw) }]
const nothing = () => []

/** Two refunds, of a third each, so that something is left. */
const refunds = (minor: number, draw: Seed.Draw): Visit["deeds"] => [
  { _tag: "Refund", minor: Math.floor(minor / 3), afterMillis: soon(draw) },
  { _tag: "Refund", minor: Math.floor(minor / 3), afterMillis: soon(draw) }
]
const captureOnce = (minor: number, draw: Seed.Draw): Visit["deeds"] => [
  { _tag: "Capture", minor, final: true, afterMillis: soon(draw) }
]
/** Two parcels of three. The rest is given back. */
const captureParts = (minor: number, draw: Seed.Draw): Visit["deeds"] => [
  { _tag: "Capture", minor: Math.floor(minor / 3), final: false, afterMillis: soon(draw) },
  { _tag: "Capture", minor: Math.floor(minor / 3), final: true, afterMillis: soon(draw) }
]
const cancel = (_: number, draw: Seed.Draw): Visit["deeds"] => [{ _tag: "Cancel", afterMillis: soon(draw) }]
/** A half is disputed, a third refunded meanwhile; most disputes are closed. */
const dispute = (minor: number, draw: Seed.Draw): Visit["deeds"] => {
  const opened: Visit["deeds"] = [
    { _tag: "Dispute", minor: Math.floor(minor / 2), afterMillis: soon(draw) },
    { _tag: "Refund", minor: Math.floor(minor / 3), afterMillis: soon(draw) }
  ]
  const outcome = pick(draw, ["Won", "Lost", undefined] as const)
  return outcome === undefined ? opened : [...opened, { _tag: "CloseDispute", outcome, afterMillis: soon(draw) }]
}

/** Each kind as many times in a hundred orders. */
const kinds: ReadonlyArray<readonly [weight: number, kind: Kind]> = [
  [20, automatic(one(good), nothing)],
  [10, automatic(one(good), refunds)],
  [6, automatic(one(["tok_refund_refused", "tok_refund_lost_answer"]), refunds)],
  [6, automatic(one(good), dispute)],
  [8, manual(undefined, captureOnce)],
  [8, manual(undefined, captureParts)],
  [4, manual(undefined, cancel)],
  [2, manual("tok_void_lost_answer", cancel)],
  [6, automatic((draw) => [pick(draw, declined), pick(draw, good)], nothing)],
  [4, automatic(one([...declined, ...refused]), nothing)],
  [6, automatic(one(["tok_3ds"]), back)],
  [2, automatic(() => ["tok_3ds_fails", "tok_visa"], back)],
  [4, automatic(one(["tok_3ds"]), (_, draw) => [{ _tag: "FinishAtBank", afterMillis: soon(draw) }])],
  [1, automatic(one(["tok_3ds_abandoned"]), back)],
  [1, automatic(one(["tok_3ds"]), nothing)],
  [11.5, automatic(one(troubled), nothing)],
  // It has acted and never says so: a day of asking, then an operator.
  [0.5, automatic(one(["tok_never_answers"]), nothing)]
]

const kindOf = (draw: Seed.Draw): Kind => {
  let left = draw.unit() * 100
  for (const [weight, kind] of kinds) {
    left -= weight
    if (left < 0) return kind
  }
  return kinds[0]![1]
}

// --- Played -----------------------------------------------------------------

/** One customer from the order to the last deed. Whoever is never answered leaves, and the rest of the deeds with them. */
export const play = (
  { atMillis, capture, deeds, methods, minor, order: number, twice }: Visit,
  shop: Shop,
  banks: ReadonlyArray<AdversarialGateway>
): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* Effect.sleep(atMillis)
    const [first, ...others] = methods
    const payment = {
      ...order(first, ...others),
      methods: [MethodToken.make(first), ...others.map((token) => MethodToken.make(token))] as const,
      amount: eur(BigInt(minor)),
      capture,
      reference: number
    }
    const ask = shop.pay(number, payment)
    const [{ id }] = yield* Effect.all([ask, ...(twice ? [ask] : [])], { concurrency: "unbounded" })
    for (const [index, deed] of deeds.entries()) {
      yield* Effect.sleep(deed.afterMillis)
      const request = `${number}-${index + 1}`
      switch (deed._tag) {
        case "Capture":
          yield* shop.capture(id, request, eur(BigInt(deed.minor)), deed.final)
          break
        case "Cancel":
          yield* shop.cancel(id, request)
          break
        case "Refund":
          yield* shop.refund(id, request, eur(BigInt(deed.minor)))
          break
        case "Return":
          yield* shop.complete(id)
          break
        case "FinishAtBank":
          for (const bank of banks) yield* bank.finishAction(id)
          break
        case "Dispute":
          for (const bank of banks) yield* bank.openDispute(id, `dp_${number}`, BigInt(deed.minor))
          break
        case "CloseDispute":
          for (const bank of banks) yield* bank.closeDispute(id, `dp_${number}`, deed.outcome)
          break
      }
    }
  })
