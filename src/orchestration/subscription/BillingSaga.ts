/**
 * The billing of one invoice, as a saga:
 *
 *     invoice -> charge (pivot) -> record -> notice (best effort)
 *
 * `invoice` finalizes what is due and records that its charge begins, or finds
 * that recorded. It is never undone: a number that was given stays, and the
 * next run collects the invoice. `charge` makes the payment, under a key that
 * is derived from the invoice and the attempt, so that whoever repeats it
 * charges nobody twice; from there on it goes forward only. `record` writes
 * down what became of it; a decline is an answer, and dunning's to follow up.
 *
 * Whatever dies in between is picked up by the next run: each step finds in
 * the subscription's events or under the payment's key what was done.
 */
import { Effect, Result, Schema } from "effect"
import type { Notifier } from "../../adapters/Notifier.ts"
import type { SubscriptionRepository } from "../../adapters/SubscriptionRepository.ts"
import { IdempotencyKey } from "../../domain/Idempotency.ts"
import { plus } from "../../domain/Instant.ts"
import * as Money from "../../domain/Money.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import { given } from "../../domain/payment/PaymentCommand.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import * as ChargeOutcome from "../../domain/subscription/ChargeOutcome.ts"
import { InvoiceId, SubscriptionId } from "../../domain/subscription/Invoice.ts"
import type * as Subscription from "../../domain/subscription/Subscription.ts"
import { SubscriptionNotice } from "../../domain/subscription/SubscriptionNotice.ts"
import * as SubscriptionPlan from "../../domain/subscription/SubscriptionPlan.ts"
import { now } from "../Clocks.ts"
import type { NewPayment } from "../Payments.ts"
import { Payments } from "../Payments.ts"
import * as Saga from "../saga/Saga.ts"
import * as SubscriptionNotices from "./SubscriptionNotices.ts"
import { SubscriptionPolicy } from "./SubscriptionPolicy.ts"
import * as SubscriptionRecord from "./SubscriptionRecord.ts"

// --- What flows between the steps -------------------------------------------

/** What to charge, and as which attempt. */
const Charge = Schema.Struct({
  subscription: SubscriptionId,
  invoice: InvoiceId,
  attempt: Schema.Int,
  merchant: MerchantId,
  customer: Schema.String,
  method: MethodToken,
  amount: Money.Money
})
type Charge = typeof Charge.Type

const Invoiced = Schema.Struct({ charge: Schema.optionalKey(Charge) })

const Recorded = Schema.Struct({
  outcome: Schema.Literals(["Paid", "Failed", "Pending", "Nothing"]),
  notices: Schema.Array(SubscriptionNotice)
})

/** Each attempt at an invoice has its own key, and a payment of its own. */
export const keyOf = ({ attempt, invoice }: Pick<Charge, "attempt" | "invoice">): IdempotencyKey =>
  IdempotencyKey.make(`${invoice}/charge/${attempt}`)

// --- The saga ---------------------------------------------------------------

/** A store that was away for a moment; whatever takes longer is the next run's. */
const briefly = { attempts: 3, backoff: "exponential", baseMillis: 200 } as const

export const BillingSaga: Saga.Saga<
  { readonly subscription: SubscriptionId },
  typeof Recorded.Type,
  SubscriptionRepository | SubscriptionPolicy | Payments | Notifier
