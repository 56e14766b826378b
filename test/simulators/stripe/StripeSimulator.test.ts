/** The simulator is held to what was observed of Stripe's test mode, entry by entry. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as StripeSimulator from "./StripeSimulator.ts"

// --- What was observed ------------------------------------------------------

interface Expected {
  readonly op: string
  readonly expect: unknown
}

interface Observed {
  readonly declines: ReadonlyArray<Readonly<Record<string, string | number | null>>>
  readonly manual_capture: ReadonlyArray<Expected>
  readonly three_d_secure: ReadonlyArray<Expected>
  readonly refused_create_leaves_object: string
  readonly refunds: ReadonlyArray<Expected>
  readonly idempotency: ReadonlyArray<Expected>
  readonly customers: ReadonlyArray<Expected>
  readonly search: Readonly<Record<string, unknown>>
  readonly events: Readonly<Record<string, unknown>>
  readonly versions: Readonly<Record<string, unknown>>
  readonly raw_card_number: unknown
}

const observed = JSON.parse(
  readFileSync(new URL("../../fixtures/stripe/stripe-observed-behaviour.json", import.meta.url), "utf8")
) as Observed

// --- A client that is not the SDK -------------------------------------------

interface Answer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

type Fields = Readonly<Record<string, string | number | boolean>>
interface How {
  readonly key?: string
  readonly version?: string
  readonly method?: string
}

const call = (path: string, fields?: Fields, { key, method, version }: How = {}) =>
  Effect.flatMap(StripeSimulator.Service, ({ secretKey, url }) =>
    Effect.promise(async (): Promise<Answer> => {
      const headers = {
        authorization: `Bearer ${secretKey}`,
        ...(key !== undefined && { "idempotency-key": key }),
        ...(version !== undefined && { "stripe-version": version })
      }
      const texts = Object.entries(fields ?? {}).map(([name, value]): [string, string] => [name, String(value)])
      const init = fields === undefined ? {} : { method: "POST", body: new URLSearchParams(texts) }
      const response = await fetch(`${url}/v1/${path}`, { ...init, ...(method !== undefined && { method }), headers })
      return { status: response.status, headers: response.headers, body: await response.json() }
    })
  )

const amount = 2000
const sale = (payment_method: string, more: Fields = {}): Fields => ({
  amount,
  currency: "eur",
  confirm: true,
  payment_method,
  "automatic_payment_methods[enabled]": true,
  "automatic_payment_methods[allow_redirects]": "never",
  ...more
})
const manual = sale("pm_card_visa", { capture_method: "manual" })
const back = { return_url: "https://shop.example/back" }

/** The fields of an error that an entry may name; what is absent is null. */
const errorOf = ({ body, status }: Answer) => {
  const { advice_code = null, code = null, decline_code = null, param = null, type } = body.error
  return { http: status, type, code, decline_code, param, advice_code }
}

const includes = (actual: object, expected: object) => assert.deepInclude(actual, expected)

// --- The entries ------------------------------------------------------------

type Check = (expect: never) => Effect.Effect<unknown, never, StripeSimulator.Service>

/** Runs the check that is written for each entry, and fails where one has none, or one has no entry. */
const each = (entries: ReadonlyArray<Expected>, checks: Readonly<Record<string, Check>>) =>
  Effect.gen(function* () {
    assert.sameMembers(
      entries.map(({ op }) => op),
      Object.keys(checks)
    )
    for (const { expect, op } of entries) yield* checks[op]!(expect as never)
  })

