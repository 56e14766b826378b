/** The billing of a cycle, and of an upgrade, in which florin dies at every crossing of a boundary, just before it and just after it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger } from "effect"
import type { Notice } from "../../../src/adapters/Notifier.ts"
import { Notifier, NotifierError, NotSent } from "../../../src/adapters/Notifier.ts"
import { StorageUnavailable } from "../../../src/adapters/Storage.ts"
import { SubscriptionRepository, SubscriptionRepositoryError } from "../../../src/adapters/SubscriptionRepository.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import type { Invoice, SubscriptionId } from "../../../src/domain/subscription/Invoice.ts"
import * as SubscriptionPlan from "../../../src/domain/subscription/SubscriptionPlan.ts"
import * as SubscriptionView from "../../../src/domain/subscription/SubscriptionView.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as MemorySubscriptionRepository from "../../../src/infra/memory/MemorySubscriptionRepository.ts"
import * as MemorySandboxBooks from "../../../src/infra/simulated/MemorySandboxBooks.ts"
import type * as SandboxCharge from "../../../src/infra/simulated/SandboxCharge.ts"
import * as BillingWorker from "../../../src/orchestration/subscription/BillingWorker.ts"
import * as Subscriptions from "../../../src/orchestration/subscription/Subscriptions.ts"
import * as SubscriptionPolicy from "../../../src/orchestration/subscription/SubscriptionPolicy.ts"
import * as AdversarialGateway from "../../../src/testing/AdversarialGateway.ts"
import type { PlannedFault, Point } from "../../../src/testing/FaultPlan.ts"
import * as FaultPlan from "../../../src/testing/FaultPlan.ts"
import type { Process } from "../../../src/testing/Process.ts"
import { epochMillis } from "../../../src/testing/VirtualTime.ts"
import * as World from "../../../src/testing/World.ts"
import type { Story } from "../../domain/subscription/Subscriptions.ts"
import { basic, id, method, paidStory, pro, request } from "../../domain/subscription/Subscriptions.ts"

const policy: SubscriptionPolicy.Settings = { ...SubscriptionPolicy.defaults, pollMillis: 1000 }
const daily = { ...basic, interval: { unit: "day", count: 1 } } as const

/** Paid for the day before the world begins, so that the next period is due. */
const history = (token: string) => {
  const story = paidStory(Instant.make(epochMillis - 86_400_000), { plan: daily, email: "ada@example.org" })
  story.ask({
    _tag: "UpdateMethod",
    request: request("card"),
    method: method(token),
    at: Instant.make(epochMillis - 1)
  })
  return story
}

// --- The boundaries that billing adds ---------------------------------------

const repository = (process: Process) =>
  Layer.effect(
    SubscriptionRepository,
    Effect.map(SubscriptionRepository, (inner) => {
      const unavailable = (operation: string) => new StorageUnavailable({ operation, cause: "the connection is gone" })
      const ofOne = <A>(
        operation: string,
        subscription: SubscriptionId,
        effect: Effect.Effect<A, SubscriptionRepositoryError>
      ) =>
        process.cross(
          `SubscriptionRepository.${operation}`,
          effect,
          () => new SubscriptionRepositoryError({ subscription, reason: unavailable(operation) })
        )
      return SubscriptionRepository.of({
        ...inner,
        append: (append) => ofOne("append", append.subscription, inner.append(append)),
        load: (subscription) => ofOne("load", subscription, inner.load(subscription)),
        due: (query) => process.cross("SubscriptionRepository.due", inner.due(query), () => unavailable("due"))
      })
    })
  ).pipe(Layer.provide(MemorySubscriptionRepository.layer))

const notifier = (process: Process, sent: Array<Notice>) =>
  Layer.succeed(Notifier, {
    notify: (notice) =>
      process.cross(
        "Notifier.notify",
        Effect.sync(() => void sent.push(notice)),
        () => new NotifierError({ notice: notice.id, notifier: "test", reason: new NotSent({ detail: "gone" }) })
      )
  })

