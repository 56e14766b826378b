/** The five flows against the Stripe simulator, and every case of `flows.json`. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted, Schedule, Schema } from "effect"
import { createServer } from "node:http"
import type { ServerResponse } from "node:http"
import flowCases from "../../fixtures/flows.json" with { type: "json" }
import { FlowStore } from "../../../src/adapters/FlowStore.ts"
import { ContextId } from "../../../src/domain/flow/FlowName.ts"
import type { FlowId } from "../../../src/domain/flow/FlowName.ts"
import * as FlowName from "../../../src/domain/flow/FlowName.ts"
import * as FlowState from "../../../src/domain/flow/FlowState.ts"
import * as FlowCore from "../../../src/edge/flows/FlowCore.ts"
import * as StripeFlows from "../../../src/edge/flows/StripeFlows.ts"
import * as Flow from "../../../src/orchestration/Flow.ts"
import * as Flows from "../../../src/orchestration/Flows.ts"
import * as StripeSimulator from "../../simulators/stripe/StripeSimulator.ts"
import { policy, worker } from "./FlowTimes.ts"

const here = { worker: "billing", context: "order-1", key: "one" }

/** What the workers say goes to the log, which is not looked at here. */
const silent = Logger.layer([])

interface At {
  readonly host: string
  readonly port: number
  readonly secretKey?: string
}

const flowsAt = <R>(
  { host, port, secretKey = "sk_test_x" }: At,
  flows: ReadonlyArray<Flow.Flow<never, R>>,
  workers = ["billing"]
) =>
  FlowCore.layer(flows, { policy, worker, workers }).pipe(
    Layer.provide(StripeFlows.gateway({ secretKey: Redacted.make(secretKey), host, port, protocol: "http" })),
    Layer.provideMerge(Layer.fresh(FlowCore.memory)),
    Layer.provide(silent)
  )

/** Waits until nothing is owed any more. */
const ended = (id: FlowId) =>
  Effect.gen(function* () {
    const store = yield* FlowStore
    const state = yield* Effect.map(store.load(id), FlowState.fold).pipe(
      Effect.repeat({
        until: ({ _tag }) => _tag === "Handled" || _tag === "Dead",
        schedule: Schedule.spaced("5 millis")
      })
    )
    return state
  })
const failureOf = (id: FlowId) =>
  Effect.map(ended(id), (state) =>
    "result" in state && state.result._tag !== "Answered" ? state.result : assert.fail(JSON.stringify(state))
  )
const context = Effect.flatMap(FlowStore, (store) =>
  Effect.map(store.readContext(ContextId.make("order-1")), ({ entries }) => entries)
)

/** A Stripe that says one thing, and counts what it is asked. */
const saying = (answer: (response: ServerResponse, nth: number) => void) =>
  Effect.gen(function* () {
    const keys: Array<string> = []
    const server = createServer((request, response) => {
      request.resume().on("end", () => {
        keys.push(String(request.headers["idempotency-key"]))
        answer(response, keys.length)
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.sync(() => server.close().closeAllConnections())
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return { host: "127.0.0.1", port, keys }
  })
const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body))

const intent = { amount: 1099, currency: "eur" } as const

/** One payment intent at a Stripe that says `answer`. */
const asked = (answer: (response: ServerResponse, nth: number) => void) =>
  Effect.gen(function* () {
    const stripe = yield* saying(answer)
    const seen: Array<string> = []
    const flow = StripeFlows.createPaymentIntent({
      onResponse: (_, { name }) => Effect.sync(() => void seen.push(name)),
      onError: ({ advice, inDoubt }, { name }) =>
        Effect.sync(() => void seen.push(`${name} ${advice}${inDoubt ? ", in doubt" : ""}`))
    })
    return yield* Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(flow, intent, here)
      const state = yield* ended(flowId)
      return { state, seen, context: yield* context, keys: stripe.keys, flowId }
    }).pipe(Effect.provide(flowsAt(stripe, [flow])))
  })

const errorBody = (type: string) => ({ error: { type, message: "no", code: "some_code" }, note: undefined })
const bodyOf = (state: FlowState.State) =>
  "result" in state && state.result._tag !== "Answered" && state.result.error._tag === "Refused"
    ? state.result.error.body
    : assert.fail(JSON.stringify(state))

