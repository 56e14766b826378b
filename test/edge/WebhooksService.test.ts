/** Webhooks both ways through a real process, a real database and a real receiver. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { inject } from "vitest"
import { Instant } from "../../src/domain/Instant.ts"
import { GatewayName } from "../../src/domain/payment/Gateway.ts"
import { DisputeId, PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import * as StandardWebhooks from "../../src/domain/webhook/StandardWebhooks.ts"
import { hmac } from "../../src/infra/http/HmacSha256.ts"
import * as SandboxWebhook from "../../src/infra/simulated/SandboxWebhook.ts"
import { now } from "../../src/orchestration/Clocks.ts"
import * as TestDatabase from "../postgres/TestDatabase.ts"
import { call, eventually, kill, pay, start } from "./FlorinProcess.ts"

const secret = StandardWebhooks.secretOf(new Uint8Array(32).fill(3))

interface Heard {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly event: { readonly id: string; readonly payment: string; readonly event: { readonly _tag: string } }
}

/** Takes every message. */
const receiver = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly heard: Array<Heard>; readonly close: () => void }>((resume) => {
    const heard: Array<Heard> = []
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const body = Buffer.concat(chunks)
        const headers = Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name, String(value)])
        )
        heard.push({ headers, body, event: JSON.parse(body.toString("utf8")) })
        response.writeHead(204).end()
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      const close = () => void server.close()
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}/hooks`, heard, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

describe("florin serve", () => {
  it.live("takes the gateway's webhooks and tells the merchant's endpoint all that happens", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const [row] = yield* sql<{ name: string }>`select current_database() as name`
      const { socketDir, username } = inject("postgres")
      const settings = {
        DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}`,
        FLORIN_SANDBOX_WEBHOOK_SECRETS: secret,
        FLORIN_WEBHOOK_NETWORKS: "127.0.0.0/8",
        FLORIN_WEBHOOK_SCHEMES: "https,http"
      }
      const { heard, url } = yield* receiver
      const service = yield* start("serve", settings)
      const endpoint = yield* call(service, "POST", "/v1/webhook-endpoints", { body: { url } })
      assert.strictEqual(endpoint.status, 201)
      const { body: payment } = yield* pay(() => service, "order-1", "tok_visa")

      // The gateway tells of a dispute, of which nobody has asked.
      const dispute = SandboxWebhook.deliveryOf(
        {
          id: "evt_1",
          gateway: GatewayName.make("sandbox"),
          at: yield* now,
          news: {
            _tag: "DisputeOpened",
            payment: PaymentId.make(String(payment.id)),
            dispute: DisputeId.make("dp_1"),
            amount: { currency: "EUR", minor: 5_00n }
          }
        },
        secret,
        yield* now
      )
      const told = yield* Effect.promise(() =>
        fetch(`${service.url}/v1/webhooks/sandbox`, {
          method: "POST",
          headers: dispute.headers,
          body: Buffer.from(dispute.body)
        })
      )
      assert.strictEqual(told.status, 200)

      yield* eventually("all six events", () => (heard.length >= 6 ? true : undefined))
      assert.deepStrictEqual(
        heard.map(({ event }) => event.id),
        [1, 2, 3, 4, 5, 6].map((version) => `${String(payment.id)}/${version}`)
      )
      assert.deepStrictEqual(
        heard.map(({ event }) => event.event._tag),
        ["Initiated", "AuthorizationBegun", "Authorized", "CaptureBegun", "Captured", "DisputeOpened"]
      )
      const signedBy = StandardWebhooks.Secret.make(String(endpoint.body.secret))
      for (const { body, event, headers } of heard) {
        const verdict = StandardWebhooks.verify(hmac, headers, body, [signedBy], Instant.make(yield* now))
        assert.deepStrictEqual(verdict, Result.succeed(event.id))
      }
      const shown = yield* call(service, "GET", `/v1/payments/${String(payment.id)}`)
      assert.deepInclude(shown.body, { disputedAmount: 500 })
      const log = `/v1/webhook-endpoints/${String(endpoint.body.id)}/deliveries`
      const first = yield* eventually("the log", async () => {
        const { body } = await Effect.runPromise(call(service, "GET", log))
        const all = body.deliveries as ReadonlyArray<{ state: string; attempts: ReadonlyArray<{ status: number }> }>
        return all.every(({ state }) => state === "delivered") ? all.at(-1) : undefined
      })
      assert.deepStrictEqual(
        first.attempts.map(({ status }) => status),
        [204]
      )
      const { code, stderr } = yield* kill(service, "SIGTERM")
      assert.strictEqual(code, 0)
      assert.notInclude(stderr, "whsec_")
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer()))
  )

  it.live("sends to no private address unless it is told to", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const [row] = yield* sql<{ name: string }>`select current_database() as name`
      const { socketDir, username } = inject("postgres")
      const service = yield* start("serve", {
        DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}`
      })
      for (const url of ["https://127.0.0.1/hooks", "https://localhost/hooks", "http://93.184.215.14/hooks"]) {
        const refused = yield* call(service, "POST", "/v1/webhook-endpoints", { body: { url } })
        assert.deepInclude(refused.body, { type: "urn:florin:problem:invalid-request", status: 400 })
      }
      // Nobody knows a secret of the sandbox's, so it sends no webhooks here.
      assert.strictEqual((yield* call(service, "POST", "/v1/webhooks/sandbox", { body: {} })).status, 404)
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer()))
  )
})
