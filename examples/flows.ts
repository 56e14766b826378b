/**
 * A product, its price, a coupon and a subscription at Stripe, in one chain that nobody waits for.
 *
 *     STRIPE_SECRET_KEY=sk_test_… CUSTOMER=cus_… npm exec -- node examples/flows.ts
 *
 * Each handler dispatches the next flow. Whatever is killed in between, the
 * chain goes on where it stopped, and every object is made once.
 */
import { Effect, Layer, Redacted, Schedule } from "effect"
import { Flow, FlowName, FlowStore } from "florin"
import { FlowCore } from "florin/node"
import { StripeFlows } from "florin/stripe"

// --- The chain, from its end to its beginning -------------------------------

/** What the chain is told once, and every handler can read. */
interface Plan {
  readonly customer: string
  readonly name: string
}

const subscribe = StripeFlows.createSubscription({
  onResponse: ({ id, status }) => Effect.logInfo(`subscribed: ${id}, ${status}`)
})

/** What an earlier handler of the chain has set. */
const text = ({ context }: Flow.Handling, key: string) =>
  Effect.map(context.get(key), (value) => (typeof value === "string" ? value : ""))

const welcome = StripeFlows.createCoupon({
  onResponse: (coupon, handling) =>
    Effect.gen(function* () {
      const customer = yield* text(handling, "customer")
      const price = yield* text(handling, "price_id")
      yield* handling.dispatch(subscribe, { customer, items: [{ price }], discounts: [{ coupon: coupon.id }] })
    })
})

const monthly = StripeFlows.createPrice({
  onResponse: (_, handling) => handling.dispatch(welcome, { percent_off: 20, duration: "once", name: "Welcome" })
})

const product = (customer: string) =>
  StripeFlows.createProduct({
    onResponse: ({ id }, handling) =>
      Effect.gen(function* () {
        yield* handling.context.set("customer", customer)
        yield* handling.dispatch(monthly, {
          product: id,
          currency: "eur",
          unit_amount: 1900,
          recurring: { interval: "month" }
        })
      })
  })

// --- Running it -------------------------------------------------------------

/** Dispatches the first flow, which is all that a caller ever waits for. */
export const begin = ({ customer, name }: Plan) =>
  Flow.dispatch(product(customer), { name }, { worker: "billing", context: customer, key: `plan-${customer}` })

export interface Options {
  readonly customer: string
  readonly secretKey: string
  readonly host?: string
  readonly port?: number
  readonly protocol?: "http" | "https"
}

/** The flows and a worker for them, kept in memory here; `FlowCore.sql()` keeps them in PostgreSQL. */
export const layer = ({ customer, secretKey, ...where }: Options) =>
  FlowCore.layer([product(customer), monthly, welcome, subscribe], { workers: ["billing"] }).pipe(
    Layer.provide(StripeFlows.gateway({ secretKey: Redacted.make(secretKey), ...where })),
    Layer.provideMerge(FlowCore.memory)
  )

/** Waits, as no service would, until the chain has ended, and says what it has made. */
export const made = (customer: string) =>
  Effect.gen(function* () {
    const store = yield* FlowStore.FlowStore
    const { entries } = yield* store.readContext(FlowName.ContextId.make(customer))
    return entries
  }).pipe(
    Effect.repeat({
      until: (entries) => "subscription_id" in entries || Object.keys(entries).some((key) => key.endsWith("_error")),
      schedule: Schedule.spaced("50 millis")
    })
  )

if (import.meta.main) {
  const { CUSTOMER = "", STRIPE_HOST, STRIPE_PORT, STRIPE_SECRET_KEY = "" } = process.env
  const where =
    STRIPE_HOST === undefined ? {} : ({ host: STRIPE_HOST, port: Number(STRIPE_PORT), protocol: "http" } as const)
  const chain = Effect.gen(function* () {
    const dispatched = yield* begin({ customer: CUSTOMER, name: "Gold" })
    console.log(dispatched.status)
    for (const [key, value] of Object.entries(yield* made(CUSTOMER))) console.log(`${key} ${JSON.stringify(value)}`)
  })
  await Effect.runPromise(Effect.provide(chain, layer({ customer: CUSTOMER, secretKey: STRIPE_SECRET_KEY, ...where })))
}
