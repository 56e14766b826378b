/** The handlers of this process, which every `EventBus` calls itself: one after the other, in the order of their coming. */
import { Effect } from "effect"
import type { Envelope, Handler } from "../../adapters/EventBus.ts"
import { PublishError } from "../../adapters/EventBus.ts"

export const make = () => {
  const handlers = new Map<string, Handler>()
  return {
    /** Fails with the first handler that does; those before it hear the event again with its next try. */
    call: (envelope: Envelope) =>
      Effect.forEach(
        [...handlers],
        ([name, handler]) =>
          Effect.mapError(handler(envelope), (cause) => new PublishError({ event: envelope.id, handler: name, cause })),
        { discard: true }
      ),
    /** Until the scope closes. */
    add: (name: string, handler: Handler) =>
      Effect.acquireRelease(
        Effect.sync(() => handlers.set(name, handler)),
        () => Effect.sync(() => handlers.delete(name))
      )
  }
}
