/** Until when: an event's sequence, or a moment, as people write them. */
import { DateTime, Effect, Option, Schema } from "effect"
import { Instant } from "../../domain/Instant.ts"
import type { Bound } from "./PastBooks.ts"

/** Neither a sequence nor a moment, or a sequence that the journal has not reached. */
export class MomentRefused extends Schema.TaggedError<MomentRefused>()("MomentRefused", { detail: Schema.String }) {
  override get message() {
    return `--at: ${this.detail}`
  }
}

/** A moment without an offset would mean another one elsewhere, so it has to have one; a day begins in UTC. */
const momentPattern = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/

/** `head` is the journal's last event: nobody can ask for what is after it by its sequence. */
export const parse = (given: string | undefined, head: number): Effect.Effect<Bound, MomentRefused> => {
  if (given === undefined) return Effect.succeed({})
  if (/^\d{1,15}$/.test(given)) {
    const sequence = Number(given)
    return sequence <= head
      ? Effect.succeed({ sequence })
      : refuse(`the journal ends at ${head}, and ${sequence} is after it`)
  }
  const millis = momentPattern.test(given)
    ? Option.getOrUndefined(Option.map(DateTime.make(given), DateTime.toEpochMillis))
    : undefined
  return Schema.is(Instant)(millis)
    ? Effect.succeed({ at: millis })
    : refuse(
        `expected the sequence of an event, or a moment such as 2026-11-21 or 2026-11-21T12:00:00Z, got ${JSON.stringify(given).slice(0, maxShown)}`
      )
}

/** More of a value than this says no more about what is wrong with it. */
const maxShown = 60

const refuse = (detail: string) => Effect.fail(new MomentRefused({ detail }))
