/**
 * Stripe for tests: an account with its objects, on a loopback port.
 *
 *     const stripe = yield* StripeSimulator.make()
 *     new Stripe(stripe.secretKey, { host: stripe.host, port: stripe.port, protocol: "http" })
 *
 *     stripe.faults.plan("POST /v1/payment_intents", { _tag: "closeAfter" })
 *     stripe.books.chargesOf("pay_1")                 what a payment was charged with
 *     yield* stripe.deliver("http://127.0.0.1:…/v1/webhooks/stripe")   all events not yet delivered there, signed
 *     stripe.customer.complete("pi_00000001")         the customer at their bank's page
 *
 * It is held to `stripe-observed-behaviour.json` by `StripeSimulator.test.ts`.
 */
import { Context, Effect, Layer } from "effect"
import type { Scope } from "effect"
import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Disputes from "./Disputes.ts"
import * as PaymentIntents from "./PaymentIntents.ts"
import * as Refunds from "./Refunds.ts"
import type { StripeFaults } from "./StripeFaults.ts"
import type { Ending, Seen, StripeMachine } from "./StripeMachine.ts"
import * as Machine from "./StripeMachine.ts"
import * as Objects from "./StripeObjects.ts"
import * as Pages from "./StripePages.ts"
import type { Charge, Dispute, Intent, Refund, StripeEvent, Tables } from "./StripeTables.ts"

// --- What a test has of it --------------------------------------------------

export interface Books {
  readonly tables: Tables
  readonly intents: () => ReadonlyArray<Intent>
  readonly refunds: () => ReadonlyArray<Refund>
  readonly events: () => ReadonlyArray<StripeEvent>
  /** Charges that hold or moved money, of intents whose metadata says `payment`. */
  readonly chargesOf: (payment: string) => ReadonlyArray<Charge>
  /** The customer's bank opens a dispute about an intent's charge. */
  readonly dispute: (intent: string, reason: string, amount?: number) => Dispute
  readonly closeDispute: (id: string, outcome: "won" | "lost") => void
  /** A refund that was pending ends, or one that was through is sent back. */
  readonly endRefund: (id: string, status: "succeeded" | "failed") => void
}

