/**
 * A payment as it is stored, and what was decided since and is not stored yet.
 *
 * Several decisions make one append. When another writer was faster, `rebase`
 * decides the same commands again on what is stored now: what the other wrote
 * already comes out as nothing, what it made impossible as refused.
 */
import { Result } from "effect"
import type { Instant } from "../Instant.ts"
import * as Payment from "./Payment.ts"
import type { Command, Rejected } from "./PaymentCommand.ts"
import { decide as decideCommand } from "./PaymentDecision.ts"
import type { Event } from "./PaymentEvent.ts"
import { fold } from "./PaymentFold.ts"
import * as PaymentView from "./PaymentView.ts"

export interface Draft {
  /** How many events are stored. */
  readonly version: number
  /** When the last event happened, stored or not; absent before the first. */
  readonly updatedAt: Instant | undefined
  readonly commands: ReadonlyArray<Command>
  readonly events: ReadonlyArray<Event>
  /** After all events, the stored ones and those of this draft. */
  readonly state: Payment.State
}

export const of = (history: ReadonlyArray<Event>): Draft => ({
  version: history.length,
  updatedAt: history.at(-1)?.at,
  commands: [],
  events: [],
  state: fold(history)
})

export const decide = (self: Draft, command: Command): Result.Result<Draft, Rejected> =>
  Result.map(decideCommand(command, self.state), (events) =>
    events.length === 0
      ? self
      : {
          version: self.version,
          updatedAt: events.at(-1)!.at,
          commands: [...self.commands, command],
          events: [...self.events, ...events],
          state: fold(events, self.state)
        }
  )

/** The draft after its events were stored. */
export const stored = (self: Draft): Draft => ({
  ...self,
  version: self.version + self.events.length,
  commands: [],
  events: []
})

/** The same decisions on a history that went on without them, and those that it refuses now. */
export const rebase = (
  self: Draft,
  history: ReadonlyArray<Event>
): {
  readonly draft: Draft
  readonly refused: ReadonlyArray<{ readonly command: Command; readonly why: Rejected }>
} => {
  const refused: Array<{ readonly command: Command; readonly why: Rejected }> = []
  let draft = of(history)
  for (const command of self.commands) {
    const decided = decide(draft, command)
    if (Result.isSuccess(decided)) draft = decided.success
    else refused.push({ command, why: decided.failure })
  }
  return { draft, refused }
}

/** What is said of the payment once this draft is stored; nothing of one that was never begun. */
export const view = ({ events, state, updatedAt, version }: Draft): PaymentView.PaymentView | undefined =>
  state._tag === "New" || updatedAt === undefined
    ? undefined
    : PaymentView.of(state, version + events.length, updatedAt)

/** Nothing has begun and not ended: the view is an answer that stands. */
export const isSettled = ({ state }: Draft): boolean => Payment.openOperations(state).length === 0
