/**
 * Which addresses a merchant may have florin call: those that belong to the
 * whole internet, and to nobody's own network or machine.
 *
 * Source: IANA's registries of special-purpose addresses for IPv4 and IPv6
 * (RFC 6890). Of IPv6 only what is given out for global use (2000::/3) is
 * public, less what is carved out of it: that leaves out loopback, link-local,
 * unique local, multicast, IPv4-mapped and NAT64 addresses without a list.
 */
import { IpNetwork, NetAddress } from "effect/net"

const networks = (...texts: ReadonlyArray<string>) => texts.map((text) => IpNetwork.fromStringUnsafe(text))

const reservedIpv4 = networks(
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // carrier-grade NAT
  "127.0.0.0/8", // loopback
  "169.254.0.0/16", // link-local, and clouds' metadata
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.31.196.0/24", // AS112
  "192.52.193.0/24", // AMT
  "192.88.99.0/24", // 6to4 relays, which forward
  "192.168.0.0/16", // private
  "192.175.48.0/24", // AS112
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4" // reserved, and broadcast
)

const globalIpv6 = IpNetwork.fromStringUnsafe("2000::/3")

const reservedIpv6 = networks(
  "2001::/23", // protocol assignments: Teredo, ORCHID, benchmarks
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4, which holds an IPv4 address
  "2620:4f:8000::/48", // AS112
  "3fff::/20" // documentation
)

const contained = (all: ReadonlyArray<IpNetwork.IpNetwork>, address: NetAddress.IpAddress): boolean =>
  all.some((network) => IpNetwork.contains(network, address))

/** Whether everybody may be called there. */
export const isPublic = (address: NetAddress.IpAddress): boolean =>
  NetAddress.isIpv4Address(address)
    ? !contained(reservedIpv4, address)
    : IpNetwork.contains(globalIpv6, address) && !contained(reservedIpv6, address)

/** Whether it is public, or in a network that somebody has allowed; an IPv4-mapped address counts as what it maps. */
export const isAllowed = (address: NetAddress.IpAddress, allowed: ReadonlyArray<IpNetwork.IpNetwork>): boolean =>
  isPublic(address) || contained(allowed, NetAddress.toCanonical(address))
