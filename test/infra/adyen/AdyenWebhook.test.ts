import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import { Instant } from "../../../src/domain/Instant.ts"
import { Reference } from "../../../src/domain/payment/Gateway.ts"
import * as Notification from "../../../src/domain/payment/Notification.ts"
import * as AdyenSignature from "../../../src/infra/adyen/AdyenSignature.ts"
import * as AdyenWebhook from "../../../src/infra/adyen/AdyenWebhook.ts"

const keys = {
  current: "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
  previous: "DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00"
}
const now = Instant.make(1_700_000_000_000)

/** The item that the tests of Adyen's own libraries sign. */
const published = {
  pspReference: "7914073381342284",
  merchantAccountCode: "TestMerchant",
  merchantReference: "TestPayment-1407325143704",
  amount: { value: 1130, currency: "EUR" },
  eventCode: "AUTHORISATION",
  eventDate: "2014-08-06T13:39:03+02:00",
  success: "true"
}
type Item = Omit<Partial<typeof published>, "amount"> & { readonly [field: string]: unknown }

const bodyOf = (...items: ReadonlyArray<object>) =>
  JSON.stringify({
    live: "false",
    notificationItems: items.map((NotificationRequestItem) => ({ NotificationRequestItem }))
  })
const signedBy = (key: string, changes: Item = {}) => {
  const item = { ...published, ...changes }
  const typed = { ...item, pspReference: Reference.make(item.pspReference) } as Parameters<typeof AdyenSignature.of>[0]
  return { ...item, additionalData: { hmacSignature: AdyenSignature.of(typed, Redacted.make(key)) } }
}

const webhook = AdyenWebhook.make("adyen", {
  merchantAccount: "TestMerchant",
  hmacKeys: [Redacted.make(keys.current), Redacted.make(keys.previous)]
})
const bytes = (body: string) => new TextEncoder().encode(body)
const verify = (body: string, by = webhook) => by.verify({ headers: {}, body: bytes(body) }, now)
const verdict = (body: string, by = webhook) =>
  Result.match(verify(body, by), { onFailure: ({ detail }) => detail, onSuccess: (all) => all.map(({ id }) => id) })

