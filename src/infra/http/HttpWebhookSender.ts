/**
 * `WebhookSender` over Node's own `http` and `https`.
 *
 * A name is resolved here, once a message; every address that it has must be
 * one to be called, and the connection goes to the first of those very
 * addresses: nobody resolves the name a second time. TLS is checked against the
 * name. No connection is kept, no redirect followed, and of the answer nothing
 * is read but its status and `Retry-After`.
 */
import { Effect, Layer, Result } from "effect"
import { NetAddress } from "effect/net"
import { lookup } from "node:dns/promises"
import * as http from "node:http"
import * as https from "node:https"
import type { LookupFunction } from "node:net"
import type { Outgoing, Sent } from "../../adapters/WebhookSender.ts"
import { SendError, WebhookSender } from "../../adapters/WebhookSender.ts"
import * as PublicAddress from "../../domain/webhook/PublicAddress.ts"
import * as StandardWebhooks from "../../domain/webhook/StandardWebhooks.ts"
import type { TargetPolicy } from "../../domain/webhook/WebhookTarget.ts"
import * as WebhookTarget from "../../domain/webhook/WebhookTarget.ts"
import { hmac } from "./HmacSha256.ts"

/** All addresses of a name, as text. */
export type Resolve = (hostname: string) => Promise<ReadonlyArray<string>>

/** As the system resolves names, the file of hosts included. */
const bySystem: Resolve = async (hostname) => (await lookup(hostname, { all: true })).map(({ address }) => address)

export interface Options {
  readonly policy?: TargetPolicy
  readonly resolve?: Resolve
}

export const layer = ({
  policy = WebhookTarget.strict,
  resolve = bySystem
}: Options = {}): Layer.Layer<WebhookSender> =>
  Layer.succeed(WebhookSender, {
    check: (url) => Effect.asVoid(aim(url, policy, resolve)),
    send: Effect.fn("HttpWebhookSender.send")((outgoing) =>
      Effect.flatMap(aim(outgoing.url, policy, resolve), (target) => post(target, outgoing))
    )
  })

// --- Where to ---------------------------------------------------------------

interface Target {
  readonly url: URL
  readonly address: NetAddress.IpAddress
}

const refused = (detail: string) => new SendError({ because: "TargetRefused", detail })

const aim = Effect.fnUntraced(function* (
  text: string,
  policy: TargetPolicy,
  resolve: Resolve
): Effect.fn.Return<Target, SendError> {
  const url = yield* Effect.fromResult(Result.mapError(WebhookTarget.parse(text, policy), refused))
  // An IPv6 address stands in brackets in a URL.
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1")
  const literal = NetAddress.ipFromString(hostname)
  const addresses = Result.isSuccess(literal) ? [literal.success] : yield* resolved(hostname, resolve)
  const forbidden = addresses.find((address) => !PublicAddress.isAllowed(address, policy.allowedNetworks))
  if (forbidden !== undefined) {
    // Not which address: what a name means inside is nobody's to find out.
    return yield* refused(
      "Expected a host on the public internet, got one that is or resolves to a private or reserved address"
    )
  }
  return { url, address: addresses[0]! }
})

const resolved = (hostname: string, resolve: Resolve) =>
  Effect.gen(function* () {
    const unresolvable = new SendError({ because: "Unresolvable", detail: `${hostname} has no address` })
    const texts = yield* Effect.tryPromise({ try: () => resolve(hostname), catch: () => unresolvable })
    const addresses = texts.map(NetAddress.ipFromString)
    if (addresses.length === 0) return yield* unresolvable
    // A scoped address (fe80::1%eth0) is of this machine's own links.
    return yield* Effect.forEach(addresses, (address) =>
      Effect.mapError(Effect.fromResult(address), () => refused("Expected a host with plain addresses"))
    )
  })

// --- The request ------------------------------------------------------------

const familyOf = (address: NetAddress.IpAddress): 4 | 6 => (NetAddress.isIpv4Address(address) ? 4 : 6)

/** Node asks for one address or for all; here there is one. */
const pinnedTo = (address: NetAddress.IpAddress): LookupFunction => {
  const [text, family] = [NetAddress.formatIp(address), familyOf(address)]
  return (_, { all }, callback) =>
    all === true ? callback(null, [{ address: text, family }]) : callback(null, text, family)
}

const post = ({ address, url }: Target, { at, body, id, secrets }: Outgoing): Effect.Effect<Sent, SendError> =>
  Effect.callback((resume) => {
    const { request: begin } = url.protocol === "https:" ? https : http
    const request = begin(url, {
      method: "POST",
      agent: false,
      lookup: pinnedTo(address),
      headers: {
        ...StandardWebhooks.sign(hmac, { id, body }, at, secrets),
        "content-type": "application/json",
        "content-length": body.byteLength,
        "user-agent": "florin"
      }
    })
    request.on("response", (response) => {
      const { headers, statusCode = 0 } = response
      resume(Effect.succeed({ status: statusCode, retryAfterMillis: millisOf(headers["retry-after"]) }))
      response.destroy()
    })
    request.on("error", (error) =>
      resume(Effect.fail(new SendError({ because: "ConnectionFailed", detail: error.message || error.name })))
    )
    request.end(body)
    return Effect.sync(() => void request.destroy())
  })

/** `Retry-After` in seconds; its other form, a date, is not worth a guess about the receiver's clock. */
const millisOf = (retryAfter: string | undefined): number | undefined =>
  retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined
