/** `GET /v1/gateways` over `GatewayCall`. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { GatewayCall } from "../../orchestration/GatewayCall.ts"
import * as GatewayJson from "./GatewayJson.ts"
import { PaymentsApi } from "./PaymentsApi.ts"

export const gateways = HttpApiBuilder.group(
  PaymentsApi,
  "gateways",
  Effect.fn(function* (handlers) {
    const calls = yield* GatewayCall
    return handlers.handle("list", () =>
      Effect.map(calls.gateways, (all) => ({ gateways: all.map(GatewayJson.fromStanding) }))
    )
  })
)
