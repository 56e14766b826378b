import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Instant, plus } from "../../../src/domain/Instant.ts"
import { MerchantId } from "../../../src/domain/payment/PaymentEvent.ts"
import { secretOf } from "../../../src/domain/webhook/StandardWebhooks.ts"
import type { Endpoint } from "../../../src/domain/webhook/WebhookEndpoint.ts"
import * as WebhookEndpoint from "../../../src/domain/webhook/WebhookEndpoint.ts"
import * as WebhookTarget from "../../../src/domain/webhook/WebhookTarget.ts"

const at = Instant.make(1_700_000_000_000)
const secretNamed = (byte: number) => secretOf(new Uint8Array(32).fill(byte))
const [first, second, third] = [secretNamed(1), secretNamed(2), secretNamed(3)]
const endpoint: Endpoint = {
  id: WebhookEndpoint.EndpointId.make("we_1"),
  merchant: MerchantId.make("shop"),
  url: "https://shop.example/hooks",
  enabled: true,
  secret: first,
  createdAt: at
}

describe("WebhookEndpoint", () => {
  it("has one secret, and two for a day after a rotation", () => {
    const day = 86_400_000
    assert.deepStrictEqual(WebhookEndpoint.secretsAt(endpoint, at), [first])
    const rotated = WebhookEndpoint.rotate(endpoint, second, at)
    assert.deepStrictEqual(WebhookEndpoint.secretsAt(rotated, plus(at, day - 1)), [second, first])
    assert.deepStrictEqual(WebhookEndpoint.secretsAt(rotated, plus(at, day)), [second])
    // Two rotations in a day leave the last two.
    const again = WebhookEndpoint.rotate(rotated, third, plus(at, 1))
    assert.deepStrictEqual(WebhookEndpoint.secretsAt(again, plus(at, 2)), [third, second])
  })

  it("changes what is said, and keeps the rest", () => {
    const some = WebhookEndpoint.change(endpoint, { types: ["Captured"], description: "books" })
    assert.deepStrictEqual(some, { ...endpoint, types: ["Captured"], description: "books" })
    assert.deepStrictEqual(WebhookEndpoint.change(some, { url: "https://new.example/" }), {
      ...some,
      url: "https://new.example/"
    })
    assert.deepStrictEqual(WebhookEndpoint.change(some, { types: null }), { ...endpoint, description: "books" })
    assert.deepStrictEqual(WebhookEndpoint.change(some, {}), some)
  })

  it("keeps the notice until it is enabled again", () => {
    const disabled = WebhookEndpoint.disable(endpoint, at, "it was not there")
    assert.deepStrictEqual(disabled, { ...endpoint, enabled: false, notice: { at, because: "it was not there" } })
    assert.deepStrictEqual(WebhookEndpoint.change(disabled, { url: "https://new.example/" }).notice, disabled.notice)
    assert.deepStrictEqual(WebhookEndpoint.change(disabled, { enabled: true }), endpoint)
  })

  it("wants all events, or those it names, and none while it is disabled", () => {
    const some = WebhookEndpoint.change(endpoint, { types: ["Captured"] })
    const isWanted = (one: Endpoint) => [WebhookEndpoint.wants(one, "Captured"), WebhookEndpoint.wants(one, "Voided")]
    assert.deepStrictEqual(isWanted(endpoint), [true, true])
    assert.deepStrictEqual(isWanted(some), [true, false])
    assert.deepStrictEqual(isWanted({ ...endpoint, enabled: false }), [false, false])
  })

  it("is stored as JSON and comes back the same", () => {
    const codec = Schema.toCodecJson(WebhookEndpoint.Endpoint)
    const full = WebhookEndpoint.disable(WebhookEndpoint.rotate(endpoint, second, at), at, "gone")
    for (const one of [endpoint, full]) {
      assert.deepStrictEqual(Schema.decodeUnknownSync(codec)(Schema.encodeSync(codec)(one)), one)
    }
  })
})

describe("WebhookTarget", () => {
  const verdict = (url: string, plainHttp = false) => {
    const parsed = WebhookTarget.parse(url, { allowedNetworks: [], plainHttp })
    return Result.isSuccess(parsed) ? parsed.success.href : parsed.failure
  }

  it("is https, unless http is allowed", () => {
    const expected = "Expected a URL that begins with https://"
    assert.strictEqual(verdict("https://shop.example:8443/hooks?x=1"), "https://shop.example:8443/hooks?x=1")
    for (const url of ["http://shop.example/", "ftp://shop.example/", "shop.example", "https://", "javascript:1", ""]) {
      assert.strictEqual(verdict(url), expected)
    }
    assert.strictEqual(verdict("http://shop.example/", true), "http://shop.example/")
    assert.strictEqual(verdict("file:///etc/passwd", true), `${expected} or http://`)
  })

  it("has no name, no password and no fragment", () => {
    assert.strictEqual(verdict("https://ada:secret@shop.example/"), "Expected a URL without a name and a password")
    assert.strictEqual(verdict("https://shop.example/#part"), "Expected a URL without a fragment")
  })
})