const cases: Record<string, Effect.Effect<void, unknown>> = {
  "2xx {id, status: requires_payment_method}": Effect.gen(function* () {
    const { context, seen } = yield* asked(json(200, { id: "pi_1", status: "requires_payment_method" }))
    assert.deepStrictEqual(seen, ["new_create_payment_intent_response"])
    assert.deepStrictEqual(context, { payment_intent_id: "pi_1", payment_status: "requires_payment_method" })
  }).pipe(Effect.scoped),

  "2xx status succeeded": Effect.gen(function* () {
    const { context, seen, state } = yield* asked(json(200, { id: "pi_1", status: "succeeded" }))
    assert.deepStrictEqual(seen, ["new_create_payment_intent_response"])
    assert.strictEqual(state._tag, "Handled")
    assert.strictEqual(context["payment_status"], "succeeded")
  }).pipe(Effect.scoped),

  "body has top-level error, any HTTP status": Effect.gen(function* () {
    for (const status of [200, 201, 400, 401, 402, 403, 404]) {
      const { keys, seen, state } = yield* asked(json(status, errorBody("invalid_request_error")))
      assert.deepStrictEqual(seen, ["new_create_payment_intent_error log"], String(status))
      assert.deepStrictEqual(bodyOf(state), {
        error: { type: "invalid_request_error", message: "no", code: "some_code" }
      })
      assert.strictEqual(keys.length, 1)
    }
    // A 5xx may have done it, and one that repeats itself will not say more.
    const { seen, state } = yield* asked(json(500, errorBody("api_error"), { "idempotent-replayed": "true" }))
    assert.deepStrictEqual(seen, ["new_create_payment_intent_error log, in doubt"])
    assert.strictEqual(FlowState.status(state), "in_doubt")
    assert.deepStrictEqual(bodyOf(state), { error: { type: "api_error", message: "no", code: "some_code" } })
  }).pipe(Effect.scoped),

  "error.type card_error": Effect.gen(function* () {
    const { keys, seen } = yield* asked(json(402, errorBody("card_error")))
    assert.deepStrictEqual(seen, ["new_create_payment_intent_error notify"])
    assert.strictEqual(keys.length, 1)
  }).pipe(Effect.scoped),

  "error.type rate_limit_error": Effect.gen(function* () {
    const { keys, seen, flowId } = yield* asked(json(429, errorBody("rate_limit_error")))
    assert.deepStrictEqual(seen, ["new_create_payment_intent_error retryLater"])
    assert.deepStrictEqual(keys, [`${flowId}/1`, `${flowId}/1`, `${flowId}/1`])
    const recovered = yield* asked((response, nth) =>
      nth === 1
        ? json(429, errorBody("rate_limit_error"))(response)
        : json(200, { id: "pi_1", status: "succeeded" })(response)
    )
    assert.deepStrictEqual(recovered.seen, ["new_create_payment_intent_response"])
  }).pipe(Effect.scoped),

  "any other error.type": Effect.gen(function* () {
    const { seen } = yield* asked(json(400, errorBody("something_new")))
    assert.deepStrictEqual(seen, ["new_create_payment_intent_error log"])
  }).pipe(Effect.scoped),

  "transport failure or non-JSON body": Effect.gen(function* () {
    const html = yield* asked((response) => void response.writeHead(502).end("<html>`${oops}`</html>"))
    assert.deepStrictEqual(html.seen, ["new_create_payment_intent_error log, in doubt"])
    assert.isTrue("result" in html.state && html.state.result._tag === "InDoubt")
    if ("result" in html.state && html.state.result._tag === "InDoubt") {
      assert.deepStrictEqual(html.state.result.error, { _tag: "NotJson", text: "<html>`${oops}`</html>" })
    }
    assert.strictEqual(new Set(html.keys).size, 1)
    assert.strictEqual(html.keys.length, 3)
    const broken = yield* asked((response) => void response.destroy())
    assert.deepStrictEqual(broken.seen, ["new_create_payment_intent_error log, in doubt"])
    const page = yield* asked(json(200, { id: 7, status: "succeeded" }))
    assert.deepStrictEqual(page.seen, ["new_create_payment_intent_error log"])
    // Nobody listens there: proven not sent, so it fails.
    const stripe = yield* Effect.scoped(saying(() => {}))
    const flow = StripeFlows.createPaymentIntent()
    yield* Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(flow, intent, here)
      assert.deepInclude(yield* failureOf(flowId), {
        _tag: "Failed",
        error: { _tag: "Transport", detail: "no connection to Stripe could be made" }
      })
      assert.deepStrictEqual(yield* context, {
        payment_intent_error: {
          advice: "log",
          inDoubt: false,
          summary: "no answer: no connection to Stripe could be made"
        }
      })
    }).pipe(Effect.provide(flowsAt(stripe, [flow])))
  }).pipe(Effect.scoped),

  "flow manager not initialised": Effect.gen(function* () {
    const error = yield* Effect.flip(Flow.dispatch(StripeFlows.createPaymentIntent(), intent, here))
    assert.deepInclude(error.reason, { _tag: "NotConfigured", detail: "no STRIPE key" })
    assert.strictEqual(error.message, "create_payment_intent: not configured: no STRIPE key")
  }).pipe(Effect.provide(Flows.layerNotConfigured("no STRIPE key"))),

  "stripe not configured": Effect.gen(function* () {
    const store = yield* FlowStore
    const error = yield* Effect.flip(Flow.dispatch(StripeFlows.createPaymentIntent(), intent, here))
    assert.deepInclude(error.reason, {
      _tag: "NotConfigured",
      detail: "no gateway performs create_payment_intent"
    })
    assert.deepStrictEqual(yield* store.list({}, 10), [])
  }).pipe(
    Effect.provide(
      FlowCore.layer(StripeFlows.all).pipe(
        Layer.provide(FlowCore.gateways()),
        Layer.provideMerge(Layer.fresh(FlowCore.memory))
      )
    )
  ),

  "worker dies between HTTP success and dispatch": Effect.gen(function* () {
    // Every such point is in FlowCrash.test.ts, and with real processes in FlowKill.test.ts; here the first of them.
    const stripe = yield* StripeSimulator.make()
    const product = StripeFlows.createProduct()
    stripe.faults.plan("POST /v1/products", { _tag: "closeAfter" })
    yield* Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, { name: "Gold" }, here)
      assert.strictEqual((yield* ended(flowId))._tag, "Handled")
      assert.match(JSON.stringify((yield* context)["product_id"]), /^"prod_/)
      assert.strictEqual(objects(stripe, "product").length, 1)
    }).pipe(Effect.provide(flowsAt(stripe, [product])))
  }).pipe(Effect.scoped),

  "same operation dispatched twice": Effect.gen(function* () {
    const stripe = yield* StripeSimulator.make()
    const product = StripeFlows.createProduct()
    yield* Effect.gen(function* () {
      const twice = yield* Effect.all(
        Array.from({ length: 4 }, () => Flow.dispatch(product, { name: "Gold" }, here)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(twice.map(({ flowId }) => flowId)).size, 1)
      yield* ended(twice[0]!.flowId)
      yield* Flow.dispatch(product, { name: "Gold" }, here)
      assert.strictEqual(objects(stripe, "product").length, 1)
      const conflict = yield* Effect.flip(Flow.dispatch(product, { name: "Silver" }, here))
      assert.strictEqual(conflict.reason._tag, "KeyConflict")
      assert.strictEqual(
        conflict.message,
        'create_product: the key "one" was used for another request, which differs in request.name'
      )
    }).pipe(Effect.provide(flowsAt(stripe, [product])))
  }).pipe(Effect.scoped),

  "response text contains a backtick or ${": Effect.gen(function* () {
    const odd = "Gold `rm -rf` ${process.exit(1)} {{x}} \\ \" '"
    const stripe = yield* StripeSimulator.make()
    const names: Array<string> = []
    const product = StripeFlows.createProduct({
      onResponse: ({ name }, { context }) =>
        Effect.andThen(
          Effect.sync(() => void names.push(name)),
          context.set("name", name)
        )
    })
    yield* Effect.gen(function* () {
      const { flowId } = yield* Flow.dispatch(product, { name: odd }, here)
      yield* ended(flowId)
      assert.deepStrictEqual(names, [odd])
      assert.strictEqual((yield* context)["name"], odd)
    }).pipe(Effect.provide(flowsAt(stripe, [product])))
  }).pipe(Effect.scoped)
}

