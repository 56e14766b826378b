/**
 * A gateway that says what a test wants, and remembers what it was asked.
 *
 * It keeps no books: for a gateway that behaves like one, see `simulated`.
 */
import { Effect, Layer, Ref } from "effect"
import type { Found, PaymentGateway } from "../../adapters/PaymentGateway.ts"
import { GatewayError, PaymentGateways } from "../../adapters/PaymentGateway.ts"
import type { Answer, Capabilities } from "../../domain/payment/Gateway.ts"
import { GatewayName } from "../../domain/payment/Gateway.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"

export interface Asked {
  readonly ask: "send" | "lookup"
  readonly call: Call
  /** How often this was asked about this operation before. */
  readonly before: number
}

/** What the gateway says; `undefined` is "not found", which only a lookup can say. */
export type Script = (asked: Asked) => Effect.Effect<Answer | undefined, GatewayError["reason"]>

export interface ScriptedGateway {
  readonly gateway: PaymentGateway
  /** Everything that it was asked, in order. */
  readonly asked: Effect.Effect<ReadonlyArray<Asked>>
}

/** Keeps keys for a day, looks up with authority, and can do everything. */
export const capable: Capabilities = {
  idempotencyKey: { retentionMillis: 86_400_000, maxLength: 255, storesErrors: false },
  lookup: "authoritative",
  autoCapture: false,
  partialCapture: true,
  multipleCaptures: true,
  partialRefund: true
}

export const make = Effect.fnUntraced(function* (
  name: string,
  script: Script,
  capabilities: Capabilities = capable
): Effect.fn.Return<ScriptedGateway> {
  const log = yield* Ref.make<ReadonlyArray<Asked>>([])
  const gatewayName = GatewayName.make(name)

  const ask = Effect.fnUntraced(function* (how: Asked["ask"], call: Call) {
    const asked = yield* Ref.modify(log, (all) => {
      const isSame = (one: Asked) => one.ask === how && one.call.operation === call.operation
      const now = { ask: how, call, before: all.filter(isSame).length }
      return [now, [...all, now]]
    })
    return yield* Effect.mapError(
      script(asked),
      (reason) => new GatewayError({ gateway: gatewayName, operation: call.operation, reason })
    )
  })

  const send = Effect.fnUntraced(function* <Tag extends Answer["_tag"]>(call: Call, fitting: ReadonlyArray<Tag>) {
    const answer = yield* ask("send", call)
    const fits = (one: Answer): one is Extract<Answer, { readonly _tag: Tag }> =>
      fitting.some((tag) => tag === one._tag)
    if (answer === undefined || !fits(answer)) {
      return yield* Effect.die(new Error(`the script has no ${fitting.join(" or ")} for ${call.operation}`))
    }
    return answer
  })

  const authorization = ["Approved", "Declined", "ActionRequired", "Pending"] as const
  const gateway: PaymentGateway = {
    name: gatewayName,
    capabilities,
    authorize: (call) => send(call, authorization),
    confirm: (call) => send(call, authorization),
    capture: (call) => send(call, ["Captured", "Refused", "Pending"]),
    void: (call) => send(call, ["Voided", "Captured", "Refused", "Pending"]),
    refund: (call) => send(call, ["Refunded", "Refused", "Pending"]),
    lookup: (call) =>
      Effect.map(ask("lookup", call), (answer): Found =>
        answer === undefined ? { _tag: "NotFound" } : { _tag: "Found", answer }
      )
  }
  return { gateway, asked: Ref.get(log) }
})

export const layer = (...gateways: ReadonlyArray<ScriptedGateway>): Layer.Layer<PaymentGateways> =>
  Layer.succeed(PaymentGateways, new Map(gateways.map(({ gateway }) => [gateway.name, gateway])))
