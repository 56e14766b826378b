/** `EventBus` within one process. */
import { Effect, Layer, PubSub, Stream } from "effect"
import type { Envelope } from "../../adapters/EventBus.ts"
import { EventBus } from "../../adapters/EventBus.ts"
import * as EventHandlers from "./EventHandlers.ts"

export const layer: Layer.Layer<EventBus> = Layer.effect(
  EventBus,
  Effect.gen(function* () {
    const live = yield* PubSub.unbounded<Envelope>()
    const handlers = EventHandlers.make()

    return EventBus.of({
      publish: (envelope) => Effect.andThen(handlers.call(envelope), PubSub.publish(live, envelope)),
      handle: handlers.add,
      events: Stream.fromPubSub(live)
    })
  })
)
