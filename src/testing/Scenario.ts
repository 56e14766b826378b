/**
 * One story of a merchant, a customer and their gateways, that is told again
 * for every way in which it can be disturbed.
 */
import { Effect } from "effect"
import type { Capabilities } from "../domain/payment/Gateway.ts"
import type { PaymentView, Status } from "../domain/payment/PaymentView.ts"
import * as PaymentPolicy from "../orchestration/PaymentPolicy.ts"
import type { Settings } from "../orchestration/PaymentPolicy.ts"
import type { AdversarialGateway, Mischief } from "./AdversarialGateway.ts"
import type { Shop } from "./Shop.ts"
import { eur, order } from "./Shop.ts"

/** A gateway of the story. Those that are asked of the same order come in this order. */
export interface Bank {
  readonly name: string
  readonly capabilities?: Partial<Capabilities>
  /** What it does wrong at its n-th ask of a kind, counted from 1: `authorize 1`. */
  readonly mischief?: Readonly<Record<string, Mischief>>
  /** How long its notifications travel, one number a delivery; without, it sends none. */
  readonly notifies?: ReadonlyArray<number>
  /** They are signed webhooks, stored first and applied by a worker. */
  readonly webhooks?: boolean
}

export interface Stage {
  readonly shop: Shop
  /** What happens at a gateway without florin. */
  readonly bank: (name: string) => AdversarialGateway
}

export interface Scenario {
  readonly name: string
  readonly about: string
  readonly banks: readonly [Bank, ...ReadonlyArray<Bank>]
  readonly settings?: Partial<Settings>
  readonly play: (stage: Stage) => Effect.Effect<unknown>
  /** How its payment may end, whatever goes wrong; one that is escalated may besides. */
  readonly ends: ReadonlyArray<Status>
  /** What its view shows in the end when nothing that the gateway told was lost. */
  readonly tells?: (view: PaymentView) => boolean
}

const honest: Bank = { name: "bank" }
const manual = { ...order("tok_visa"), capture: "manual" } as const

/** A minute, so that a key can be forgotten while florin is away. */
const shortMemory = { idempotencyKey: { retentionMillis: 60_000, maxLength: 255, storesErrors: false } }

/** A lookup that proves nothing is asked for hours: seldom enough that a story of it stays short. */
const askingSeldom: Partial<Settings> = {
  authorizing: {
    ...PaymentPolicy.defaults.authorizing,
    verify: { maxAttempts: 12, baseMillis: 60_000, factor: 2, capMillis: 900_000 }
  }
}

