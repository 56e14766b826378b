/** The sandbox in each of its forms: in process or over HTTP, on books in memory or in PostgreSQL. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Layer } from "effect"
import type { HttpClient } from "effect/http"
import { HttpServer } from "effect/http"
import type { Capabilities, Reference } from "../../../src/domain/payment/Gateway.ts"
import type { PaymentId } from "../../../src/domain/payment/PaymentEvent.ts"
import * as HttpSandboxGateway from "../../../src/infra/simulated/HttpSandboxGateway.ts"
import { SandboxBooks } from "../../../src/infra/simulated/SandboxBooks.ts"
import type { Charge } from "../../../src/infra/simulated/SandboxCharge.ts"
import * as SandboxGateway from "../../../src/infra/simulated/SandboxGateway.ts"
import * as SandboxServer from "../../../src/infra/simulated/SandboxServer.ts"
import * as SqlSandboxBooks from "../../../src/infra/simulated/SqlSandboxBooks.ts"
import { GatewayUnderTest } from "../../../src/testing/contract/GatewayUnderTest.ts"
import * as TestDatabase from "../../postgres/TestDatabase.ts"

/** An empty PostgreSQL database with the sandbox's tables. */
export const database = TestDatabase.layer({ name: "sandbox", migrate: SqlSandboxBooks.migrate })

/** Every charge there is, page by page, as an auditor reads them. */
export const allCharges = Effect.gen(function* () {
  const books = yield* SandboxBooks
  const all: Array<Charge> = []
  let after: Reference | undefined
  while (true) {
    const page = yield* Effect.orDie(books.charges(after, 7))
    if (page.length === 0) return all
    all.push(...page)
    after = page.at(-1)!.reference
  }
})

const chargesOf = (payment: PaymentId) =>
  Effect.map(allCharges, (all) => all.filter((charge) => charge.payment === payment).length)

const underTest = (gateway: GatewayUnderTest["Service"]["gateway"]) =>
  Effect.map(SandboxBooks, (books): GatewayUnderTest["Service"] => ({
    gateway,
    chargesOf: (payment) => Effect.provideService(chargesOf(payment), SandboxBooks, books)
  }))

export const inProcess = (options: SandboxGateway.Options = {}): Layer.Layer<GatewayUnderTest, never, SandboxBooks> =>
  Layer.effect(GatewayUnderTest, Effect.flatMap(SandboxGateway.make("sandbox", options), underTest))

/** A client of the server in the environment. */
export const httpGateway = (capabilities: Partial<Capabilities> = {}) =>
  HttpServer.addressFormattedWith((url) => HttpSandboxGateway.make("sandbox", { url, capabilities }))

export const overHttp = (
  capabilities: Partial<Capabilities> = {},
  client: Layer.Layer<HttpClient.HttpClient> = NodeHttpClient.layerUndici
) =>
  Layer.effect(GatewayUnderTest, Effect.flatMap(httpGateway(capabilities), underTest)).pipe(
    Layer.provideMerge(SandboxServer.layer({ port: 0, capabilities })),
    Layer.provide(client)
  )
