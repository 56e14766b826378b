/**
 * Says for the audit log who asks: the address that a request came from, and a
 * person's name where a proxy vouches for it.
 *
 * Anybody can send a header. `X-Forwarded-User` and `X-Forwarded-For` count only
 * when the connection comes from a proxy that is named as trusted, which has to
 * set both itself and drop what came in. Without a name it is the merchant, whose
 * service this is, that asks.
 */
import { Context, Effect, Option } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerRequest } from "effect/http"
import { IpNetwork, NetAddress } from "effect/net"
import { plain } from "../../domain/audit/AuditEntry.ts"
import { CurrentCaller } from "../../orchestration/AuditTrail.ts"
import { Merchant } from "./Merchant.ts"

/** The networks whose proxies are believed. */
export const TrustedProxies = Context.Reference<ReadonlyArray<IpNetwork.IpNetwork>>(
  "florin/edge/http/RequestCaller/TrustedProxies",
  { defaultValue: () => [] }
)

export const layer = HttpRouter.middleware(
  Effect.gen(function* () {
    const merchant = yield* Merchant
    const trustedProxies = yield* TrustedProxies

    const isTrusted = (address: string) => {
      const parsed = NetAddress.ipFromString(address)
      if (parsed._tag === "Failure") return false
      const canonical = NetAddress.toCanonical(parsed.success)
      return trustedProxies.some((network) => IpNetwork.contains(network, canonical))
    }

    return (httpEffect) =>
      HttpServerRequest.HttpServerRequest.use(({ headers, peerAddress, remoteAddress }) => {
        const isVouchedFor = Option.exists(peerAddress, isTrusted)
        const actor = (isVouchedFor ? headers["x-forwarded-user"] : undefined) ?? merchant
        const origin = Option.match(remoteAddress, {
          onNone: () => "in process",
          onSome: (address) => `http ${address}`
        })
        return Effect.provideService(httpEffect, CurrentCaller, { actor: plain(actor), origin: plain(origin) })
      }).pipe((identified) => HttpMiddleware.xForwardedHeaders({ trustedProxies })(identified))
  }),
  { global: true }
)