export const all: ReadonlyArray<Scenario> = [
  {
    name: "automatic-capture",
    about: "An order is paid at once.",
    banks: [honest],
    play: ({ shop }) => shop.pay("order", order("tok_visa")),
    ends: ["succeeded"]
  },
  {
    name: "one-call-capture",
    about: "The gateway authorizes and captures in one call.",
    banks: [{ ...honest, capabilities: { autoCapture: true } }],
    play: ({ shop }) => shop.pay("order", order("tok_visa")),
    ends: ["succeeded"]
  },
  {
    name: "manual-capture",
    about: "An order is held, and captured when it is shipped.",
    banks: [honest],
    play: ({ shop }) => Effect.flatMap(shop.pay("order", manual), ({ id }) => shop.capture(id, "ship")),
    ends: ["succeeded"]
  },
  {
    name: "partial-captures",
    about: "Two parcels, two captures of one hold.",
    banks: [honest],
    play: ({ shop }) =>
      Effect.gen(function* () {
        const { id } = yield* shop.pay("order", manual)
        yield* shop.capture(id, "first", eur(4_00n), false)
        yield* shop.capture(id, "second", eur(5_00n))
      }),
    ends: ["succeeded"]
  },
  {
    name: "second-card",
    about: "The first card is declined, the second pays.",
    banks: [honest],
    play: ({ shop }) => shop.pay("order", order("tok_declined_insufficient_funds", "tok_visa")),
    ends: ["succeeded"]
  },
  {
    name: "second-gateway",
    about: "The first gateway cannot be reached for a while, the second pays.",
    banks: [{ name: "first", mischief: refusing("authorize", 1, 12) }, { name: "second" }],
    play: ({ shop }) => shop.pay("order", order("tok_visa")),
    ends: ["succeeded"]
  },
  {
    name: "3-d-secure",
    about: "The customer is sent to their bank, and comes back.",
    banks: [honest],
    play: ({ shop }) => Effect.flatMap(shop.pay("order", order("tok_3ds")), ({ id }) => shop.complete(id)),
    ends: ["succeeded"]
  },
  {
    name: "3-d-secure-notified",
    about: "The customer finishes at their bank and closes the window; a notification says so.",
    banks: [{ ...honest, notifies: [300] }],
    play: ({ bank, shop }) =>
      Effect.flatMap(shop.pay("order", order("tok_3ds")), ({ id }) => bank("bank").finishAction(id)),
    ends: ["succeeded"]
  },
  {
    name: "timeout-before",
    about: "The gateway is silent and has not acted.",
    banks: [
      { ...honest, mischief: { "authorize 1": { _tag: "Silence" }, "capture 1": { _tag: "ServerErrorBefore" } } }
    ],
    play: ({ shop }) => shop.pay("order", order("tok_visa")),
    ends: ["succeeded"]
  },
  {
    name: "timeout-after",
    about: "The gateway acts, and its answers are lost; the first comes when nobody waits any more.",
    banks: [
      {
        ...honest,
        mischief: { "authorize 1": { _tag: "ActLate", afterMillis: 45_000 }, "capture 1": { _tag: "LoseAnswer" } }
      }
    ],
    play: ({ shop }) => shop.pay("order", order("tok_visa")),
    ends: ["succeeded"]
  },
  {
    name: "void",
    about: "A hold is given back, and the answer to that is lost.",
    banks: [{ ...honest, mischief: { "void 1": { _tag: "LoseAnswer" } } }],
    play: ({ shop }) => Effect.flatMap(shop.pay("order", manual), ({ id }) => shop.cancel(id, "changed-my-mind")),
    ends: ["cancelled"]
  },
  {
    name: "partial-refunds",
    about: "Two parts are given back; the answer to the first is lost.",
    banks: [{ ...honest, mischief: { "refund 1": { _tag: "LoseAnswer" } } }],
    play: ({ shop }) =>
      Effect.gen(function* () {
        const { id } = yield* shop.pay("order", order("tok_visa"))
        yield* shop.refund(id, "one", eur(1_00n))
        yield* shop.refund(id, "two", eur(2_00n))
      }),
    ends: ["succeeded"]
  },
  {
    name: "dispute",
    about: "The customer disputes a part, the rest is refunded, the dispute is lost.",
    banks: [{ ...honest, notifies: [50, 700] }],
    play: ({ bank, shop }) =>
      Effect.gen(function* () {
        const { id } = yield* shop.pay("order", order("tok_visa"))
        yield* bank("bank").openDispute(id, "dp_1", 4_00n)
        yield* Effect.sleep(5000)
        yield* shop.refund(id, "rest", eur(6_00n))
        yield* bank("bank").closeDispute(id, "dp_1", "Lost")
      }),
    ends: ["succeeded"]
  },
  {
    name: "webhook-stored",
    about: "The customer finishes at their bank; its webhooks are stored, and applied by a worker.",
    // Each comes once: what is acknowledged and lost is lost for good.
    banks: [{ ...honest, notifies: [300], webhooks: true }],
    play: ({ bank, shop }) =>
      Effect.flatMap(shop.pay("order", order("tok_3ds")), ({ id }) => bank("bank").finishAction(id)),
    ends: ["succeeded"]
  },
  {
    name: "webhook-dispute",
    about: "A dispute is opened and lost, and webhooks alone tell of it, the second before the first.",
    banks: [{ ...honest, notifies: [400, 2000], webhooks: true }],
    play: ({ bank, shop }) =>
      Effect.gen(function* () {
        const { id } = yield* shop.pay("order", order("tok_visa"))
        yield* bank("bank").openDispute(id, "dp_1", 4_00n)
        yield* bank("bank").closeDispute(id, "dp_1", "Lost")
      }),
    ends: ["succeeded"],
    tells: ({ disputedMinor, disputes }) => disputedMinor === 4_00n && disputes.every(({ status }) => status === "lost")
  },
  {
    name: "notification-before-answer",
    about: "The gateway's notification is faster than its answer, and comes again later.",
    banks: [
      {
        ...honest,
        notifies: [20, 4000],
        mischief: { "authorize 1": { _tag: "Slow", millis: 2000 }, "capture 1": { _tag: "Slow", millis: 2000 } }
      }
    ],
    play: ({ shop }) => shop.pay("order", order("tok_visa")),
    ends: ["succeeded"]
  },
  {
    name: "key-forgotten",
    about: "The answer is lost, and the gateway is out of reach until it has forgotten the key.",
    banks: [
      {
        ...honest,
        capabilities: shortMemory,
        mischief: { "authorize 1": { _tag: "LoseAnswer" }, ...refusing("authorize", 2, 12) }
      }
    ],
    play: ({ shop }) => shop.pay("order", order("tok_visa")),
    ends: ["succeeded"]
  },
  {
    name: "eventual-lookup",
    about: "No key is kept, and the lookup says not found for a while.",
    banks: [
      {
        ...honest,
        capabilities: {
          idempotencyKey: { retentionMillis: 0, maxLength: 255, storesErrors: false },
          lookup: "eventual"
        },
        mischief: { "authorize 1": { _tag: "LoseAnswer" } }
      }
    ],
    settings: askingSeldom,
    play: ({ shop }) => shop.pay("order", order("tok_visa")),
    ends: ["succeeded"]
  },
  {
    name: "acts-very-late",
    about: "No key is kept, and the gateway acts five minutes late; a second one would be there.",
    banks: [
      {
        name: "first",
        capabilities: {
          idempotencyKey: { retentionMillis: 0, maxLength: 255, storesErrors: false },
          lookup: "eventual"
        },
        mischief: { "authorize 1": { _tag: "ActLate", afterMillis: 300_000 } }
      },
      { name: "second" }
    ],
    settings: askingSeldom,
    play: ({ shop }) => shop.pay("order", order("tok_visa")),
    ends: ["succeeded"]
  },
  {
    name: "double-click",
    about: "The customer clicks twice: two requests at once, under one key.",
    banks: [honest],
    play: ({ shop }) => {
      const pay = shop.pay("order", order("tok_visa"))
      return Effect.all([pay, pay], { concurrency: 2 })
    },
    ends: ["succeeded"]
  }
]

/** Asks `from` to `to` of a kind are refused. */
function refusing(kind: string, from: number, to: number): Record<string, Mischief> {
  return Object.fromEntries(
    Array.from({ length: to - from + 1 }, (_, index) => [`${kind} ${from + index}`, { _tag: "RefuseBefore" }])
  )
}
