/**
 * The load: a merchant's client, which sends each order to either service and
 * asks again under the same key until there is an answer that stands.
 *
 * What it is told goes into its notes. Where a step's key stays in flight,
 * because the service that was at it is dead, the step is left for later, when
 * the key's lease has lapsed: asking under another key could refund twice.
 */
import { Effect, Schema } from "effect"
import type { Step } from "../../src/edge/demo/DemoOrder.ts"
import { Payment } from "../../src/edge/http/PaymentJson.ts"
import * as Seed from "../../src/testing/Seed.ts"
import type { Answer, Answers } from "./Answers.ts"
import type { Order } from "./Orders.ts"

export interface World {
  readonly seed: number
  readonly answers: Answers
  /** Where the services are; `undefined` for one that is away. */
  readonly services: ReadonlyArray<() => string | undefined>
  /** How long an order may go without an answer that stands. */
  readonly patienceMillis: number
  readonly counts: Counts
  /** Steps whose key stayed in flight. */
  readonly left: Array<Request>
}

/** What the client has done and seen. */
export interface Counts {
  requests: number
  /** Nobody answered, or not in time. */
  silences: number
  /** 503: the service is there, its database is not. */
  unavailable: number
}

export const counts = (): Counts => ({ requests: 0, silences: 0, unavailable: 0 })

/** Longer than a service takes to answer 202, shorter than most stalls. */
const timeoutMillis = 4000

/** A service that lives has answered 202 by then, and released the key. */
const keyMillis = 2 * timeoutMillis

/** How long a key of a dead service's step stays in flight (`IdempotentRequest`), and some. */
const leaseMillis = 130_000

/** As a client that polls: quick beside a payment, slow beside a request. */
const againMillis = 250

/** Carries out an order: the payment, then each step once the one before has its answer. */
export const carryOut = Effect.fnUntraced(function* (world: World, { key, order, steps = [], twice }: Order) {
  const create = (first: number) => insist(world, { key, path: "/v1/payments", body: order, first })
  const [answer] = yield* Effect.all(twice === true ? [create(0), create(1)] : [create(pick(world, key, 0))], {
    concurrency: 2
  })
  if (answer?._tag !== "Settled") return
  const { id } = answer.payment
  for (const [index, step] of steps.entries()) yield* insist(world, requestOf(id, `${key}/${index}`, step, world))
})

/** Asks again for what was left, for as long as a key's lease lasts. */
export const finish = Effect.fnUntraced(function* (world: World) {
  const left = world.left.splice(0)
  yield* Effect.forEach(left, (request) => insist(world, request, leaseMillis), { concurrency: "unbounded" })
})

/** Gives up what is still held or waits for its customer, so that nothing is left that waits for days. */
export const close = (world: World, payment: string, key: string) =>
  insist(world, { key, path: `/v1/payments/${payment}/cancel`, body: {}, first: pick(world, key, 0) })

export interface Request {
  /** A customer who comes back from a redirect has none. */
  readonly key: string | undefined
  readonly path: string
  readonly body: unknown
  /** The service that is asked first. */
  readonly first: number
}

const requestOf = (payment: string, key: string, step: Step, world: World): Request => {
  const path = `/v1/payments/${payment}`
  const first = pick(world, key, 0)
  if ("capture" in step) return { key, first, path: `${path}/capture`, body: step.capture }
  if ("cancel" in step) return { key, first, path: `${path}/cancel`, body: step.cancel }
  if ("refund" in step) return { key, first, path: `${path}/refunds`, body: step.refund }
  return { key: undefined, first, path: `${path}/actions/complete`, body: step.complete }
}

/** Which service is asked at this attempt: at random, and the same for the same seed. */
const pick = ({ seed, services }: World, key: string, attempt: number) =>
  Seed.make(Seed.derive(seed, `${key} ${attempt}`)).below(services.length)

// --- Asking until there is an answer ------------------------------------------

/** The same request until it is answered for good, one way or the other; `undefined` when it was left. */
const insist = Effect.fnUntraced(function* (world: World, request: Request, inFlightMillis = keyMillis) {
  const { answers, counts, left, patienceMillis, services } = world
  const { first, path } = request
  const name = request.key ?? path
  const begun = Date.now()
  const until = begun + Math.max(patienceMillis, inFlightMillis + timeoutMillis)
  let last = "nothing"
  for (let attempt = 0; Date.now() < until; attempt++) {
    const chosen = attempt === 0 ? first : pick(world, name, attempt)
    // A client that finds one closed tries the other.
    const url = services[chosen]!() ?? services[1 - chosen]!()
    const reply = url === undefined ? undefined : yield* Effect.promise(() => send(url, request))
    if (url !== undefined) counts.requests += 1
    if (reply === undefined) {
      counts.silences += url === undefined ? 0 : 1
      last = "silence"
    } else {
      last = `${reply.status} ${JSON.stringify(reply.body)}`
      const answer = answerOf(reply)
      if (answer === undefined && reply.status === 503) counts.unavailable += 1
      if (answer !== undefined && request.key !== undefined) answers.note(request.key, answer)
      if (answer !== undefined && answer._tag !== "Underway") return answer
      // A payment that waits for an operator will not settle while we watch.
      if (isPayment(reply.body) && reply.body.escalated) return undefined
      if (answer === undefined && reply.status === 409 && Date.now() > begun + inFlightMillis) {
        left.push(request)
        return undefined
      }
    }
    yield* Effect.sleep(againMillis)
  }
  answers.note(name, { _tag: "Wrong", detail: `${path}: no answer within ${Date.now() - begun} ms, last: ${last}` })
  return undefined
})

interface Reply {
  readonly status: number
  readonly body: unknown
}

/** `undefined` when nobody answered. */
const send = async (url: string, { body, key, path }: Request): Promise<Reply | undefined> => {
  try {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMillis)
    })
    return { status: response.status, body: await response.json() }
  } catch {
    return undefined
  }
}

// --- What a reply says ----------------------------------------------------------

const isPayment = Schema.is(Payment)

/** Of a problem, what a client acts on: the payment that a request in flight is about, or the rule that refused. */
const isProblem = Schema.is(
  Schema.Struct({ payment: Schema.optionalKey(Schema.String), rule: Schema.optionalKey(Schema.String) })
)

/** `undefined`: no answer yet, ask again. */
const answerOf = ({ body, status }: Reply): Answer | undefined => {
  if (status === 503) return undefined
  if (isPayment(body)) {
    if (status === 200 || status === 201) return { _tag: "Settled", payment: body }
    if (status === 202) return { _tag: "Underway", id: body.id }
  }
  if (status === 409 && isProblem(body)) {
    if (body.rule !== undefined) return { _tag: "Refused", rule: body.rule }
    return body.payment === undefined ? undefined : { _tag: "Underway", id: body.payment }
  }
  return { _tag: "Wrong", detail: `expected an answer, actual: ${status} ${JSON.stringify(body)}` }
}
