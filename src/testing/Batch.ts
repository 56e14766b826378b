/**
 * Some dozens of payments in one world, from the first order until everything
 * rests, and what an auditor finds then.
 *
 * A batch is its seed, its processes, its visits and what disturbs it: the same
 * four give the same run, to the byte. Two gateways take the orders, small ones
 * first at `able`, large ones first at `plain`, and each those that the other
 * could not.
 */
import { Effect } from "effect"
import type { PaymentGateway } from "../adapters/PaymentGateway.ts"
import type { Capabilities } from "../domain/payment/Gateway.ts"
import { GatewayName } from "../domain/payment/Gateway.ts"
import * as Notification from "../domain/payment/Notification.ts"
import { PaymentId } from "../domain/payment/PaymentEvent.ts"
import * as MemorySandboxBooks from "../infra/simulated/MemorySandboxBooks.ts"
import { capabilities as sandbox } from "../infra/simulated/SandboxGateway.ts"
import * as AdversarialGateway from "./AdversarialGateway.ts"
import * as Aftermath from "./Aftermath.ts"
import * as Auditor from "./Auditor.ts"
import * as Chronicle from "./Chronicle.ts"
import type { Disturbance, Strike } from "./Disturbance.ts"
import type { Fate } from "./Fate.ts"
import * as Fates from "./Fate.ts"
import type { Observation } from "./Process.ts"
import * as Run from "./Run.ts"
import * as Seed from "./Seed.ts"
import * as Shop from "./Shop.ts"
import type { Entry } from "./Timeline.ts"
import { epochMillis } from "./VirtualTime.ts"
import * as Webhook from "./Webhook.ts"
import type { Visit } from "./Workload.ts"
import * as Workload from "./Workload.ts"
import type { Alteration } from "./World.ts"
import * as World from "./World.ts"

export interface Batch {
  readonly seed: number
  readonly processes: number
  readonly visits: ReadonlyArray<Visit>
  readonly disturbance: (elapsedMillis: () => number) => Disturbance
}

export interface Options {
  readonly alteration?: Alteration | undefined
  /** Told every crossing and every fault, and each payment's timeline; it costs time, and changes nothing. */
  readonly isTold?: boolean
}

/** What an auditor found, or what who knows the orders finds besides. */
export interface Finding {
  readonly rule: Run.Finding["rule"] | "OnePaymentPerKey"
  /** Empty where it is the whole batch's. */
  readonly payment: string
  readonly detail: string
}

export interface Outcome {
  readonly findings: ReadonlyArray<Finding>
  readonly fates: ReadonlyArray<Fate>
  /** What did go wrong, in its order. */
  readonly strikes: ReadonlyArray<Strike>
  readonly crossings: number
  readonly deaths: number
  /** Empty unless it is to be told: a line a happening, each with its virtual milliseconds. */
  readonly trace: ReadonlyArray<string>
  /** A payment's entries in time; empty unless it is to be told. */
  readonly timeline: (payment: string) => ReadonlyArray<Entry>
}

const able = { ...sandbox, autoCapture: true }
/** An hour is the shortest that a gateway we know of keeps its keys. */
const plain: Capabilities = {
  ...sandbox,
  idempotencyKey: { retentionMillis: 60 * 60 * 1000, maxLength: 255, storesErrors: false },
  lookup: "eventual",
  partialCapture: false,
  multipleCaptures: false
}
const gateways = [
  { name: GatewayName.make("able"), capabilities: able },
  { name: GatewayName.make("plain"), capabilities: plain }
]
/** About half of the orders are larger. */
const largeMinor = 50_00n

/** Nobody captures later than some seconds after; an hour shows that a hold which nobody captures is given back. */
const authorizationMillis = 60 * 60 * 1000

const routing = {
  gateways,
  rules: [{ name: "large-orders", when: { minMinor: largeMinor }, prefer: [GatewayName.make("plain")] }]
}

