/**
 * What florin makes of a Stripe that fails: each failure is sent once, means
 * what the table says, and leaves one charge at most.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Duration, Effect, Redacted } from "effect"
import { readFileSync } from "node:fs"
import type { GatewayError } from "../../../src/adapters/PaymentGateway.ts"
import * as StripeGateway from "../../../src/infra/stripe/StripeGateway.ts"
import { callsOf, only, referenceOf, reasonOf } from "../../../src/testing/contract/GatewayUnderTest.ts"
import type { Fault } from "../../simulators/stripe/StripeFaults.ts"
import * as StripeSimulator from "../../simulators/stripe/StripeSimulator.ts"
import { gatewayOf, optionsOf } from "./StripeFixture.ts"

interface Matrix {
  readonly matrix: ReadonlyArray<{ readonly name: string }>
}

const { matrix } = JSON.parse(
  readFileSync(new URL("../../fixtures/stripe/stripe-node-retry-matrix.json", import.meta.url), "utf8")
) as Matrix

const create = "POST /v1/payment_intents"

const error = (status: number, type: string, code?: string, shouldRetry?: boolean): Fault => ({
  _tag: "refuse",
  status,
  error: { type, message: "no", ...(code !== undefined && { code }) },
  ...(shouldRetry !== undefined && { shouldRetry })
})

const invalid = "invalid_request_error"
const api = "api_error"

/** Each row of what the SDK would do by itself, and what florin has made of it. */
const meanings: Readonly<Record<string, readonly [fault: Fault | undefined, meaning: string]>> = {
  "200": [undefined, "Approved"],
  "400 invalid": [error(400, invalid, "parameter_missing"), "NotSent Refused"],
  "400 idempotency_error": [error(400, "idempotency_error"), "Misconfigured"],
  "401": [error(401, invalid), "NotSent Refused"],
  "402 card_error": [error(402, "card_error", "card_declined"), "Declined"],
  "403": [error(403, invalid), "NotSent Refused"],
  "404": [error(404, invalid, "resource_missing"), "NotSent Refused"],
  "409 key in use": [error(409, api, "idempotency_key_in_use"), "InDoubt KeyInUse"],
  "424": [error(424, api), "InDoubt ServerError"],
  "429 rate_limit": [error(429, invalid, "rate_limit"), "NotSent Throttled"],
  "429 lock_timeout": [error(429, invalid, "lock_timeout"), "NotSent Throttled"],
  "429 + should-retry true": [error(429, invalid, "lock_timeout", true), "NotSent Throttled"],
  "500": [error(500, api), "InDoubt ServerError"],
  "500 + should-retry false": [error(500, api, undefined, false), "InDoubt ServerError"],
  "502": [error(502, api), "InDoubt ServerError"],
  "503": [error(503, api), "InDoubt ServerError"],
  "socket destroyed": [{ _tag: "closeBefore" }, "InDoubt ConnectionLost"],
  "402 + should-retry true": [error(402, "card_error", "card_declined", true), "InDoubt KeyInUse"]
}

/** The answer's kind, or why there is none. */
const outcomeOf = <A extends { readonly _tag: string }>(effect: Effect.Effect<A, GatewayError>) =>
  Effect.matchEffect(effect, {
    onSuccess: ({ _tag }) => Effect.succeed(_tag),
    onFailure: (failure) => reasonOf(Effect.fail(failure))
  })

layer(StripeSimulator.layer(), { excludeTestServices: true })("StripeSdk", (it) => {
  it.effect("asks once, whatever the SDK would do by itself", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      assert.sameMembers(
        matrix.map(({ name }) => name),
        Object.keys(meanings)
      )
      const gateway = gatewayOf(simulator)
      for (const [name, [fault, meaning]] of Object.entries(meanings)) {
        const { authorize } = callsOf(gateway, "pm_card_visa")
        if (fault !== undefined) simulator.faults.plan(create, fault)
        const sent = () => simulator.seen.filter(({ key }) => key === authorize.operation).length
        assert.strictEqual(yield* outcomeOf(gateway.authorize(authorize)), meaning, name)
        assert.strictEqual(sent(), 1, name)
      }
    })
  )

  it.effect("hears how long to wait, and hides what a log must not hold", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const gateway = gatewayOf(simulator)
      simulator.faults.plan(create, { _tag: "throttle", retryAfterSeconds: 7, shouldRetry: true })
      const { reason } = yield* Effect.flip(gateway.authorize(callsOf(gateway, "pm_card_visa").authorize))
      assert.deepInclude(reason, { _tag: "NotSent", because: "Throttled", retryAfterMillis: 7000 })
      const stranger = StripeGateway.make({ ...optionsOf(simulator), secretKey: Redacted.make("sk_test_stranger") })
      const refusal = yield* Effect.flip(stranger.authorize(callsOf(stranger, "pm_card_visa").authorize))
      assert.notInclude(JSON.stringify(refusal) + String(refusal.stack) + refusal.message, "sk_test_stranger")
    })
  )
})

