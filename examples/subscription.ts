/**
 * A year of a subscription, in a second: what is due on each day of 2028 is
 * billed, over adapters in memory and a clock that is moved by hand.
 *
 *     npm exec -- node examples/subscription.ts
 *
 * It begins on 31 January, so that February's end, and its leap day, have to be
 * found; in April the customer upgrades, and in September their card expires.
 */
import { Console, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import {
  BillingAnchor,
  BillingPlan,
  BillingWorker,
  Coupon,
  Gateway,
  Invoice,
  Money,
  PaymentEvent,
  SubscriptionPolicy,
  Subscriptions
} from "florin"
import { PaymentCore, Stores } from "florin/node"
import { MemoryNotifier, MemorySandboxBooks, SandboxGateway } from "florin/testing"

// --- What is sold -----------------------------------------------------------

const plan = (name: string, price: bigint) =>
  BillingPlan.BillingPlan.make({
    id: BillingPlan.PlanId.make(name.toLowerCase()),
    name,
    price: Money.of("EUR", price),
    interval: { unit: "month", count: 1 },
    trialDays: 0
  })

const basic = plan("Basic", 10_00n)
const pro = plan("Pro", 25_00n)

const welcome = Coupon.Coupon.make({
  code: Coupon.CouponCode.make("WELCOME"),
  off: { _tag: "Percent", basisPoints: 5000 },
  duration: { _tag: "Repeating", periods: 2 }
})

// --- What happens -----------------------------------------------------------

const merchant = PaymentEvent.MerchantId.make("journal")
const ada = Invoice.SubscriptionId.make("sub_ada")
const request = (name: string) => PaymentEvent.RequestId.make(name)
const card = (token: string) => Gateway.MethodToken.make(token)

/** What the customer does, by the day on which they do it. */
const wishes = (subscriptions: Subscriptions.Subscriptions["Service"]) =>
  new Map([
    ["2028-04-15", subscriptions.changePlan(ada, request("upgrade"), pro)],
    ["2028-09-20", subscriptions.updateMethod(ada, request("card-1"), card("tok_declined_expired_card"))],
    ["2028-10-02", subscriptions.updateMethod(ada, request("card-2"), card("tok_mastercard"))],
    ["2028-12-10", subscriptions.cancel(ada, request("goodbye"), "periodEnd")]
  ])

const dayOf = (millis: number) => new Date(millis).toISOString().slice(0, 10)

const year = Effect.gen(function* () {
  const subscriptions = yield* Subscriptions.Subscriptions
  // Noon in Berlin, by whose calendar it goes.
  const start = Date.parse("2028-01-31T11:00:00Z")
  yield* TestClock.setTime(start)
  yield* subscriptions.subscribe({
    subscription: ada,
    merchant,
    customer: "ada",
    email: "ada@example.org",
    plan: basic,
    method: card("tok_visa"),
    zone: BillingAnchor.TimeZone.make("Europe/Berlin"),
    coupon: welcome
  })
  const asked = wishes(subscriptions)
  for (let day = start; dayOf(day) < "2029-01-01"; day += 86_400_000) {
    yield* TestClock.setTime(day)
    yield* asked.get(dayOf(day)) ?? Effect.void
    yield* BillingWorker.sweep()
  }
})

// --- What is printed --------------------------------------------------------

/** Each invoice with its number in the merchant's books, and its lines. */
export const ledger = Effect.gen(function* () {
  const subscriptions = yield* Subscriptions.Subscriptions
  const register = yield* subscriptions.invoices({ merchant, limit: 100 })
  return register.flatMap(({ invoice, number }) => {
    const amount = (minor: bigint) => Money.format(Money.of(invoice.currency, minor)).padStart(7)
    return [
      `No. ${number}, ${dayOf(invoice.at)}: ${amount(invoice.dueMinor).trim()} EUR`,
      ...invoice.lines.map(
        ({ amountMinor, description, end, number, start }) =>
          `  ${number}. ${amount(amountMinor)}  ${description}, ${dayOf(start)} to ${dayOf(end)}`
      )
    ]
  })
})

export const program = Effect.gen(function* () {
  const subscriptions = yield* Subscriptions.Subscriptions
  yield* year
  for (const line of yield* ledger) yield* Console.log(line)
  const { status } = yield* subscriptions.get(ada)
  const letters = [...(yield* MemoryNotifier.SentNotices).values()].map(({ subject }) => subject)
  yield* Console.log(`${status}; ${letters.filter((subject) => !subject.endsWith("receipt")).join("; ")}`)
})

// --- The world --------------------------------------------------------------

const gateways = SandboxGateway.make("sandbox").pipe(
  Effect.map(PaymentCore.gateways),
  Layer.unwrap,
  Layer.provide(MemorySandboxBooks.layer())
)

/** Without the workers of payments: nothing goes wrong here that would be theirs to mend. */
export const layer = Subscriptions.layer.pipe(
  Layer.provideMerge(
    Layer.succeed(SubscriptionPolicy.SubscriptionPolicy, { ...SubscriptionPolicy.defaults, proration: "day" })
  ),
  Layer.provideMerge(PaymentCore.payments(PaymentCore.defaults)),
  Layer.provideMerge(MemoryNotifier.layer),
  Layer.provide(gateways),
  Layer.provideMerge(Stores.memory([])),
  Layer.provideMerge(TestClock.layer())
)

if (import.meta.main) await Effect.runPromise(Effect.provide(program, layer))