const objects = ({ books }: StripeSimulator.StripeSimulator, object: string) =>
  [...books.tables.kept.values()].filter((kept) => kept.object === object)

describe("the cases of flows.json", () => {
  it("are all here", () => {
    assert.sameMembers(
      Object.keys(cases),
      flowCases.cases.map(({ given }) => given)
    )
  })

  for (const { expect, given } of flowCases.cases) it.live(`${given}: ${expect}`, () => cases[given]!)

  it("and its operations have its names", () => {
    assert.deepStrictEqual(
      StripeFlows.all.map(({ name }) => ({
        op: name.replaceAll("_", " "),
        on_ok: FlowName.responseFlow(name),
        on_error: FlowName.errorFlow(name),
        returns: FlowName.dispatched(name)
      })),
      ["create payment intent", "create product", "create price", "create subscription", "create coupon"].map((op) => {
        const { on_error, on_ok, returns } = flowCases.operations.find((operation) => operation.op === op)!
        return { op, on_ok, on_error, returns }
      })
    )
  })
})

describe("flows at Stripe", () => {
  it.live("are refused when the request is not one, with the field, and nothing is kept", () =>
    Effect.gen(function* () {
      const store = yield* FlowStore
      const problems = (amount: number, currency: string, options = here) =>
        Effect.map(
          Effect.flip(Flow.dispatch(StripeFlows.createPaymentIntent(), { amount, currency }, options)),
          ({ message }) => message
        )
      assert.include(yield* problems(0, "eur"), "amount: Expected a whole amount from 1 to 99999999, got 0")
      assert.include(yield* problems(1, "EUR"), 'currency: Expected a currency in lower case such as "eur", got "EUR"')
      assert.include(yield* problems(1, "eur", { ...here, worker: "Not a name" }), "worker: Expected a worker's name")
      const card = yield* Effect.flip(
        Flow.dispatch(StripeFlows.createProduct(), { name: "for card 4242 4242 4242 4242" }, here)
      )
      assert.strictEqual(card.message, "create_product: name: Expected no card number: a gateway's token stands for it")
      const stranger = Flow.make("create_world", {
        request: Schema.String,
        response: Schema.String,
        onResponse: () => Effect.void,
        onError: () => Effect.void
      })
      const unknown = yield* Effect.flip(Flow.dispatch(stranger, "x", here))
      assert.strictEqual(unknown.reason._tag, "UnknownFlow")
      assert.include(unknown.message, "there are create_payment_intent, create_product")
      assert.deepStrictEqual(yield* store.list({}, 10), [])
    }).pipe(Effect.provide(flowsAt({ host: "127.0.0.1", port: 1 }, StripeFlows.all, [])))
  )

  it.live("answer at once, and are performed by the workers of their name only", () =>
    Effect.gen(function* () {
      const stripe = yield* StripeSimulator.make()
      yield* Effect.gen(function* () {
        const store = yield* FlowStore
        const product = StripeFlows.createProduct()
        const elsewhere = yield* Flow.dispatch(product, { name: "Gold" }, { worker: "elsewhere" })
        const { flowId } = yield* Flow.dispatch(product, { name: "Gold" }, { worker: "billing" })
        assert.strictEqual(elsewhere.status, "product_request_dispatched")
        assert.notStrictEqual(elsewhere.flowId, flowId)
        yield* ended(flowId)
        const left = yield* store.list({ status: "dispatched" }, 10)
        assert.deepStrictEqual(
          left.map(({ id }) => id),
          [elsewhere.flowId]
        )
      }).pipe(Effect.provide(flowsAt(stripe, StripeFlows.all)))
    }).pipe(Effect.scoped)
  )

  it.live("leave their id in the object, and the secret of a payment intent nowhere", () =>
    Effect.gen(function* () {
      const stripe = yield* StripeSimulator.make()
      yield* Effect.gen(function* () {
        const store = yield* FlowStore
        const { flowId } = yield* Flow.dispatch(StripeFlows.createPaymentIntent(), intent, here)
        yield* ended(flowId)
        assert.strictEqual(stripe.books.intents()[0]!.metadata["florin_flow"], flowId)
        assert.notInclude(JSON.stringify(yield* store.load(flowId)), "secret")
        const declined = yield* Flow.dispatch(
          StripeFlows.createPaymentIntent(),
          { ...intent, payment_method: "pm_card_visa_chargeDeclined", confirm: true, return_url: "https://shop.test/" },
          { ...here, key: "two" }
        )
        const { error } = yield* failureOf(declined.flowId)
        assert.deepInclude(error, { _tag: "Refused", status: 402, type: "card_error", code: "card_declined" })
        const kept = JSON.stringify(yield* store.load(declined.flowId))
        assert.include(kept, "requires_payment_method")
        assert.notInclude(kept, "_secret_")
      }).pipe(Effect.provide(flowsAt(stripe, StripeFlows.all)))
    }).pipe(Effect.scoped)
  )

  it.live("ask again about what Stripe lost, and about a key that is in use", () =>
    Effect.gen(function* () {
      const stripe = yield* StripeSimulator.make()
      stripe.faults.plan("POST /v1/coupons", { _tag: "unreadable" })
      stripe.faults.plan("POST /v1/coupons", { _tag: "inUse" })
      stripe.faults.plan("POST /v1/products", { _tag: "errorAfter" })
      yield* Effect.gen(function* () {
        const coupon = yield* Flow.dispatch(StripeFlows.createCoupon(), { percent_off: 20, duration: "once" }, here)
        assert.strictEqual(FlowState.status(yield* ended(coupon.flowId)), "handled")
        assert.strictEqual(objects(stripe, "coupon").length, 1)
        // A 500 that Stripe keeps: it was done, and Stripe will never say so.
        const product = yield* Flow.dispatch(StripeFlows.createProduct(), { name: "Gold" }, here)
        assert.strictEqual(FlowState.status(yield* ended(product.flowId)), "in_doubt")
        assert.strictEqual(objects(stripe, "product").length, 1)
      }).pipe(Effect.provide(flowsAt(stripe, StripeFlows.all)))
    }).pipe(Effect.scoped)
  )
})