describe("AdyenWebhook, who sent it", () => {
  it("knows the signatures that Adyen published", () => {
    for (const hmacSignature of [
      "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=",
      "Ny9gS2veKo5E4w8/OL6xz1/wvT/hYkAXy1xNc/QvO4I="
    ]) {
      assert.deepStrictEqual(Result.getOrThrow(verify(bodyOf({ ...published, additionalData: { hmacSignature } }))), [
        { id: "7914073381342284/AUTHORISATION/true", about: undefined }
      ])
    }
  })

  it("takes either of two keys while one is rotated, and no third", () => {
    const none = "the signature is by none of the keys"
    assert.isArray(verdict(bodyOf(signedBy(keys.current))))
    assert.isArray(verdict(bodyOf(signedBy(keys.previous))))
    assert.strictEqual(verdict(bodyOf(signedBy("00".repeat(32)))), none)
    const onlyCurrent = AdyenWebhook.make("adyen", {
      merchantAccount: "TestMerchant",
      hmacKeys: [Redacted.make(keys.current)]
    })
    assert.strictEqual(verdict(bodyOf(signedBy(keys.previous)), onlyCurrent), none)
    const keyless = AdyenWebhook.make("adyen", { merchantAccount: "TestMerchant", hmacKeys: [] })
    assert.strictEqual(verdict(bodyOf(signedBy(keys.current)), keyless), none)
  })

  it("refuses an item of which any signed field was changed", () => {
    const signed = signedBy(keys.current, { originalReference: "8313547924770610" })
    for (const change of [
      { pspReference: "7914073381342285" },
      { originalReference: "8313547924770611" },
      { originalReference: undefined },
      { merchantAccountCode: "Other" },
      { merchantReference: "pay_1/capture/1" },
      { amount: { value: 1131, currency: "EUR" } },
      { amount: { value: 1130, currency: "USD" } },
      { eventCode: "CAPTURE" },
      { success: "false" }
    ]) {
      assert.strictEqual(
        verdict(bodyOf({ ...signed, ...change })),
        "the signature is by none of the keys",
        JSON.stringify(change)
      )
    }
  })

  it("refuses what has no signature, one of another form, or one good item beside a bad one", () => {
    const good = signedBy(keys.current)
    const none = "expected a signature as additionalData.hmacSignature, got none"
    const items = "expected the notification items of a standard webhook of Adyen's"
    const wrong = "the signature is by none of the keys"
    for (const [body, expected] of [
      [bodyOf(published), none],
      [bodyOf({ ...published, additionalData: {} }), none],
      [bodyOf({ ...published, additionalData: { hmacSignature: "" } }), none],
      [bodyOf({ ...published, additionalData: { hmacSignature: 7 } }), none],
      [bodyOf({ ...published, additionalData: { hmacSignature: "AAAA" } }), wrong],
      [bodyOf({ ...published, additionalData: { hmacSignature: "ü" } }), wrong],
      [bodyOf(good, published), none],
      [bodyOf(good, { ...good, success: "false" }), wrong],
      [bodyOf(), items],
      ["{}", items],
      ["", items],
      ["<xml>", items],
      [bodyOf({ ...good, amount: "11.30" }), items]
    ] as const) {
      assert.strictEqual(verdict(body), expected, body)
    }
  })

  it("is the same delivery when reference, event and success are", () => {
    const same = [signedBy(keys.current), signedBy(keys.previous), signedBy(keys.current, { eventDate: "later" })]
    assert.strictEqual(new Set(same.map((item) => String(verdict(bodyOf(item))))).size, 1)
    const others = [{}, { success: "false" }, { eventCode: "CAPTURE" }, { pspReference: "1" }]
    assert.strictEqual(new Set(others.map((item) => String(verdict(bodyOf(signedBy(keys.current, item)))))).size, 4)
  })

  it("acknowledges in Adyen's word, and knows a key when it sees one", () => {
    assert.strictEqual(webhook.acknowledgement, "[accepted]")
    assert.deepStrictEqual(
      [keys.current, keys.current.toLowerCase(), "44", "zz".repeat(32), `${keys.current}0`, ""].map(
        AdyenSignature.isKey
      ),
      [true, true, false, false, false, false]
    )
  })
})

