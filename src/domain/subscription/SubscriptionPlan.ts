/**
 * What a subscription owes next (R7). Billing, dunning, the end of a trial and
 * a cancellation are all in here: the first run, the run after a crash and the
 * run on another machine ask the same question.
 *
 * - `Decide`: a command that needs nothing from the outside;
 * - `Charge`: the open invoice is to be charged, and its intent is recorded (R2);
 * - `Wait`: nothing before a moment;
 * - `Rest`: nothing at all.
 *
 * A cancellation that is due comes first. Of the rest, what came due first is
 * done first, so that a worker that was away does what it missed in the order
 * in which it was missed.
 */
import type { Instant } from "../Instant.ts"
import * as Subscription from "./Subscription.ts"
import { retryAt, rungOf } from "./SubscriptionBilling.ts"
import type { Policy } from "./SubscriptionBilling.ts"
import type { Command } from "./SubscriptionCommand.ts"

export type Next =
  | { readonly _tag: "Decide"; readonly command: Command }
  | { readonly _tag: "Charge"; readonly open: Subscription.OpenInvoice }
  | { readonly _tag: "Wait"; readonly until: Instant }
  | { readonly _tag: "Rest" }

export const next = (state: Subscription.State, at: Instant, policy: Policy): Next => {
  if (state._tag === "New" || Subscription.isOver(state)) return { _tag: "Rest" }
  if (state.open?.isCharging === true) return { _tag: "Charge", open: state.open }
  const cancelsAt = Subscription.cancelsAt(state)
  // Before all else that is due: whoever has left is neither billed nor charged again.
  if (cancelsAt !== undefined && cancelsAt <= at) return { _tag: "Decide", command: { _tag: "Conclude", at } }
  const owed: ReadonlyArray<Owed | undefined> = [
    due(cancelsAt, { _tag: "Conclude", at }),
    due(billsAt(state), { _tag: "Bill", at }),
    due(retryAt(state, policy, at), { _tag: "RetryCharge", at }),
    due(rungOf(state, policy)?.at, { _tag: "Advance", at })
  ]
  const [first] = owed.filter((one) => one !== undefined).toSorted((a, b) => a.since - b.since)
  if (first === undefined) return { _tag: "Rest" }
  return first.since <= at ? { _tag: "Decide", command: first.command } : { _tag: "Wait", until: first.since }
}

/** When it is worth asking again; `undefined` when only a command changes anything. */
export const dueAt = (state: Subscription.State, at: Instant, policy: Policy): Instant | undefined => {
  const owed = next(state, at, policy)
  switch (owed._tag) {
    case "Decide":
    case "Charge":
      return at
    case "Wait":
      return owed.until
    case "Rest":
      return undefined
  }
}

interface Owed {
  readonly since: Instant
  readonly command: Command
}

const due = (since: Instant | undefined, command: Command): Owed | undefined =>
  since === undefined ? undefined : { since, command }

const billsAt = (state: Subscription.Begun): Instant | undefined =>
  state.open === undefined && (state._tag === "Trialing" || state._tag === "Active")
    ? Subscription.paidUntil(state)
    : undefined
