/** `florin webhooks` in this process, on a real PostgreSQL. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { inject } from "vitest"
import { PaymentRepository } from "../../../src/adapters/PaymentRepository.ts"
import { WebhookDeliveries } from "../../../src/adapters/WebhookDeliveries.ts"
import { WebhookEndpoints } from "../../../src/adapters/WebhookEndpoints.ts"
import { WebhookInbox } from "../../../src/adapters/WebhookInbox.ts"
import { GatewayName } from "../../../src/domain/payment/Gateway.ts"
import { secretOf } from "../../../src/domain/webhook/StandardWebhooks.ts"
import { change, disable, EndpointId } from "../../../src/domain/webhook/WebhookEndpoint.ts"
import * as WebhooksCommand from "../../../src/edge/cli/WebhooksCommand.ts"
import * as Operations from "../../../src/edge/Operations.ts"
import * as Settings from "../../../src/edge/Settings.ts"
import { append, at, creation, later, paymentId, run, shop } from "../../../src/testing/contract/Samples.ts"
import * as Service from "../../../src/edge/Service.ts"
import * as TestDatabase from "../../postgres/TestDatabase.ts"
import * as Terminal from "./Terminal.ts"

const database = TestDatabase.layer({ name: "florin_service", migrate: Service.migrate })

const settings = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ name: string }>`select current_database() as name`
  const { socketDir, username } = inject("postgres")
  return { DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}` }
})

const florin = (...words: ReadonlyArray<string>) =>
  Effect.flatMap(settings, (variables) => Terminal.run(WebhooksCommand.command, words, variables))

const answered = (...words: ReadonlyArray<string>) =>
  Effect.map(florin(...words, "--json"), ({ stdout }) => JSON.parse(stdout) as Record<string, unknown>)

/** Over the stores that the commands work on. */
const stored = <A, E>(
  use: Effect.Effect<A, E, WebhookInbox | WebhookEndpoints | WebhookDeliveries | PaymentRepository>
) =>
  Effect.gen(function* () {
    const provider = ConfigProvider.fromEnvRecord(yield* settings)
    const [database, redisUrl] = yield* Effect.all([Settings.database, Settings.redisUrl]).pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, provider)
    )
    return yield* Effect.provide(use, Layer.fresh(Operations.stores(database, redisUrl)))
  })

const worker = run("worker")
const bank = GatewayName.make("bank")

describe("florin webhooks inbox", () => {
  /** Three dead webhooks, and one that waits. */
  const buried = stored(
    Effect.gen(function* () {
      const inbox = yield* WebhookInbox
      for (const [index, id] of ["wh_1", "wh_2", "wh_3", "wh_4"].entries()) {
        const body = new TextEncoder().encode(`{"card":"4111111111111111","event":${index}}`)
        yield* inbox.store({ id, gateway: bank, events: [{ id, about: undefined }], body, at })
      }
      yield* inbox.claim({ gateway: bank, owner: worker, now: at, until: later(1000), limit: 9 })
      for (const [index, id] of ["wh_1", "wh_2", "wh_3"].entries()) {
        yield* inbox.bury(worker, id, "there is no payment pay_1", later(index))
      }
    })
  )

  it.live("lists, shows and puts back one, then all", () =>
    Effect.gen(function* () {
      yield* buried
      const ids = Effect.map(answered("inbox", "list"), ({ deadWebhooks }) =>
        (deadWebhooks as ReadonlyArray<{ id: string }>).map(({ id }) => id)
      )
      assert.deepStrictEqual(yield* ids, ["wh_1", "wh_2", "wh_3"])
      assert.deepInclude(yield* answered("inbox", "list", "--limit", "2"), { more: true, waiting: 1 })
      const { stdout } = yield* florin("inbox", "show", "wh_1")
      assert.deepStrictEqual(stdout.trim().split("\n"), [
        "wh_1: of bank, received at 2023-11-14T22:13:20.000Z",
        "given up at 2023-11-14T22:13:20.000Z after 1 try: there is no payment pay_1",
        '{"card":"[card number ending 1111]","event":0}'
      ])
      assert.deepInclude(yield* answered("inbox", "show", "wh_2"), {
        gateway: "bank",
        failures: 1,
        error: "there is no payment pay_1",
        body: '{"card":"[card number ending 1111]","event":1}'
      })
      assert.deepStrictEqual(yield* answered("inbox", "replay", "wh_2"), { replayed: ["wh_2"] })
      assert.deepStrictEqual(yield* ids, ["wh_1", "wh_3"])
      assert.deepStrictEqual(yield* answered("inbox", "replay", "--all"), { replayed: ["wh_1", "wh_3"] })
      assert.deepInclude(yield* answered("inbox", "list"), { deadWebhooks: [], waiting: 4 })
      const sql = yield* SqlClient
      const audited = yield* sql<{ entry: string }>`select entry from florin.audit where entry like '%wh_2%'`
      assert.strictEqual(audited.length, 1)
    }).pipe(Effect.provide(database))
  )

  it.live("says what is not there, and which is meant", () =>
    Effect.gen(function* () {
      const complaint = (...words: ReadonlyArray<string>) =>
        Effect.map(florin("inbox", ...words), (said) => said.complaint)
      assert.strictEqual(yield* complaint("show", "wh_0"), "florin: there is no dead webhook wh_0")
      assert.strictEqual(yield* complaint("replay", "wh_0"), "florin: there is no dead webhook wh_0")
      const which = "florin: name one dead webhook, or all of them with --all"
      assert.strictEqual(yield* complaint("replay"), which)
      assert.strictEqual(yield* complaint("replay", "wh_0", "--all"), which)
    }).pipe(Effect.provide(database))
  )
})

