/** An `AdyenGateway` over a simulator of its own, with its notifications read as florin reads them. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Layer, Redacted, Result } from "effect"
import type { Scope } from "effect"
import type { GatewayWebhook } from "../../../src/adapters/GatewayWebhooks.ts"
import type { PaymentGateway } from "../../../src/adapters/PaymentGateway.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import type { Notification } from "../../../src/domain/payment/Notification.ts"
import * as AdyenGateway from "../../../src/infra/adyen/AdyenGateway.ts"
import * as AdyenWebhook from "../../../src/infra/adyen/AdyenWebhook.ts"
import { GatewayUnderTest } from "../../../src/testing/contract/GatewayUnderTest.ts"
import * as AdyenSimulator from "../../simulators/adyen/AdyenSimulator.ts"

export const account = {
  apiKey: Redacted.make(AdyenSimulator.apiKey),
  merchantAccount: AdyenSimulator.merchantAccount,
  returnUrl: "https://shop.example/back"
}

export const webhook: GatewayWebhook = AdyenWebhook.make("adyen", {
  merchantAccount: AdyenSimulator.merchantAccount,
  hmacKeys: [Redacted.make(AdyenSimulator.hmacKey)]
})

const now = Instant.make(1_700_000_000_000)

/** What a delivery tells, if its signature is good. */
export const read = Effect.fnUntraced(function* (delivery: string, by: GatewayWebhook = webhook) {
  const body = new TextEncoder().encode(delivery)
  const verified = by.verify({ headers: {}, body }, now)
  if (Result.isFailure(verified)) return yield* Effect.die(verified.failure)
  return yield* Effect.orDie(by.read(body))
})

export interface Adyen {
  readonly simulator: AdyenSimulator.AdyenSimulator
  readonly gateway: PaymentGateway
  /** Every notification up to now, in the order in which they were decided. */
  readonly notifications: Effect.Effect<ReadonlyArray<Notification>>
}

export const start = (name = "adyen"): Effect.Effect<Adyen, never, Scope.Scope> =>
  Effect.gen(function* () {
    const simulator = yield* AdyenSimulator.start()
    const client = yield* Layer.build(NodeHttpClient.layerUndici)
    const gateway = yield* AdyenGateway.make(name, { ...account, url: simulator.url }).pipe(Effect.provide(client))
    const by = name === "adyen" ? webhook : AdyenWebhook.make(name, { ...account, hmacKeys: [key] })
    const notifications = Effect.suspend(() =>
      Effect.map(
        Effect.forEach(simulator.delivered(), (body) => read(body, by)),
        (all) => all.flat()
      )
    )
    return { simulator, gateway, notifications }
  })

const key = Redacted.make(AdyenSimulator.hmacKey)

/** What the bank's page brings back: it sends the customer on, with a result in the address. */
const redirected = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url, { redirect: "manual" })
    return new URL(response.headers.get("location") ?? "").searchParams.get("redirectResult") ?? ""
  })

export const underTest = Layer.effect(
  GatewayUnderTest,
  Effect.map(start(), ({ gateway, notifications, simulator }) => ({
    gateway,
    redirected,
    customer: "shopper-1",
    chargesOf: (payment) =>
      Effect.sync(() => simulator.payments().filter(({ reference }) => reference.startsWith(`${payment}/`)).length),
    settled: (operation) =>
      Effect.flatMap(notifications, (all) => {
        const told = all.flatMap(({ news }) => (news._tag === "Answered" && news.operation === operation ? [news] : []))
        const [outcome] = told
        return outcome === undefined
          ? Effect.die(new Error(`nothing was told of ${operation}`))
          : Effect.succeed(outcome.answer)
      })
  }))
)