describe("AdyenWebhook, what it tells", () => {
  const item = (changes: object) => ({
    ...published,
    pspReference: "PSP2",
    originalReference: "PSP1",
    merchantReference: "pay_1/auth/1",
    ...changes
  })
  const read = (...items: ReadonlyArray<object>) => webhook.read(bytes(bodyOf(...items)))
  const eur = { currency: "EUR", minor: 1130n }
  const refused = (code: string, authorizationGone = false) => ({ _tag: "Refused", code, authorizationGone })
  const answered = (operation: string, answer: object) => ({ _tag: "Answered", operation, answer })
  const no = (reason?: string) => ({ success: "false", ...(reason !== undefined && { reason }) })
  const capture = { eventCode: "CAPTURE", merchantReference: "pay_1/capture/1" }
  const refund = { eventCode: "REFUND", merchantReference: "pay_1/refund/1" }
  const cancel = { eventCode: "CANCELLATION", merchantReference: "pay_1/void/1" }

  const table: ReadonlyArray<readonly [what: object, news: object | undefined]> = [
    [{}, answered("pay_1/auth/1", { _tag: "Approved", reference: "PSP2", captured: false })],
    [
      no("Not enough balance"),
      answered("pay_1/auth/1", {
        _tag: "Declined",
        reference: "PSP2",
        decline: { code: "12", category: "otherInstrument", advice: "Not enough balance" }
      })
    ],
    [capture, answered("pay_1/capture/1", { _tag: "Captured", amount: eur, reference: "PSP2" })],
    [
      { ...capture, amount: { currency: "ISK", value: 113000 } },
      answered("pay_1/capture/1", { _tag: "Captured", amount: { currency: "ISK", minor: 1130n }, reference: "PSP2" })
    ],
    [
      { ...capture, ...no("Insufficient balance on payment") },
      answered("pay_1/capture/1", refused("insufficient_balance_on_payment"))
    ],
    [
      { ...capture, ...no("Transaction already cancelled") },
      answered("pay_1/capture/1", refused("transaction_already_cancelled", true))
    ],
    [{ ...capture, ...no() }, answered("pay_1/capture/1", refused("refused"))],
    [{ ...capture, success: "false", reason: null }, answered("pay_1/capture/1", refused("refused"))],
    [{ ...capture, eventCode: "CAPTURE_FAILED" }, answered("pay_1/capture/1", refused("capture_failed"))],
    // By hand, at Adyen: told under the payment's own reference.
    [{ eventCode: "CAPTURE" }, answered("pay_1/auth/1", { _tag: "Captured", amount: eur, reference: "PSP2" })],
    [cancel, answered("pay_1/void/1", { _tag: "Voided" })],
    [{ ...cancel, eventCode: "TECHNICAL_CANCEL" }, answered("pay_1/void/1", { _tag: "Voided" })],
    [
      { ...cancel, ...no("Transaction already captured") },
      answered("pay_1/void/1", refused("transaction_already_captured"))
    ],
    [refund, answered("pay_1/refund/1", { _tag: "Refunded", reference: "PSP2" })],
    [{ ...refund, ...no("Refund not possible") }, answered("pay_1/refund/1", refused("refund_not_possible"))],
    [{ ...refund, eventCode: "REFUND_FAILED" }, answered("pay_1/refund/1", refused("refund_failed"))],
    [{ ...refund, eventCode: "REFUNDED_REVERSED" }, answered("pay_1/refund/1", refused("refunded_reversed"))],
    [
      { eventCode: "NOTIFICATION_OF_CHARGEBACK", reason: "Fraudulent Processing" },
      { _tag: "DisputeOpened", payment: "pay_1", dispute: "PSP2", amount: eur, reason: "Fraudulent Processing" }
    ],
    [{ eventCode: "CHARGEBACK" }, { _tag: "DisputeOpened", payment: "pay_1", dispute: "PSP2", amount: eur }],
    [
      { eventCode: "CHARGEBACK_REVERSED" },
      { _tag: "DisputeClosed", payment: "pay_1", dispute: "PSP2", outcome: "Won" }
    ],
    [{ eventCode: "SECOND_CHARGEBACK" }, { _tag: "DisputeClosed", payment: "pay_1", dispute: "PSP2", outcome: "Lost" }],
    [{ eventCode: "CHARGEBACK", ...no() }, undefined],
    [{ eventCode: "REPORT_AVAILABLE" }, undefined],
    [{ ...capture, amount: { currency: "XXQ", value: 1 } }, undefined],
    [{ merchantReference: "order-7" }, undefined],
    [{ merchantReference: "pay_1/unknown/1" }, undefined],
    [{ merchantReference: "" }, undefined],
    [{ eventDate: "yesterday" }, undefined],
    [{ merchantAccountCode: "AnotherOfOurs" }, undefined]
  ]
  it.effect("is what florin records, or nothing", () =>
    Effect.gen(function* () {
      for (const [what, news] of table) {
        const told = yield* read(item(what))
        assert.deepStrictEqual(
          told.map((one) => one.news as object),
          news === undefined ? [] : [news],
          JSON.stringify(what)
        )
        // It can be stored, and told again as the same.
        for (const one of told) {
          const { eventCode = "AUTHORISATION", success = "true" } = what as Item
          assert.strictEqual(one.id, `PSP2/${eventCode}/${success}`)
          assert.strictEqual(one.at, Date.parse("2014-08-06T11:39:03Z"))
          assert.deepInclude(Notification.encode(one), { gateway: "adyen" })
        }
      }
    })
  )

  it.effect("reads every item of a delivery, and fails at what is none", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* read(item(capture), item(refund), item({ eventCode: "OTHER" }))).length, 2)
      for (const body of ["", "{}", bodyOf(), bodyOf({ ...published, success: true })]) {
        assert.strictEqual((yield* Effect.flip(webhook.read(bytes(body))))._tag, "UnreadableWebhook")
      }
    })
  )
})
