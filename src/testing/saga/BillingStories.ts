/** The billing of a period that is due, with a card that pays and with one that is declined. */
import { Context, Effect, Layer } from "effect"
import type { Notice, Notifier } from "../../adapters/Notifier.ts"
import { Address } from "../../adapters/Notifier.ts"
import { SubscriptionRepository } from "../../adapters/SubscriptionRepository.ts"
import { IdempotencyKey } from "../../domain/Idempotency.ts"
import { Instant } from "../../domain/Instant.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import { TimeZone } from "../../domain/subscription/BillingAnchor.ts"
import { BillingPlan, PlanId } from "../../domain/subscription/BillingPlan.ts"
import * as ChargeOutcome from "../../domain/subscription/ChargeOutcome.ts"
import { SubscriptionId } from "../../domain/subscription/Invoice.ts"
import * as MemoryDatabase from "../../infra/memory/MemoryDatabase.ts"
import * as MemorySubscriptionRepository from "../../infra/memory/MemorySubscriptionRepository.ts"
import { Payments } from "../../orchestration/Payments.ts"
import { BillingSaga } from "../../orchestration/subscription/BillingSaga.ts"
import * as SubscriptionPolicy from "../../orchestration/subscription/SubscriptionPolicy.ts"
import * as SubscriptionRecord from "../../orchestration/subscription/SubscriptionRecord.ts"
import type { Saga } from "../../orchestration/saga/Saga.ts"
import * as Shop from "../Shop.ts"
import { epochMillis } from "../VirtualTime.ts"
import type { World } from "../World.ts"
import * as FakeStep from "./FakeStep.ts"
import { ofNotices, ofPayments } from "./PayingStories.ts"
import * as SagaBoundaries from "./SagaBoundaries.ts"
import type { Plot, Story } from "./SagaStory.ts"
import * as SagaStory from "./SagaStory.ts"

type Outside = Notifier | SubscriptionRepository | SubscriptionPolicy.SubscriptionPolicy
type Parts<B> = B extends Saga<infer Input, infer A, infer _> ? Plot<Input, A, Outside> : never
type Billing = Parts<typeof BillingSaga>

const id = SubscriptionId.make("sub_1")
const price = Shop.eur(30_00n)

/** After a trial that ended before the world begins, so that the first period is due. */
const terms = (token: string) => ({
  subscription: id,
  merchant: Shop.merchant,
  customer: "ada",
  plan: BillingPlan.make({
    id: PlanId.make("basic"),
    name: "Basic",
    price,
    interval: { unit: "month", count: 1 },
    trialDays: 1
  }),
  method: MethodToken.make(token),
  zone: TimeZone.make("UTC"),
  email: Address.make("ada@example.org")
})

const begun = Instant.make(epochMillis - 2 * 86_400_000)

const repositoryOf = (world: World): SubscriptionRepository["Service"] =>
  Context.get(
    Effect.runSync(
      Effect.scoped(
        Layer.build(
          Layer.provide(
            Layer.fresh(MemorySubscriptionRepository.layer),
            Layer.succeed(MemoryDatabase.MemoryDatabase, world.database)
          )
        )
      )
    ),
    SubscriptionRepository
  )

const policy = Layer.succeed(SubscriptionPolicy.SubscriptionPolicy, SubscriptionPolicy.defaults)

const billing = (token: string, charges: number, notice: string, events: ReadonlyArray<string>) => (): Billing => {
  const sent: Array<Notice> = []
  let repository: SubscriptionRepository["Service"] | undefined
  return {
    saga: BillingSaga,
    input: { subscription: id },
    begin: (world) => {
      repository = repositoryOf(world)
      return SubscriptionRecord.record(id, () => ({ _tag: "Subscribe", terms: terms(token), at: begun })).pipe(
        Effect.provideService(SubscriptionRepository, repository),
        Effect.provide(policy),
        Effect.orDie,
        Effect.asVoid
      )
    },
    outside: (process, world) =>
      Layer.mergeAll(
        SagaBoundaries.subscriptions(process, repositoryOf(world)),
        SagaBoundaries.notifier(process, sent),
        policy
      ),
    isLeftOpen: (answer) => answer._tag === "Completed" && answer.value.outcome === "Pending",
    judge: (_, payments) =>
      Effect.map(Effect.orDie(repository!.load(id)), ({ history }) => {
        const recorded = history.map(({ _tag }) => _tag).slice(1)
        return [
          ...ofPayments(charges, payments),
          ...(payments.length === 1 ? [] : [`expected one payment, actual ${payments.length}`]),
          ...(String(recorded) === String(events)
            ? []
            : [`expected ${events.join(", ")}, actual ${recorded.join(", ")}`]),
          // Best effort: whoever dies between the record and the notice has told nobody, and the record says so.
          ...(sent.length === 0 ? [] : ofNotices([notice], sent))
        ]
      })
  }
}

/** A charge under a key that is not the invoice's and the attempt's. */
const unkeyed = (plot: Billing): Billing => {
  let times = 0
  const run = () =>
    Effect.gen(function* () {
      const { create } = yield* Payments
      const key = IdempotencyKey.make(`sub_1/${++times}`)
      const { view } = yield* create(Shop.merchant, key, {
        amount: price,
        capture: "automatic",
        methods: [MethodToken.make("tok_visa")]
      })
      return ChargeOutcome.of(view)
    })
  return { ...plot, saga: FakeStep.replace(plot.saga, "charge", { run }) }
}

const begins = ["PeriodBegun", "InvoiceFinalized", "ChargeBegun"]

const paid = SagaStory.make({
  name: "billing",
  ending: "completed",
  plot: billing("tok_visa", 1, "subscription.receipt", [...begins, "InvoicePaid"]),
  bugs: { "a charge under another key": unkeyed }
})

const declined = SagaStory.make({
  name: "billing-declined",
  ending: "completed",
  plot: billing("tok_declined_insufficient_funds", 0, "subscription.chargeFailed", [...begins, "ChargeFailed"]),
  bugs: { "a card that is charged for another": unkeyed }
})

export const all: ReadonlyArray<Story> = [paid, declined]
