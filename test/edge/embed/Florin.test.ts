import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Envelope } from "../../../src/adapters/EventBus.ts"
import * as Florin from "../../../src/edge/embed/Florin.ts"

const log: Array<unknown> = []

const begin = (options: Partial<Florin.Options> = {}) =>
  Florin.start({ database: "memory", gateways: "sandbox", log: (entry) => log.push(entry), ...options })

const order = (idempotencyKey: string, token = "tok_visa") =>
  ({ idempotencyKey, amount: 1099, currency: "EUR", paymentMethods: [token] }) as const

/** What a promise was rejected with. */
const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error("it was not rejected")
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe("Florin", () => {
  it("pays, captures, refunds and answers a repeat like the first", async () => {
    await using florin = await begin()
    const payment = await florin.payments.create({ ...order("order-1"), capture: "manual", reference: "1001" })
    assert.deepInclude(payment, { status: "authorized", authorizedAmount: 1099, capturedAmount: 0, reference: "1001" })
    const captured = await florin.payments.capture(payment.id, { amount: 1000, idempotencyKey: "capture-1" })
    assert.deepInclude(captured, { status: "succeeded", capturedAmount: 1000 })
    assert.deepStrictEqual(
      await florin.payments.capture(payment.id, { amount: 1000, idempotencyKey: "capture-1" }),
      captured
    )
    const refunded = await florin.payments.refund(payment.id)
    assert.deepInclude(refunded, { refundedAmount: 1000 })
    assert.deepStrictEqual(await florin.payments.get(payment.id), refunded)
    const events = await florin.payments.events(payment.id)
    assert.strictEqual(events[0]?.event._tag, "Initiated")
    assert.strictEqual(events.length, refunded.version)
  })

  it("cancels, and goes on with a customer who comes back", async () => {
    await using florin = await begin()
    const held = await florin.payments.create({ ...order("order-1"), capture: "manual" })
    assert.deepInclude(await florin.payments.cancel(held.id, { reason: "out of stock" }), { status: "cancelled" })
    const challenged = await florin.payments.create({
      ...order("order-2", "tok_3ds"),
      returnUrl: "https://shop.example"
    })
    assert.strictEqual(challenged.status, "requires_action")
    assert.strictEqual(challenged.nextAction?.type, "redirect")
    // The customer's page is the sandbox's own.
    await fetch(challenged.nextAction!.url, { method: "POST", redirect: "manual" })
    assert.deepInclude(await florin.payments.completeAction(challenged.id), { status: "succeeded" })
  })

  it("rejects with the problem's class, and what it is about", async () => {
    await using florin = await begin()
    const payment = await florin.payments.create(order("order-1"))

    const reused = await rejection(florin.payments.create({ ...order("order-1"), amount: 1 }))
    assert.instanceOf(reused, Florin.KeyReused)
    assert.strictEqual(reused.field, "amount")
    const refused = await rejection(florin.payments.refund(payment.id, { amount: 1100 }))
    assert.instanceOf(refused, Florin.OperationRefused)
    assert.strictEqual(refused.rule, "AboveCaptured")
    assert.instanceOf(await rejection(florin.payments.get("pay_none")), Florin.PaymentNotFound)
    const invalid = await rejection(florin.payments.create({ ...order("order-2"), amount: -1 }))
    assert.instanceOf(invalid, Florin.InvalidRequest)
    assert.instanceOf(invalid, Error)
    assert.deepStrictEqual(invalid.errors[0]?.path, ["payload", "amount"])
    const card = await rejection(florin.payments.create(order("order-3", "4242424242424242")))
    assert.instanceOf(card, Florin.CardNumberRefused)
    assert.notInclude(JSON.stringify(card), "4242")
  })

  it("has a decline as an answer, not as a rejection", async () => {
    await using florin = await begin()
    const payment = await florin.payments.create(order("order-1", "tok_declined_stolen"))
    assert.strictEqual(payment.status, "failed")
    assert.strictEqual(payment.failure?.category, "final")
  })

  it("tells subscribers every event in order, and again when they reject", async () => {
    const heard: Array<string> = []
    let isFirst = true
    const mail = (event: Envelope) => {
      if (isFirst) {
        isFirst = false
        throw new Error("the mail server is away")
      }
      heard.push(event.event._tag)
    }
    await using florin = await begin({ subscribers: { mail } })
    const { version } = await florin.payments.create(order("order-1"))
    await until(() => heard.length === version)
    assert.deepStrictEqual(heard, ["Initiated", "AuthorizationBegun", "Authorized", "CaptureBegun", "Captured"])
    assert.include(JSON.stringify(log), "an event was not published")
  })

  it("gives events to whoever iterates, and goes on behind a cursor", async () => {
    const florin = await begin()
    const seen: Array<string> = []
    const events = florin.events()
    const { id } = await florin.payments.create(order("order-1"))
    let after = ""
    for await (const { cursor, envelope } of events) {
      seen.push(envelope.event._tag)
      if (envelope.event._tag === "Authorized") {
        after = cursor
        break
      }
    }
    for await (const { envelope } of florin.events({ after, payment: id, types: ["Captured", "Authorized"] })) {
      seen.push(envelope.event._tag)
      break
    }
    assert.deepStrictEqual(seen, ["Initiated", "AuthorizationBegun", "Authorized", "Captured"])
    await florin.stop()
  })

  it("ends the iteration when it stops", async () => {
    const florin = await begin()
    const seen: Array<unknown> = []
    const reading = (async () => {
      for await (const event of florin.events()) seen.push(event)
    })()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await florin.stop()
    await reading
    assert.deepStrictEqual(seen, [])
  })

  it("refuses a cursor that is none", async () => {
    await using florin = await begin()
    const reader = florin.events({ after: "nonsense" })[Symbol.asyncIterator]()
    const refused = await rejection(reader.next())
    assert.instanceOf(refused, Florin.InvalidRequest)
    assert.deepStrictEqual(refused.errors[0]?.path, ["after"])
  })

  it("lists payments by page", async () => {
    await using florin = await begin()
    const first = await florin.payments.create({ ...order("order-1"), customer: "ada" })
    const second = await florin.payments.create({ ...order("order-2"), customer: "ada" })
    await florin.payments.create({ ...order("order-3"), customer: "bob" })
    const page = await florin.payments.list({ customer: "ada", status: "succeeded", limit: 1 })
    assert.deepStrictEqual(page.payments, [second])
    const rest = await florin.payments.list({ customer: "ada", cursor: page.nextCursor! })
    assert.deepStrictEqual(rest, { payments: [first] })
  })

  it("finishes what is on its way when it stops, and takes nothing after that", async () => {
    const florin = await begin()
    const slow = florin.payments.create(order("order-1", "tok_slow"))
    await new Promise((resolve) => setTimeout(resolve, 200))
    await florin.stop()
    assert.strictEqual((await slow).status, "succeeded")
    const late = await rejection(florin.payments.create(order("order-2")))
    assert.instanceOf(late, Florin.Unavailable)
    assert.strictEqual(late.message, "florin has been stopped")
    await florin.stop()
  })

  it("keeps payments on the embedded database over a restart", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "florin-embed-"))
    try {
      const first = await begin({ database: { dataDir } })
      const paid = await first.payments.create(order("order-1"))
      await first.stop()
      await using second = await begin({ database: { dataDir } })
      assert.deepStrictEqual(await second.payments.create(order("order-1")), paid)
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  })

  it("is the whole API as a function of the web", async () => {
    await using florin = await begin()
    const health = await florin.handle(new Request("http://shop.example/healthz"))
    assert.deepStrictEqual(await health.json(), { status: "ok" })
    const missing = await florin.handle(new Request("http://shop.example/v1/nothing"))
    assert.strictEqual(missing.status, 404)
  })

  it("names every option that is wrong", async () => {
    const wrong = { database: {}, gateways: [], answerMillis: 0 }
    const error = await rejection(Reflect.apply(Florin.start, undefined, [wrong]))
    assert.instanceOf(error, Florin.StartError)
    assert.strictEqual(
      error.message,
      'database: Expected "memory", { url: "postgres://..." } or { dataDir: "..." }; gateways.0: Missing key; ' +
        "answerMillis: Expected a whole number of milliseconds from 1 to 86400000, got 0"
    )
  })

  it("says in one line that its database cannot be reached, without the password", async () => {
    const url = "postgres://florin:hunter2@127.0.0.1:1/florin"
    const error = await rejection(begin({ database: { url } }))
    assert.instanceOf(error, Florin.StartError)
    assert.match(error.message, /^the database cannot be used: .*ECONNREFUSED/)
    assert.notInclude(JSON.stringify(error), "hunter2")
  })

  it("keeps clients' accounts, rejects with the problem's class, and tells those who hear of them", async () => {
    const heard: Array<string> = []
    let isMended = false
    await using florin = await begin({
      accountSubscribers: {
        mailer: ({ event, ledger, sequence }) => {
          if (!isMended) throw new Error("no mail")
          heard.push(`${ledger} ${sequence} ${event._tag}`)
        }
      }
    })
    const deposit = { client: 7, tx: 1, amount: "10.5" }
    const first = await florin.accounts.deposit(deposit)
    assert.deepStrictEqual({ ...first }, { type: "deposit", client: 7, tx: 1, amount: "10.5000" } as never)
    assert.deepStrictEqual(await florin.accounts.deposit(deposit), first)
    isMended = true
    const refused = await rejection(florin.accounts.withdraw({ client: 7, tx: 2, amount: "11" }))
    assert.instanceOf(refused, Florin.TransactionRefused)
    assert.strictEqual(refused.reason, "InsufficientFunds")
    assert.instanceOf(await rejection(florin.accounts.get(8)), Florin.AccountNotFound)
    assert.instanceOf(await rejection(florin.accounts.deposit({ ...deposit, amount: "x" })), Florin.InvalidRequest)
    await florin.accounts.dispute({ client: 7, tx: 1, idempotencyKey: "d" })
    await florin.accounts.chargeback({ client: 7, tx: 1, idempotencyKey: "c" })
    const reused = await rejection(florin.accounts.resolve({ client: 7, tx: 1, idempotencyKey: "c" }))
    assert.instanceOf(reused, Florin.KeyReused)
    assert.deepInclude(await florin.accounts.get(7), { total: "0.0000", locked: true })
    const page = await florin.accounts.transactions(7, { limit: 2 })
    const rest = await florin.accounts.transactions(7, { limit: 2, cursor: page.nextCursor! })
    assert.deepStrictEqual(
      [...page.transactions, ...rest.transactions].map(({ type }) => type),
      ["deposit", "dispute", "chargeback"]
    )
    assert.strictEqual((await florin.accounts.list()).accounts.length, 1)
    await until(() => heard.length === 3)
    assert.deepStrictEqual(heard, ["default 1 Deposited", "default 2 Disputed", "default 3 ChargedBack"])
  })

  it("checks out with a shop of functions, tells its customers, keeps stock, and bills subscriptions", async () => {
    const told: Array<string> = []
    const sales: Array<string> = []
    const shop = {
      ship: ({ shipTo }: { readonly shipTo: string }) => {
        if (shipTo === "nowhere") throw Object.assign(new Error("nobody goes there"), { retryable: false })
        return { shipment: "note-1" }
      },
      record: ({ reference }: { readonly reference: string }) => void sales.push(reference),
      notify: ({ kind }: { readonly kind: string }) => void told.push(kind)
    }
    await using florin = await begin({ shop })
    const stock = { product: "beans", location: "ulm" }
    await florin.inventory.operate(stock, { idempotencyKey: "in", type: "receive", quantity: 3 })
    const cart = (reference: string, shipTo: string) =>
      ({
        reference,
        amount: 500,
        currency: "EUR",
        paymentMethod: "tok_visa",
        notify: "ada@example.org",
        lines: [{ ...stock, quantity: 1 }],
        shipTo
      }) as const
    const sold = await florin.checkouts.start(cart("o-1", "Ulm"))
    assert.deepInclude(sold, { status: "completed" })
    const lost = await florin.checkouts.start(cart("o-2", "nowhere"))
    assert.deepInclude(lost, { status: "failed", step: "shipment" })
    assert.deepInclude(await florin.inventory.get(stock), { onHand: 2, reserved: 0 })
    assert.deepStrictEqual([sales, told], [["o-1"], ["receipt"]])
    assert.deepStrictEqual(
      (await florin.sagas.list()).map(({ id }) => id),
      [lost.id, sold.id]
    )
    assert.strictEqual((await florin.checkouts.get("o-1")).id, sold.id)
    assert.instanceOf(await rejection(florin.sagas.resume(sold.id)), Florin.SagaRunRefused)
    const none = rejection(
      florin.inventory.operate(stock, { idempotencyKey: "r", type: "reserve", reservation: "x", quantity: 3 })
    )
    assert.deepInclude(await none, { _tag: "StockRefused", reason: "Insufficient" })
    const plan = {
      id: "basic",
      name: "Basic",
      amount: 900,
      currency: "EUR",
      interval: { unit: "month", count: 1 }
    } as const
    const subscription = await florin.subscriptions.create({
      idempotencyKey: "s-1",
      customer: "ada",
      plan,
      paymentMethod: "tok_visa"
    })
    assert.strictEqual((await florin.subscriptions.invoices(subscription.id)).invoices[0]?.due, 900)
    assert.instanceOf(await rejection(florin.subscriptions.get("sub_none")), Florin.SubscriptionNotFound)
    const page = { ...order("x"), saga: "AlternativePayment", reference: "o-3", paymentMethod: "tok_visa" } as const
    const { idempotencyKey: _, paymentMethods: __, ...alternative } = page
    assert.instanceOf(
      await rejection(florin.sagas.start({ ...alternative, notify: "ada@example.org" })),
      Florin.SagaNotOffered
    )
  })

  it("refuses to start with a handler's name that no letter could bear", async () => {
    const error = await rejection(begin({ accountSubscribers: { "a/b": () => {} } }))
    assert.instanceOf(error, Florin.StartError)
    assert.match(error.message, /accountSubscribers.*a handler's name of 1 to 64/)
  })
})
