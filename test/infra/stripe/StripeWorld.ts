/**
 * Florin in virtual time, with Stripe's machine where the gateway would be: the
 * same stories for every crossing of a boundary and for every request.
 */
import { Effect } from "effect"
import type { Reference } from "../../../src/domain/payment/Gateway.ts"
import { MethodToken } from "../../../src/domain/payment/Gateway.ts"
import { OperationId } from "../../../src/domain/payment/Operation.ts"
import { MerchantId, PaymentId } from "../../../src/domain/payment/PaymentEvent.ts"
import type { Status } from "../../../src/domain/payment/PaymentView.ts"
import type { Charge } from "../../../src/infra/simulated/SandboxCharge.ts"
import * as StripeGateway from "../../../src/infra/stripe/StripeGateway.ts"
import * as PaymentPolicy from "../../../src/orchestration/PaymentPolicy.ts"
import * as Aftermath from "../../../src/testing/Aftermath.ts"
import * as Auditor from "../../../src/testing/Auditor.ts"
import type { FaultPlan } from "../../../src/testing/FaultPlan.ts"
import * as Shop from "../../../src/testing/Shop.ts"
import * as World from "../../../src/testing/World.ts"
import * as InProcessStripe from "../../simulators/stripe/InProcessStripe.ts"
import type { Fault } from "../../simulators/stripe/StripeFaults.ts"
import type { StripeMachine } from "../../simulators/stripe/StripeMachine.ts"
import * as Machine from "../../simulators/stripe/StripeMachine.ts"
import * as PaymentIntents from "../../simulators/stripe/PaymentIntents.ts"
import type { Intent, Tables } from "../../simulators/stripe/StripeTables.ts"

// --- Stories ----------------------------------------------------------------

export interface Stage {
  readonly shop: Shop.Shop
  /** Every customer who was sent to their bank is known there. */
  readonly finish: Effect.Effect<void>
}

export interface Story {
  readonly name: string
  readonly play: (stage: Stage) => Effect.Effect<unknown>
  readonly ends: Status
}

const visa = Shop.order("pm_card_visa")
const manual = { ...visa, capture: "manual" } as const

export const stories: ReadonlyArray<Story> = [
  { name: "automatic capture", play: ({ shop }) => shop.pay("order", visa), ends: "succeeded" },
  {
    name: "manual capture of a part",
    play: ({ shop }) =>
      Effect.flatMap(shop.pay("order", manual), ({ id }) => shop.capture(id, "ship", Shop.eur(6_00n))),
    ends: "succeeded"
  },
  {
    name: "second card",
    play: ({ shop }) => shop.pay("order", Shop.order("pm_card_chargeDeclinedExpiredCard", "pm_card_visa")),
    ends: "succeeded"
  },
  {
    name: "3-D Secure",
    play: ({ finish, shop }) =>
      Effect.gen(function* () {
        const { id } = yield* shop.pay("order", Shop.order("pm_card_threeDSecure2Required"))
        yield* finish
        yield* shop.complete(id)
      }),
    ends: "succeeded"
  },
  {
    name: "void",
    play: ({ shop }) => Effect.flatMap(shop.pay("order", manual), ({ id }) => shop.cancel(id, "changed-my-mind")),
    ends: "cancelled"
  },
  {
    name: "two refunds",
    play: ({ shop }) =>
      Effect.gen(function* () {
        const { id } = yield* shop.pay("order", visa)
        yield* shop.refund(id, "one", Shop.eur(1_00n))
        yield* shop.refund(id, "two", Shop.eur(2_00n))
      }),
    ends: "succeeded"
  }
]

/** What proves nothing is asked for hours: seldom enough that a story of it stays short. */
const verify = { maxAttempts: 6, baseMillis: 1000, factor: 8, capMillis: 3_600_000 }
const { authorizing, settling } = PaymentPolicy.defaults
const settings = { authorizing: { ...authorizing, verify }, settling: { ...settling, verify } }

// --- One telling ------------------------------------------------------------

