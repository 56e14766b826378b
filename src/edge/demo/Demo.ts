/**
 * The main job to its end, with everything that goes wrong on the way: orders
 * of every outcome go through the service, some twice at once, and in the
 * middle the service is killed. Then florin's payments are held against the
 * gateway's own books.
 *
 * 1. Start the sandbox and the service, each on a fresh database of its own.
 * 2. Send the orders; ask again, under the same key, whenever there is no answer.
 * 3. At half the orders: kill -9, start again, go on.
 * 4. Wait until each payment rests, or says that it is in doubt.
 * 5. Compare.
 */
import { Clock, Duration, Effect, FileSystem, Ref, Schedule, Schema } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { Charge } from "../../infra/simulated/SandboxCharge.ts"
import * as ProgressBar from "../cli/ProgressBar.ts"
import { Payment } from "../http/PaymentJson.ts"
import type { DemoOrder, Step } from "./DemoOrder.ts"
import * as FlorinChild from "./FlorinChild.ts"
import type { Reconciliation } from "./Reconciliation.ts"
import { reconcile } from "./Reconciliation.ts"

/** Quicker than in earnest, so that a doubt takes seconds: a gateway's silence, a dead worker's lease. */
const settings = {
  PORT: "0",
  DATABASE_URL: "",
  FLORIN_GATEWAY_MILLIS: "3000",
  FLORIN_LEASE_MILLIS: "3000",
  FLORIN_RECOVERY_MILLIS: "500"
}

/** Orders at the same time: more than a shop of this size has, few enough for two cores. */
const concurrency = 16

/** How long an order may take to come to rest; a poll of a pending one is due after five, then ten seconds. */
const patience = Duration.seconds(60)

/** Longer than a kill, a lease and the first questions about a doubt take together. */
const doubtPatience = Duration.seconds(20)

export interface Outcome extends Reconciliation {
  /** Requests to pay, those that were sent twice counted twice. */
  readonly sent: number
}

export const run = Effect.fn("Demo.run")(function* (orders: ReadonlyArray<DemoOrder>) {
  const files = yield* FileSystem.FileSystem
  const dataDir = yield* files.makeTempDirectoryScoped({ prefix: "florin-demo-" })
  // Root runs the database as another user, who has to get there.
  yield* files.chmod(dataDir, 0o755)
  const sandbox = yield* FlorinChild.start("sandbox", { ...settings, FLORIN_DATA_DIR: dataDir })
  const serve = (port: string) =>
    FlorinChild.start("serve", { ...settings, PORT: port, FLORIN_DATA_DIR: dataDir, FLORIN_SANDBOX_URL: sandbox.url })
  const service = yield* Ref.make(yield* serve("0"))
  const { port } = new URL((yield* Ref.get(service)).url)

  const show = yield* ProgressBar.make("orders")
  const done = yield* Ref.make(0)
  const killOnce = Effect.gen(function* () {
    yield* (yield* Ref.get(service)).kill
    yield* Ref.set(service, yield* serve(port))
  })
  const advance = Effect.gen(function* () {
    const count = yield* Ref.updateAndGet(done, (before) => before + 1)
    yield* show({ done: count, total: orders.length, note: count === orders.length ? "done" : "" })
    if (count === Math.floor(orders.length / 2)) {
      yield* show({ done: count, total: orders.length, note: "kill -9" })
      yield* killOnce
    }
  })

  const base = Effect.map(Ref.get(service), ({ url }) => url)
  const payments = yield* Effect.forEach(orders, (order) => Effect.tap(take(base, order), () => advance), {
    concurrency
  })
  const charges = yield* chargesOf(sandbox.url)
  const sent = orders.length + orders.filter(({ twice }) => twice).length
  return { ...reconcile(payments, charges), sent } satisfies Outcome
})

// --- One order --------------------------------------------------------------

type Base = Effect.Effect<string>

const take = Effect.fnUntraced(function* (base: Base, { key, order, steps = [], twice }: DemoOrder) {
  const create = post(base, "/v1/payments", key, order)
  const [payment] = yield* Effect.all(twice === true ? [create, create] : [create], { concurrency: 2 })
  let latest = payment
  for (const [index, step] of steps.entries()) latest = yield* perform(base, latest, `${key}/${index}`, step)
  return yield* settled(base, latest.id)
})

