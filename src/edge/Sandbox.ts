/** The sandbox as the service's gateways: in this process, or one that runs elsewhere. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Context, Effect, Layer, Option } from "effect"
import { HttpServer } from "effect/http"
import type { ServeError } from "effect/http/HttpServerError"
import { GatewayWebhooks } from "../adapters/GatewayWebhooks.ts"
import { PaymentGateways } from "../adapters/PaymentGateway.ts"
import type { Secret } from "../domain/webhook/StandardWebhooks.ts"
import * as HttpSandboxGateway from "../infra/simulated/HttpSandboxGateway.ts"
import type { SandboxBooks } from "../infra/simulated/SandboxBooks.ts"
import type { SandboxGateway as Gateway } from "../infra/simulated/SandboxGateway.ts"
import * as SandboxGateway from "../infra/simulated/SandboxGateway.ts"
import * as SandboxServer from "../infra/simulated/SandboxServer.ts"
import * as SandboxWebhook from "../infra/simulated/SandboxWebhook.ts"

/** Two names for the sandbox, so that a payment has somewhere else to go. */
const names = ["sandbox", "sandbox-backup"]

/** Where the sandbox shows its books and its customers' pages. */
export class SandboxOrigin extends Context.Service<SandboxOrigin, string>()("florin/edge/Sandbox/SandboxOrigin") {}

/**
 * At `url` when there is one; otherwise in this process, with pages and books
 * served on a port of their own. Its webhooks are taken when somebody knows a
 * secret of theirs.
 */
export const layer = (
  url: Option.Option<URL>,
  secrets: ReadonlyArray<Secret> = []
): Layer.Layer<PaymentGateways | GatewayWebhooks | SandboxOrigin, ServeError, SandboxBooks> =>
  Option.match(url, { onNone: () => own(secrets), onSome: ({ origin }) => remote(origin, secrets) })

const own = (secrets: ReadonlyArray<Secret>) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const server = yield* HttpServer.HttpServer
      const pageOrigin = HttpServer.formatAddress(server.address)
      const gateways = yield* Effect.forEach(names, (name) => SandboxGateway.make(name, { pageOrigin }))
      return sandboxOf(pageOrigin, gateways, secrets)
    })
  ).pipe(Layer.provide(Layer.fresh(SandboxServer.layer({ port: 0 }))))

const remote = (origin: string, secrets: ReadonlyArray<Secret>) =>
  Layer.effectContext(
    Effect.map(
      Effect.forEach(names, (name) => HttpSandboxGateway.make(name, { url: origin })),
      (gateways) => sandboxOf(origin, gateways, secrets)
    )
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))

const sandboxOf = (origin: string, gateways: ReadonlyArray<Gateway>, secrets: ReadonlyArray<Secret>) =>
  Context.make(SandboxOrigin, origin).pipe(
    Context.add(PaymentGateways, new Map(gateways.map((gateway) => [gateway.name, gateway]))),
    Context.add(
      GatewayWebhooks,
      new Map(
        secrets.length === 0 ? [] : gateways.map((gateway) => [gateway.name, SandboxWebhook.make(gateway, { secrets })])
      )
    )
  )
