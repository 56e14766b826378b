/**
 * A fake acquirer, as its manual might describe it: JSON over HTTP, amounts in
 * minor units as text, and an `Idempotency-Key` on everything that moves money.
 *
 *     POST /charges               { amount, currency, card, capture, order }   -> authorized | paid | declined
 *     POST /charges/:id/captures  { amount, currency, last }                   -> captured | refused
 *     POST /charges/:id/refunds   { amount, currency }                         -> refunded | refused
 *     POST /charges/:id/void      {}                                           -> voided | captured | refused
 *     GET  /requests?key=         what a key was answered: { replies: [] } when it was never seen
 *
 * A key's answer is kept for a day. 404 says that there is no such charge, 422
 * that the key stands for another request; both before anything is done.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import { createServer } from "node:http"
import type { IncomingMessage } from "node:http"

type Reply = Readonly<Record<string, string | boolean>>
type Body = Readonly<Record<string, string | boolean | undefined>>

interface Charge {
  readonly id: string
  readonly order: string
  readonly currency: string
  readonly authorized: bigint
  captured: bigint
  refunded: bigint
  /** Nothing more can be captured. */
  closed: boolean
}

/** What the issuers behind the test cards say; any other card is declined as unknown. */
const issuers: Readonly<Record<string, Reply | undefined>> = {
  acme_ok: { status: "authorized" },
  acme_ok_too: { status: "authorized" },
  acme_poor: { status: "declined", code: "51" },
  acme_stolen: { status: "declined", code: "43" }
}

export interface AcmeAcquirer {
  readonly url: string
  /** How many charges the books hold for an order. */
  readonly chargesOf: (order: string) => number
}

/** Runs until its scope closes, on a free port of this machine. */
export const start: Effect.Effect<AcmeAcquirer, never, Scope.Scope> = Effect.gen(function* () {
  const charges = new Map<string, Charge>()
  const answered = new Map<string, { readonly request: string; readonly reply: Reply }>()

  const post = (path: string, key: string, text: string): readonly [status: number, json: unknown] => {
    const request = `${path} ${text}`
    const before = answered.get(key)
    if (before !== undefined) return before.request === request ? [200, before.reply] : [422, {}]
    const reply = act(charges, path.split("/").slice(2), JSON.parse(text) as Body)
    if (reply === undefined) return [404, {}]
    answered.set(key, { request, reply })
    return [200, reply]
  }
  const get = (key: string) => {
    const known = answered.get(key)
    return { replies: known === undefined ? [] : [known.reply] }
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://acme")
    const say = (status: number, json: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json))
    if (request.method === "GET") say(200, get(searchParams.get("key") ?? ""))
    else {
      void textOf(request).then((text) => say(...post(pathname, String(request.headers["idempotency-key"]), text)))
    }
  })

  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const address = server.address()
  if (address === null || typeof address === "string") return yield* Effect.die(new Error("not listening on a port"))
  return {
    url: `http://127.0.0.1:${address.port}`,
    chargesOf: (order) => [...charges.values()].filter((charge) => charge.order === order).length
  }
})

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = ""
  for await (const chunk of request) text += String(chunk)
  return text
}

/** Does it at once and whole; `undefined` when there is no such charge. */
const act = (charges: Map<string, Charge>, [id, what = ""]: ReadonlyArray<string>, body: Body): Reply | undefined => {
  if (id === undefined) return charge(charges, body)
  const found = charges.get(id)
  if (found === undefined) return undefined
  const amount = BigInt(String(body["amount"] ?? 0))
  const isMoney = amount > 0n && body["currency"] === found.currency
  switch (what) {
    case "captures":
      if (found.closed) return { status: "refused", code: "closed", gone: found.captured === 0n }
      if (!isMoney || amount > found.authorized - found.captured) return refused("amount")
      found.captured += amount
      found.closed = body["last"] === true || found.captured === found.authorized
      return { status: "captured", amount: String(amount), currency: found.currency }
    case "refunds":
      if (!isMoney || amount > found.captured - found.refunded) return refused("amount")
      found.refunded += amount
      return { status: "refunded" }
    case "void":
      if (found.captured > 0n) {
        return { status: "captured", amount: String(found.captured), currency: found.currency }
      }
      if (found.closed) return { status: "refused", code: "closed", gone: true }
      found.closed = true
      return { status: "voided" }
    default:
      return undefined
  }
}

const refused = (code: string): Reply => ({ status: "refused", code, gone: false })

const charge = (charges: Map<string, Charge>, body: Body): Reply => {
  const card = String(body["card"])
  const said = Object.hasOwn(issuers, card) ? issuers[card] : undefined
  if (said?.["status"] !== "authorized") return said ?? { status: "declined", code: "14" }
  const id = `acme_${charges.size + 1}`
  const authorized = BigInt(String(body["amount"]))
  const isSale = body["capture"] === true
  const captured = isSale ? authorized : 0n
  const { currency, order } = body
  charges.set(id, {
    id,
    order: String(order),
    currency: String(currency),
    authorized,
    captured,
    refunded: 0n,
    closed: isSale
  })
  return { status: isSale ? "paid" : "authorized", id }
}