// --- Telling the story once -------------------------------------------------

interface Outcome {
  readonly boundaries: ReadonlyArray<string>
  readonly isAtRest: boolean
  readonly charges: ReadonlyArray<SandboxCharge.Charge>
  readonly events: ReadonlyArray<string>
  readonly numbers: ReadonlyArray<string>
  readonly invoices: ReadonlyArray<Invoice>
  readonly told: ReadonlyArray<string>
  readonly status: string
}

/** Looked for so long, every second: what is in doubt is asked about well within it. */
const patience = 300

/** What a customer asks for, over and over until it is answered; then workers do what is left. */
type Wish = Effect.Effect<unknown, unknown, Subscriptions.Subscriptions>

const tell = (begun: Story, faults: ReadonlyArray<PlannedFault>, wish: Wish = Effect.void): Outcome => {
  const boundaries: Array<string> = []
  const sent: Array<Notice> = []
  const books = MemorySandboxBooks.make()
  const world = World.make({
    seed: 7,
    faults: FaultPlan.planned(faults),
    processes: 1,
    gateways: ({ time }) => [
      AdversarialGateway.make("bank", { tables: books, background: (effect) => void time.fork(effect) })
    ],
    observe: (what) => {
      if (what._tag === "Crossed") boundaries.push(what.crossing.boundary)
    }
  })
  const { database } = world
  const seed = Effect.gen(function* () {
    const inner = yield* SubscriptionRepository
    const { history: events, state } = begun
    if (state._tag === "New") return yield* Effect.die("it has not begun")
    const view = SubscriptionView.of(state, events.length, Instant.make(epochMillis))
    const due = SubscriptionPlan.dueAt(state, Instant.make(epochMillis), policy)
    yield* inner.append({ subscription: id, merchant: state.terms.merchant, expected: 0, events, view, due })
  }).pipe(Effect.provide(MemorySubscriptionRepository.layer))

  let isAnswered = false
  const work = (process: Process) =>
    Effect.gen(function* () {
      if (!isAnswered) yield* wish
      isAnswered = true
      yield* BillingWorker.sweep()
    }).pipe(
      Effect.provide(
        Layer.provideMerge(Subscriptions.layer, Layer.mergeAll(repository(process), notifier(process, sent)))
      ),
      Effect.provideService(SubscriptionPolicy.SubscriptionPolicy, policy),
      Effect.provide(Logger.layer([])),
      Effect.provideService(MemoryDatabase.MemoryDatabase, database)
    )
  const isAtRest = () => (database.subscriptions.get(id)?.due ?? Infinity) > world.time.now()
  const story = Effect.gen(function* () {
    yield* seed.pipe(Effect.provideService(MemoryDatabase.MemoryDatabase, database))
    for (let second = 0; second < patience; second++) {
      yield* Effect.sleep(1000)
      const [florin] = world.florins()
      if (florin !== undefined) yield* Effect.ignore(florin.request(work(florin.process)))
      if (!isAnswered) continue
      if (isAtRest() && database.subscriptions.get(id)?.view.openInvoice?.id !== "sub_1/inv/2") return true
      if (isAtRest() && database.subscriptions.get(id)?.view.status === "grace") return true
    }
    return false
  })
  const exit = world.run(story)
  const row = database.subscriptions.get(id)!
  return {
    boundaries,
    isAtRest: Exit.isExit(exit) && Exit.isSuccess(exit) && exit.value,
    charges: [...books.charges.values()],
    events: row.events.slice(begun.history.length).map(({ event }) => event._tag),
    numbers: [...database.invoices.values()].flat().map(({ invoice, number }) => `${number} ${invoice.id}`),
    invoices: [...database.invoices.values()].flat().map(({ invoice }) => invoice),
    told: sent.map(({ kind }) => kind),
    status: row.view.status
  }
}

