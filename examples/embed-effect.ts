/**
 * A shop of your own on florin's `Payments`, for users of Effect.
 *
 *     npm exec -- node examples/embed-effect.ts
 *
 * What florin needs from the world comes in as layers: where payments are kept,
 * which gateways there are, and who hears of events.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Console, Context, Effect, Layer } from "effect"
import { EventBus, Gateway, Idempotency, Money, PaymentEvent, Payments } from "florin"
import { PaymentCore, Stores } from "florin/node"
import * as AcmeAcquirer from "./adapters/AcmeAcquirer.ts"
import * as AcmeGateway from "./adapters/AcmeGateway.ts"

// --- The shop ---------------------------------------------------------------

type Order = PaymentEvent.PaymentId

const merchant = PaymentEvent.MerchantId.make("shoes")

/** Names a wish about an order: made again, it is the same wish. */
const once = (wish: string) => PaymentEvent.RequestId.make(wish)

/** Holds the money when the customer orders, and takes it when the parcel leaves. */
export class Shop extends Context.Service<Shop>()("example/Shop", {
  make: Effect.gen(function* () {
    const payments = yield* Payments.Payments
    return {
      order: (cart: string, price: Money.Money, token: string) =>
        // The cart's id, not a random one: whoever clicks twice pays once.
        payments.create(merchant, Idempotency.IdempotencyKey.make(`cart-${cart}`), {
          amount: price,
          capture: "manual",
          methods: [Gateway.MethodToken.make(token)]
        }),
      /** The customer is back from their bank. */
      confirm: (order: Order) => payments.completeAction(order, undefined),
      ship: (order: Order) => payments.capture(order, once("ship"), { final: true }),
      callOff: (order: Order) => payments.cancel(order, once("call-off"), "the customer changed their mind"),
      takeBack: (order: Order, amount: Money.Money) => payments.refund(order, once("take-back"), { amount }),
      status: (order: Order) => Effect.map(payments.get(order), ({ status }) => status),
      history: (order: Order) => Effect.map(payments.events(order), (events) => events.map(({ _tag }) => _tag)),
      latest: Effect.map(payments.list({ merchant }, { limit: 10 }), (page) => page.payments)
    }
  })
}) {
  static readonly layer = Layer.effect(this, this.make)
}

// --- The world --------------------------------------------------------------

/** The line to change for another gateway: any `PaymentGateway`, or several of them. */
export const gateways = AcmeAcquirer.start.pipe(
  Effect.flatMap(({ url }) => AcmeGateway.make(url)),
  Effect.map(PaymentCore.gateways),
  Layer.unwrap,
  Layer.provide(NodeHttpClient.layerUndici)
)

/** Hears every event at least once, in the order of its payment. */
export const subscriber = Layer.effectDiscard(
  Effect.flatMap(EventBus.EventBus, (bus) =>
    bus.handle("receipts", ({ event, payment }) =>
      event._tag === "Captured" ? Console.log(`a receipt for ${payment}`) : Effect.void
    )
  )
)

/** Kept in memory here; `Stores.sql` keeps it in PostgreSQL. */
export const layer = Shop.layer.pipe(
  Layer.provide(PaymentCore.layer(PaymentCore.defaults)),
  Layer.provide(subscriber),
  Layer.provide(gateways),
  Layer.provide(Stores.memory([]))
)

// --- One day ----------------------------------------------------------------

export const day = Effect.fnUntraced(function* (token: string) {
  const shop = yield* Shop
  const { view } = yield* shop.order("1001", Money.of("EUR", 80_00n), token)
  yield* shop.ship(view.id)
  yield* shop.takeBack(view.id, Money.of("EUR", 10_00n))
  const regretted = yield* shop.order("1002", Money.of("EUR", 25_00n), token)
  yield* shop.callOff(regretted.view.id)
  yield* Console.log((yield* shop.history(view.id)).join(", "))
  return yield* shop.latest
})

if (import.meta.main) {
  const latest = await Effect.runPromise(Effect.provide(day("acme_ok"), layer))
  for (const { capturedMinor, id, refundedMinor, status } of latest) {
    console.log(`${id} ${status}, captured ${capturedMinor}, refunded ${refundedMinor}`)
  }
}
