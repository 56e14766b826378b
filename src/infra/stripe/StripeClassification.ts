/**
 * What it means when Stripe answers with an error, or not at all.
 *
 * `Stripe-Should-Retry` is Stripe's own word on whether the same request under
 * the same key is of use, and comes before everything but a proof that nothing
 * was done. The rest is `table`, from top to bottom; what no row knows is in
 * doubt, as a wrong "not sent" charges a customer twice (R1).
 *
 * A 5xx never makes a new key. Stripe keeps some under their key, and then a
 * repeat gets the same again (`isKept`): that is to be looked up.
 */
import type { DoubtReason, NotSentReason } from "../../domain/payment/Gateway.ts"

// --- What is seen -----------------------------------------------------------

export interface Reply {
  readonly status: number
  readonly type: string | undefined
  readonly code: string | undefined
  readonly declineCode: string | undefined
  readonly adviceCode: string | undefined
  readonly param: string | undefined
  /** The header `Stripe-Should-Retry`, where it came. */
  readonly shouldRetry: boolean | undefined
  /** `Idempotent-Replayed`: this is what the key was answered before. */
  readonly replayed: boolean
  /** The header `Retry-After`, where it came as seconds. */
  readonly retryAfterMillis: number | undefined
}

export type Seen =
  /** No connection was made, so nothing was sent. */
  | { readonly _tag: "NotConnected" }
  /** The connection broke, or the answer did. */
  | { readonly _tag: "Broken" }
  | { readonly _tag: "TimedOut" }
  /** There is an answer, and it is not Stripe's JSON. */
  | { readonly _tag: "Unreadable" }
  | { readonly _tag: "Replied"; readonly reply: Reply }

// --- What it means ----------------------------------------------------------

export type Meaning =
  | { readonly _tag: "NotSent"; readonly because: NotSentReason; readonly retryAfterMillis?: number }
  | { readonly _tag: "InDoubt"; readonly because: DoubtReason }
  /** Florin and Stripe disagree about what a key stands for. */
  | { readonly _tag: "Misconfigured" }
  | { readonly _tag: "Declined" }
  /** Nothing was done, for a reason that the request or the object has. */
  | { readonly _tag: "Refused" }

interface Row {
  /** A status, or the first of its hundred: 500 with `range` is every 5xx. */
  readonly status: number
  readonly range?: true
  readonly type?: string
  readonly code?: string
  readonly shouldRetry?: boolean
  readonly means: Meaning
}

const notSent = (because: NotSentReason): Meaning => ({ _tag: "NotSent", because })
const inDoubt = (because: DoubtReason): Meaning => ({ _tag: "InDoubt", because })
const refused: Meaning = { _tag: "Refused" }

export const table: ReadonlyArray<Row> = [
  { status: 429, shouldRetry: false, means: notSent("Refused") },
  { status: 429, means: notSent("Throttled") },
  { status: 400, code: "rate_limit", means: notSent("Throttled") },
  { status: 500, range: true, shouldRetry: true, means: inDoubt("ConnectionLost") },
  { status: 500, range: true, means: inDoubt("ServerError") },
  { status: 400, range: true, shouldRetry: true, means: inDoubt("KeyInUse") },
  { status: 400, type: "idempotency_error", means: { _tag: "Misconfigured" } },
  { status: 409, shouldRetry: false, means: inDoubt("ServerError") },
  { status: 409, means: inDoubt("KeyInUse") },
  { status: 402, type: "card_error", means: { _tag: "Declined" } },
  { status: 400, means: refused },
  { status: 402, means: refused },
  { status: 404, means: refused },
  // The account's key or what it may do: nothing is begun for a stranger.
  { status: 401, means: notSent("Refused") },
  { status: 403, means: notSent("Refused") },
  // What Stripe depends on has failed, and how far it had come by then is not said.
  { status: 424, means: inDoubt("ServerError") }
]

export const classify = (seen: Seen): Meaning => {
  switch (seen._tag) {
    case "NotConnected":
      return notSent("ConnectionRefused")
    case "Broken":
      return inDoubt("ConnectionLost")
    case "TimedOut":
      return inDoubt("Timeout")
    case "Unreadable":
      return inDoubt("Unreadable")
    case "Replied": {
      const { reply } = seen
      const means = table.find((row) => fits(row, reply))?.means ?? inDoubt("Unreadable")
      const { retryAfterMillis } = reply
      return means._tag === "NotSent" && means.because === "Throttled" && retryAfterMillis !== undefined
        ? { ...means, retryAfterMillis }
        : means
    }
  }
}

/** Sending it again only gets the same 5xx again: it was that already, or Stripe says so. */
export const isKept = (seen: Seen): boolean =>
  seen._tag === "Replied" && seen.reply.status >= 500 && (seen.reply.replayed || seen.reply.shouldRetry === false)

const fits = ({ code, range, shouldRetry, status, type }: Row, reply: Reply): boolean =>
  (range === true ? Math.floor(reply.status / 100) * 100 === status : reply.status === status) &&
  (type === undefined || type === reply.type) &&
  (code === undefined || code === reply.code) &&
  (shouldRetry === undefined || shouldRetry === reply.shouldRetry)
