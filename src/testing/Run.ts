/**
 * One telling of a scenario under a fault plan, from the first request until
 * everything rests, and what an auditor finds then.
 *
 * A run is its scenario, its seed and its plan: the same three give the same
 * trace, to the byte.
 */
import { Effect } from "effect"
import * as MemorySandboxBooks from "../infra/simulated/MemorySandboxBooks.ts"
import * as AdversarialGateway from "./AdversarialGateway.ts"
import * as Aftermath from "./Aftermath.ts"
import * as Auditor from "./Auditor.ts"
import type { Crossing, FaultPlan } from "./FaultPlan.ts"
import type { Observation } from "./Process.ts"
import type { Bank, Scenario } from "./Scenario.ts"
import * as Shop from "./Shop.ts"
import { epochMillis } from "./VirtualTime.ts"
import * as Webhook from "./Webhook.ts"
import type { Alteration } from "./World.ts"
import * as World from "./World.ts"

export interface Options {
  readonly seed: number
  readonly faults: FaultPlan
  /** Processes of florin side by side; 1 unless told otherwise. */
  readonly processes?: number | undefined
  readonly alteration?: Alteration | undefined
}

/** What an auditor found, or what a scenario alone can know. */
export interface Finding {
  readonly rule: Auditor.Rule | "UnexpectedEnd" | "WebhookLost" | "NeverRested" | "OnePaymentPerKey"
  readonly payment: string
  readonly detail: string
}

export interface Outcome {
  readonly crossings: ReadonlyArray<Crossing>
  /** Faults that did strike; a plan may name a crossing that never comes. */
  readonly struck: number
  readonly findings: ReadonlyArray<Finding>
  /** Virtual time from the beginning until everything rested. */
  readonly restMillis: number
  /** A line a happening, each with its virtual milliseconds. */
  readonly trace: ReadonlyArray<string>
}

export const run = (scenario: Scenario, { alteration, faults, processes = 1, seed }: Options): Outcome => {
  const crossings: Array<Crossing> = []
  const trace: Array<string> = []
  let struck = 0
  const observe = (what: Observation, atMillis: number) => {
    if (what._tag === "Crossed") crossings.push(what.crossing)
    if (what._tag === "Faulted") struck += 1
    trace.push(`${atMillis - epochMillis} ${toText(what)}`)
  }
  const banks = scenario.banks.map((bank) => ({ name: bank.name, bank, tables: MemorySandboxBooks.make() }))
  const gateways = new Map<string, AdversarialGateway.AdversarialGateway>()

  const world = World.make({
    seed,
    faults,
    processes,
    settings: scenario.settings,
    alteration,
    observe,
    webhooks: banks
      .filter(({ bank }) => bank.webhooks === true)
      .map(({ name, tables }) => Webhook.readBy(name, tables)),
    gateways: (inside) =>
      banks.map(({ bank, tables }) => {
        const gateway = AdversarialGateway.make(bank.name, {
          tables,
          ...(bank.capabilities !== undefined && { capabilities: bank.capabilities }),
          mischief: mischiefOf(bank),
          background: (effect) => void inside.time.fork(effect),
          ...(bank.notifies !== undefined && {
            notify: {
              deliver: bank.webhooks === true ? Webhook.deliverSigned(inside) : Webhook.deliver(inside),
              travel: () => bank.notifies!
            }
          })
        })
        gateways.set(bank.name, gateway)
        return gateway
      })
  })

  const shop = Shop.make(world)
  const story = Effect.andThen(
    Effect.suspend(() => scenario.play({ shop, bank: (name) => gateways.get(name)! })),
    Aftermath.untilRest(world)
  )
  const exit = world.run(story)
  const { rested, restMillis } = exit._tag === "Success" ? exit.value : { rested: false, restMillis: 0 }
  const findings: ReadonlyArray<Finding> = [
    ...[...world.database.streams.keys()].slice(shop.keys().size).map((payment) => ({
      rule: "OnePaymentPerKey" as const,
      payment,
      detail: `a payment more than the ${shop.keys().size} keys that were used`
    })),
    ...(rested ? [] : [{ rule: "NeverRested" as const, payment: "", detail: Aftermath.unrest(exit) }]),
    ...Auditor.audit(Aftermath.booksOf(world, banks)),
    ...[...world.database.deadWebhooks.values()].map(({ error }) => ({
      rule: "WebhookLost" as const,
      payment: "",
      detail: error
    })),
    ...[...world.database.views.values()]
      .filter((view) => scenario.tells !== undefined && !scenario.tells(view))
      .map(({ id }) => ({
        rule: "WebhookLost" as const,
        payment: id,
        detail: "what the gateway told is not recorded"
      })),
    ...[...world.database.views.values()]
      .filter(({ escalated, status }) => !scenario.ends.includes(status) && !escalated)
      .map(({ id, status }) => ({
        rule: "UnexpectedEnd" as const,
        payment: id,
        detail: `ended ${status}, where ${scenario.ends.join(" or ")} was to be`
      }))
  ]
  return { crossings, struck, findings, restMillis, trace }
}

const mischiefOf = ({ mischief = {} }: Bank) => {
  const asks = new Map<string, number>()
  return ({ kind }: AdversarialGateway.Asked) => {
    const nth = (asks.get(kind) ?? 0) + 1
    asks.set(kind, nth)
    return mischief[`${kind} ${nth}`]
  }
}

/** A happening in a few words: `A1 12 PaymentRepository.append before: Die`. */
export const toText = (what: Observation): string => {
  switch (what._tag) {
    case "Booted":
    case "Died":
      return `${what.process} ${what._tag.toLowerCase()}`
    case "Crossed":
      return `${what.crossing.process} ${what.crossing.ordinal} ${what.crossing.boundary}`
    case "Faulted":
      return `${what.crossing.process} ${what.crossing.ordinal} ${what.crossing.boundary} ${what.point}: ${what.fault._tag}`
  }
}
