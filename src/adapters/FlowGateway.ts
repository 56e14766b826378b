/**
 * A gateway that performs flows: it is given a name and a request, and says
 * what came of it.
 *
 * Everything that it can say is an `Outcome`, none of it a failure: a refusal is
 * `Failed`, and no answer is `NotSent` or `InDoubt` (R1). It neither waits nor
 * tries again; the key makes a repeat the same request at the gateway (R3).
 */
import { Context } from "effect"
import type { Effect } from "effect"
import type { Outcome } from "../domain/flow/FlowEvent.ts"
import type { FlowId, FlowName } from "../domain/flow/FlowName.ts"
import type { GatewayName } from "../domain/payment/Gateway.ts"
import type { Schema } from "effect"

export interface FlowCall {
  readonly flow: FlowId
  readonly name: FlowName
  /** The idempotency key at the gateway. */
  readonly key: string
  readonly request: Schema.Json
}

export interface FlowGateway {
  readonly name: GatewayName
  /** The flows that it knows how to perform. */
  readonly flows: ReadonlySet<FlowName>
  /** How long it keeps an idempotency key. */
  readonly keyRetentionMillis: number
  readonly perform: (call: FlowCall) => Effect.Effect<Outcome>
}

/** Those that are configured; none is a service without flows. */
export class FlowGateways extends Context.Service<FlowGateways, ReadonlyArray<FlowGateway>>()(
  "florin/adapters/FlowGateways"
) {}
