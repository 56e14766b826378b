/**
 * Decides a command on what is stored, and stores what was decided.
 *
 * The append is conditional on the version that was decided on. When another
 * writer was faster, the same command is decided again on what is stored now:
 * what the other did already comes out as nothing, what it made impossible as
 * refused.
 */
import { Effect, Schema } from "effect"
import type { SubscriptionRepositoryError } from "../../adapters/SubscriptionRepository.ts"
import { SubscriptionRepository } from "../../adapters/SubscriptionRepository.ts"
import type { Instant } from "../../domain/Instant.ts"
import { SubscriptionId } from "../../domain/subscription/Invoice.ts"
import type * as Subscription from "../../domain/subscription/Subscription.ts"
import type { Command, Rejected } from "../../domain/subscription/SubscriptionCommand.ts"
import { decide } from "../../domain/subscription/SubscriptionDecision.ts"
import type { Event } from "../../domain/subscription/SubscriptionEvent.ts"
import { fold } from "../../domain/subscription/SubscriptionFold.ts"
import * as SubscriptionNotice from "../../domain/subscription/SubscriptionNotice.ts"
import * as SubscriptionPlan from "../../domain/subscription/SubscriptionPlan.ts"
import * as SubscriptionView from "../../domain/subscription/SubscriptionView.ts"
import { now } from "../Clocks.ts"
import { SubscriptionPolicy } from "./SubscriptionPolicy.ts"

export class SubscriptionNotFound extends Schema.TaggedError<SubscriptionNotFound>()("SubscriptionNotFound", {
  subscription: SubscriptionId
}) {
  override get message() {
    return `there is no subscription ${this.subscription}`
  }
}

/** A subscription as it is stored. */
export interface Stored {
  readonly state: Subscription.Begun
  readonly version: number
  readonly updatedAt: Instant
}

export interface Recorded extends Stored {
  readonly notices: ReadonlyArray<SubscriptionNotice.SubscriptionNotice>
}

export const load = Effect.fn("SubscriptionRecord.load")(function* (subscription: SubscriptionId) {
  const repository = yield* SubscriptionRepository
  const { history, version } = yield* repository.load(subscription)
  const state = fold(history)
  const last = history.at(-1)
  if (state._tag === "New" || last === undefined) return yield* new SubscriptionNotFound({ subscription })
  return { state, version, updatedAt: last.at } satisfies Stored
})

export const viewOf = ({ state, updatedAt, version }: Stored): SubscriptionView.SubscriptionView =>
  SubscriptionView.of(state, version, updatedAt)

/** Lost races for one subscription end with somebody's win; so many in a row are a fault of something else. */
const maxRaces = 20

export const record = Effect.fn("SubscriptionRecord.record")(function* (
  subscription: SubscriptionId,
  wish: (at: Instant) => Command
): Effect.fn.Return<
  Recorded,
  Rejected | SubscriptionNotFound | SubscriptionRepositoryError,
  SubscriptionRepository | SubscriptionPolicy
> {
  const once = decideAndAppend(subscription, wish)
  return yield* Effect.retry(once, {
    times: maxRaces,
    while: (error) => error._tag === "SubscriptionRepositoryError" && error.reason._tag === "VersionConflict"
  })
})

const decideAndAppend = Effect.fnUntraced(function* (subscription: SubscriptionId, wish: (at: Instant) => Command) {
  const repository = yield* SubscriptionRepository
  const policy = yield* SubscriptionPolicy
  const { history, version } = yield* repository.load(subscription)
  const at = yield* now
  const command = wish(at)
  const before = fold(history)
  if (before._tag === "New" && command._tag !== "Subscribe") return yield* new SubscriptionNotFound({ subscription })
  const events: ReadonlyArray<Event> = yield* Effect.fromResult(decide(command, before, policy))
  const state = fold(events, before)
  const updatedAt = events.at(-1)?.at ?? history.at(-1)?.at
  if (state._tag === "New" || updatedAt === undefined) return yield* new SubscriptionNotFound({ subscription })
  const stored: Stored = { state, version: version + events.length, updatedAt }
  if (events.length === 0) return { ...stored, notices: [] }
  yield* repository.append({
    subscription,
    merchant: state.terms.merchant,
    expected: version,
    events,
    view: viewOf(stored),
    due: SubscriptionPlan.dueAt(state, at, policy)
  })
  return { ...stored, notices: SubscriptionNotice.of(events, before, version, policy) }
})

/** Leaves it alone until then; whoever wrote to it meanwhile knows better. */
export const postpone = Effect.fn("SubscriptionRecord.postpone")(function* (stored: Stored, due: Instant) {
  const repository = yield* SubscriptionRepository
  const { merchant, subscription } = stored.state.terms
  yield* repository
    .append({ subscription, merchant, expected: stored.version, events: [], view: viewOf(stored), due })
    .pipe(
      Effect.catchIf(
        (error) => error.reason._tag === "VersionConflict",
        () => Effect.void
      )
    )
})
