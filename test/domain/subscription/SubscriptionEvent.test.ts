import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as SubscriptionEvent from "../../../src/domain/subscription/SubscriptionEvent.ts"
import { fold } from "../../../src/domain/subscription/SubscriptionFold.ts"
import { at, once, percent, terms } from "./Subscriptions.ts"

const stored = Schema.toCodecJson(SubscriptionEvent.Event)

describe("SubscriptionEvent", () => {
  it("is read as it was written by the first version", () => {
    // As in the database. Never edit this: what is stored cannot be edited either.
    const written = [
      '{"_tag":"Subscribed","terms":{"subscription":"sub_1","merchant":"shop","customer":"ada","email":"ada@example.org","plan":{"id":"basic","name":"Basic","price":{"currency":"EUR","minor":"3000"},"interval":{"unit":"month","count":1},"trialDays":0},"method":"tok_visa","zone":"Europe/Berlin","coupon":{"code":"SPRING","off":{"_tag":"Percent","basisPoints":5000},"duration":{"_tag":"Once"}}},"at":1801390800000}',
      '{"_tag":"PeriodBegun","period":{"anchor":1801390800000,"index":0,"start":1801390800000,"end":1803810000000,"interval":{"unit":"month","count":1},"priceMinor":"1500","coupon":{"code":"SPRING","off":{"_tag":"Percent","basisPoints":5000},"duration":{"_tag":"Once"}}},"at":1801390800000}',
      '{"_tag":"InvoiceFinalized","invoice":{"id":"sub_1/inv/1","currency":"EUR","lines":[{"number":1,"kind":"plan","description":"Basic","amountMinor":"3000","start":1801390800000,"end":1803810000000},{"number":2,"kind":"discount","description":"Coupon SPRING","amountMinor":"-1500","start":1801390800000,"end":1803810000000}],"totalMinor":"1500","fromCreditMinor":"0","dueMinor":"1500","at":1801390800000},"at":1801390800000}',
      '{"_tag":"ChargeBegun","invoice":"sub_1/inv/1","attempt":1,"method":"tok_visa","at":1801390800000}',
      '{"_tag":"ChargeFailed","invoice":"sub_1/inv/1","attempt":1,"payment":"pay_1","failure":{"code":"51","category":"otherInstrument"},"at":1801390801000}',
      '{"_tag":"FellPastDue","at":1801650001000}',
      '{"_tag":"MethodUpdated","request":"r1","method":"tok_new","at":1801650002000}',
      '{"_tag":"ChargeBegun","invoice":"sub_1/inv/1","attempt":2,"method":"tok_new","at":1801650002000}',
      '{"_tag":"InvoicePaid","invoice":"sub_1/inv/1","payment":"pay_2","at":1801650003000}',
      '{"_tag":"CancellationRequested","request":"r2","when":"periodEnd","at":1801650004000}',
      '{"_tag":"Ended","at":1803810000000}'
    ]
    const history = written.map((json) => Schema.decodeUnknownSync(stored)(JSON.parse(json)))
    assert.deepStrictEqual(
      history.map((event) => JSON.stringify(Schema.encodeSync(stored)(event))),
      written
    )
    assert.deepInclude(fold(history), { _tag: "Ended", invoices: 1, creditMinor: 0n, open: undefined })
    assert.deepInclude(fold(history.slice(0, 8)), { _tag: "PastDue", lapsed: true })
  })

  it("is read with an address that nobody could give today", () => {
    for (const email of ["ada", "ada@example.org, eve@example.org", ""]) {
      const event = Schema.encodeSync(stored)({ _tag: "Subscribed", terms: terms({ email }), at: at("2027-01-31") })
      assert.deepInclude(fold([Schema.decodeUnknownSync(stored)(JSON.parse(JSON.stringify(event)))]), {
        terms: terms({ email })
      })
    }
  })

  it("refuses what cannot be: a zone that there is not, a price below zero, a coupon of more than all, two addresses", () => {
    const json = Schema.decodeUnknownResult(Schema.toCodecJson(SubscriptionEvent.Terms))
    const good = Schema.encodeSync(Schema.toCodecJson(SubscriptionEvent.Terms))(
      terms({ coupon: percent(100_00, once), email: "ada@example.org" })
    )
    assert.strictEqual(json(good)._tag, "Success")
    const text = JSON.stringify(good)
    const wrong: ReadonlyArray<readonly [from: string, to: string, says: RegExp]> = [
      ['"UTC"', '"Mars/Olympus"', /IANA time zone[\s\S]*zone/],
      ['"3000"', '"-1"', /a price of 0 to/],
      ["10000", "10001", /basisPoints/],
      ["ada@example.org", "ada@example.org, eve@example.org", /one mail address[\s\S]*email/]
    ]
    for (const [from, to, says] of wrong) {
      assert.include(text, from)
      assert.match(String(json(JSON.parse(text.replace(from, to)))), says)
    }
  })
})
