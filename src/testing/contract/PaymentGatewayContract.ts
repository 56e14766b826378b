/**
 * What every gateway that knows the sandbox's tokens must do. Each
 * implementation's test runs it; what a gateway does not promise it must refuse.
 */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Result } from "effect"
import type { Layer } from "effect"
import type { GatewayError, PaymentGateway } from "../../src/adapters/PaymentGateway.ts"
import type { Answer, Capabilities, Reference } from "../../src/domain/payment/Gateway.ts"
import { MethodToken, Reference as ReferenceSchema } from "../../src/domain/payment/Gateway.ts"
import * as Operation from "../../src/domain/payment/Operation.ts"
import type { PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import type { Call } from "../../src/domain/payment/PaymentPlan.ts"
import { paymentId, shop } from "./Samples.ts"

export class GatewayUnderTest extends Context.Service<
  GatewayUnderTest,
  {
    readonly gateway: PaymentGateway
    /** How many charges of a payment the gateway's own books hold, where they can be read. */
    readonly chargesOf?: (payment: PaymentId) => Effect.Effect<number>
  }
>()("florin/test/contract/GatewayUnderTest") {}

// --- Calls ------------------------------------------------------------------

type CallOf<Tag extends Call["_tag"]> = Extract<Call, { readonly _tag: Tag }>

export const eur = (minor: bigint) => ({ currency: "EUR", minor }) as const

/** The calls of one payment of 10.00 EUR, as florin would make them. */
export const callsOf = (
  gateway: PaymentGateway,
  token: string,
  changes: Partial<CallOf<"Authorize">["order"]> = {}
) => {
  const payment = paymentId()
  const order = {
    payment,
    merchant: shop,
    amount: eur(10_00n),
    capture: "manual",
    methods: [MethodToken.make(token)],
    ...changes
  } as const
  const named = (kind: Operation.Kind, ordinal: number) => ({
    operation: Operation.idOf(payment, kind, ordinal),
    gateway: gateway.name
  })
  const authorize: CallOf<"Authorize"> = {
    _tag: "Authorize",
    ...named("authorize", 1),
    order,
    method: order.methods[0],
    challenge: false
  }
  return {
    payment,
    authorize,
    confirm: (reference: Reference, ordinal = 1): CallOf<"Confirm"> => ({
      _tag: "Confirm",
      operation: Operation.idOf(authorize.operation, "confirm", ordinal),
      gateway: gateway.name,
      reference,
      result: undefined
    }),
    capture: (reference: Reference, minor: bigint, ordinal = 1, final = false): CallOf<"Capture"> => ({
      _tag: "Capture",
      ...named("capture", ordinal),
      reference,
      amount: eur(minor),
      final
    }),
    void: (reference: Reference, ordinal = 1): CallOf<"Void"> => ({
      _tag: "Void",
      ...named("void", ordinal),
      reference
    }),
    refund: (reference: Reference, minor: bigint, ordinal = 1): CallOf<"Refund"> => ({
      _tag: "Refund",
      ...named("refund", ordinal),
      reference,
      amount: eur(minor)
    })
  }
}

/** The answer as the only kind that it may be. */
export const only = <A extends { readonly _tag: string }, Tag extends A["_tag"]>(
  tag: Tag,
  answer: A
): Extract<A, { readonly _tag: Tag }> => {
  const isOf = (one: A): one is Extract<A, { readonly _tag: Tag }> => one._tag === tag
  return isOf(answer) ? answer : assert.fail(`expected ${tag}, got ${answer._tag}`)
}

/** The reference of an answer that must have one. */
export const referenceOf = (answer: Answer): Reference =>
  answer._tag === "ActionRequired" ? answer.reference : only("Approved", answer).reference

export const tagOf = <A extends { readonly _tag: string }, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(effect, ({ _tag }) => _tag)

/** A gateway may tell all but one of those who use a key at once that another is being worked on. */
const isInUse = ({ reason }: GatewayError) => reason._tag === "InDoubt" && reason.because === "KeyInUse"

const count = (answers: ReadonlyArray<Answer>, tag: Answer["_tag"]) => answers.filter(({ _tag }) => _tag === tag).length

/** `InDoubt ServerError`, and so on. */
export const reasonOf = <A, R>(effect: Effect.Effect<A, GatewayError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) =>
    reason._tag === "Misconfigured" ? reason._tag : `${reason._tag} ${reason.because}`
  )

// --- The suite --------------------------------------------------------------