layer(StripeSimulator.layer(), { excludeTestServices: true })("StripeGateway, when the wire fails", (it) => {
  const failures: ReadonlyArray<readonly [fault: Fault, meaning: string, then: "Approved" | "InDoubt ServerError"]> = [
    [{ _tag: "closeBefore" }, "InDoubt ConnectionLost", "Approved"],
    [{ _tag: "closeAfter" }, "InDoubt ConnectionLost", "Approved"],
    [{ _tag: "hangBefore" }, "InDoubt Timeout", "Approved"],
    [{ _tag: "hangAfter" }, "InDoubt Timeout", "Approved"],
    [{ _tag: "unreadable" }, "InDoubt Unreadable", "Approved"],
    [{ _tag: "inUse" }, "InDoubt KeyInUse", "Approved"],
    [{ _tag: "throttle" }, "NotSent Throttled", "Approved"],
    [{ _tag: "errorBefore", status: 503 }, "InDoubt ServerError", "Approved"],
    // Kept under the key, so that sending again looks it up.
    [{ _tag: "errorAfter" }, "InDoubt ServerError", "Approved"],
    [{ _tag: "errorBefore", stored: true }, "InDoubt ServerError", "InDoubt ServerError"],
    // Stripe says at once that the key would only repeat it.
    [{ _tag: "errorAfter", shouldRetry: false }, "Approved", "Approved"],
    [{ _tag: "errorAfter", shouldRetry: true, stored: false }, "InDoubt ConnectionLost", "Approved"]
  ]

  it.effect("means what the table says, and ends with one charge at most", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const gateway = StripeGateway.make({ ...optionsOf(simulator), timeoutMillis: 200 })
      for (const [fault, meaning, then] of failures) {
        const name = JSON.stringify(fault)
        const { authorize, payment } = callsOf(gateway, "pm_card_visa")
        simulator.faults.plan(create, fault)
        assert.strictEqual(yield* outcomeOf(gateway.authorize(authorize)), meaning, name)
        assert.isAtMost(simulator.books.chargesOf(payment).length, 1, name)
        assert.strictEqual(yield* outcomeOf(gateway.authorize(authorize)), then, name)
        assert.strictEqual(simulator.books.chargesOf(payment).length, then === "Approved" ? 1 : 0, name)
        const found = yield* gateway.lookup(authorize)
        assert.strictEqual(found._tag, then === "Approved" ? "Found" : "NotFound", name)
      }
    })
  )

  it.effect("captures and refunds once, and knows whose it was", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const gateway = gatewayOf(simulator)
      const calls = callsOf(gateway, "pm_card_visa")
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      const capture = calls.capture(reference, 6_00n)
      assert.strictEqual((yield* gateway.lookup(capture))._tag, "NotFound")
      simulator.faults.plan("POST /v1/payment_intents/{id}/capture", { _tag: "errorAfter" })
      assert.strictEqual(yield* outcomeOf(gateway.capture(capture)), "InDoubt ServerError")
      const taken = { _tag: "Captured", amount: { currency: "EUR", minor: 6_00n }, reference } as const
      assert.deepStrictEqual(yield* gateway.capture(capture), taken)
      assert.deepStrictEqual(yield* gateway.lookup(capture), { _tag: "Found", answer: taken })
      // Another capture is not this one, however much it took.
      assert.strictEqual((yield* gateway.lookup(calls.capture(reference, 6_00n, 2)))._tag, "NotFound")

      const refund = calls.refund(reference, 2_00n)
      assert.strictEqual((yield* gateway.lookup(refund))._tag, "NotFound")
      simulator.faults.plan("POST /v1/refunds", { _tag: "closeAfter" })
      assert.strictEqual(yield* outcomeOf(gateway.refund(refund)), "InDoubt ConnectionLost")
      const answer = yield* gateway.refund(refund)
      assert.deepStrictEqual(yield* gateway.lookup(refund), { _tag: "Found", answer })
      assert.deepStrictEqual(
        simulator.books.refunds().map(({ amount }) => amount),
        [200]
      )
      assert.deepStrictEqual(yield* gateway.lookup(calls.void(reference)), { _tag: "Found", answer: taken })
    })
  )

  it.effect("did not send a capture whose intent could not be asked for", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const gateway = gatewayOf(simulator)
      const calls = callsOf(gateway, "pm_card_visa")
      const reference = referenceOf(yield* gateway.authorize(calls.authorize))
      for (const [fault, meaning] of [
        [{ _tag: "errorBefore" }, "NotSent ConnectionRefused"],
        [{ _tag: "closeAfter" }, "NotSent ConnectionRefused"],
        [{ _tag: "throttle" }, "NotSent Throttled"]
      ] as const) {
        simulator.faults.plan("GET /v1/payment_intents/{id}", fault)
        assert.strictEqual(yield* outcomeOf(gateway.capture(calls.capture(reference, 1_00n))), meaning)
      }
      assert.strictEqual(yield* outcomeOf(gateway.capture(calls.capture(reference, 1_00n))), "Captured")
    })
  )

  it.effect("keeps a decline a decline, however the cancelling of what it left ends", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const gateway = gatewayOf(simulator)
      const faults = [undefined, { _tag: "hangBefore" }, { _tag: "closeAfter" }, { _tag: "errorBefore" }] as const
      for (const fault of faults) {
        const { authorize } = callsOf(gateway, "pm_card_visa_chargeDeclinedLostCard")
        const abandoning = `${authorize.operation}/abandon`
        if (fault !== undefined) simulator.faults.plan(({ key }) => key === abandoning, fault)
        const answer = yield* gateway.authorize(authorize).pipe(Effect.timeout(Duration.seconds(2)), Effect.orDie)
        const { reference } = only("Declined", answer)
        const cancels = () => simulator.seen.filter(({ key }) => key === abandoning).length
        yield* until(() => cancels() === 1)
        const status = () => simulator.books.intents().find(({ id }) => id === reference)?.status
        const isLeft = fault?._tag === "hangBefore" || fault?._tag === "errorBefore"
        assert.strictEqual(status(), isLeft ? "requires_payment_method" : "canceled", fault?._tag)
        // Asked again, it is the same decline, and what was left is cancelled now.
        assert.deepStrictEqual(yield* gateway.authorize(authorize), answer)
        yield* until(() => cancels() === 2)
        assert.strictEqual(status(), "canceled")
      }
    })
  )

  it.effect("finds an authorization by the customer's intents, by events, and last by search", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const { books, faults, machine, seen } = simulator
      const gateway = StripeGateway.make({ ...optionsOf(simulator), customerOf: ({ customer }) => customer })
      const customer = { id: "cus_ada", object: "customer" }
      books.tables.kept.set(customer.id, customer)
      const asked = (from: number) => seen.slice(from).map(({ route }) => route)

      const known = callsOf(gateway, "pm_card_visa", { customer: "cus_ada" })
      const answer = yield* gateway.authorize(known.authorize)
      const first = seen.length
      assert.deepStrictEqual(yield* gateway.lookup(known.authorize), { _tag: "Found", answer })
      assert.deepStrictEqual(asked(first), ["GET /v1/payment_intents"])

      const guest = callsOf(gateway, "pm_card_visa")
      const other = yield* gateway.authorize(guest.authorize)
      const second = seen.length
      assert.deepStrictEqual(yield* gateway.lookup(guest.authorize), { _tag: "Found", answer: other })
      assert.deepStrictEqual(asked(second), ["GET /v1/events", "GET /v1/payment_intents/{id}"])

      // An account whose events are somewhere else.
      books.tables.events.splice(0)
      machine.searchLagMillis = 60_000
      assert.strictEqual((yield* gateway.lookup(guest.authorize))._tag, "NotFound")
      machine.searchLagMillis = 0
      assert.deepStrictEqual(yield* gateway.lookup(guest.authorize), { _tag: "Found", answer: other })

      faults.plan("GET /v1/events", { _tag: "errorBefore" })
      assert.strictEqual(yield* reasonOf(gateway.lookup(guest.authorize)), "InDoubt ServerError")
    })
  )

  it.effect("goes through the pages of a busy account", () =>
    Effect.gen(function* () {
      const simulator = yield* StripeSimulator.Service
      const gateway = StripeGateway.make({ ...optionsOf(simulator), customerOf: () => "cus_ada" })
      const { authorize } = callsOf(gateway, "pm_card_visa")
      simulator.books.tables.kept.set("cus_ada", { id: "cus_ada", object: "customer" })
      const answer = yield* gateway.authorize(authorize)
      const mine = simulator.books.intents().at(-1)!
      for (let index = 0; index < 250; index++) {
        const id = `pi_busy${index}`
        simulator.books.tables.intents.set(id, { ...mine, id, metadata: {} })
      }
      const before = simulator.seen.length
      assert.deepStrictEqual(yield* gateway.lookup(authorize), { _tag: "Found", answer })
      assert.strictEqual(simulator.seen.length - before, 3)
    })
  )
})

describe("StripeGateway, without a Stripe", () => {
  it.live("was not sent when there is nobody to connect to", () =>
    Effect.gen(function* () {
      const options = { secretKey: Redacted.make("sk_test"), host: "127.0.0.1", port: 1, protocol: "http" } as const
      const gateway = StripeGateway.make(options)
      const { authorize } = callsOf(gateway, "pm_card_visa")
      assert.strictEqual(yield* outcomeOf(gateway.authorize(authorize)), "NotSent ConnectionRefused")
      const nowhere = StripeGateway.make({ ...options, host: "stripe.invalid" })
      assert.strictEqual(yield* outcomeOf(nowhere.authorize(authorize)), "NotSent ConnectionRefused")
    })
  )
})

/** What runs beside an answer is there a moment later. */
const until = (isSo: () => boolean) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 200 && !isSo(); tries++) yield* Effect.sleep(Duration.millis(5))
    assert.isTrue(isSo())
  })