export interface Outcome {
  readonly crossings: number
  /** Requests that Stripe got. */
  readonly requests: number
  /** A fault of the process's or of Stripe's that did strike. */
  readonly struck: number
  readonly findings: ReadonlyArray<string>
  readonly escalated: boolean
  /** Charges that hold or moved money. */
  readonly charges: number
}

export interface Disturbance {
  readonly faults?: FaultPlan
  /** What becomes of Stripe's n-th request, from 1. */
  readonly wire?: { readonly nth: number; readonly fault: Fault }
}

export const tell = (story: Story, { faults = () => undefined, wire }: Disturbance = {}): Outcome => {
  let machine: StripeMachine | undefined
  let struck = 0
  let requests = 0
  const world = World.make({
    seed: 1,
    faults,
    processes: 1,
    settings,
    observe: (what) => {
      if (what._tag === "Faulted") struck += 1
    },
    gateways: ({ time }) => {
      machine = Machine.make(time.now)
      machine.faults.plan(() => ++requests === wire?.nth, wire?.fault ?? { _tag: "inUse" })
      const api = InProcessStripe.make(machine, (effect) => void time.fork(effect))
      return [StripeGateway.over(api, { returnUrl: "https://shop.example/back" })]
    }
  })
  const { faults: wireFaults, tables } = machine!
  const finish = Effect.sync(() => {
    for (const { id } of tables.intents.values()) PaymentIntents.returned(tables, id, true)
  })
  const exit = world.run(Effect.andThen(story.play({ shop: Shop.make(world), finish }), Aftermath.untilRest(world)))
  const rested = exit._tag === "Success" && exit.value.rested
  const charges = [...tables.intents.values()].map((intent) => ({
    gateway: "stripe",
    charge: chargeOf(tables, intent)
  }))
  const views = [...world.database.views.values()]
  const escalated = views.some((view) => view.escalated)
  const found = Auditor.audit({ ...Aftermath.booksOf(world, []), charges })
  return {
    crossings: world.crossings(),
    requests,
    struck: struck + wireFaults.struck(),
    escalated,
    charges: [...tables.charges.values()].filter(
      ({ failure, payment_intent }) => failure === null && tables.intents.get(payment_intent)?.status !== "canceled"
    ).length,
    findings: [
      ...found.map(({ detail, rule }) => `${rule}: ${detail}`),
      ...(rested ? [] : [`NeverRested: ${Aftermath.unrest(exit)}`]),
      ...views
        .filter(({ escalated: isEscalated, status }) => !isEscalated && status !== story.ends)
        .map(({ status }) => `ended ${status}, where ${story.ends} was to be`),
      ...(views.length === 1 ? [] : [`${views.length} payments for one key`])
    ]
  }
}

// --- Stripe's books in the auditor's words -----------------------------------

const chargeOf = (tables: Tables, intent: Intent): Charge => {
  const charge = tables.charges.get(intent.latest_charge ?? "")
  const { florin_merchant = "", florin_operation = "", florin_payment = "" } = intent.metadata
  const refunded = [...tables.refunds.values()].filter(
    ({ payment_intent, status }) => payment_intent === intent.id && status !== "failed"
  )
  return {
    reference: intent.id as Reference,
    operation: OperationId.make(florin_operation),
    payment: PaymentId.make(florin_payment),
    merchant: MerchantId.make(florin_merchant),
    method: MethodToken.make(charge?.payment_method ?? "pm_none"),
    currency: "EUR",
    amountMinor: BigInt(intent.amount),
    capture: intent.capture_method === "manual" ? "manual" : "automatic",
    status: statusOf(intent, charge?.failure === null),
    capturedMinor: BigInt(intent.amount_received),
    refundedMinor: BigInt(refunded.reduce((sum, { amount }) => sum + amount, 0))
  }
}

const statusOf = ({ status }: Intent, wasApproved: boolean): Charge["status"] => {
  switch (status) {
    case "requires_action":
      return "requires_action"
    case "requires_capture":
      return "authorized"
    case "succeeded":
      return "captured"
    case "canceled":
      return wasApproved ? "voided" : "declined"
    case "requires_payment_method":
      return "declined"
    case "requires_confirmation":
      return "pending"
  }
}
