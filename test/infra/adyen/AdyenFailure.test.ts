/** What each status, each error code and each silence of Adyen's means: the table, row by row. */
import { assert, describe, it } from "@effect/vitest"
import { HttpClientRequest } from "effect/http"
import { EncodeError, HttpClientError, InvalidUrlError, TransportError } from "effect/http/HttpClientError"
import type { Call } from "../../../src/domain/payment/PaymentPlan.ts"
import * as AdyenFailure from "../../../src/infra/adyen/AdyenFailure.ts"

const kinds = ["Authorize", "Confirm", "Capture", "Void", "Refund"] as const

const told = (meaning: AdyenFailure.Meaning): string => {
  switch (meaning._tag) {
    case "NotSent":
    case "InDoubt":
      return `${meaning._tag} ${meaning.because}`
    case "Misconfigured":
      return meaning._tag
    case "Declined":
      return `${meaning._tag} ${meaning.decline.code} ${meaning.decline.category}`
    case "Refused":
      return `${meaning._tag} ${meaning.code} ${meaning.authorizationGone}`
  }
}

const meaningOf = (
  status: number,
  error: AdyenFailure.ErrorReply,
  asked: Call["_tag"] = "Authorize",
  retryAfter?: string
) => AdyenFailure.meaningOf({ status, error, retryAfter }, asked)

describe("AdyenFailure, by status", () => {
  const table: ReadonlyArray<readonly [number, string]> = [
    [301, "InDoubt Unreadable"],
    [302, "InDoubt Unreadable"],
    [400, "Misconfigured"],
    [401, "Misconfigured"],
    [402, "InDoubt Unreadable"],
    [403, "Misconfigured"],
    [404, "Misconfigured"],
    [405, "Misconfigured"],
    [406, "Misconfigured"],
    [408, "InDoubt Timeout"],
    [409, "InDoubt KeyInUse"],
    [410, "InDoubt Unreadable"],
    [415, "Misconfigured"],
    [418, "InDoubt Unreadable"],
    [422, "InDoubt Unreadable"],
    [429, "NotSent Throttled"],
    [500, "InDoubt ServerError"],
    [502, "InDoubt ServerError"],
    [503, "InDoubt ServerError"],
    [504, "InDoubt ServerError"],
    [599, "InDoubt ServerError"]
  ]
  it.each(table)("%i: %s, whatever was asked", (status, expected) => {
    for (const kind of kinds) assert.strictEqual(told(meaningOf(status, {}, kind)), expected, kind)
  })

  it("never takes a 5xx for anything but doubt, whatever its body says", () => {
    for (const errorCode of ["101", "137", "901", "000", "903"]) {
      for (const kind of kinds) {
        assert.strictEqual(told(meaningOf(500, { errorCode, errorType: "validation" }, kind)), "InDoubt ServerError")
      }
    }
  })

  it("takes Retry-After in seconds, and no other form of it", () => {
    for (const [header, millis] of [
      ["7", 7000],
      ["0", 0],
      ["Fri, 31 Dec 2027 23:59:59 GMT", undefined],
      ["-1", undefined],
      ["1e9", undefined],
      [undefined, undefined]
    ] as const) {
      const meaning = meaningOf(429, {}, "Authorize", header)
      assert.strictEqual(meaning._tag === "NotSent" ? meaning.retryAfterMillis : "no", millis, header)
    }
  })
})

describe("AdyenFailure, by error code of a 422", () => {
  const validation = "validation"
  const refused = "NotSent Refused"
  /** Authorize, Confirm, Capture, Void, Refund. */
  const table: ReadonlyArray<readonly [code: string, expected: readonly [string, string, string, string, string]]> = [
    ["704", ["InDoubt KeyInUse", "InDoubt KeyInUse", "InDoubt KeyInUse", "InDoubt KeyInUse", "InDoubt KeyInUse"]],
    ...["010", "901", "902", "950", "951"].map(
      (code) => [code, ["Misconfigured", "Misconfigured", "Misconfigured", "Misconfigured", "Misconfigured"]] as const
    ),
    ...["101", "102", "103", "129", "140", "141", "800", "802", "803", "805"].map(
      (code) => [code, [`Declined error_${code} otherInstrument`, refused, refused, refused, refused]] as const
    ),
    ...["137", "138"].map(
      (code) =>
        [code, [refused, refused, `Refused error_${code} false`, refused, `Refused error_${code} false`]] as const
    ),
    ["167", [refused, refused, refused, refused, refused]],
    ["000", [refused, refused, refused, refused, refused]],
    ["never heard of", [refused, refused, refused, refused, refused]]
  ]
  it.each(table)("%s", (errorCode, expected) => {
    const meanings = kinds.map((kind) => told(meaningOf(422, { errorCode, errorType: validation }, kind)))
    assert.deepStrictEqual(meanings, [...expected])
  })

  it("does not take another kind of error for one that stopped at the door", () => {
    for (const errorType of ["internal", "security", "modification", undefined]) {
      const error = { errorCode: "000", ...(errorType !== undefined && { errorType }) }
      assert.strictEqual(told(meaningOf(422, error)), "InDoubt Unreadable")
    }
  })

  it("is in use under any status", () => {
    for (const status of [400, 409, 422, 500]) {
      assert.strictEqual(told(meaningOf(status, { errorCode: "704" })), "InDoubt KeyInUse")
    }
  })

  it("says what Adyen objected to, and no card number that Adyen may quote", () => {
    const meaning = meaningOf(400, { errorCode: "702", message: "Unexpected input: 4111111111111111" })
    assert.strictEqual(meaning._tag, "Misconfigured")
    const { detail } = meaning._tag === "Misconfigured" ? meaning : { detail: "" }
    assert.match(detail, /^Adyen answered 400 \(702\) Unexpected input: /)
    assert.notInclude(detail, "4111111111111111")
  })
})

describe("AdyenFailure, of silence", () => {
  const request = HttpClientRequest.post("http://adyen/v72/payments")
  const node = (fields: object) => Object.assign(new Error("from node"), fields)

  it("believes that nothing was sent only if no connection was made", () => {
    for (const [cause, expected] of [
      [node({ code: "ECONNREFUSED", syscall: "connect" }), "NotSent ConnectionRefused"],
      [node({ code: "ENOTFOUND", syscall: "getaddrinfo" }), "NotSent ConnectionRefused"],
      [node({ code: "UND_ERR_CONNECT_TIMEOUT" }), "NotSent ConnectionRefused"],
      [node({ code: "ECONNRESET", syscall: "read" }), "InDoubt ConnectionLost"],
      [node({ code: "EPIPE", syscall: "write" }), "InDoubt ConnectionLost"],
      [undefined, "InDoubt ConnectionLost"]
    ] as const) {
      const error = new HttpClientError({ reason: new TransportError({ request, cause }) })
      assert.strictEqual(told(AdyenFailure.meaningOfSilence(error)), expected)
    }
  })

  it("is misconfigured where no request could be made", () => {
    for (const reason of [new InvalidUrlError({ request }), new EncodeError({ request })]) {
      assert.strictEqual(told(AdyenFailure.meaningOfSilence(new HttpClientError({ reason }))), "Misconfigured")
    }
  })
})