export const run = (batch: Batch, { alteration, isTold = false }: Options = {}): Outcome => {
  const strikes: Array<Strike> = []
  const trace: Array<string> = []
  let deaths = 0
  const banks = gateways.map((one) => ({ ...one, tables: MemorySandboxBooks.make() }))
  const adversaries: Array<AdversarialGateway.AdversarialGateway> = []
  let chronicle: Chronicle.Chronicle | undefined
  let disturbance: Disturbance | undefined

  const world = World.make({
    seed: batch.seed,
    processes: batch.processes,
    settings: { routing, authorizationMillis },
    alteration,
    faults: (crossing, point) => note(disturbance?.crossing(crossing, point))?.fault,
    observe: (what, at) => {
      if (what._tag === "Died") deaths += 1
      if (!isTold) return
      trace.push(`${at - epochMillis} ${Run.toText(what)}`)
      if (isLife(what)) chronicle?.lived(what._tag, what.process)
    },
    gateways: (inside) => {
      if (isTold) chronicle = Chronicle.make(inside.time.now)
      disturbance = batch.disturbance(() => inside.time.now() - epochMillis)
      return banks.map((bank) => {
        const gateway = adversary(bank, inside, disturbance!, note, chronicle)
        adversaries.push(gateway)
        return chronicle === undefined ? gateway : chronicle.calls(gateway)
      })
    }
  })
  function note<S extends Strike>(strike: S | undefined): S | undefined {
    if (strike !== undefined) strikes.push(strike)
    return strike
  }

  const shop = Shop.make(world)
  // A customer whom nobody ever answered leaves; what florin did meanwhile is audited all the same.
  const visits = Effect.forEach(batch.visits, (visit) => Effect.exit(Workload.play(visit, shop, adversaries)), {
    concurrency: "unbounded",
    discard: true
  })
  const exit = world.run(Effect.andThen(visits, Aftermath.untilRest(world)))
  const rested = exit._tag === "Success" && exit.value.rested
  const books = Aftermath.booksOf(world, banks)
  const fates = books.streams.map(Fates.of)
  return {
    findings: [
      ...(rested ? [] : [{ rule: "NeverRested" as const, payment: "", detail: Aftermath.unrest(exit) }]),
      ...Auditor.audit(books),
      ...repeated(fates)
    ],
    fates,
    strikes,
    crossings: world.crossings(),
    deaths,
    trace,
    timeline: (payment) =>
      chronicle?.of(payment, books.streams.find((stream) => stream.payment === payment)?.events ?? []) ?? []
  }
}

/** R6: a merchant's key has one payment. */
const repeated = (fates: ReadonlyArray<Fate>): ReadonlyArray<Finding> =>
  [...Map.groupBy(fates, ({ order }) => order)].flatMap(([order, [first, ...others]]) =>
    others.map(({ payment }) => ({
      rule: "OnePaymentPerKey" as const,
      payment,
      detail: `${order}: expected one payment, ${first!.payment}, actual: another`
    }))
  )

const isLife = (what: Observation): what is Extract<Observation, { readonly _tag: "Booted" | "Died" }> =>
  what._tag === "Booted" || what._tag === "Died"

type Note = <S extends Strike>(strike: S | undefined) => S | undefined

/** A gateway that the disturbance drives. Of two that are asked the same, each meets its own. */
const adversary = (
  {
    capabilities,
    name,
    tables
  }: { name: PaymentGateway["name"]; capabilities: Capabilities; tables: MemorySandboxBooks.Tables },
  world: World.World,
  disturbance: Disturbance,
  note: Note,
  chronicle: Chronicle.Chronicle | undefined
) => {
  const sends = new Map<string, number>()
  const told = new Map<string, number>()
  return AdversarialGateway.make(name, {
    tables: chronicle === undefined ? tables : chronicle.books(name, tables),
    capabilities,
    background: (effect) => void world.time.fork(effect),
    mischief: (asked) => {
      const [payment = "", ...path] = asked.operation.split("/")
      const ask = `${orderOf(world, payment)} ${name} ${path.join("/")} ${asked.kind} ${count(sends, `${asked.operation} ${asked.kind}`)}`
      return note(disturbance.ask(ask, asked))?.mischief
    },
    notify: {
      deliver: (message) =>
        Effect.suspend(() => {
          chronicle?.notified(message)
          return Webhook.deliver(world)(message)
        }),
      travel: (notification) => {
        const order = orderOf(world, Notification.paymentOf(notification))
        const named = `${order} ${name} notification ${count(told, order)}`
        return note(disturbance.notification(named))?.travels ?? [usualTravel(named)]
      }
    }
  })
}

const count = (counts: Map<string, number>, of: string): number => {
  const next = (counts.get(of) ?? 0) + 1
  counts.set(of, next)
  return next
}

/** Up to two seconds: often faster than the answer to the call that it is about. */
const usualTravel = (notification: string): number => Seed.make(Seed.derive(0, notification)).below(2000)

/** The merchant's number of a payment: ids change with the run, orders do not. */
const orderOf = ({ database }: World.World, payment: string): string => {
  const first = database.streams.get(PaymentId.make(payment))?.events[0]?.event
  return (first?._tag === "Initiated" ? first.order.reference : undefined) ?? payment
}
