/**
 * A gateway written with promises, as florin's own kind.
 *
 * Each function answers with a value, a decline included. When there is no
 * answer it throws what is known: `NotSent` when it is certain that nothing
 * happened, `Misconfigured` when asking again cannot help, `InDoubt` when money
 * may have moved. Whatever else is thrown is `InDoubt` as well, and so is an
 * answer that this operation cannot have.
 *
 * `signal` is aborted when florin has stopped waiting; the call may have taken
 * effect all the same, and florin asks about it later.
 */
import { Effect, Schema } from "effect"
import * as PaymentGateway from "../../adapters/PaymentGateway.ts"
import { Answer, Capabilities, GatewayName, Reference } from "../../domain/payment/Gateway.ts"
import type { OperationId } from "../../domain/payment/Operation.ts"

type Gateway = PaymentGateway.PaymentGateway
type Operations = Omit<Gateway, "name" | "capabilities">

/** The same call, answered by a promise. */
type Promised<Call> = Call extends (call: infer Asked) => Effect.Effect<infer Answer, unknown>
  ? (call: Asked, signal: AbortSignal) => Promise<Answer>
  : never

export type Definition = {
  readonly name: string
  readonly capabilities: Capabilities
} & { readonly [Operation in keyof Operations]: Promised<Operations[Operation]> }

const { ActionRequired, Approved, Captured, Declined, Pending, Refunded, Refused, Voided } = Answer.cases
const authorizations = Schema.Union([Approved, Declined, ActionRequired, Pending])
const captures = Schema.Union([Captured, Refused, Pending])
const voids = Schema.Union([Voided, Captured, Refused, Pending])
const refunds = Schema.Union([Refunded, Refused, Pending])
const findings = Schema.TaggedUnion({ Found: { answer: Answer }, NotFound: {} })

const Identity = Schema.Struct({ name: GatewayName, capabilities: Capabilities })

/** Throws a `SchemaError` when the name or the capabilities are none. */
export const make = (definition: Definition): Gateway => {
  const { capabilities, name } = Schema.decodeUnknownSync(Identity)(definition)
  const call = <Asked extends { readonly operation: OperationId }, A>(
    perform: (call: Asked, signal: AbortSignal) => Promise<A>,
    answers: Schema.Codec<A, unknown>
  ) => {
    const read = Schema.decodeUnknownSync(Schema.toType(answers))
    return (asked: Asked) =>
      Effect.tryPromise({
        try: async (signal) => read(await perform(asked, signal)),
        catch: (cause) =>
          new PaymentGateway.GatewayError({ gateway: name, operation: asked.operation, reason: reasonOf(cause) })
      })
  }
  return {
    name,
    capabilities,
    authorize: call((asked, signal) => definition.authorize(asked, signal), authorizations),
    confirm: call((asked, signal) => definition.confirm(asked, signal), authorizations),
    capture: call((asked, signal) => definition.capture(asked, signal), captures),
    void: call((asked, signal) => definition.void(asked, signal), voids),
    refund: call((asked, signal) => definition.refund(asked, signal), refunds),
    lookup: call((asked, signal) => definition.lookup(asked, signal), findings)
  }
}

/** The gateway's own id of a charge or a refund; throws a `SchemaError` when it is not visible ASCII. */
export const reference = (id: string): Reference => Reference.make(id)

/** `Unreadable`: something came of the call, and it cannot be told what. */
const reasonOf = (cause: unknown): PaymentGateway.GatewayError["reason"] =>
  cause instanceof PaymentGateway.NotSent ||
  cause instanceof PaymentGateway.InDoubt ||
  cause instanceof PaymentGateway.Misconfigured
    ? cause
    : new PaymentGateway.InDoubt({ because: "Unreadable", cause })
