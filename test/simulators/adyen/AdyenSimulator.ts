/**
 * Adyen's Checkout API on a port of this machine, for tests: stateful, with
 * idempotency keys, asynchronous modifications, signed webhooks, and faults on
 * demand.
 *
 * - A key answers what it answered first, whatever is asked under it later;
 *   while a first send is worked on, another gets error 704. Keys are kept for
 *   ever, and what was refused before it began is not kept.
 * - What a fault struck before it was acted on was never heard of; one that
 *   strikes after hides an answer that the key gives to the next who asks.
 * - Notifications go to `webhookUrl`, until they are accepted, or wait to be
 *   taken by `delivered`, as the body that would have been sent.
 *
 * A process that has no hold of this object uses `POST /simulator/faults` and
 * `GET /simulator/payments`.
 */
import { Effect, Redacted } from "effect"
import type { Scope } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { Reference } from "../../../src/domain/payment/Gateway.ts"
import * as AdyenSignature from "../../../src/infra/adyen/AdyenSignature.ts"
import type { Json, Notice, Payment, Reply } from "./AdyenBooks.ts"
import { AdyenBooks } from "./AdyenBooks.ts"

export const apiKey = "AQEyhmfxK_simulated_key"
export const merchantAccount = "FlorinTest"
/** From the tests of Adyen's own libraries. */
export const hmacKey = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"

export interface Fault {
  /** What the path ends in: `payments`, `details`, `captures`, `cancels`, `refunds`. */
  readonly on: string
  /** `close`: the connection breaks; `slow`: it is answered after a second; `hang`: never. */
  readonly how: "close" | "error" | "throttle" | "slow" | "hang"
  readonly when: "before" | "after"
  readonly times: number
}

/** A request as it came. */
export interface Seen {
  readonly path: string
  readonly key: string | undefined
  readonly body: Json
}

export interface Options {
  /** Where notifications are sent. */
  readonly webhookUrl?: string
}

export interface AdyenSimulator {
  /** With the version, as the adapter takes it. */
  readonly url: string
  readonly origin: string
  readonly payments: () => ReadonlyArray<Payment>
  readonly seen: ReadonlyArray<Seen>
  /** The next request under a key that is new is worked on, once it has `begun`, until `go`. */
  readonly hold: () => { readonly begun: Promise<void>; readonly go: () => void }
  readonly fault: (fault: Partial<Fault> & Pick<Fault, "on" | "how">) => void
  /** The bodies of all notifications up to now, signed, oldest first. */
  readonly delivered: () => ReadonlyArray<string>
  /** Sends all notifications that `url` was not sent before. The bodies of its answers, in order. */
  readonly deliver: (url: string) => Effect.Effect<ReadonlyArray<string>>
  /** A notification that nobody's request caused: a dispute, a failure days later. */
  readonly tell: (notice: Notice) => void
}

/** Runs until its scope closes, on a free port. */
export const start = (options: Options = {}): Effect.Effect<AdyenSimulator, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => new Simulator(options).listen()),
    (simulator) => Effect.promise(() => simulator.close())
  )

const version = "/v72"

class Simulator implements AdyenSimulator {
  readonly seen: Array<Seen> = []
  private readonly books = new AdyenBooks(merchantAccount, () => this.origin)
  private readonly keys = new Map<string, Reply | "running">()
  private readonly faults: Array<{ -readonly [K in keyof Fault]: Fault[K] }> = []
  private readonly server = createServer((request, response) => void this.handle(request, response))
  private readonly webhookUrl: string | undefined
  private readonly deliveries = new Map<string, number>()
  /** What the next request waits for, having said that it does. */
  private held: (() => Promise<void>) | undefined
  private sent = 0
  private closed = false
  origin = ""

  constructor({ webhookUrl }: Options) {
    this.webhookUrl = webhookUrl
  }

  get url() {
    return `${this.origin}${version}`
  }

