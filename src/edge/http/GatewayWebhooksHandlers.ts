/** `POST /v1/webhooks/{gateway}`: a gateway's delivery to `WebhookIntake`, byte for byte. */
import { ByteSize, Effect } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import type { SecureRandom } from "effect/crypto"
import { HttpApiBuilder } from "effect/http-api"
import type { GatewayWebhooks } from "../../adapters/GatewayWebhooks.ts"
import type { WebhookInbox } from "../../adapters/WebhookInbox.ts"
import * as WebhookIntake from "../../orchestration/WebhookIntake.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import * as Problem from "./Problem.ts"
import { refuse } from "./Refusal.ts"

/** Gateways' events have some kilobytes, and those with long lists in them some hundred. */
export const maxBodyBytes = 1024 * 1024

export const gatewayWebhooks = HttpApiBuilder.group(
  PaymentsApi,
  "gatewayWebhooks",
  Effect.fn(function* (handlers) {
    const services = yield* Effect.context<GatewayWebhooks | WebhookInbox | SecureRandom.SecureRandom>()
    return handlers.handleRaw("receive", ({ params, request }) =>
      Effect.flatMap(bodyOf(request), (body) =>
        WebhookIntake.receive(params.gateway, { headers: request.headers, body })
      ).pipe(
        Effect.map(({ acknowledgement }) => HttpServerResponse.text(acknowledgement)),
        Effect.catch(refuse),
        Effect.provideContext(services)
      )
    )
  })
)

const tooLarge = new Problem.BodyTooLarge({ maxBytes: maxBodyBytes })

const bodyOf = (request: HttpServerRequest.HttpServerRequest) =>
  Number(request.headers["content-length"] ?? 0) > maxBodyBytes
    ? Effect.fail(tooLarge)
    : request.arrayBuffer.pipe(
        Effect.provideService(HttpServerRequest.MaxBodySize, ByteSize.fromInputUnsafe(maxBodyBytes)),
        Effect.mapBoth({ onFailure: () => tooLarge, onSuccess: (buffer) => new Uint8Array(buffer) })
      )