describe("florin webhooks endpoints, deliveries, replay", () => {
  const id = EndpointId.make("we_1")

  /** An endpoint that has heard of the first of a payment's three events, and refused the second. */
  const subscribed = stored(
    Effect.gen(function* () {
      const [endpoints, deliveries, repository] = [
        yield* WebhookEndpoints,
        yield* WebhookDeliveries,
        yield* PaymentRepository
      ]
      const secret = secretOf(new Uint8Array(32))
      yield* endpoints.create({
        id,
        merchant: shop,
        url: "https://shop.example/",
        enabled: true,
        secret,
        createdAt: at
      })
      const payment = paymentId()
      yield* repository.create(creation(payment))
      yield* repository.append(append(payment, 1, 2))
      yield* deliveries.replaySince(id, at, at)
      for (const [version, status] of [
        [1, 200],
        [2, 500]
      ] as const) {
        yield* deliveries.claim({ owner: worker, now: at, until: later(1000), limit: 9, perEndpoint: 9 })
        const address = { endpoint: id, event: `${payment}/${version}` }
        const attempt = { at: later(version), status, error: undefined, latencyMillis: 12 }
        yield* status === 200
          ? deliveries.delivered(worker, address, attempt)
          : deliveries.failed(worker, address, { ...attempt, error: "it answered 500" }, later(5000))
      }
      return payment
    })
  )

  it.live("show where merchants are told, and why one is not any more", () =>
    Effect.gen(function* () {
      yield* subscribed
      yield* stored(
        Effect.flatMap(WebhookEndpoints, (endpoints) =>
          endpoints.change(id, (endpoint) => disable(endpoint, later(7), "it answered 410"))
        )
      )
      const { stdout } = yield* florin("endpoints")
      assert.deepStrictEqual(
        stdout
          .trim()
          .split("\n")
          .map((line) => line.split(/ {2,}/).filter((cell) => cell !== "")),
        [
          ["id", "merchant", "enabled", "url"],
          ["we_1", "shop", "no", "https://shop.example/"],
          ["disabled at 2023-11-14T22:13:20.007Z: it answered 410"]
        ]
      )
      const shown = yield* answered("endpoints", "--merchant", "shop")
      assert.notInclude(JSON.stringify(shown), "whsec_")
      assert.deepStrictEqual(yield* answered("endpoints", "--merchant", "nobody"), { endpoints: [] })
    }).pipe(Effect.provide(database))
  )

  it.live("list deliveries, and put back one event or all since a moment", () =>
    Effect.gen(function* () {
      const payment = yield* subscribed
      const states = Effect.map(answered("deliveries", "we_1"), ({ deliveries }) =>
        (deliveries as ReadonlyArray<{ event: string; state: string }>).map(({ event, state }) => [event, state])
      )
      const [three, two, one] = [3, 2, 1].map((version) => `${payment}/${version}`) as [string, string, string]
      assert.deepStrictEqual(yield* states, [
        [three, "pending"],
        [two, "pending"],
        [one, "delivered"]
      ])
      const { stdout } = yield* florin("deliveries", "we_1", "--before", three, "--limit", "1")
      assert.deepStrictEqual(stdout.trim().split(/ {2,}/), [
        two,
        "AuthorizationBegun",
        "pending",
        "1",
        "2023-11-14T22:13:25.000Z",
        "2023-11-14T22:13:20.002Z it answered 500 in 12 ms"
      ])
      assert.deepStrictEqual(yield* answered("replay", "we_1", "--event", one), { replayed: 1 })
      assert.deepStrictEqual((yield* states)[2], [one, "pending"])
      assert.deepStrictEqual(yield* answered("replay", "we_1", "--since", "2023-11-14T22:13:20.002Z"), { replayed: 1 })
      assert.deepStrictEqual(yield* answered("replay", "we_1", "--since", "2023-11-14"), { replayed: 3 })
      yield* stored(
        Effect.flatMap(WebhookEndpoints, (endpoints) =>
          endpoints.change(id, (given) => change(given, { enabled: false }))
        )
      )
      const waiting = yield* florin("replay", "we_1", "--event", one)
      assert.strictEqual(waiting.stdout, "to be delivered: 1\nthe endpoint is disabled: they wait until it is not\n")
    }).pipe(Effect.provide(database))
  )

  it.live("say what is not there, and what is meant", () =>
    Effect.gen(function* () {
      yield* subscribed
      const complaint = (...words: ReadonlyArray<string>) => Effect.map(florin(...words), (said) => said.complaint)
      assert.strictEqual(yield* complaint("deliveries", "we_0"), "florin: there is no webhook endpoint we_0")
      assert.strictEqual(
        yield* complaint("replay", "we_0", "--since", "2023-11-14"),
        "florin: there is no webhook endpoint we_0"
      )
      assert.strictEqual(
        yield* complaint("replay", "we_1", "--event", "pay_0/1"),
        "florin: the endpoint's merchant has no event pay_0/1"
      )
      const which = "florin: name one event with --event, or a moment with --since"
      assert.strictEqual(yield* complaint("replay", "we_1"), which)
      assert.strictEqual(yield* complaint("replay", "we_1", "--event", "pay_0/1", "--since", "2023-11-14"), which)
    }).pipe(Effect.provide(database))
  )
})
