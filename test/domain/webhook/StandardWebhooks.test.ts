import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Instant } from "../../../src/domain/Instant.ts"
import type { Secret } from "../../../src/domain/webhook/StandardWebhooks.ts"
import * as StandardWebhooks from "../../../src/domain/webhook/StandardWebhooks.ts"
import { hmac } from "../../../src/infra/http/HmacSha256.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

/** As the specification's reference libraries publish it. */
const published = {
  secret: StandardWebhooks.Secret.make("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  at: Instant.make(1_614_265_330_000),
  body: bytes('{"test": 2432232314}'),
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
}
const { at, body, id, secret, signature } = published
const other = StandardWebhooks.secretOf(new Uint8Array(32).fill(1))
const headers = {
  "webhook-id": id,
  "webhook-timestamp": "1614265330",
  "webhook-signature": signature
}

describe("StandardWebhooks.sign", () => {
  it("signs as the reference libraries do", () => {
    assert.deepStrictEqual(StandardWebhooks.sign(hmac, { id, body }, at, [secret]), headers)
  })

  it("says the time in whole seconds, and signs what it says", () => {
    const late = StandardWebhooks.sign(hmac, { id, body }, Instant.make(at + 999), [secret])
    assert.deepStrictEqual(late, headers)
  })

  it("signs by both secrets while one is rotated, the newest first", () => {
    const signed = StandardWebhooks.sign(hmac, { id, body }, at, [other, secret])["webhook-signature"].split(" ")
    assert.strictEqual(signed.length, 2)
    assert.strictEqual(signed[1], signature)
    for (const known of [secret, other]) {
      const verdict = StandardWebhooks.verify(
        hmac,
        { ...headers, "webhook-signature": signed.join(" ") },
        body,
        [known],
        at
      )
      assert.deepStrictEqual(verdict, Result.succeed(id))
    }
  })
})

describe("StandardWebhooks.verify", () => {
  const verdict = (
    changes: Readonly<Record<string, string | undefined>> = {},
    rest: { readonly body?: Uint8Array; readonly secrets?: ReadonlyArray<Secret>; readonly now?: number } = {}
  ) => {
    const given = Object.entries({ ...headers, ...changes }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const]
    )
    const result = StandardWebhooks.verify(
      hmac,
      Object.fromEntries(given),
      rest.body ?? body,
      rest.secrets ?? [secret],
      Instant.make(rest.now ?? at)
    )
    return Result.isSuccess(result) ? "taken" : result.failure
  }
  const unsigned = "webhook-signature holds no signature by a secret that is known"

  it("takes what the secret signed, among other signatures and with other secrets beside it", () => {
    assert.strictEqual(verdict(), "taken")
    assert.strictEqual(verdict({}, { secrets: [other, secret] }), "taken")
    assert.strictEqual(verdict({ "webhook-signature": `v1,bm9wZQ== v2,what v1a,AAAA ${signature}` }), "taken")
  })

  it("refuses what differs in a byte: body, id, time, signature, version, secret", () => {
    assert.strictEqual(verdict({}, { body: bytes('{"test": 2432232315}') }), unsigned)
    assert.strictEqual(verdict({ "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJel" }), unsigned)
    assert.strictEqual(verdict({ "webhook-timestamp": "1614265331" }), unsigned)
    assert.strictEqual(verdict({ "webhook-signature": signature.replace("g0hM", "g0hN") }), unsigned)
    assert.strictEqual(verdict({ "webhook-signature": signature.replace("v1", "v2") }), unsigned)
    assert.strictEqual(verdict({ "webhook-signature": "v1" }), unsigned)
    assert.strictEqual(verdict({ "webhook-signature": "v1,%%%" }), unsigned)
    assert.strictEqual(verdict({}, { secrets: [other] }), unsigned)
    assert.strictEqual(verdict({}, { secrets: [] }), unsigned)
  })

  it("bounds the time on both sides: five minutes, and not a second more", () => {
    assert.strictEqual(verdict({}, { now: at + 300_000 }), "taken")
    assert.strictEqual(verdict({}, { now: at + 300_001 }), "webhook-timestamp is too old")
    assert.strictEqual(verdict({}, { now: at - 300_000 }), "taken")
    assert.strictEqual(verdict({}, { now: at - 300_001 }), "webhook-timestamp is in the future")
  })

  it("says what is missing", () => {
    assert.strictEqual(verdict({ "webhook-id": undefined }), "webhook-id is missing")
    assert.strictEqual(verdict({ "webhook-id": "" }), "webhook-id is missing")
    assert.strictEqual(verdict({ "webhook-timestamp": undefined }), "webhook-timestamp is missing")
    assert.strictEqual(verdict({ "webhook-signature": undefined }), "webhook-signature is missing")
    assert.strictEqual(verdict({ "webhook-timestamp": "soon" }), "webhook-timestamp is not a number of seconds")
    assert.strictEqual(verdict({ "webhook-timestamp": "-1" }), "webhook-timestamp is not a number of seconds")
  })
})

describe("StandardWebhooks.Secret", () => {
  const isSecret = Schema.is(StandardWebhooks.Secret)
  const of = (size: number) => `whsec_${Buffer.alloc(size, 5).toString("base64")}`

  it("is whsec_ and 24 to 64 bytes in base64", () => {
    assert.deepStrictEqual(
      [23, 24, 64, 65].map((size) => isSecret(of(size))),
      [false, true, true, false]
    )
    assert.isFalse(isSecret(of(32).replace("whsec_", "")))
    assert.isFalse(isSecret("whsec_not base64 at all, but long enough for it"))
  })

  it("is made of bytes, and not repeated when it is refused", () => {
    assert.strictEqual(
      StandardWebhooks.secretOf(new Uint8Array(32)),
      "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    )
    const refused = Schema.decodeUnknownResult(StandardWebhooks.Secret)("hunter2")
    assert.isTrue(Result.isFailure(refused))
    assert.strictEqual(StandardWebhooks.expectedSecret, 'Expected "whsec_" and 24 to 64 bytes in base64')
  })
})