const points: ReadonlyArray<Point> = ["before", "after"]
const deaths = (crossings: number): ReadonlyArray<PlannedFault> =>
  Array.from({ length: crossings }, (_, index) => index + 1).flatMap((crossing) =>
    points.map((point) => ({ crossing, point, fault: { _tag: "Die" } }) as const)
  )

const stories = [
  {
    token: "tok_visa",
    events: ["PeriodBegun", "InvoiceFinalized", "ChargeBegun", "InvoicePaid"],
    captured: 30_00n,
    notice: "subscription.receipt",
    status: "active"
  },
  {
    token: "tok_lost_answer",
    events: ["PeriodBegun", "InvoiceFinalized", "ChargeBegun", "InvoicePaid"],
    captured: 30_00n,
    notice: "subscription.receipt",
    status: "active"
  },
  {
    token: "tok_declined_insufficient_funds",
    events: ["PeriodBegun", "InvoiceFinalized", "ChargeBegun", "ChargeFailed"],
    captured: 0n,
    notice: "subscription.chargeFailed",
    status: "grace"
  }
] as const

describe("the billing of a cycle", () => {
  for (const { captured, events, notice, status, token } of stories) {
    it(`with ${token}, dies before and after every call of an adapter, and charges its invoice exactly once`, () => {
      const check = (outcome: Outcome, where: string) => {
        assert.isTrue(outcome.isAtRest, where)
        assert.deepStrictEqual(outcome.events, [...events], where)
        assert.strictEqual(outcome.status, status, where)
        assert.strictEqual(outcome.charges.length, 1, where)
        assert.strictEqual(outcome.charges[0]!.capturedMinor, captured, where)
        assert.deepStrictEqual(outcome.numbers, ["1 sub_1/inv/1", "2 sub_1/inv/2"], where)
        // Best effort: told at most once in these runs, and not at all where the process died on the way.
        assert.isAtMost(outcome.told.length, 1, where)
      }
      const undisturbed = tell(history(token), [])
      check(undisturbed, "undisturbed")
      assert.deepStrictEqual(undisturbed.told, [notice])
      for (const boundary of [
        "SubscriptionRepository.due",
        "SubscriptionRepository.load",
        "SubscriptionRepository.append",
        "PaymentRepository.create",
        "PaymentRepository.append",
        "PaymentGateway.authorize",
        "Notifier.notify"
      ]) {
        assert.include(undisturbed.boundaries, boundary)
      }
      for (const death of deaths(undisturbed.boundaries.length)) {
        check(tell(history(token), [death]), FaultPlan.toText(death, undisturbed.boundaries[death.crossing - 1]))
      }
    })
  }
})

describe("an upgrade", () => {
  const upgrade = Effect.flatMap(Subscriptions.Subscriptions, ({ changePlan }) =>
    changePlan(id, request("up"), { ...pro, interval: daily.interval })
  )
  /** Half of a day was used when the world begins. */
  const begun = () => paidStory(Instant.make(epochMillis - 43_200_000), { plan: daily, email: "ada@example.org" })

  it("that is asked for again until it is answered, dies before and after every call, and is charged exactly once", () => {
    const check = ({ charges, events, invoices, isAtRest, status }: Outcome, where: string) => {
      assert.isTrue(isAtRest, where)
      assert.deepStrictEqual(events, ["PlanChanged", "InvoiceFinalized", "ChargeBegun", "InvoicePaid"], where)
      assert.strictEqual(status, "active", where)
      const [, difference] = invoices
      assert.strictEqual(invoices.length, 2, where)
      assert.isTrue(difference!.dueMinor > 14_90n && difference!.dueMinor <= 15_00n, where)
      assert.deepStrictEqual(
        charges.map(({ capturedMinor }) => capturedMinor),
        [difference!.dueMinor],
        where
      )
    }
    const undisturbed = tell(begun(), [], upgrade)
    check(undisturbed, "undisturbed")
    for (const death of deaths(undisturbed.boundaries.length)) {
      check(tell(begun(), [death], upgrade), FaultPlan.toText(death, undisturbed.boundaries[death.crossing - 1]))
    }
  })
})
