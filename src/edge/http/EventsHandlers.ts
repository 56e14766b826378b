/** `GET /v1/events`: a reader of the event bus as a response that goes on until somebody leaves. */
import { Context, Duration, Effect, Latch, Layer, Schedule, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { EventBus } from "../../adapters/EventBus.ts"
import * as EventJson from "./EventJson.ts"
import { Merchant } from "./Merchant.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import * as Problem from "./Problem.ts"
import { refuse } from "./Refusal.ts"

/** How long a stream may be silent. Half of the shortest patience that is usual among proxies, which is 30 seconds. */
export const HeartbeatMillis = Context.Reference<number>("florin/edge/http/EventsHandlers/HeartbeatMillis", {
  defaultValue: () => 15_000
})

/** Opens when the service ends: then every stream ends by itself, as one that nobody broke. */
export class Closing extends Context.Service<Closing, Latch.Latch>()("florin/edge/http/EventsHandlers/Closing") {}

/** Opens with its scope at the latest. */
export const closing = Layer.effect(
  Closing,
  Effect.acquireRelease(Latch.make(), (latch) => latch.open)
)

export const events = HttpApiBuilder.group(
  PaymentsApi,
  "events",
  Effect.fn(function* (handlers) {
    const bus = yield* EventBus
    const merchant = yield* Merchant
    const closing = yield* Closing
    const heartbeatMillis = yield* HeartbeatMillis
    const heartbeats = Stream.fromSchedule(Schedule.spaced(Duration.millis(heartbeatMillis))).pipe(
      Stream.map(() => EventJson.heartbeat)
    )

    return handlers.handle("follow", ({ headers, query }) => {
      const header = headers["last-event-id"]
      const after = header ?? query.after
      return bus.follow({ merchant, after, payment: query.payment, types: query.type }).pipe(
        Effect.map(({ deliveries, from }) =>
          respond(
            Stream.make(EventJson.toPlace(from)).pipe(
              Stream.concat(Stream.merge(Stream.map(deliveries, EventJson.toBlock), heartbeats)),
              // The reader comes back with its cursor: an end is as good as an error, and says no more than it should.
              Stream.catch((error) =>
                Stream.fromEffectDrain(Effect.logWarning("a stream of events ends early", error))
              ),
              Stream.interruptWhen(closing.await)
            )
          )
        ),
        Effect.catch((error) => {
          if (error._tag === "StorageUnavailable") return refuse(error)
          const path = header === undefined ? ["query", "after"] : ["headers", "last-event-id"]
          return refuse(new Problem.InvalidRequest({ errors: [{ path, message: error.message }] }))
        })
      )
    })
  })
)

/** Neither kept nor held back on the way. */
const respond = (blocks: Stream.Stream<string>) =>
  HttpServerResponse.stream(Stream.encodeText(blocks), {
    contentType: "text/event-stream",
    headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
  })
