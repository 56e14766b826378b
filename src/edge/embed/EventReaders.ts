/**
 * Readers of the event bus as async iterables, which end when florin stops.
 *
 * A reading begins when it is asked for, and not with its first `next`: what is
 * recorded in between is in it.
 */
import { Effect, Option, Schema, Stream } from "effect"
import type { CursorRefused, Delivery, EventBus } from "../../adapters/EventBus.ts"
import { Cursor } from "../../adapters/EventBus.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { Event, MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { PaymentId } from "../../domain/payment/PaymentEvent.ts"
import * as Problem from "../http/Problem.ts"

/** Where to begin, and what to leave out: all that are given must match. */
export interface Reading {
  /** The `cursor` of the last event that was dealt with, or `beginning`; without it, from now on. */
  readonly after?: string | undefined
  readonly payment?: string | undefined
  readonly types?: ReadonlyArray<Event["_tag"]> | undefined
}

export interface EventReaders {
  /** The first `next` rejects with `InvalidRequest` when the cursor is none, and with `Unavailable` while the store is away. */
  readonly read: (reading?: Reading) => AsyncIterable<Delivery>
  /** Ends every iteration, as if there were no more events. */
  readonly close: () => Promise<void>
}

export const make = (bus: EventBus["Service"], merchant: MerchantId): EventReaders => {
  const open = new Set<AsyncIterator<Delivery>>()

  const follow = Effect.fnUntraced(function* ({ after, payment, types }: Reading) {
    const cursor = after === undefined ? undefined : Option.getOrUndefined(decodeCursor(after))
    if (after !== undefined && cursor === undefined) return yield* refused("after", `Expected a cursor, got "${after}"`)
    const id = payment === undefined ? undefined : Option.getOrUndefined(decodeId(payment))
    if (payment !== undefined && id === undefined) return yield* new Problem.PaymentNotFound()
    return yield* Effect.mapError(bus.follow({ merchant, after: cursor, payment: id, types }), problemOf)
  })

  const iterate = (events: Stream.Stream<Delivery, Problem.Problem>): AsyncIterator<Delivery> => {
    const forget = Effect.sync(() => void open.delete(reader))
    const reader: AsyncIterator<Delivery> = Stream.toAsyncIterable(Stream.ensuring(events, forget))[
      Symbol.asyncIterator
    ]()
    open.add(reader)
    return reader
  }

  return {
    read: (reading = {}) => {
      const begun = Effect.runPromise(Effect.result(follow(reading)))
      const events = Effect.promise(() => begun).pipe(
        Effect.flatMap(Effect.fromResult),
        Effect.map(({ deliveries }) => Stream.mapError(deliveries, problemOf)),
        Stream.unwrap
      )
      return { [Symbol.asyncIterator]: () => iterate(events) }
    },
    close: async () => {
      await Promise.all([...open].map(async (reader) => reader.return?.()))
    }
  }
}

const decodeCursor = Schema.decodeUnknownOption(Cursor)
const decodeId = Schema.decodeUnknownOption(PaymentId)

const refused = (field: string, message: string) => new Problem.InvalidRequest({ errors: [{ path: [field], message }] })

const problemOf = (error: CursorRefused | StorageUnavailable): Problem.Problem =>
  error._tag === "CursorRefused" ? refused("after", error.message) : new Problem.Unavailable()
