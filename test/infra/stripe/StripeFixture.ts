/** Florin's Stripe gateway, and the simulator that it talks to. */
import { Effect, Layer, Redacted } from "effect"
import type { PaymentGateway } from "../../../src/adapters/PaymentGateway.ts"
import * as StripeGateway from "../../../src/infra/stripe/StripeGateway.ts"
import * as StripeSdk from "../../../src/infra/stripe/StripeSdk.ts"
import { GatewayUnderTest } from "../../../src/testing/contract/GatewayUnderTest.ts"
import * as StripeSimulator from "../../simulators/stripe/StripeSimulator.ts"

type Simulator = StripeSimulator.StripeSimulator

export const optionsOf = ({ host, port, secretKey }: Simulator) =>
  ({ secretKey: Redacted.make(secretKey), host, port, protocol: "http" }) as const

export const apiOf = (simulator: Simulator) => StripeSdk.make(optionsOf(simulator))

export const gatewayOf = (simulator: Simulator, settings: StripeGateway.Settings = {}) =>
  StripeGateway.make({ ...optionsOf(simulator), returnUrl: "https://shop.example/back", ...settings })

/**
 * A gateway whose customers go to their bank before they come back: what each
 * of them does there goes by their card.
 */
export const withCustomers = (
  gateway: PaymentGateway,
  { books, customer, machine }: Simulator,
  cards: { readonly approved: string; readonly declined: string; readonly abandoned: string }
): PaymentGateway => ({
  ...gateway,
  confirm: (call) =>
    Effect.suspend(() => {
      const intent = books.intents().find(({ id }) => id === call.reference)
      const made = machine.seen.find(
        ({ params, route }) =>
          route === "POST /v1/payment_intents" &&
          (params["metadata"] as Record<string, string>)["florin_operation"] === intent?.metadata["florin_operation"]
      )
      const token = made?.params["payment_method"]
      if (intent !== undefined && token === cards.declined) customer.fail(intent.id)
      else if (intent !== undefined && token !== cards.abandoned) customer.complete(intent.id)
      return gateway.confirm(call)
    })
})

/** The gateway over HTTP, held to its contract. */
export const overHttp = (cards: Parameters<typeof withCustomers>[2]): Layer.Layer<GatewayUnderTest> =>
  Layer.effect(
    GatewayUnderTest,
    Effect.map(StripeSimulator.Service, (simulator) => {
      // Long enough for requests under one key to meet.
      simulator.machine.latencyMillis = 3
      return {
        gateway: withCustomers(gatewayOf(simulator), simulator, cards),
        chargesOf: (payment) => Effect.sync(() => simulator.books.chargesOf(payment).length)
      }
    })
  ).pipe(Layer.provide(StripeSimulator.layer()))
