/**
 * The gateways of the service, by what its settings say: `stripe`, `adyen`, and
 * the sandbox where nothing else is there or it is asked for. Their webhooks
 * are beside them, for those of which a secret is known.
 *
 * In this order, which counts where nothing else tells them apart.
 */
import { Array as Arr, Context, Effect, Layer, Option } from "effect"
import type { ServeError } from "effect/http/HttpServerError"
import type { GatewayWebhook } from "../adapters/GatewayWebhooks.ts"
import { GatewayWebhooks } from "../adapters/GatewayWebhooks.ts"
import type { PaymentGateway } from "../adapters/PaymentGateway.ts"
import { PaymentGateways } from "../adapters/PaymentGateway.ts"
import type { SandboxBooks } from "../infra/simulated/SandboxBooks.ts"
import type { Adyen, Stripe } from "./GatewaySettings.ts"
import * as GatewaySettings from "./GatewaySettings.ts"
import * as Sandbox from "./Sandbox.ts"
import type * as Settings from "./Settings.ts"

/** Where the sandbox shows its books and its customers' pages, when there is one. */
export class SandboxPages extends Context.Service<SandboxPages, Option.Option<string>>()(
  "florin/edge/Gateways/SandboxPages"
) {}

export const layer = ({
  gateways,
  sandboxUrl,
  sandboxWebhookSecrets
}: Settings.Service): Layer.Layer<PaymentGateways | GatewayWebhooks | SandboxPages, ServeError, SandboxBooks> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const sandbox = gateways.hasSandbox
        ? Option.some(yield* Layer.build(Sandbox.layer(sandboxUrl, sandboxWebhookSecrets)))
        : Option.none()
      const real = [
        ...(Option.isSome(gateways.stripe) ? [yield* stripe(gateways.stripe.value)] : []),
        ...(Option.isSome(gateways.adyen) ? [yield* adyen(gateways.adyen.value)] : [])
      ]
      const own = Option.match(sandbox, {
        onNone: () => ({ gateways: [], webhooks: [] }),
        onSome: (context) => ({
          gateways: [...Context.get(context, PaymentGateways).values()],
          webhooks: [...Context.get(context, GatewayWebhooks).values()]
        })
      })
      const all = [...real.map(({ gateway }) => gateway), ...own.gateways]
      const webhooks = [...real.flatMap(({ webhook }) => webhook ?? []), ...own.webhooks]
      return Context.make(PaymentGateways, new Map(all.map((gateway) => [gateway.name, gateway]))).pipe(
        Context.add(GatewayWebhooks, new Map(webhooks.map((webhook) => [webhook.gateway, webhook]))),
        Context.add(
          SandboxPages,
          Option.map(sandbox, (context) => Context.get(context, Sandbox.SandboxOrigin))
        )
      )
    })
  )

interface Real {
  readonly gateway: PaymentGateway
  /** `undefined` when no secret is known by which it could be verified. */
  readonly webhook: GatewayWebhook | undefined
}

// Their modules are loaded only where they are used.

const stripe = Effect.fnUntraced(function* (settings: Stripe) {
  const [StripeGateway, StripeWebhook] = yield* Effect.promise(() =>
    Promise.all([import("../infra/stripe/StripeGateway.ts"), import("../infra/stripe/StripeWebhook.ts")])
  )
  const { returnUrl, webhookSecrets: secrets } = settings
  const sdk = GatewaySettings.sdkOf(settings)
  const gateway = StripeGateway.make({ ...sdk, ...(Option.isSome(returnUrl) && { returnUrl: returnUrl.value }) })
  const webhook = Arr.isReadonlyArrayNonEmpty(secrets) ? StripeWebhook.make({ ...sdk, secrets }) : undefined
  return { gateway, webhook } satisfies Real
})

const adyen = Effect.fnUntraced(function* (settings: Adyen) {
  const [NodeHttpClient, AdyenGateway, AdyenWebhook] = yield* Effect.promise(() =>
    Promise.all([
      import("@effect/platform-node/NodeHttpClient"),
      import("../infra/adyen/AdyenGateway.ts"),
      import("../infra/adyen/AdyenWebhook.ts")
    ])
  )
  const { hmacKeys, url } = settings
  const client = yield* Layer.build(NodeHttpClient.layerUndici)
  const gateway = yield* AdyenGateway.make("adyen", { ...settings, url: url.href }).pipe(Effect.provide(client))
  return { gateway, webhook: hmacKeys.length === 0 ? undefined : AdyenWebhook.make("adyen", settings) } satisfies Real
})