layer(StripeSimulator.layer(), { excludeTestServices: true })("StripeSimulator, as observed", (it) => {
  it.effect("goes through all that was observed", () =>
    Effect.sync(() =>
      assert.sameMembers(Object.keys(observed), [
        "_source",
        "declines",
        "manual_capture",
        "three_d_secure",
        "refused_create_leaves_object",
        "refunds",
        "idempotency",
        "customers",
        "search",
        "events",
        "versions",
        "raw_card_number"
      ])
    )
  )

  it.effect("declines", () =>
    Effect.gen(function* () {
      assert.strictEqual(observed.declines.length, 8)
      for (const { payment_method, pi_status, ...error } of observed.declines) {
        const declined = yield* call("payment_intents", sale(String(payment_method)))
        assert.deepStrictEqual(errorOf(declined), error as never, String(payment_method))
        assert.strictEqual(declined.body.error.payment_intent.status, pi_status)
      }
    })
  )

  it.effect("manual capture", () =>
    each(observed.manual_capture, {
      "create confirm=true capture_method=manual": (expect: Readonly<Record<string, unknown>>) =>
        Effect.map(call("payment_intents", manual), ({ body }) =>
          includes(body, { ...expect, amount_capturable: amount })
        ),
      "capture amount_to_capture=amount-500": ({ amount_capturable, status }: Readonly<Record<string, unknown>>) =>
        Effect.gen(function* () {
          const { body: held } = yield* call("payment_intents", manual)
          const { body } = yield* call(`payment_intents/${held.id}/capture`, { amount_to_capture: amount - 500 })
          includes(body, { status, amount_capturable, amount_received: amount - 500 })
          const again = yield* call(`payment_intents/${held.id}/capture`, { amount_to_capture: 1 })
          assert.strictEqual(again.body.error.code, "payment_intent_unexpected_state")
        }),
      "cancel while requires_capture": ({ status }: Readonly<Record<string, unknown>>) =>
        Effect.gen(function* () {
          const { body: held } = yield* call("payment_intents", manual)
          const { body } = yield* call(`payment_intents/${held.id}/cancel`, { cancellation_reason: "duplicate" })
          includes(body, { status, cancellation_reason: "duplicate", amount_capturable: 0 })
        })
    })
  )

  it.effect("3-D Secure", () =>
    each(observed.three_d_secure, {
      "confirm on-session card requiring 3DS": ({ http, status }: Readonly<Record<string, unknown>>) =>
        Effect.gen(function* () {
          const answer = yield* call("payment_intents", sale("pm_card_threeDSecure2Required", back))
          assert.strictEqual(answer.status, http)
          assert.strictEqual(answer.body.status, status)
          assert.strictEqual(answer.body.next_action.type, "redirect_to_url")
        }),
      "capture while requires_action": ({ code, http }: Readonly<Record<string, unknown>>) =>
        Effect.gen(function* () {
          const { body } = yield* call("payment_intents", sale("pm_card_threeDSecure2Required", back))
          includes(errorOf(yield* call(`payment_intents/${body.id}/capture`, {})), { http, code })
        }),
      "create confirm=true error_on_requires_action=true": leavesOpen({ error_on_requires_action: true }),
      "off_session charge of saved card requiring auth": leavesOpen({ off_session: true })
    })
  )

  it.effect("a refused creation leaves an intent that can be used again", () =>
    Effect.gen(function* () {
      assert.include(observed.refused_create_leaves_object, "requires_payment_method")
      const declined = yield* call("payment_intents", sale("pm_card_visa_chargeDeclined"))
      const { id } = declined.body.error.payment_intent
      assert.strictEqual((yield* call(`payment_intents/${id}`)).body.status, "requires_payment_method")
      const reused = yield* call(`payment_intents/${id}/confirm`, { payment_method: "pm_card_visa" })
      includes(reused.body, { id, status: "succeeded", last_payment_error: null })
    })
  )

  it.effect("refunds", () => {
    const charged = Effect.map(call("payment_intents", sale("pm_card_visa")), ({ body }) => String(body.id))
    const refund = (payment_intent: string, more: Fields = {}) => call("refunds", { payment_intent, ...more })
    return each(observed.refunds, {
      "refund amount+1": (expect: object) =>
        Effect.flatMap(charged, (id) =>
          Effect.map(refund(id, { amount: amount + 1 }), (answer) => includes(errorOf(answer), expect))
        ),
      "second full refund": (expect: object) =>
        Effect.flatMap(charged, (id) =>
          Effect.map(Effect.andThen(refund(id), refund(id)), (answer) => includes(errorOf(answer), expect))
        ),
      "refund of requires_capture PI": ({ code, http, param, type }: Readonly<Record<string, unknown>>) =>
        Effect.gen(function* () {
          const { body } = yield* call("payment_intents", manual)
          const answer = yield* refund(body.id)
          includes(errorOf(answer), { http, type, code, param })
          assert.include(answer.body.error.message, "cancel the PaymentIntent instead")
        }),
      "card refund": ({ status }: Readonly<Record<string, unknown>>) =>
        Effect.map(Effect.flatMap(charged, refund), ({ body }) => assert.strictEqual(body.status, status)),
      "two partial refunds = amount": () =>
        Effect.gen(function* () {
          const id = yield* charged
          yield* refund(id, { amount: 500 })
          yield* refund(id, { amount: amount - 500 })
          const { body } = yield* call(`payment_intents/${id}?expand[0]=latest_charge`)
          assert.strictEqual(body.latest_charge.refunded, true)
        })
    })
  })

  it.effect("idempotency", () => {
    const keyed = (key: string, more: Fields = {}) => call("payment_intents", { ...manual, ...more }, { key })
    return each(observed.idempotency, {
      "same key same params": ({ http }: Readonly<Record<string, unknown>>) =>
        Effect.gen(function* () {
          const first = yield* keyed("same")
          const second = yield* keyed("same")
          assert.strictEqual(second.status, http)
          assert.deepStrictEqual(second.body, first.body)
          assert.strictEqual(second.headers.get("idempotent-replayed"), "true")
          assert.strictEqual(second.headers.get("original-request"), first.headers.get("request-id"))
          assert.notStrictEqual(second.headers.get("request-id"), first.headers.get("request-id"))
        }),
      "first request with a key": () =>
        Effect.map(keyed("first"), ({ headers }) => {
          assert.strictEqual(headers.get("original-request"), headers.get("request-id"))
          assert.isNull(headers.get("idempotent-replayed"))
        }),
      "same key other params OR other endpoint": ({ code, http, param, type }: Readonly<Record<string, unknown>>) =>
        Effect.gen(function* () {
          const { books } = yield* StripeSimulator.Service
          const { body } = yield* keyed("other")
          const before = books.events().length
          const expected = { http, type, code, param, decline_code: null }
          includes(errorOf(yield* keyed("other", { amount: 1 })), expected)
          includes(errorOf(yield* call(`payment_intents/${body.id}/capture`, {}, { key: "other" })), expected)
          assert.strictEqual(books.events().length, before)
        }),
      "replay after object deleted (probe)": () =>
        Effect.gen(function* () {
          const made = yield* call("customers", { name: "Ada" }, { key: "gone" })
          yield* call(`customers/${made.body.id}`, undefined, { method: "DELETE" })
          assert.deepStrictEqual((yield* call("customers", { name: "Ada" }, { key: "gone" })).body, made.body)
        }),
      "replay without Stripe-Version header (probe)": () =>
        Effect.gen(function* () {
          yield* call("customers", { name: "Ada" }, { key: "dated", version: "2026-10-28.endive" })
          const replay = yield* call("customers", { name: "Ada" }, { key: "dated" })
          assert.strictEqual(replay.headers.get("idempotent-replayed"), "true")
        })
    })
  })

  it.effect("customers", () => {
    const deleted = Effect.gen(function* () {
      const { body } = yield* call("customers", { name: "Ada" })
      yield* call(`customers/${body.id}`, undefined, { method: "DELETE" })
      return String(body.id)
    })
    return each(observed.customers, {
      "retrieve deleted": ({ body, http }: { readonly body: { readonly id: string }; readonly http: number }) =>
        Effect.gen(function* () {
          const id = yield* deleted
          const answer = yield* call(`customers/${id}`)
          assert.strictEqual(answer.status, http)
          assert.deepStrictEqual(answer.body, { ...body, id })
          assert.isTrue(id.startsWith(body.id))
        }),
      "delete twice": (expect: object) =>
        Effect.gen(function* () {
          const again = yield* call(`customers/${yield* deleted}`, undefined, { method: "DELETE" })
          includes(errorOf(again), expect)
        })
    })
  })

  it.effect("search", () =>
    Effect.gen(function* () {
      assert.sameMembers(Object.keys(observed.search), [
        "customer_lag_seconds",
        "payment_intent_lag",
        "flaps",
        "missing_query",
        "unsearchable_field"
      ])
      const { machine } = yield* StripeSimulator.Service
      const search = (query: string) => call(`payment_intents/search?query=${encodeURIComponent(query)}`)
      includes(errorOf(yield* call("payment_intents/search")), observed.search["missing_query"] as object)
      includes(errorOf(yield* search("colour:'red'")), observed.search["unsearchable_field"] as object)
      const { body } = yield* call("payment_intents", { ...manual, "metadata[order]": "lagging" })
      const query = "metadata['order']:'lagging'"
      assert.isAtLeast(machine.searchLagMillis, 120_000)
      assert.deepStrictEqual((yield* search(query)).body.data, [])
      machine.searchLagMillis = 0
      assert.strictEqual((yield* search(query)).body.data[0].id, body.id)
      // It flaps: what was found a moment ago is not found again.
      machine.searchLagMillis = 120_000
      assert.deepStrictEqual((yield* search(query)).body.data, [])
    })
  )

  it.effect("events", () =>
    Effect.gen(function* () {
      assert.sameMembers(Object.keys(observed.events), ["rendered_at", "request"])
      const made = yield* call("payment_intents", manual, { key: "cause", version: "2026-10-28.endive" })
      assert.strictEqual(made.headers.get("stripe-version"), "2026-10-28.endive")
      const { body } = yield* call("events?type=payment_intent.created&limit=1")
      const [event] = body.data
      assert.strictEqual(event.data.object.id, made.body.id)
      assert.strictEqual(event.api_version, "2026-08-26.dahlia")
      assert.deepStrictEqual(event.request, { id: made.headers.get("request-id"), idempotency_key: "cause" })
    })
  )

  it.effect("versions", () =>
    Effect.gen(function* () {
      assert.sameMembers(Object.keys(observed.versions), ["unknown_version", "old_2020-08-27"])
      const unknown = yield* call("customers", { name: "Ada" }, { version: "2099-01-01.tomorrow" })
      includes(errorOf(unknown), observed.versions["unknown_version"] as object)
      const old = yield* call("customers", { name: "Ada" }, { version: "2020-08-27" })
      assert.strictEqual(old.status, 200)
      assert.strictEqual(old.headers.get("stripe-version"), "2020-08-27")
    })
  )

  it.effect("a raw card number", () =>
    Effect.gen(function* () {
      const card = { "payment_method_data[type]": "card", "payment_method_data[card][number]": "4242424242424242" }
      const answer = yield* call("payment_intents", { amount, currency: "eur", confirm: true, ...card })
      includes(errorOf(answer), observed.raw_card_number as object)
    })
  )
})

