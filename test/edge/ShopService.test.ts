/** Sagas, subscriptions and stock of real processes on a real database. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { inject } from "vitest"
import * as FlorinCommand from "../../src/edge/cli/FlorinCommand.ts"
import * as Terminal from "./cli/Terminal.ts"
import * as TestDatabase from "../postgres/TestDatabase.ts"
import type { Reply, Service } from "./FlorinProcess.ts"
import { call, eventually, kill, start, tryCall } from "./FlorinProcess.ts"

/** A shop that refuses to send to "nowhere", and holds what goes to "slow" back until it is let go. */
const openShop = Effect.acquireRelease(
  Effect.promise(async () => {
    const asked: Array<string> = []
    const held: Array<() => void> = []
    let isSlow = true
    const server = createServer((request, response) => {
      let text = ""
      request.on("data", (chunk) => (text += String(chunk)))
      request.on("end", () => {
        const { reference, shipTo } = text === "" ? { reference: "", shipTo: "" } : JSON.parse(text)
        asked.push(`${request.method} ${request.url} ${reference} ${String(request.headers["idempotency-key"])}`)
        const answer = () =>
          response
            .writeHead(shipTo === "nowhere" ? 422 : 200, { "content-type": "application/json" })
            .end(JSON.stringify({ shipment: `note-${reference}` }))
        if (shipTo === "slow" && isSlow) held.push(answer)
        else answer()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { url, asked, held, server, letGo: () => (isSlow = false) }
  }),
  ({ server }) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
)

const database = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ name: string }>`select current_database() as name`
  const { socketDir, username } = inject("postgres")
  return { DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}` }
})

const checkout = (reference: string, changes: Record<string, unknown> = {}) => ({
  reference,
  amount: 1999,
  currency: "EUR",
  paymentMethod: "tok_visa",
  notify: "ada@example.org",
  lines: [{ product: "espresso-1kg", location: "berlin", quantity: 2 }],
  shipTo: "Ada, Unter den Linden 1, Berlin",
  ...changes
})

const stock = "/v1/inventory/espresso-1kg/berlin"
const level = (service: Service) => Effect.map(call(service, "GET", stock), ({ body }) => body)

const said = ({ body }: Reply) =>
  (body.errors as ReadonlyArray<{ path: ReadonlyArray<string>; message: string }>).map(
    ({ message, path }) => `${path.join(".")}: ${message}`
  )

const ended = (service: Service, reference: string, status: string) =>
  eventually(`checkout ${reference} ${status}`, async () => {
    const reply = await tryCall(service, "GET", `/v1/checkouts/${reference}`)
    return reply?.body.status === status ? reply.body : undefined
  })

describe("florin serve", () => {
  it.live(
    "keeps stock, checks orders out or not at all, and bills subscriptions",
    () =>
      Effect.gen(function* () {
        const shop = yield* openShop
        const settings = {
          ...(yield* database),
          FLORIN_SHOP_URL: shop.url,
          FLORIN_BILLING_MILLIS: "200",
          FLORIN_SAGA_MILLIS: "200"
        }
        const service = yield* start("serve", settings)
        const operate = (key: string, body: unknown) => call(service, "POST", `${stock}/operations`, { key, body })

        // Stock: received once, however often it is said; refused with its reason.
        yield* operate("in-1", { type: "receive", quantity: 10 })
        const again = yield* operate("in-1", { type: "receive", quantity: 10 })
        assert.deepInclude(again.body, { onHand: 10, available: 10 })
        const reserved = yield* operate("r-1", { type: "reserve", reservation: "cart-1", quantity: 4 })
        assert.deepInclude(reserved.body, { reserved: 4, available: 6 })
        const refused = yield* operate("r-2", { type: "reserve", reservation: "cart-2", quantity: 7 })
        assert.deepInclude(refused.body, { status: 409, reason: "Insufficient" })
        yield* operate("r-1-back", { type: "release", reservation: "cart-1" })
        const bulk = yield* call(service, "POST", "/v1/inventory/operations", {
          body: {
            operations: [
              { key: "b-1", product: "filter", location: "berlin", type: "receive", quantity: 5 },
              { key: "b-2", product: "filter", location: "berlin", type: "consume", reservation: "nobody" }
            ]
          }
        })
        assert.deepInclude(bulk.body, { done: 1, refused: 1, failed: 0 })
        const moved = yield* call(service, "POST", "/v1/inventory/transfers", {
          body: { transfer: "t-1", product: "filter", from: "berlin", to: "ulm", quantity: 2 }
        })
        assert.deepInclude(moved.body, { saga: "StockTransfer", status: "completed" })
        assert.deepStrictEqual((yield* call(service, "GET", "/v1/inventory?limit=2")).body.stocks, [
          { product: "espresso-1kg", location: "berlin", onHand: 10, reserved: 0, available: 10, onOrder: 0 },
          { product: "filter", location: "berlin", onHand: 3, reserved: 0, available: 3, onOrder: 0 }
        ])

        // A checkout that goes through, and its repeat.
        const sold = yield* call(service, "POST", "/v1/checkouts", { key: "sold", body: checkout("order-1") })
        assert.strictEqual(sold.status, 201)
        assert.deepInclude(sold.body, { saga: "Checkout", status: "completed" })
        const repeat = yield* call(service, "POST", "/v1/checkouts", { key: "sold", body: checkout("order-1") })
        assert.strictEqual(repeat.headers.get("idempotent-replayed"), "true")
        const other = yield* call(service, "POST", "/v1/checkouts", { body: checkout("order-1", { amount: 1 }) })
        assert.deepInclude(other.body, { status: 422, field: "order.amount.minor" })
        assert.deepInclude(yield* level(service), { onHand: 8, reserved: 0 })

        // One that nobody ships: the hold is voided and the stock released.
        const lost = yield* call(service, "POST", "/v1/checkouts", { body: checkout("order-2", { shipTo: "nowhere" }) })
        assert.deepInclude(lost.body, { status: "failed", step: "shipment", rollbackFailures: [] })
        assert.deepInclude(yield* level(service), { onHand: 8, reserved: 0 })
        const payments = (yield* call(service, "GET", "/v1/payments")).body.payments as ReadonlyArray<Reply["body"]>
        assert.deepStrictEqual(
          payments.map(({ capturedAmount, reference, status }) => [reference, status, capturedAmount]),
          [
            ["order-2", "cancelled", 0],
            ["order-1", "succeeded", 1999]
          ]
        )
        const story = yield* call(service, "GET", `/v1/sagas/${String(lost.body.id)}`)
        const steps = story.body.steps as ReadonlyArray<{ readonly name: string; readonly outcome: string }>
        assert.includeDeepMembers(
          steps.map(({ name, outcome }) => `${name} ${outcome}`),
          ["shipment/1 Failed", "reserve[0]/undo Done"]
        )

        // What is over is not cancelled; what was sold is taken back by hand, money and goods.
        const cancelled = yield* call(service, "POST", `/v1/sagas/${String(sold.body.id)}/cancel`)
        assert.deepInclude(cancelled.body, { status: 409, state: "completed" })
        yield* call(service, "POST", `/v1/sagas/${String(sold.body.id)}/undo`)
        yield* ended(service, "order-1", "undone")
        assert.deepInclude(yield* level(service), { onHand: 10, reserved: 0 })
        assert.isTrue(shop.asked.some((one) => one.startsWith("DELETE /shipments/note-order-1")))
        const listed = yield* call(service, "GET", "/v1/sagas?status=failed")
        assert.deepStrictEqual(
          (listed.body.runs as ReadonlyArray<Reply["body"]>).map(({ id }) => id),
          [lost.body.id]
        )

        // The same by the command line, which leaves the doing to the service.
        const florin = (...words: ReadonlyArray<string>) => Terminal.run(FlorinCommand.command, words, settings)
        const another = yield* call(service, "POST", "/v1/checkouts", { body: checkout("order-5") })
        const run = String(another.body.id)
        const said5 = yield* florin("sagas", "undo", run)
        assert.strictEqual(said5.stdout, `${run}: asked to undo\na running service carries it out\n`)
        yield* ended(service, "order-5", "undone")
        const refusedUndo = yield* florin("sagas", "undo", run)
        assert.include(refusedUndo.complaint, `${run} is undone: there is nothing to undo`)
        assert.include((yield* florin("sagas", "show", run)).stdout, `${run}: Checkout, undone, generation 2`)
        assert.match((yield* florin("inventory", "list")).stdout, /^filter +berlin +3 +0 +3 +0$/m)

        // A card that is declined, and the next one.
        const cards = yield* call(service, "POST", "/v1/sagas", {
          body: {
            saga: "MultiAttempt",
            reference: "order-3",
            amount: 500,
            currency: "EUR",
            paymentMethod: "tok_declined_insufficient_funds",
            backups: ["tok_mastercard"],
            notify: "ada@example.org"
          }
        })
        assert.deepInclude(cards.body, { status: "completed" })

        // A subscription is charged at once; its plan changes; it ends.
        const plan = {
          id: "basic",
          name: "Basic",
          amount: 1000,
          currency: "EUR",
          interval: { unit: "month", count: 1 }
        }
        const wish = { customer: "ada", plan, paymentMethod: "tok_visa", timeZone: "Europe/Berlin" }
        const subscribed = yield* call(service, "POST", "/v1/subscriptions", { key: "sub-1", body: wish })
        assert.strictEqual(subscribed.status, 201)
        const path = `/v1/subscriptions/${String(subscribed.body.id)}`
        const paid = yield* eventually("a paid invoice", async () => {
          const reply = await tryCall(service, "GET", path)
          return reply?.body.status === "active" && reply.body.openInvoice === undefined ? reply : undefined
        })
        assert.deepInclude(paid.body, { status: "active", customer: "ada", credit: 0 })
        const invoices = yield* call(service, "GET", `${path}/invoices`)
        const [invoice] = invoices.body.invoices as ReadonlyArray<Reply["body"]>
        assert.deepInclude(invoice, { number: 1, total: 1000, due: 1000 })
        assert.strictEqual(
          (yield* call(service, "POST", "/v1/subscriptions", { key: "sub-1", body: wish })).body.id,
          subscribed.body.id
        )
        const differs = { ...wish, customer: "bob" }
        assert.strictEqual(
          (yield* call(service, "POST", "/v1/subscriptions", { key: "sub-1", body: differs })).status,
          422
        )
        const upgraded = yield* call(service, "POST", `${path}/plan`, {
          key: "up",
          body: { plan: { ...plan, id: "pro", name: "Pro", amount: 2500 } }
        })
        assert.strictEqual((upgraded.body.plan as Reply["body"]).id, "pro")
        const shown = yield* florin("subscriptions", "list", "--json")
        assert.deepInclude(JSON.parse(shown.stdout).subscriptions[0], { id: subscribed.body.id, customer: "ada" })
        const goodbye = yield* call(service, "POST", `${path}/cancel`, { body: { when: "now" } })
        assert.strictEqual(goodbye.status, 200)

        // What is not valid is named, and nothing is begun.
        const wrong = yield* call(service, "POST", "/v1/checkouts", {
          body: checkout("order-4", { lines: [], amount: 0, notify: "nobody" })
        })
        assert.strictEqual(wrong.status, 400)
        assert.deepStrictEqual(
          said(wrong).map((one) => one.split(":")[0]),
          ["payload.amount", "payload.notify", "payload.lines.0"]
        )
        const card = yield* call(service, "POST", "/v1/subscriptions", {
          key: "sub-2",
          body: { ...wish, paymentMethod: "4111111111111111" }
        })
        assert.deepInclude(card.body, { type: "urn:florin:problem:card-number" })
        const nothing = yield* operate("x", { type: "reserve", reservation: "cart", quantity: 0 })
        assert.strictEqual(nothing.status, 400)
        for (const nobodys of ["/v1/sagas/saga_1", "/v1/checkouts/order-4", "/v1/subscriptions/sub_1"]) {
          assert.strictEqual((yield* call(service, "GET", nobodys)).status, 404, nobodys)
        }
        const unasked = { saga: "AlternativePayment", correlation: "default/order-9", answer: { method: "tok_visa" } }
        assert.strictEqual((yield* call(service, "POST", "/v1/sagas/answers", { body: unasked })).status, 404)
        const { code } = yield* kill(service, "SIGTERM")
        assert.strictEqual(code, 0)
      }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer())),
    60_000
  )

  it.live(
    "goes on with a checkout whose service was killed, in the service beside it",
    () =>
      Effect.gen(function* () {
        const shop = yield* openShop
        const settings = { ...(yield* database), FLORIN_SHOP_URL: shop.url, FLORIN_SAGA_MILLIS: "200" }
        const first = yield* start("serve", settings)
        const received = { type: "receive", quantity: 10 }
        yield* call(first, "POST", `${stock}/operations`, { key: "in", body: received })
        const asking = tryCall(first, "POST", "/v1/checkouts", { body: checkout("order-1", { shipTo: "slow" }) })
        yield* eventually("a shipment on its way", () => shop.held[0])
        // The second stands by: what it begins, the first runs.
        const second = yield* start("serve", settings)
        const begun = yield* call(second, "POST", "/v1/checkouts", { body: checkout("order-2") })
        assert.deepInclude(begun.body, { status: "completed" })
        yield* kill(first, "SIGKILL")
        yield* Effect.promise(() => asking)
        shop.letGo()
        yield* ended(second, "order-1", "completed")
        assert.deepInclude(yield* level(second), { onHand: 6, reserved: 0 })
        const payments = (yield* call(second, "GET", "/v1/payments")).body.payments as ReadonlyArray<Reply["body"]>
        assert.deepStrictEqual(
          payments.map(({ capturedAmount, reference }) => `${String(reference)} ${String(capturedAmount)}`).toSorted(),
          ["order-1 1999", "order-2 1999"]
        )
        // The same shipment, asked for twice under one key.
        const keys = shop.asked.filter((one) => one.startsWith("POST /shipments order-1 "))
        assert.strictEqual(keys.length, 2)
        assert.strictEqual(new Set(keys).size, 1)
      }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer())),
    60_000
  )
})