const perform = (base: Base, payment: Payment, key: string, step: Step) => {
  const path = `/v1/payments/${payment.id}`
  if ("capture" in step) return post(base, `${path}/capture`, key, step.capture)
  if ("cancel" in step) return post(base, `${path}/cancel`, key, step.cancel)
  if ("refund" in step) return post(base, `${path}/refunds`, key, step.refund)
  return post(base, `${path}/actions/complete`, key, step.complete)
}

/** No answer, or none that stands: ask again, under the same key. */
class NotYet extends Schema.TaggedError<NotYet>()("NotYet", { path: Schema.String, last: Schema.String }) {
  override get message() {
    return `${this.path} did not come to an end: ${this.last}`
  }
}

/** Asks again until there is an answer that stands, or until nobody would wait any longer. */
const insist = <A, R>(ask: Effect.Effect<A, NotYet, R>) =>
  Effect.gen(function* () {
    const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(patience)
    return yield* Effect.retry(ask, {
      schedule: Schedule.spaced("250 millis"),
      while: () => Effect.map(Clock.currentTimeMillis, (now) => now < until)
    })
  })

/** Of a problem, what a client acts on: the payment that a request in flight is about, or the rule that refused. */
const Problem = Schema.Struct({ payment: Schema.optionalKey(Schema.String), rule: Schema.optionalKey(Schema.String) })

/** What a merchant's client does: the same request until it is answered for good, one way or the other. */
const post = (base: Base, path: string, key: string, body: unknown) =>
  insist(
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const request = HttpClientRequest.post(`${yield* base}${path}`).pipe(
        HttpClientRequest.setHeader("idempotency-key", key),
        HttpClientRequest.bodyJsonUnsafe(body)
      )
      const { json, status } = yield* Effect.timeout(client.execute(request), "20 seconds")
      const answer = yield* json
      if (Schema.is(Payment)(answer) && (status !== 202 || answer.status === "in_doubt")) return answer
      if (Schema.is(Problem)(answer)) {
        // Asked a second time while the first is in doubt: the payment itself says so.
        const id = answer.payment ?? (answer.rule === undefined ? undefined : idIn(path))
        const payment = id === undefined ? undefined : yield* get(base, id)
        if (payment !== undefined && (answer.rule !== undefined || payment.status === "in_doubt")) return payment
      }
      return yield* new NotYet({ path, last: `${status} ${JSON.stringify(answer)}` })
    }).pipe(Effect.mapError((error) => (error instanceof NotYet ? error : new NotYet({ path, last: String(error) }))))
  )

const idIn = (path: string) => /^\/v1\/payments\/([^/]+)/.exec(path)?.[1]

const get = Effect.fnUntraced(function* (base: Base, id: string) {
  const client = yield* HttpClient.HttpClient
  const response = yield* client.get(`${yield* base}/v1/payments/${id}`)
  return yield* Schema.decodeUnknownEffect(Payment)(yield* response.json)
})

/**
 * The payment once nothing is on its way any more. A doubt is given the time
 * that it takes to be resolved; one that lasts is what florin has to say.
 */
const settled = Effect.fnUntraced(function* (base: Base, id: string) {
  const started = yield* Clock.currentTimeMillis
  return yield* insist(
    Effect.gen(function* () {
      const payment = yield* Effect.mapError(get(base, id), (error) => new NotYet({ path: id, last: String(error) }))
      const waited = (yield* Clock.currentTimeMillis) - started
      const isOpen =
        payment.status === "processing" ||
        payment.status === "initiated" ||
        payment.status === "authenticated" ||
        (payment.status === "in_doubt" && waited < Duration.toMillis(doubtPatience)) ||
        payment.refunds.some(({ status }) => status === "pending" || status === "in_doubt")
      return isOpen ? yield* new NotYet({ path: id, last: payment.status }) : payment
    })
  )
})

// --- The gateway's books ----------------------------------------------------

const Charges = Schema.Struct({ charges: Schema.Array(Schema.toCodecJson(Charge)) })

const chargesOf = Effect.fnUntraced(function* (url: string) {
  const client = yield* HttpClient.HttpClient
  const all: Array<Charge> = []
  while (true) {
    const after = all.length === 0 ? "" : `&after=${all.at(-1)!.reference}`
    const response = yield* client.get(`${url}/v1/charges?limit=100${after}`)
    const { charges } = yield* Schema.decodeUnknownEffect(Charges)(yield* response.json)
    all.push(...charges)
    if (charges.length < 100) return all
  }
})