function leavesOpen(more: Fields): Check {
  return (expect: { readonly http: number; readonly code: string; readonly decline_code: string }) =>
    Effect.gen(function* () {
      const declined = yield* call("payment_intents", sale("pm_card_threeDSecure2Required", more))
      const { code, decline_code, http } = expect
      includes(errorOf(declined), { http, code, decline_code })
      const { leaves_open_pi } = expect as unknown as { readonly leaves_open_pi: string }
      assert.strictEqual(declined.body.error.payment_intent.status, leaves_open_pi)
    })
}

// --- What was not observed, and is Stripe's manual --------------------------

layer(StripeSimulator.layer(), { excludeTestServices: true })("StripeSimulator, on demand", (it) => {
  it.effect("refuses a parameter that Stripe does not know, and a key of another account", () =>
    Effect.gen(function* () {
      const answer = yield* call("payment_intents", { ...manual, colour: "red" })
      includes(errorOf(answer), { http: 400, code: "parameter_unknown", param: "colour" })
      const { url } = yield* StripeSimulator.Service
      const stranger = yield* Effect.promise(() => fetch(`${url}/v1/payment_intents`))
      assert.strictEqual(stranger.status, 401)
    })
  )

  it.effect("acts, or does not, before the fault that was planned", () =>
    Effect.gen(function* () {
      const { books, faults } = yield* StripeSimulator.Service
      const pay = (key: string) => Effect.exit(call("payment_intents", manual, { key }))
      const made = () => books.intents().length
      const rows = [
        [{ _tag: "closeBefore" }, 0, undefined],
        [{ _tag: "closeAfter" }, 1, undefined],
        [{ _tag: "errorBefore", status: 503 }, 0, 503],
        [{ _tag: "errorAfter" }, 1, 500],
        [{ _tag: "throttle", retryAfterSeconds: 2, shouldRetry: true }, 0, 429],
        [{ _tag: "inUse" }, 0, 409]
      ] as const
      for (const [fault, more, status] of rows) {
        const before = made()
        faults.plan("POST /v1/payment_intents", fault)
        const exit = yield* pay(fault._tag)
        assert.strictEqual(exit._tag === "Success" ? exit.value.status : undefined, status, fault._tag)
        assert.strictEqual(made() - before, more, fault._tag)
      }
      assert.strictEqual(faults.struck(), rows.length)
      // A 5xx is kept under its key, as anything that was begun is.
      const before = made()
      const again = yield* call("payment_intents", manual, { key: "errorAfter" })
      assert.strictEqual(again.status, 500)
      assert.strictEqual(made(), before)
    })
  )

  it.effect("says that a key is in use while its first request is slow, and forgets keys when told to", () =>
    Effect.gen(function* () {
      const { books, faults, machine } = yield* StripeSimulator.Service
      faults.plan("POST /v1/payment_intents", { _tag: "slow", millis: 100 })
      const both = [call("payment_intents", manual, { key: "slow" }), call("payment_intents", manual, { key: "slow" })]
      const statuses = (yield* Effect.all(both, { concurrency: 2 })).map(({ status }) => status)
      assert.sameMembers(statuses, [200, 409])
      const before = books.intents().length
      machine.forgetKeys()
      yield* call("payment_intents", manual, { key: "slow" })
      assert.strictEqual(books.intents().length, before + 1)
    })
  )

  it.effect("sends a customer to their bank's page and back", () =>
    Effect.gen(function* () {
      const { body } = yield* call("payment_intents", sale("pm_card_threeDSecure2Required", back))
      const page: string = body.next_action.redirect_to_url.url
      assert.include(yield* Effect.promise(async () => (await fetch(page)).text()), "complete")
      const button = `${page}/complete`
      const gone = yield* Effect.promise(() => fetch(button, { method: "POST", redirect: "manual" }))
      assert.strictEqual(gone.status, 303)
      const home = new URL(gone.headers.get("location")!)
      assert.strictEqual(home.origin + home.pathname, back.return_url)
      assert.strictEqual(home.searchParams.get("redirect_status"), "succeeded")
      assert.strictEqual((yield* call(`payment_intents/${body.id}`)).body.status, "succeeded")
      const other = yield* call("payment_intents", sale("pm_card_threeDSecure2Required", back))
      const { customer } = yield* StripeSimulator.Service
      customer.fail(other.body.id)
      const { last_payment_error } = (yield* call(`payment_intents/${other.body.id}`)).body
      assert.strictEqual(last_payment_error.code, "payment_intent_authentication_failure")
    })
  )

  it.effect("keeps products, prices, coupons and subscriptions, and refuses what does not fit", () =>
    Effect.gen(function* () {
      const { body: product } = yield* call("products", { name: "Tea" })
      const price = yield* call("prices", {
        product: product.id,
        currency: "eur",
        unit_amount: 500,
        "recurring[interval]": "month"
      })
      const { body: coupon } = yield* call("coupons", { id: "TEA10", percent_off: 10, duration: "once" })
      const { body: customer } = yield* call("customers", { payment_method: "pm_card_visa" })
      const wanted = { customer: customer.id, "items[0][price]": price.body.id, "discounts[0][coupon]": coupon.id }
      const { body: subscription } = yield* call("subscriptions", wanted)
      includes(subscription, { status: "active", customer: customer.id, currency: "eur" })
      assert.strictEqual(subscription.items.data[0].price.id, price.body.id)
      assert.strictEqual((yield* call(`subscriptions/${subscription.id}`)).body.discounts[0].source.coupon, "TEA10")
      const refusals = [
        [yield* call("products", {}), "parameter_missing", "name"],
        [yield* call("prices", { product: "prod_no", currency: "eur", unit_amount: 1 }), "resource_missing", "product"],
        [yield* call("coupons", { id: "TEA10", percent_off: 5 }), "resource_already_exists", "id"],
        [yield* call("coupons", { duration: "once" }), "parameter_missing", "percent_off"],
        [yield* call("subscriptions", { ...wanted, customer: "cus_no" }), "resource_missing", "customer"],
        [yield* call("subscriptions", { ...wanted, "discounts[0][coupon]": "no" }), "resource_missing", "id"]
      ] as const
      for (const [answer, code, param] of refusals) includes(errorOf(answer), { code, param })
      const types = (yield* StripeSimulator.Service).books.events().map(({ type }) => type)
      for (const kind of ["product", "price", "coupon", "customer.subscription"])
        assert.include(types, `${kind}.created`)
    })
  )
})
