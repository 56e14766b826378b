/** `GET /v1/gateways`: each gateway, what it can do, and how it is doing. */
import { Schema } from "effect"
import { Capabilities, GatewayName } from "../../domain/payment/Gateway.ts"
import type { GatewayStanding } from "../../orchestration/GatewayCall.ts"

const Breaker = Schema.Struct({
  /** `unknown` when the breaker's store does not answer; calls then pass. */
  state: Schema.Literals(["closed", "open", "half_open", "unknown"]),
  /** How long an open breaker holds calls back from now. */
  retryAfterMillis: Schema.optionalKey(Schema.Int),
  /** How often in a row it has opened. */
  openings: Schema.optionalKey(Schema.Int)
})

const Gateway = Schema.Struct({
  name: GatewayName,
  /** `up`: calls pass. `probing`: one call is let through to see. `down`: calls are held back. */
  health: Schema.Literals(["up", "probing", "down"]),
  breaker: Breaker,
  capabilities: Capabilities
}).annotate({ identifier: "Gateway" })

export const Gateways = Schema.Struct({ gateways: Schema.Array(Gateway) }).annotate({ identifier: "Gateways" })

export const fromStanding = ({ breaker, capabilities, health, name }: GatewayStanding): typeof Gateway.Type => ({
  name,
  health,
  breaker: breakerOf(breaker),
  capabilities
})

const breakerOf = (breaker: GatewayStanding["breaker"]): typeof Breaker.Type => {
  switch (breaker._tag) {
    case "Closed":
      return { state: "closed" }
    case "Open":
      return { state: "open", retryAfterMillis: breaker.retryAfterMillis, openings: breaker.openings }
    case "HalfOpen":
      return { state: "half_open", openings: breaker.openings }
    case "Unknown":
      return { state: "unknown" }
  }
}
