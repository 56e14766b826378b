/**
 * What follows a charge that failed: when it is made again, and what becomes
 * of the subscription meanwhile.
 *
 * Retries go by the category of the last decline, because it says what another
 * try is worth. The ladder says what an unpaid invoice comes to, rung by rung;
 * the time before its first rung is the grace, in which nothing is taken away.
 * Both count from the first failure of the invoice, so a worker that was down
 * shortens no grace and adds no retry.
 */
import type { Instant } from "../Instant.ts"
import { plus } from "../Instant.ts"
import type { DeclineCategory } from "../payment/Gateway.ts"

export type Rung = "pastDue" | "paused" | "cancelled"

export interface Policy {
  /** Milliseconds after the first failure, ascending. A new payment method is tried at once, whatever is here. */
  readonly retries: Readonly<Record<DeclineCategory, ReadonlyArray<number>>>
  /** Milliseconds after the first failure, ascending. */
  readonly ladder: ReadonlyArray<{ readonly afterMillis: number; readonly to: Rung }>
}

const day = 86_400_000

export const defaults: Policy = {
  retries: {
    // Most accounts are filled again within a week, and wages come within three days for the most.
    retryLater: [1 * day, 3 * day, 5 * day, 7 * day],
    // The same card will say the same; the customer has been asked for another.
    otherInstrument: [],
    final: []
  },
  // Three days to notice an expired card, and one billing run of wages before it is over.
  ladder: [
    { afterMillis: 3 * day, to: "pastDue" },
    { afterMillis: 14 * day, to: "cancelled" }
  ]
}

/** Charges that failed, the first one first. */
export interface Failures {
  readonly firstAt: Instant
  readonly lastAt: Instant
  readonly category: DeclineCategory
}

/** When the charge is made again by itself; `undefined` when it is not. */
export const nextRetry = ({ retries }: Policy, { category, firstAt, lastAt }: Failures): Instant | undefined =>
  retries[category].map((millis) => plus(firstAt, millis)).find((at) => at > lastAt)

/** The rung after those that were taken already, and when it is reached. */
export const nextRung = (
  { ladder }: Policy,
  { firstAt }: Failures,
  taken: number
): { readonly to: Rung; readonly at: Instant } | undefined => {
  const rung = ladder[taken]
  return rung && { to: rung.to, at: plus(firstAt, rung.afterMillis) }
}
