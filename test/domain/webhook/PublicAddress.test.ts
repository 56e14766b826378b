import { assert, describe, it } from "@effect/vitest"
import { IpNetwork, NetAddress } from "effect/net"
import * as PublicAddress from "../../../src/domain/webhook/PublicAddress.ts"

const isPublic = (text: string) => PublicAddress.isPublic(NetAddress.ipFromStringUnsafe(text))

/** First and last of each range, where both are worth a look. */
const reserved = [
  ["this network", "0.0.0.0", "0.255.255.255"],
  ["private", "10.0.0.0", "10.255.255.255"],
  ["private", "172.16.0.0", "172.31.255.255"],
  ["private", "192.168.0.0", "192.168.255.255"],
  ["carrier-grade NAT", "100.64.0.0", "100.127.255.255"],
  ["loopback", "127.0.0.1", "127.255.255.255"],
  ["link-local and metadata", "169.254.0.0", "169.254.169.254"],
  ["protocol assignments", "192.0.0.1", "192.0.0.255"],
  ["documentation", "192.0.2.1", "198.51.100.7"],
  ["documentation", "203.0.113.0", "203.0.113.255"],
  ["benchmarks", "198.18.0.0", "198.19.255.255"],
  ["6to4 relays", "192.88.99.1", "192.88.99.255"],
  ["multicast", "224.0.0.1", "239.255.255.255"],
  ["reserved and broadcast", "240.0.0.1", "255.255.255.255"],
  ["unspecified", "::", "::"],
  ["loopback", "::1", "::1"],
  ["IPv4-mapped", "::ffff:127.0.0.1", "::ffff:10.0.0.1"],
  ["IPv4-mapped, also of a public one", "::ffff:8.8.8.8", "::ffff:1.1.1.1"],
  ["IPv4-compatible", "::7f00:1", "::a00:1"],
  ["NAT64", "64:ff9b::7f00:1", "64:ff9b:1::1"],
  ["discard", "100::", "100::1"],
  ["link-local", "fe80::1", "febf::1"],
  ["site-local", "fec0::1", "feff::1"],
  ["unique local", "fc00::1", "fdff:ffff::1"],
  ["multicast", "ff02::1", "ff0e::1"],
  ["Teredo and protocol assignments", "2001::1", "2001:1ff::1"],
  ["documentation", "2001:db8::1", "3fff::1"],
  ["6to4, which holds an IPv4 address", "2002:7f00:1::1", "2002:a00:1::"]
] as const

describe("PublicAddress", () => {
  it.each(reserved)("%s is not public: %s, %s", (_, first, last) => {
    assert.isFalse(isPublic(first))
    assert.isFalse(isPublic(last))
  })

  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "2001:200::1"
  ])("%s is public", (text) => {
    assert.isTrue(isPublic(text))
  })

  it("an allowed network is one besides the public ones, also where an address is mapped into IPv6", () => {
    const allowed = [IpNetwork.fromStringUnsafe("127.0.0.0/8"), IpNetwork.fromStringUnsafe("fd00::/8")]
    const isAllowed = (text: string) => PublicAddress.isAllowed(NetAddress.ipFromStringUnsafe(text), allowed)
    assert.deepStrictEqual(
      ["127.0.0.1", "::ffff:127.0.0.1", "fd00::1", "8.8.8.8", "10.0.0.1", "::1", "::ffff:10.0.0.1"].map(isAllowed),
      [true, true, true, true, false, false, false]
    )
  })
})