> = Saga.make("SubscriptionBilling", { input: Schema.Struct({ subscription: SubscriptionId }) })
  .step("invoice", {
    takes: ({ input }) => ({ subscription: input.subscription }),
    gives: Invoiced,
    retry: briefly,
    run: ({ subscription }) => Effect.map(finalized(subscription), (charge) => given({ charge }))
  })
  .step("charge", {
    kind: "pivot",
    takes: ({ steps }) => ({ invoiced: steps.invoice }),
    gives: ChargeOutcome.ChargeOutcome,
    run: ({ invoiced }) =>
      invoiced.charge === undefined ? Effect.succeed(ChargeOutcome.pending) : charged(invoiced.charge)
  })
  .step("record", {
    takes: ({ steps }) => ({ invoiced: steps.invoice, outcome: steps.charge }),
    gives: Recorded,
    retry: briefly,
    run: ({ invoiced, outcome }) =>
      invoiced.charge === undefined
        ? Effect.succeed({ outcome: "Nothing", notices: [] } as const)
        : recorded(invoiced.charge, outcome)
  })
  .step("notice", {
    kind: "bestEffort",
    takes: ({ steps }) => ({ notices: steps.record.notices }),
    gives: Schema.Int,
    retry: briefly,
    run: ({ notices }) => SubscriptionNotices.tell(notices)
  })
  .returns("record")

// --- The steps --------------------------------------------------------------

/** The charge that is to be made, with its invoice and its beginning recorded; none where nothing is due. */
const finalized = Effect.fnUntraced(function* (subscription: SubscriptionId) {
  const policy = yield* SubscriptionPolicy
  const { state } = yield* SubscriptionRecord.load(subscription)
  const owed = SubscriptionPlan.next(state, yield* now, policy)
  if (owed._tag === "Charge") return chargeOf(state, owed.open)
  if (owed._tag !== "Decide") return undefined
  const after = yield* SubscriptionRecord.record(subscription, () => owed.command)
  return after.state.open?.isCharging === true ? chargeOf(after.state, after.state.open) : undefined
})

const chargeOf = ({ method, terms }: Subscription.Begun, open: Subscription.OpenInvoice): Charge => ({
  subscription: terms.subscription,
  invoice: open.invoice.id,
  attempt: open.attempts,
  merchant: terms.merchant,
  customer: terms.customer,
  // As it was when the charge began: another card under the same key would be another request.
  method: open.method ?? method,
  amount: Money.of(open.invoice.currency, open.invoice.dueMinor)
})

const paymentOf = ({ amount, customer, invoice, method, subscription }: Charge): NewPayment => ({
  amount,
  capture: "automatic",
  methods: [method],
  customer,
  reference: invoice,
  metadata: { subscription, invoice }
})

/** The first answer under a key is kept as it was; what has become of the payment since is asked. */
const charged = Effect.fnUntraced(function* (charge: Charge) {
  const payments = yield* Payments
  const made = yield* Effect.result(payments.create(charge.merchant, keyOf(charge), paymentOf(charge)))
  if (Result.isSuccess(made)) {
    const { replayed, view } = made.success
    return ChargeOutcome.of(replayed ? yield* payments.get(view.id) : view)
  }
  const error = made.failure
  if (error._tag !== "IdempotencyError" || error.reason._tag === "Conflict") return yield* Effect.fail(error)
  // Another run makes it, or one that died did: the payment goes on by itself.
  const { payment } = error.reason
  return payment === undefined ? ChargeOutcome.pending : ChargeOutcome.of(yield* payments.get(payment))
})

const recorded = Effect.fnUntraced(function* (charge: Charge, outcome: ChargeOutcome.ChargeOutcome) {
  const { attempt, invoice, subscription } = charge
  if (outcome._tag === "Pending") {
    const { pollMillis } = yield* SubscriptionPolicy
    const at = yield* now
    const stored = yield* SubscriptionRecord.load(subscription)
    if (stored.state.open?.isCharging === true) yield* SubscriptionRecord.postpone(stored, plus(at, pollMillis))
    return { outcome: "Pending", notices: [] } as const
  }
  const { payment } = outcome
  const failure = outcome._tag === "Failed" ? outcome.failure : undefined
  const { notices } = yield* SubscriptionRecord.record(subscription, (at) => ({
    _tag: "RecordCharge",
    invoice,
    attempt,
    payment,
    ...given({ failure }),
    at
  }))
  return { outcome: outcome._tag, notices }
})
