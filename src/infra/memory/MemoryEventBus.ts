/** `EventBus` within one process. */
import { Effect, Layer, PubSub, Stream } from "effect"
import type { Envelope, Handler } from "../../adapters/EventBus.ts"
import { EventBus, PublishError } from "../../adapters/EventBus.ts"

export const layer: Layer.Layer<EventBus> = Layer.effect(
  EventBus,
  Effect.gen(function* () {
    const live = yield* PubSub.unbounded<Envelope>()
    const handlers = new Map<string, Handler>()

    return EventBus.of({
      publish: Effect.fnUntraced(function* (envelope) {
        for (const [name, handler] of handlers) {
          yield* Effect.mapError(
            handler(envelope),
            (cause) => new PublishError({ event: envelope.id, handler: name, cause })
          )
        }
        yield* PubSub.publish(live, envelope)
      }),
      handle: (name, handler) =>
        Effect.acquireRelease(
          Effect.sync(() => handlers.set(name, handler)),
          () => Effect.sync(() => handlers.delete(name))
        ),
      events: Stream.fromPubSub(live)
    })
  })
)
