/** What every `Notifier` must do. */
import { assert, layer } from "@effect/vitest"
import { Context, Effect } from "effect"
import type { Layer } from "effect"
import type { Notice } from "../../adapters/Notifier.ts"
import { Address, NoticeId, Notifier } from "../../adapters/Notifier.ts"
import { unique } from "./Samples.ts"

/** What has arrived at the receiver, in order, a repeat as often as it came. */
export class Arrived extends Context.Service<Arrived, Effect.Effect<ReadonlyArray<Notice>>>()(
  "florin/testing/contract/NotifierContract/Arrived"
) {}

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the notifier and of what has arrived, read at the
 * receiver's end.
 *
 * Checks: what arrives is what was sent, in any script and with every line;
 * a notice that is sent again arrives under the same id; what would forge a
 * header or another receiver is refused with the field's name, and never sent.
 *
 *     const acme = Layer.effect(NotifierContract.Arrived, AcmeInbox.read)
 *     NotifierContract.suite("acme", Layer.mergeAll(AcmeNotifier.layer, acme))
 */
export const suite = <E>(name: string, implementation: Layer.Layer<Notifier | Arrived, E>) =>
  layer(implementation)(`Notifier (${name})`, (it) => {
    const notice = (fields: Partial<Notice> = {}): Notice => ({
      id: NoticeId.make(unique("receipt/")),
      kind: "receipt",
      to: Address.make("ada@example.org"),
      subject: "Your receipt",
      text: "You paid 10.00 EUR.",
      ...fields
    })
    const notify = (sent: Notice) => Effect.flatMap(Notifier, ({ notify }) => notify(sent))
    const arrived = (sent: Notice) =>
      Effect.gen(function* () {
        return (yield* yield* Arrived).filter(({ id }) => id === sent.id)
      })

    it.effect("delivers the subject and the text as they were written", () =>
      Effect.gen(function* () {
        const sent = notice({ subject: "Quittung für Žofie: 10,00 €", text: "Grüße,\nfrom the shop.\n\n.\n= 10,00 €" })
        yield* notify(sent)
        assert.deepStrictEqual(yield* arrived(sent), [sent])
      })
    )

    it.effect("delivers HTML beside the text", () =>
      Effect.gen(function* () {
        const sent = notice({ html: '<p style="color:#003">You paid <b>10.00&nbsp;€</b>.</p>' })
        yield* notify(sent)
        assert.deepStrictEqual(yield* arrived(sent), [sent])
      })
    )

    it.effect("delivers a notice that is sent again under the same id", () =>
      Effect.gen(function* () {
        const sent = notice()
        yield* notify(sent)
        yield* notify(sent)
        const all = yield* arrived(sent)
        assert.include([1, 2], all.length)
        assert.deepStrictEqual(
          all.map(({ subject }) => subject),
          all.map(() => "Your receipt")
        )
      })
    )

    const forged: ReadonlyArray<readonly [field: string, fields: object, expected: string]> = [
      ["subject", { subject: "Hi\r\nBcc: eve@example.org" }, "printable text without control characters"],
      ["to", { to: "ada@example.org, eve@example.org" }, "one mail address"],
      ["to", { to: "ada@example.org\r\nBcc: eve@example.org" }, "one mail address"],
      ["to", { to: "<eve@example.org> ada@example.org" }, "one mail address"],
      ["id", { id: "receipt/1\r\nBcc: eve@example.org" }, "a token of visible ASCII characters"],
      ["kind", { kind: "receipt\nBcc: eve@example.org" }, "a token of visible ASCII characters"],
      ["text", { text: "nul \u0000" }, "printable text and line breaks"]
    ]
    it.effect("refuses what would forge a header or another receiver, by the field's name, and sends nothing", () =>
      Effect.gen(function* () {
        const before = yield* yield* Arrived
        for (const [field, fields, expected] of forged) {
          const error = yield* Effect.flip(notify(notice(fields)))
          assert.strictEqual(error.reason._tag, "InvalidNotice", field)
          assert.include(error.message, `["${field}"]`)
          assert.include(error.message, expected)
          assert.isFalse(error.isRetryable)
        }
        assert.deepStrictEqual(yield* yield* Arrived, before)
      })
    )
  })
