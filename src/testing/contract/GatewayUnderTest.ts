/**
 * A gateway under test: the calls that florin would make of it, and its answers
 * read as the only kind that they may be.
 *
 * Every payment is of 10.00 EUR and has an id of its own, so that tests which
 * share a gateway do not meet.
 */
import { assert } from "@effect/vitest"
import { Context, Effect } from "effect"
import type { GatewayError, PaymentGateway } from "../../adapters/PaymentGateway.ts"
import type { Answer, Reference } from "../../domain/payment/Gateway.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import * as Operation from "../../domain/payment/Operation.ts"
import type { PaymentId } from "../../domain/payment/PaymentEvent.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"
import { paymentId, shop } from "./Samples.ts"

export class GatewayUnderTest extends Context.Service<
  GatewayUnderTest,
  {
    readonly gateway: PaymentGateway
    /** How many charges of a payment the gateway's own books hold, where they can be read. */
    readonly chargesOf?: (payment: PaymentId) => Effect.Effect<number>
    /**
     * What its notification said of an operation that it had answered `Pending`,
     * once that has come. With it, captures, voids and refunds may be settled so;
     * without it, they must be answered at once.
     */
    readonly settled?: (operation: Operation.OperationId) => Effect.Effect<Answer>
    /** What a customer brings back from the page that they were sent to, where the gateway needs it to go on. */
    readonly redirected?: (url: string) => Effect.Effect<string>
    /** Whose the test cards are, where the gateway asks for that. */
    readonly customer?: string
  }
>()("florin/testing/contract/GatewayUnderTest") {}

// --- Calls ------------------------------------------------------------------

type CallOf<Tag extends Call["_tag"]> = Extract<Call, { readonly _tag: Tag }>

export const eur = (minor: bigint) => ({ currency: "EUR", minor }) as const

/**
 * The calls of a new payment of 10.00 EUR with one card, as florin would make
 * them: ids derived from the payment, amounts in minor units. An `ordinal`
 * tells a second operation of one kind from a repeat of the first.
 */
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

// --- Answers ----------------------------------------------------------------

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

/** Why a call that must fail did: `InDoubt ServerError`, and so on. */
export const reasonOf = <A, R>(effect: Effect.Effect<A, GatewayError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) =>
    reason._tag === "Misconfigured" ? reason._tag : `${reason._tag} ${reason.because}`
  )

// --- Outcomes that come later -----------------------------------------------

type Settled = NonNullable<GatewayUnderTest["Service"]["settled"]>

/** The gateway as if it waited for its own notifications. */
const waiting = (gateway: PaymentGateway, settled: Settled): PaymentGateway => {
  const outcomeOf = <A extends Answer>(call: Call, kind: Operation.Kind, answered: Effect.Effect<A, GatewayError>) =>
    Effect.flatMap(answered, (answer) => {
      const isOutcome = (one: Answer): one is A => Operation.accepts[kind].includes(one._tag) && one._tag !== "Pending"
      if (answer._tag !== "Pending") return Effect.succeed(answer)
      return Effect.map(settled(call.operation), (outcome) =>
        isOutcome(outcome) ? outcome : assert.fail(`a ${kind} was told to be ${outcome._tag}`)
      )
    })
  return {
    ...gateway,
    capture: (call) => outcomeOf(call, "capture", gateway.capture(call)),
    void: (call) => outcomeOf(call, "void", gateway.void(call)),
    refund: (call) => outcomeOf(call, "refund", gateway.refund(call))
  }
}

// --- A payment's way to its money -------------------------------------------

type OrderChanges = Partial<CallOf<"Authorize">["order"]>

/** A payment of which nothing was sent yet. */
export const begin = Effect.fnUntraced(function* (token: string, changes?: OrderChanges) {
  const { customer, gateway, settled } = yield* GatewayUnderTest
  return {
    gateway: settled === undefined ? gateway : waiting(gateway, settled),
    calls: callsOf(gateway, token, { ...(customer !== undefined && { customer }), ...changes })
  }
})

/** A payment that was authorized. */
export const held = Effect.fnUntraced(function* (token: string, changes?: OrderChanges) {
  const { calls, gateway } = yield* begin(token, changes)
  return { gateway, calls, reference: referenceOf(yield* gateway.authorize(calls.authorize)) }
})

/** A payment whose customer was sent to their bank, and the confirmation once they are back. */
export const challenged = Effect.fnUntraced(function* (token: string, changes?: OrderChanges, challenge = false) {
  const { redirected } = yield* GatewayUnderTest
  const { calls, gateway } = yield* begin(token, changes)
  const answer = only("ActionRequired", yield* gateway.authorize({ ...calls.authorize, challenge }))
  const result = redirected === undefined ? undefined : yield* redirected(answer.action.url)
  const confirm = (ordinal = 1): CallOf<"Confirm"> => ({ ...calls.confirm(answer.reference, ordinal), result })
  return { gateway, calls, answer, reference: answer.reference, confirm }
})

/** A payment of which all was captured. */
export const captured = Effect.fnUntraced(function* (token: string) {
  const hold = yield* held(token)
  only("Captured", yield* hold.gateway.capture(hold.calls.capture(hold.reference, 10_00n)))
  return hold
})
