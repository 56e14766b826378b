/** Subscriptions for tests: terms, commands, and a history made of them. */
import { Result } from "effect"
import { Instant } from "../../../src/domain/Instant.ts"
import * as Money from "../../../src/domain/Money.ts"
import { MethodToken } from "../../../src/domain/payment/Gateway.ts"
import { MerchantId, RequestId } from "../../../src/domain/payment/PaymentEvent.ts"
import { TimeZone } from "../../../src/domain/subscription/BillingAnchor.ts"
import { BillingPlan, PlanId } from "../../../src/domain/subscription/BillingPlan.ts"
import type { Coupon } from "../../../src/domain/subscription/Coupon.ts"
import { CouponCode } from "../../../src/domain/subscription/Coupon.ts"
import type { Invoice } from "../../../src/domain/subscription/Invoice.ts"
import { SubscriptionId } from "../../../src/domain/subscription/Invoice.ts"
import type { State } from "../../../src/domain/subscription/Subscription.ts"
import * as Subscription from "../../../src/domain/subscription/Subscription.ts"
import type { Policy } from "../../../src/domain/subscription/SubscriptionBilling.ts"
import * as SubscriptionBilling from "../../../src/domain/subscription/SubscriptionBilling.ts"
import type { Command } from "../../../src/domain/subscription/SubscriptionCommand.ts"
import { decide } from "../../../src/domain/subscription/SubscriptionDecision.ts"
import type { Event, Terms } from "../../../src/domain/subscription/SubscriptionEvent.ts"
import { fold } from "../../../src/domain/subscription/SubscriptionFold.ts"

export const at = (iso: string) => Instant.make(Date.parse(iso.length === 10 ? `${iso}T00:00:00Z` : iso))
export const request = (text: string) => RequestId.make(text)
export const method = (text: string) => MethodToken.make(text)
export const id = SubscriptionId.make("sub_1")

export const plan = (name: string, minor: bigint, changes: Partial<BillingPlan> = {}): BillingPlan =>
  BillingPlan.make({
    id: PlanId.make(name.toLowerCase()),
    name,
    price: Money.of("EUR", minor),
    interval: { unit: "month", count: 1 },
    trialDays: 0,
    ...changes
  })

export const basic = plan("Basic", 30_00n)
export const pro = plan("Pro", 60_00n)

export const percent = (basisPoints: number, duration: Coupon["duration"]): Coupon => ({
  code: CouponCode.make("SPRING"),
  off: { _tag: "Percent", basisPoints },
  duration
})
export const amountOff = (minor: bigint, duration: Coupon["duration"]): Coupon => ({
  code: CouponCode.make("MINUS"),
  off: { _tag: "Amount", amount: Money.of("EUR", minor) },
  duration
})
export const once = { _tag: "Once" } as const
export const forever = { _tag: "Forever" } as const

export const terms = (changes: Partial<Terms> = {}): Terms => ({
  subscription: id,
  merchant: MerchantId.make("shop"),
  customer: "ada",
  plan: basic,
  method: method("tok_visa"),
  zone: TimeZone.make("UTC"),
  ...changes
})

/** A subscription that is asked one thing after the other; every answer but an acceptance throws. */
export class Story {
  readonly policy: Policy
  history: ReadonlyArray<Event> = []
  constructor(policy: Policy = SubscriptionBilling.defaults) {
    this.policy = policy
  }
  get state(): State {
    return fold(this.history)
  }
  get begun(): Subscription.Begun {
    const { state } = this
    if (state._tag === "New") throw new Error("it has not begun")
    return state
  }
  decide(command: Command) {
    return decide(command, this.state, this.policy)
  }
  /** The tags of what was recorded. */
  ask(command: Command): ReadonlyArray<Event["_tag"]> {
    const events = Result.getOrThrow(this.decide(command))
    this.history = [...this.history, ...events]
    return events.map(({ _tag }) => _tag)
  }
  /** The charge that is under way was paid. */
  pay(when: Instant) {
    const { open } = this.begun
    return this.ask({ _tag: "RecordCharge", invoice: open!.invoice.id, attempt: open!.attempts, at: when })
  }
  fail(when: Instant, category: "retryLater" | "otherInstrument" | "final" = "retryLater") {
    const { open } = this.begun
    const failure = { code: "51", category }
    return this.ask({ _tag: "RecordCharge", invoice: open!.invoice.id, attempt: open!.attempts, failure, at: when })
  }
  refusal(command: Command) {
    const decision = this.decide(command)
    return Result.isFailure(decision) ? decision.failure.rule : undefined
  }
  get invoices(): ReadonlyArray<Invoice> {
    return this.history.flatMap((event) => (event._tag === "InvoiceFinalized" ? [event.invoice] : []))
  }
  /** The last invoice's lines, as a customer reads them. */
  get lines(): ReadonlyArray<string> {
    return this.invoices
      .at(-1)!
      .lines.map(({ amountMinor, description, number }) => `${number}. ${description} ${amountMinor}`)
  }
}

/** Begun and paid for on `when`. */
export const paidStory = (when: Instant, changes: Partial<Terms> = {}, policy?: Policy): Story => {
  const story = new Story(policy)
  story.ask({ _tag: "Subscribe", terms: terms(changes), at: when })
  if (story.begun.open !== undefined) story.pay(when)
  return story
}