/** `capabilities`: what the gateway promises, which it must also declare. */
export const suite = <E>(name: string, implementation: Layer.Layer<GatewayUnderTest, E>, capabilities: Capabilities) =>
  // Real time: what is asked here takes none, and some implementations have sockets.
  layer(implementation, { excludeTestServices: true })(`PaymentGateway (${name})`, (it) => {
    const begin = Effect.fnUntraced(function* (token: string, changes?: Partial<CallOf<"Authorize">["order"]>) {
      const { gateway } = yield* GatewayUnderTest
      return { gateway, calls: callsOf(gateway, token, changes) }
    })
    const held = Effect.fnUntraced(function* (token = "tok_visa", changes?: Partial<CallOf<"Authorize">["order"]>) {
      const { calls, gateway } = yield* begin(token, changes)
      return { gateway, calls, reference: referenceOf(yield* gateway.authorize(calls.authorize)) }
    })
    const captured = Effect.fnUntraced(function* (token = "tok_visa") {
      const hold = yield* held(token)
      yield* hold.gateway.capture(hold.calls.capture(hold.reference, 10_00n))
      return hold
    })

    it.effect("declares what it promises", () =>
      Effect.gen(function* () {
        const { gateway } = yield* GatewayUnderTest
        assert.deepStrictEqual(gateway.capabilities, capabilities)
      })
    )

    it.effect("approves", () =>
      Effect.gen(function* () {
        for (const token of ["tok_visa", "tok_mastercard", "tok_amex"]) {
          const { calls, gateway } = yield* begin(token)
          const answer = yield* gateway.authorize(calls.authorize)
          assert.strictEqual(only("Approved", answer).captured, false)
        }
      })
    )

    it.effect("captures with the authorization where it can and is asked to", () =>
      Effect.gen(function* () {
        const { calls, gateway } = yield* begin("tok_visa", { capture: "automatic" })
        const answer = yield* gateway.authorize(calls.authorize)
        assert.strictEqual(only("Approved", answer).captured, capabilities.autoCapture)
      })
    )

    const declines = [
      ["tok_declined_insufficient_funds", "51", "otherInstrument"],
      ["tok_declined_expired_card", "54", "otherInstrument"],
      ["tok_declined_issuer_unavailable", "91", "retryLater"],
      ["tok_declined_stolen", "43", "final"],
      ["tok_declined_unknown", "Z9", "final"],
      ["tok_nobody_ever_issued", "14", "final"],
      ["__proto__", "14", "final"]
    ] as const
    it.effect("declines, and says what that leaves open", () =>
      Effect.gen(function* () {
        for (const [token, code, category] of declines) {
          const { calls, gateway } = yield* begin(token)
          const answer = yield* gateway.authorize(calls.authorize)
          assert.deepStrictEqual(only("Declined", answer).decline, { code, category }, token)
        }
      })
    )

    it.effect("captures all that was authorized", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held()
        const answer = yield* gateway.capture(calls.capture(reference, 10_00n))
        assert.deepStrictEqual(only("Captured", answer).amount, eur(10_00n))
      })
    )

    it.effect("captures a part where it can, and never more than is left", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held()
        const first = yield* tagOf(gateway.capture(calls.capture(reference, 4_00n, 1)))
        assert.strictEqual(first, capabilities.partialCapture ? "Captured" : "Refused")
        if (!capabilities.partialCapture) return
        const second = yield* tagOf(gateway.capture(calls.capture(reference, 6_00n, 2)))
        assert.strictEqual(second, capabilities.multipleCaptures ? "Captured" : "Refused")
        assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(reference, 1n, 3))), "Refused")
      })
    )

    it.effect("captures nothing more after the last capture", () =>
      Effect.gen(function* () {
        if (!capabilities.partialCapture) return
        const { calls, gateway, reference } = yield* held()
        yield* gateway.capture(calls.capture(reference, 4_00n, 1, true))
        assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(reference, 1n, 2))), "Refused")
      })
    )

    it.effect("refuses to capture one cent more than was authorized, or nothing, and keeps the hold", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held()
        for (const [ordinal, minor] of [10_01n, 0n, -1n].entries()) {
          const answer = yield* gateway.capture(calls.capture(reference, minor, ordinal + 1))
          assert.strictEqual(only("Refused", answer).authorizationGone, false)
        }
        assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(reference, 10_00n, 4))), "Captured")
      })
    )

    it.effect("refuses to capture in another currency", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held()
        const capture = { ...calls.capture(reference, 1_00n), amount: { currency: "USD", minor: 1_00n } } as const
        assert.strictEqual(yield* tagOf(gateway.capture(capture)), "Refused")
      })
    )

    it.effect("voids, and then the hold is gone", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held()
        assert.strictEqual(yield* tagOf(gateway.void(calls.void(reference))), "Voided")
        const answer = yield* gateway.capture(calls.capture(reference, 10_00n))
        assert.strictEqual(only("Refused", answer).authorizationGone, true)
      })
    )

    it.effect("answers a void after the capture with what was captured", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* captured()
        const answer = yield* gateway.void(calls.void(reference))
        assert.deepStrictEqual(only("Captured", answer).amount, eur(10_00n))
      })
    )

    it.effect("refunds all that was captured", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* captured()
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 10_00n))), "Refunded")
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 1n, 2))), "Refused")
      })
    )

    it.effect("refunds in parts where it can, and never more than was captured", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* captured()
        const expected = capabilities.partialRefund ? "Refunded" : "Refused"
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 4_00n, 1))), expected)
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 10_01n, 2))), "Refused")
        if (!capabilities.partialRefund) return
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 6_01n, 3))), "Refused")
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 6_00n, 4))), "Refunded")
      })
    )

    it.effect("refuses to refund what was never captured", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held()
        assert.strictEqual(yield* tagOf(gateway.refund(calls.refund(reference, 1n))), "Refused")
      })
    )

    it.effect("was not sent what concerns a charge it does not have", () =>
      Effect.gen(function* () {
        const { calls, gateway } = yield* begin("tok_visa")
        const nowhere = ReferenceSchema.make("ch_nowhere")
        assert.strictEqual(yield* reasonOf(gateway.capture(calls.capture(nowhere, 1n))), "NotSent Refused")
        assert.strictEqual(yield* reasonOf(gateway.void(calls.void(nowhere))), "NotSent Refused")
      })
    )

    it.effect("gives the same answer to the same key, and charges once", () =>
      Effect.gen(function* () {
        const { chargesOf } = yield* GatewayUnderTest
        const { calls, gateway } = yield* begin("tok_visa")
        const answers = yield* Effect.all([gateway.authorize(calls.authorize), gateway.authorize(calls.authorize)])
        assert.deepStrictEqual(answers[0], answers[1])
        if (chargesOf !== undefined) assert.strictEqual(yield* chargesOf(calls.payment), 1)
        const capture = calls.capture(referenceOf(answers[0]), 6_00n)
        assert.deepStrictEqual(yield* gateway.capture(capture), yield* gateway.capture(capture))
        // Had it been captured twice, this would be more than was authorized.
        const rest = calls.capture(referenceOf(answers[0]), 4_00n, 2)
        if (capabilities.multipleCaptures) assert.strictEqual(yield* tagOf(gateway.capture(rest)), "Captured")
      })
    )

    it.effect("gives a declined key the same decline, and a refused one the same refusal", () =>
      Effect.gen(function* () {
        const declined = yield* begin("tok_declined_issuer_unavailable")
        const decline = declined.gateway.authorize(declined.calls.authorize)
        assert.deepStrictEqual(yield* decline, yield* decline)
        const { calls, gateway, reference } = yield* held()
        const tooMuch = gateway.capture(calls.capture(reference, 10_01n))
        assert.deepStrictEqual(yield* tooMuch, yield* tooMuch)
      })
    )

    it.effect("is misconfigured for whoever uses a key for something else", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held()
        const order = { ...calls.authorize.order, amount: eur(10_01n) }
        assert.strictEqual(yield* reasonOf(gateway.authorize({ ...calls.authorize, order })), "Misconfigured")
        const method = MethodToken.make("tok_amex")
        assert.strictEqual(yield* reasonOf(gateway.authorize({ ...calls.authorize, method })), "Misconfigured")
        yield* gateway.capture(calls.capture(reference, 1_00n))
        assert.strictEqual(yield* reasonOf(gateway.capture(calls.capture(reference, 2_00n))), "Misconfigured")
      })
    )

    it.effect("looks up what became of every operation", () =>
      Effect.gen(function* () {
        if (capabilities.lookup !== "authoritative") return
        const { calls, gateway, reference } = yield* captured()
        const capture = calls.capture(reference, 10_00n)
        const refund = calls.refund(reference, 10_00n)
        assert.deepStrictEqual(yield* gateway.lookup(refund), { _tag: "NotFound" })
        const sent = [
          [calls.authorize, yield* gateway.authorize(calls.authorize)],
          [capture, yield* gateway.capture(capture)],
          [refund, yield* gateway.refund(refund)],
          [calls.void(reference), yield* gateway.void(calls.void(reference))]
        ] as const
        for (const [call, answer] of sent) {
          assert.deepStrictEqual(yield* gateway.lookup(call), { _tag: "Found", answer })
        }
      })
    )

    it.effect("has never heard of what was not sent", () =>
      Effect.gen(function* () {
        if (capabilities.lookup === "none") return
        const { calls, gateway } = yield* begin("tok_visa")
        assert.deepStrictEqual(yield* gateway.lookup(calls.authorize), { _tag: "NotFound" })
      })
    )

    it.effect("sends the customer to their bank and goes on when they come back", () =>
      Effect.gen(function* () {
        const { calls, gateway } = yield* begin("tok_3ds", { returnUrl: "https://shop.example/back?order=1" })
        const answer = yield* gateway.authorize(calls.authorize)
        assert.match(only("ActionRequired", answer).action.url, /^https?:\/\//)
        if (capabilities.lookup === "authoritative") {
          assert.deepStrictEqual(yield* gateway.lookup(calls.authorize), { _tag: "Found", answer })
        }
        assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(referenceOf(answer), 10_00n))), "Refused")
        const confirmed = yield* gateway.confirm(calls.confirm(referenceOf(answer)))
        assert.strictEqual(confirmed._tag, "Approved")
        assert.deepStrictEqual(yield* gateway.confirm(calls.confirm(referenceOf(answer))), confirmed)
        assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(referenceOf(answer), 10_00n, 2))), "Captured")
      })
    )

    it.effect("asks for 3-D Secure with any card when it is told to", () =>
      Effect.gen(function* () {
        const { calls, gateway } = yield* begin("tok_visa")
        const answer = yield* gateway.authorize({ ...calls.authorize, challenge: true })
        assert.strictEqual(yield* tagOf(gateway.confirm(calls.confirm(referenceOf(answer)))), "Approved")
      })
    )

    it.effect("declines a customer whom the bank did not recognise", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held("tok_3ds_fails")
        assert.strictEqual(yield* tagOf(gateway.confirm(calls.confirm(reference))), "Declined")
        assert.strictEqual(yield* tagOf(gateway.capture(calls.capture(reference, 1n))), "Refused")
      })
    )

    it.effect("goes on waiting for a customer who never came back, until it is voided", () =>
      Effect.gen(function* () {
        const { calls, gateway, reference } = yield* held("tok_3ds_abandoned")
        assert.strictEqual(yield* tagOf(gateway.confirm(calls.confirm(reference))), "ActionRequired")
        assert.strictEqual(yield* tagOf(gateway.void(calls.void(reference))), "Voided")
        assert.strictEqual(yield* tagOf(gateway.confirm(calls.confirm(reference, 2))), "Declined")
      })
    )

    it.effect("of ten sends of one key at once, makes one charge", () =>
      Effect.gen(function* () {
        const { chargesOf } = yield* GatewayUnderTest
        const { calls, gateway } = yield* begin("tok_visa")
        const sends = Array.from({ length: 10 }, () => Effect.result(gateway.authorize(calls.authorize)))
        const results = yield* Effect.all(sends, { concurrency: "unbounded" })
        assert.isTrue(results.every((result) => Result.isSuccess(result) || isInUse(result.failure)))
        const references = results.filter(Result.isSuccess).map(({ success }) => referenceOf(success))
        assert.strictEqual(new Set(references).size, 1)
        if (chargesOf !== undefined) assert.strictEqual(yield* chargesOf(calls.payment), 1)
      })
    )

    it.effect("of ten captures and ten refunds at once, lets through what the sums allow", () =>
      Effect.gen(function* () {
        if (!capabilities.multipleCaptures || !capabilities.partialRefund) return
        const { calls, gateway, reference } = yield* held()
        const ten = Array.from({ length: 10 }, (_, index) => index + 1)
        const captures = yield* Effect.all(
          ten.map((ordinal) => gateway.capture(calls.capture(reference, 3_00n, ordinal))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual([count(captures, "Captured"), count(captures, "Refused")], [3, 7])
        const refunds = yield* Effect.all(
          ten.map((ordinal) => gateway.refund(calls.refund(reference, 2_00n, ordinal))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual([count(refunds, "Refunded"), count(refunds, "Refused")], [4, 6])
      })
    )
  })
