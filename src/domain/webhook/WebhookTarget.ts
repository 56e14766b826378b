/**
 * Which URLs a merchant may give, as far as the URL alone can tell. Whether the
 * addresses behind its name may be called is `PublicAddress`'s.
 */
import { Result } from "effect"
import type { IpNetwork } from "effect/net"

export interface TargetPolicy {
  /** Networks besides the public ones. */
  readonly allowedNetworks: ReadonlyArray<IpNetwork.IpNetwork>
  /** Without TLS: for development and tests. */
  readonly plainHttp: boolean
}

/** The internet, over TLS. */
export const strict: TargetPolicy = { allowedNetworks: [], plainHttp: false }

/** The URL, taken apart; or what was expected of it. */
export const parse = (text: string, { plainHttp }: TargetPolicy): Result.Result<URL, string> => {
  const schemes = plainHttp ? ["https:", "http:"] : ["https:"]
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !schemes.includes(url.protocol) || url.hostname === "") {
    return Result.fail(`Expected a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`)
  }
  // They would be in every log on the way.
  if (url.username !== "" || url.password !== "") return Result.fail("Expected a URL without a name and a password")
  if (url.hash !== "") return Result.fail("Expected a URL without a fragment")
  return Result.succeed(url)
}
