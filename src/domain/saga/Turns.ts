/**
 * What runs let each other do: so many in a time, and in which order. Plain
 * rules; `Turnstile` keeps what they count. Moments are in milliseconds.
 */

// --- Rates ------------------------------------------------------------------

/** So many in each stretch of that many milliseconds, counted from its first. */
export interface RateWindow {
  readonly limit: number
  readonly millis: number
}

/** What has been counted in a window since it started. */
export interface Counted {
  readonly startedMillis: number
  readonly count: number
}

/** Which window is full, and for how long. */
export interface Exceeded {
  readonly millis: number
  readonly retryAfterMillis: number
}

/** One more in every window, or, where one is full, in none. `counted` is as the windows are. */
export const charge = (
  windows: ReadonlyArray<RateWindow>,
  counted: ReadonlyArray<Counted | undefined>,
  now: number
): Exceeded | ReadonlyArray<Counted> => {
  const current = windows.map(({ millis }, index) => {
    const before = counted[index]
    return before === undefined || now >= before.startedMillis + millis ? { startedMillis: now, count: 0 } : before
  })
  const full = windows.findIndex(({ limit }, index) => current[index]!.count >= limit)
  if (full === -1) return current.map(({ count, startedMillis }) => ({ startedMillis, count: count + 1 }))
  const { millis } = windows[full]!
  return { millis, retryAfterMillis: current[full]!.startedMillis + millis - now }
}

// --- Orders -----------------------------------------------------------------

/** `next`: whose turn it is; `issued`: the last nonce that has been heard of. */
export interface Order {
  readonly next: number
  readonly issued: number
  readonly hasFailed: boolean
}

export const atFirst: Order = { next: 1, issued: 0, hasFailed: false }

/** `skip`: one before it failed, or its turn has passed. */
export type Turn = "yours" | "wait" | "skip"

/** Whether it is the turn of `nonce`, and the order with it in. */
export const turn = (order: Order, nonce: number): { readonly turn: Turn; readonly order: Order } => {
  const heard = { ...order, issued: Math.max(order.issued, nonce) }
  if (nonce > order.next) return { turn: "wait", order: heard }
  if (nonce < order.next) return { turn: "skip", order }
  return { turn: order.hasFailed ? "skip" : "yours", order: heard }
}

/** After a failure those that are waiting are skipped, and when the last of them is, the count begins again. */
export const passed = (order: Order, nonce: number, succeeded: boolean): Order => {
  if (nonce !== order.next) return order
  const after = { ...order, next: nonce + 1, hasFailed: order.hasFailed || !succeeded }
  return after.hasFailed && after.next > after.issued ? atFirst : after
}
