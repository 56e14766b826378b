/** The sagas that take money, each as it works and as it ends when it does not. */
import { Effect } from "effect"
import type { Notice } from "../../adapters/Notifier.ts"
import { Address } from "../../adapters/Notifier.ts"
import type { Notifier } from "../../adapters/Notifier.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import * as AlternativePayment from "../../orchestration/paying/AlternativePayment.ts"
import type { PaidBy } from "../../orchestration/paying/FollowedPayment.ts"
import * as MultiAttempt from "../../orchestration/paying/MultiAttempt.ts"
import type { PaymentOrder } from "../../orchestration/paying/PaymentOrder.ts"
import type { Sale } from "../../orchestration/paying/PaymentProcessing.ts"
import * as PaymentProcessing from "../../orchestration/paying/PaymentProcessing.ts"
import type { Saga } from "../../orchestration/saga/Saga.ts"
import * as Shop from "../Shop.ts"
import * as FakeStep from "./FakeStep.ts"
import * as SagaBoundaries from "./SagaBoundaries.ts"
import type { Plot, Story } from "./SagaStory.ts"
import * as SagaStory from "./SagaStory.ts"

export const order = (token = "tok_visa"): PaymentOrder => ({
  merchant: Shop.merchant,
  reference: "order-1",
  amount: Shop.eur(80_00n),
  method: MethodToken.make(token),
  notify: Address.make("ada@example.org")
})

export const fraud = { points: {}, threshold: 0 }

/** At most one of the run's payments has taken money, and none holds any that nobody will take. */
export const ofPayments = (charges: number, payments: ReadonlyArray<PaymentView>): ReadonlyArray<string> => {
  const taken = payments.filter(({ capturedMinor, refundedMinor }) => capturedMinor > refundedMinor)
  const held = payments.filter(({ status }) => status === "authorized")
  return [
    ...(taken.length === charges ? [] : [`expected ${charges} charges, actual ${taken.length}`]),
    ...(held.length === 0 ? [] : [`${held.length} holds are left`])
  ]
}

/** Told once, however often it was said: a repeat is known by its id. */
export const ofNotices = (kinds: ReadonlyArray<string>, sent: ReadonlyArray<Notice>): ReadonlyArray<string> => {
  const told = [...new Map(sent.map(({ id, kind }) => [id, kind])).values()].toSorted()
  return String(told) === String(kinds.toSorted())
    ? []
    : [`expected notices ${kinds.join(", ")}, actual ${told.join(", ")}`]
}

// --- Bugs that any of them may have -----------------------------------------

/** What the step asks for is never known as what it asked for before it died. */
export const forgetting =
  (step: string) =>
  <Input, A, X>(plot: Plot<Input, A, X>): Plot<Input, A, X> => {
    let asked = 0
    const saga = FakeStep.altered(plot.saga, step, (real) => ({
      ...real,
      run: (args, context) => real.run(args, { ...context, key: `${context.key}/again/${++asked}` })
    }))
    return { ...plot, saga }
  }

/** The step is taken back in name only. */
export const keeping =
  (step: string) =>
  <Input, A, X>(plot: Plot<Input, A, X>): Plot<Input, A, X> => {
    const nothing = { undo: () => Effect.void, compensate: () => Effect.void }
    return { ...plot, saga: FakeStep.replace(plot.saga, step, nothing) }
  }

// --- Stories ----------------------------------------------------------------

const processing = SagaStory.make({
  name: "payment-processing",
  ending: "completed",
  plot: () => {
    const sent: Array<Notice> = []
    const sales = new Map<string, Sale>()
    return {
      saga: PaymentProcessing.make({ fraud, record: (sale, key) => Effect.sync(() => void sales.set(key, sale)) }),
      input: order(),
      outside: (process) => SagaBoundaries.notifier(process, sent),
      judge: (_, payments) =>
        Effect.succeed([
          ...ofPayments(1, payments),
          ...ofNotices(["receipt"], sent),
          ...(sales.size === 1 ? [] : [`expected one sale on record, actual ${sales.size}`])
        ])
    }
  },
  bugs: { "a hold under another key": forgetting("preauthorize"), "a sale under another key": forgetting("record") }
})

const refused = SagaStory.make({
  name: "payment-processing-refused",
  ending: "failed",
  plot: () => {
    const sent: Array<Notice> = []
    const saga = PaymentProcessing.make({ fraud, record: () => Effect.void })
    return {
      saga: FakeStep.failing(saga, "charge", { error: { message: "the till is shut", isRetryable: false } }),
      input: order(),
      outside: (process) => SagaBoundaries.notifier(process, sent),
      judge: (_, payments) => Effect.succeed([...ofPayments(0, payments), ...ofNotices([], sent)])
    }
  },
  bugs: { "a hold that is not voided": keeping("preauthorize") }
})

/** A payment by one of several cards, or by none. */
const byCard = <Input>(parts: {
  readonly name: string
  readonly ending: string
  readonly saga: Saga<Input, PaidBy, SagaStory.Within<Notifier>>
  readonly input: Input
  readonly answers?: NonNullable<Plot<Input, PaidBy, Notifier>["answers"]>
  readonly charges: number
  readonly notices: ReadonlyArray<string>
  readonly bugs: SagaStory.Parts<Input, PaidBy, Notifier>["bugs"]
}) =>
  SagaStory.make<Input, PaidBy, Notifier>({
    ...parts,
    plot: () => {
      const sent: Array<Notice> = []
      return {
        ...parts,
        outside: (process) => SagaBoundaries.notifier(process, sent),
        judge: (_, payments) =>
          Effect.succeed([...ofPayments(parts.charges, payments), ...ofNotices(parts.notices, sent)])
      }
    }
  })

const poor = "tok_declined_insufficient_funds"

const backup = byCard({
  name: "multi-attempt",
  ending: "completed",
  saga: MultiAttempt.saga,
  input: { order: order(poor), backups: [MethodToken.make("tok_visa")] },
  charges: 1,
  notices: ["receipt"],
  bugs: { "a charge under another key": forgetting("pay") }
})

const alternative = AlternativePayment.make({ page: (correlation) => `https://shop.example/pay/${correlation}` })

const firstCard = byCard({
  name: "alternative-payment-first",
  ending: "halted",
  saga: alternative,
  input: order(),
  charges: 1,
  notices: ["receipt"],
  bugs: { "a charge under another key": forgetting("first") }
})

const anotherCard = byCard({
  name: "alternative-payment",
  ending: "completed",
  saga: alternative,
  input: order(poor),
  answers: { anotherCard: { method: "tok_visa" } },
  charges: 1,
  notices: ["payment.declined", "receipt"],
  bugs: { "a charge under another key": forgetting("second") }
})

const noCard = byCard({
  name: "alternative-payment-unpaid",
  ending: "failed",
  saga: alternative,
  input: order(poor),
  answers: { anotherCard: { method: poor } },
  charges: 0,
  notices: ["payment.abandoned", "payment.declined"],
  bugs: { "a customer who is not told": keeping("second") }
})

export const all: ReadonlyArray<Story> = [processing, refused, backup, firstCard, anotherCard, noCard]