  listen = async (): Promise<this> => {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve))
    const address = this.server.address()
    this.origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`
    return this
  }

  close = async (): Promise<void> => {
    this.closed = true
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve())
      this.server.closeAllConnections()
    })
  }

  payments = () => [...this.books.payments.values()]

  hold: AdyenSimulator["hold"] = () => {
    const begun = Promise.withResolvers<void>()
    const gone = Promise.withResolvers<void>()
    this.held = () => {
      begun.resolve()
      return gone.promise
    }
    return { begun: begun.promise, go: gone.resolve }
  }

  fault: AdyenSimulator["fault"] = (fault) => void this.faults.push({ when: "before", times: 1, ...fault })

  tell: AdyenSimulator["tell"] = (notice) => {
    this.books.notices.push(notice)
    this.send()
  }

  delivered = () => this.books.notices.map(bodyOf)

  deliver: AdyenSimulator["deliver"] = (url) =>
    Effect.promise(async () => {
      const before = this.deliveries.get(url) ?? 0
      this.deliveries.set(url, this.books.notices.length)
      const answers: Array<string> = []
      for (const body of this.delivered().slice(before)) {
        const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body })
        answers.push(await response.text())
      }
      return answers
    })

  // --- Requests -------------------------------------------------------------

  private handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? "/", this.origin)
    const text = await textOf(request)
    if (pathname === "/simulator/payments") return say(response, { status: 200, body: { payments: this.payments() } })
    if (pathname === "/simulator/faults") {
      this.fault(JSON.parse(text) as Fault)
      return say(response, { status: 204, body: {} })
    }
    const away = /^\/redirect\/(.+)$/.exec(pathname)?.[1]
    if (away !== undefined) {
      const location = this.books.returnUrlOf(away)
      response.writeHead(location === undefined ? 404 : 303, location === undefined ? {} : { location }).end()
      return
    }
    if (request.headers["x-api-key"] !== apiKey) {
      const body = {
        status: 401,
        errorCode: "000",
        message: "HTTP Status Response - Unauthorized",
        errorType: "security"
      }
      return say(response, { status: 401, body })
    }
    if (!pathname.startsWith(version) || request.method !== "POST") return say(response, { status: 404, body: {} })
    const path = pathname.slice(version.length)
    const key = request.headers["idempotency-key"]
    const seen = { path, key: typeof key === "string" ? key : undefined, body: JSON.parse(text) as Json }
    this.seen.push(seen)

    const fault = this.striking(path)
    if (fault?.when === "before" && !(await this.struck(fault, response))) return
    const reply = await this.answer(seen)
    if (fault?.when === "after" && !(await this.struck(fault, response))) return
    say(response, reply)
  }

  /** As the key says, or by the books. */
  private answer = async ({ body, key, path }: Seen): Promise<Reply> => {
    const before = key === undefined ? undefined : this.keys.get(key)
    if (before === "running") {
      const message = "request already processed or in progress"
      return { status: 422, body: { status: 422, errorCode: "704", message, errorType: "validation" } }
    }
    if (before !== undefined) return before
    if (key !== undefined) this.keys.set(key, "running")
    const { held } = this
    this.held = undefined
    // As long as an acquirer takes on a good day: time for another send of the key to come.
    await (held === undefined ? sleep(2) : held())
    const reply = this.books.post(path, body)
    if (key !== undefined && reply.status < 300) this.keys.set(key, reply)
    else if (key !== undefined) this.keys.delete(key)
    this.send()
    return reply
  }

  private striking = (path: string) => {
    const found = this.faults.find(({ on, times }) => times > 0 && path.endsWith(`/${on}`))
    if (found !== undefined) found.times--
    return found
  }

  /** `true`: it goes on after all. */
  private struck = async ({ how }: Fault, response: ServerResponse): Promise<boolean> => {
    switch (how) {
      case "close":
        response.socket?.destroy()
        return false
      case "error":
        say(response, {
          status: 500,
          body: { status: 500, errorCode: "903", message: "Internal error", errorType: "internal" }
        })
        return false
      case "throttle":
        response.setHeader("retry-after", "1")
        say(response, { status: 429, body: {} })
        return false
      case "slow":
        await sleep(1000)
        return true
      case "hang":
        return false
    }
  }

  // --- Notifications --------------------------------------------------------

  private send = (): void => {
    const { webhookUrl } = this
    if (webhookUrl === undefined) return
    for (const notice of this.books.notices.slice(this.sent)) void this.push(webhookUrl, bodyOf(notice))
    this.sent = this.books.notices.length
  }

  private push = async (url: string, body: string): Promise<void> => {
    while (!this.closed) {
      const accepted = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body }).then(
        async (response) => response.ok && (await response.text()) === "[accepted]",
        () => false
      )
      if (accepted) return
      await sleep(100)
    }
  }
}

/** A notice as the body of a standard webhook, signed. */
export const bodyOf = ({ success, ...notice }: Notice): string => {
  const item = {
    ...notice,
    success: success ? ("true" as const) : ("false" as const),
    merchantAccountCode: merchantAccount,
    eventDate: "2026-11-21T12:00:00+01:00",
    paymentMethod: "visa"
  }
  const hmacSignature = AdyenSignature.of(
    { ...item, pspReference: Reference.make(item.pspReference) },
    Redacted.make(hmacKey)
  )
  return JSON.stringify({
    live: "false",
    notificationItems: [{ NotificationRequestItem: { ...item, additionalData: { hmacSignature } } }]
  })
}

const say = (response: ServerResponse, { body, status }: Reply): void => {
  response
    .writeHead(status, { "content-type": "application/json" })
    .end(status === 204 ? undefined : JSON.stringify(body))
}

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = ""
  for await (const chunk of request) text += String(chunk)
  return text
}