export interface Signed {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface StripeSimulator {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly secretKey: string
  readonly webhookSecret: string
  readonly machine: StripeMachine
  readonly faults: StripeFaults
  readonly books: Books
  /** Every request that came, as it was understood. */
  readonly seen: ReadonlyArray<Seen>
  readonly customer: { readonly complete: (intent: string) => void; readonly fail: (intent: string) => void }
  /** An event as it is sent: signed with the webhook secret, or others, at a second that may be given. */
  readonly sign: (event: StripeEvent, options?: SignOptions) => Signed
  /** Posts events to `url`: those given, or all that were not delivered there before. The answers' statuses, in order. */
  readonly deliver: (url: string, events?: ReadonlyArray<StripeEvent>) => Effect.Effect<ReadonlyArray<number>>
}

export interface SignOptions {
  readonly secrets?: ReadonlyArray<string>
  readonly timestamp?: number
}

export interface Options {
  /** Milliseconds since 1970; the machine's own clock unless told otherwise. */
  readonly now?: () => number
  /** 0, which is any free port, unless told otherwise. */
  readonly port?: number
}

export class Service extends Context.Service<Service, StripeSimulator>()("florin/test/StripeSimulator") {}

export const layer = (options?: Options): Layer.Layer<Service> => Layer.effect(Service, make(options))

const webhookSecret = "whsec_florin_test"

/** Runs until its scope closes. */
export const make = (options: Options = {}): Effect.Effect<StripeSimulator, never, Scope.Scope> =>
  Effect.gen(function* () {
    const machine = Machine.make(options.now ?? Date.now)
    const { tables } = machine
    const server = createServer((request, response) => {
      void textOf(request).then((body) => answer(machine, request, response, body))
    })
    // A process that is busy for seconds is not to meet a closed connection that no test planned.
    server.keepAliveTimeout = 0
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(options.port ?? 0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    if (address === null || typeof address === "string") return yield* Effect.die(new Error("not listening on a port"))
    const url = `http://127.0.0.1:${address.port}`
    tables.origin = url
    return of(machine, url, address.port)
  })

/** A test's view of a machine that is served at `url`. */
export const of = (machine: StripeMachine, url: string, port: number): StripeSimulator => {
  const { tables } = machine
  const delivered = new Map<string, number>()
  const sign = (event: StripeEvent, { secrets = [webhookSecret], timestamp = tables.seconds() }: SignOptions = {}) => {
    const body = JSON.stringify(Objects.event(event), null, 2)
    const signatures = secrets.map(
      (secret) => `v1=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`
    )
    const headers = {
      "content-type": "application/json; charset=utf-8",
      "stripe-signature": [`t=${timestamp}`, ...signatures].join()
    }
    return { headers, body }
  }
  return {
    url,
    host: "127.0.0.1",
    port,
    secretKey: machine.secretKey,
    webhookSecret,
    machine,
    faults: machine.faults,
    seen: machine.seen,
    books: booksOf(tables),
    customer: {
      complete: (intent) => void PaymentIntents.returned(tables, intent, true),
      fail: (intent) => void PaymentIntents.returned(tables, intent, false)
    },
    sign,
    deliver: (to, events) =>
      Effect.promise(async () => {
        const before = delivered.get(to) ?? 0
        const due = events ?? tables.events.slice(before)
        if (events === undefined) delivered.set(to, tables.events.length)
        const statuses: Array<number> = []
        for (const event of due) {
          const { body, headers } = sign(event)
          const response = await fetch(to, { method: "POST", headers, body })
          await response.arrayBuffer()
          statuses.push(response.status)
        }
        return statuses
      })
  }
}

const booksOf = (tables: Tables): Books => ({
  tables,
  intents: () => [...tables.intents.values()],
  refunds: () => [...tables.refunds.values()],
  events: () => tables.events,
  chargesOf: (payment) =>
    [...tables.charges.values()].filter(
      ({ failure, metadata }) => failure === null && Object.values(metadata).includes(payment)
    ),
  dispute: (intent, reason, amount) => {
    const charge = tables.charges.get(tables.intents.get(intent)?.latest_charge ?? "")
    if (charge === undefined) throw new Error(`${intent} has no charge to dispute`)
    tables.request = { id: null, idempotency_key: null }
    return Disputes.open(tables, charge, reason, amount)
  },
  closeDispute: (id, outcome) => {
    tables.request = { id: null, idempotency_key: null }
    Disputes.close(tables, id, outcome)
  },
  endRefund: (id, status) => {
    tables.request = { id: null, idempotency_key: null }
    Refunds.end(tables, id, status)
  }
})

// --- The wire ---------------------------------------------------------------

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}

const answer = (machine: StripeMachine, request: IncomingMessage, response: ServerResponse, body: string): void => {
  const { pathname, search } = new URL(request.url ?? "/", "http://stripe")
  const method = request.method ?? "GET"
  if (Pages.isPage(pathname)) {
    const page = Pages.visit(machine.tables, method, pathname)
    response.writeHead(page.status, page.headers).end(page.body)
    return
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join() : value])
  )
  const course = machine.receive({ method, path: pathname, query: search.slice(1), headers, body })
  const end = () => finish(course.end(), request, response)
  if (course.delayMillis === 0) end()
  else setTimeout(end, course.delayMillis)
}

const finish = (ending: Ending, request: IncomingMessage, response: ServerResponse): void => {
  switch (ending._tag) {
    case "Replied":
      response.writeHead(ending.reply.status, ending.reply.headers).end(JSON.stringify(ending.reply.body))
      return
    case "Unreadable":
      response.writeHead(200, { "content-type": "text/html" }).end("<html>what?</html>")
      return
    case "Closed":
      request.socket.destroy()
      return
    case "Hung":
  }
}
