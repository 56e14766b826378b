import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SendError } from "../../../src/adapters/WebhookSender.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import { MerchantId } from "../../../src/domain/payment/PaymentEvent.ts"
import { secretOf } from "../../../src/domain/webhook/StandardWebhooks.ts"
import { disable, EndpointId } from "../../../src/domain/webhook/WebhookEndpoint.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import type { Call } from "./Api.ts"
import { order, withApi } from "./Api.ts"

const url = "https://shop.example/hooks"

/** Whatever names a private host is refused. */
const sender: NonNullable<Workshop.Options["sender"]> = {
  check: (target) =>
    target.includes("private")
      ? Effect.fail(new SendError({ because: "TargetRefused", detail: "Expected a host on the public internet" }))
      : Effect.void,
  send: () => Effect.never
}

const withEndpoints = (use: (call: Call, database: MemoryDatabase.Tables) => Promise<void>) =>
  Effect.gen(function* () {
    const database = MemoryDatabase.make()
    const gateways = [yield* ScriptedGateway.make("bank", Workshop.agreeable)]
    yield* withApi({ gateways, database, sender }, (call) => use(call, database))
  })

const path = (id: unknown, rest = "") => `/v1/webhook-endpoints/${String(id)}${rest}`

describe("/v1/webhook-endpoints", () => {
  it.live("subscribes, and shows the secret once", () =>
    withEndpoints(async (call, database) => {
      const made = await call("POST", "/v1/webhook-endpoints", {
        body: { url, types: ["Captured"], description: "books" }
      })
      assert.strictEqual(made.status, 201)
      const { createdAt, id, secret, ...rest } = made.body
      assert.deepStrictEqual(rest, { url, types: ["Captured"], description: "books", enabled: true })
      assert.match(String(id), /^we_[0-9a-z]{26}$/)
      assert.match(String(secret), /^whsec_[A-Za-z0-9+/]{43}=$/)
      const shown = { id, ...rest, createdAt }
      assert.deepStrictEqual((await call("GET", path(id))).body, shown)
      assert.deepStrictEqual((await call("GET", "/v1/webhook-endpoints")).body, { endpoints: [shown] })
      const changed = await call("PATCH", path(id), { body: { enabled: false, types: null } })
      assert.deepStrictEqual(changed.body, { id, url, description: "books", enabled: false, createdAt })
      assert.strictEqual(database.webhookEndpoints.get(id as EndpointId)?.secret, secret)
      const gone = await call("DELETE", path(id))
      assert.deepStrictEqual([gone.status, gone.body], [204, {}])
      assert.strictEqual((await call("GET", path(id))).status, 404)
    })
  )

  it.live("rotates the secret, and says how long the old one signs as well", () =>
    withEndpoints(async (call, database) => {
      const { id, secret } = (await call("POST", "/v1/webhook-endpoints", { body: { url } })).body
      const rotated = await call("POST", path(id, "/rotate"))
      assert.strictEqual(rotated.status, 200)
      assert.notStrictEqual(rotated.body.secret, secret)
      const stored = database.webhookEndpoints.get(id as EndpointId)!
      assert.strictEqual(stored.secret, rotated.body.secret)
      assert.strictEqual(stored.previous?.secret, secret)
      assert.strictEqual(rotated.body.previousSecretUntil, new Date(stored.previous!.until).toISOString())
      assert.notInclude(JSON.stringify((await call("GET", path(id))).body), "whsec_")
    })
  )

  it.live("refuses a URL that it would not call, and whatever is no subscription", () =>
    withEndpoints(async (call, database) => {
      const errors = async (body: unknown, method = "POST", to = "/v1/webhook-endpoints") => {
        const reply = await call(method, to, { body })
        assert.strictEqual(reply.status, 400)
        return reply.body.errors as ReadonlyArray<{ path: ReadonlyArray<string>; message: string }>
      }
      const refused = [{ path: ["payload", "url"], message: "Expected a host on the public internet" }]
      assert.deepStrictEqual(await errors({ url: "https://private.example/" }), refused)
      const { id } = (await call("POST", "/v1/webhook-endpoints", { body: { url } })).body
      assert.deepStrictEqual(await errors({ url: "https://private.example/" }, "PATCH", path(id)), refused)
      assert.deepStrictEqual(
        (await errors({})).map((error) => error.path),
        [["payload", "url"]]
      )
      assert.deepStrictEqual(
        (await errors({ url, types: [] })).map((error) => error.path[1]),
        ["types"]
      )
      const [type] = await errors({ url, types: ["Paid"] })
      assert.strictEqual(type?.message, 'Expected a kind of event such as "Captured", got "Paid"')
      assert.deepStrictEqual(
        (await errors({ url, secret: "mine" })).map((error) => error.path),
        [["payload", "secret"]]
      )
      const broken = await call("PATCH", path(id), { text: "{" })
      assert.strictEqual(broken.status, 400)
      assert.strictEqual((await call("PATCH", path(id), { body: { description: "4111 1111 1111 1111" } })).status, 400)
      assert.strictEqual(database.webhookEndpoints.size, 1)
    })
  )

  it.live("shows another merchant's endpoint to nobody", () =>
    withEndpoints(async (call, database) => {
      const id = EndpointId.make("we_other")
      database.webhookEndpoints.set(id, {
        id,
        merchant: MerchantId.make("other"),
        url,
        enabled: true,
        secret: secretOf(new Uint8Array(32)),
        createdAt: Instant.make(1)
      })
      assert.deepStrictEqual((await call("GET", "/v1/webhook-endpoints")).body, { endpoints: [] })
      const asked = [
        await call("GET", path(id)),
        await call("PATCH", path(id), { body: { enabled: false } }),
        await call("DELETE", path(id)),
        await call("POST", path(id, "/rotate")),
        await call("GET", path(id, "/deliveries")),
        await call("GET", path("nonsense"))
      ]
      for (const { body, status } of asked) {
        assert.strictEqual(status, 404)
        assert.strictEqual(body.type, "urn:florin:problem:webhook-endpoint-not-found")
      }
      assert.isTrue(database.webhookEndpoints.get(id)?.enabled)
    })
  )

  it.live("says why it was disabled, and goes on with what waits when it is enabled again", () =>
    withEndpoints(async (call, database) => {
      const { id } = (await call("POST", "/v1/webhook-endpoints", { body: { url } })).body as { id: EndpointId }
      const paid = await call("POST", "/v1/payments", { key: "k1", body: order })
      const [envelope] = database.log
      const at = Instant.make(1_700_000_000_000)
      database.webhookDeliveries.set(MemoryDatabase.compound(id, envelope!.id), {
        endpoint: id,
        envelope: envelope!,
        queuedAt: at,
        state: "exhausted",
        attempts: 1,
        firstAt: at,
        nextAt: at,
        owner: undefined,
        until: undefined,
        tries: [{ at, status: 410, error: "it answered 410", latencyMillis: 12 }]
      })
      database.webhookEndpoints.set(id, disable(database.webhookEndpoints.get(id)!, at, "it answered 410"))
      const { body } = await call("GET", path(id))
      assert.deepStrictEqual(body.notice, { at: "2023-11-14T22:13:20.000Z", because: "it answered 410" })
      const deliveries = async (query = "") => (await call("GET", path(id, `/deliveries${query}`))).body
      const event = `${String(paid.body.id)}/1`
      const logged = {
        event,
        type: "Initiated",
        state: "exhausted",
        queuedAt: "2023-11-14T22:13:20.000Z",
        attempts: [{ at: "2023-11-14T22:13:20.000Z", status: 410, error: "it answered 410", latencyMillis: 12 }]
      }
      assert.deepStrictEqual(await deliveries(), { deliveries: [logged] })
      assert.deepStrictEqual(await deliveries(`?limit=1&before=${encodeURIComponent(event)}`), { deliveries: [] })
      assert.strictEqual((await deliveries("?before=nonsense")).status, 400)
      const enabled = await call("PATCH", path(id), { body: { enabled: true } })
      assert.isUndefined(enabled.body.notice)
      const again = (await deliveries()).deliveries as ReadonlyArray<Record<string, unknown>>
      assert.deepInclude(again[0], { state: "pending", attempts: logged.attempts })
      assert.property(again[0], "nextAttemptAt")
    })
  )
})
