/**
 * When to try again, as data: failure and attempt in, wait or give up out.
 *
 * The wait grows by `factor` from `baseMillis` up to `capMillis`:
 * `base * factor^(attempt - 1)`. A server's own `Retry-After` is a lower
 * bound, never a shortcut. There is no jitter here, so that a table of waits
 * is a table of facts; whoever needs to spread a crowd adds it outside.
 */

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly maxAttempts: number
  readonly baseMillis: number
  readonly factor: number
  readonly capMillis: number
}

export interface Failure {
  /** `false` when the same request would be refused the same way again. */
  readonly retryable: boolean
  /** What the server asked for, if it did. */
  readonly retryAfterMillis?: number | undefined
}

export type Verdict = { readonly _tag: "Wait"; readonly millis: number } | { readonly _tag: "GiveUp" }

/** What to do after the `attempt`-th attempt (1 is the first) failed. */
export const decide = (policy: RetryPolicy, failure: Failure, attempt: number): Verdict => {
  if (!failure.retryable || attempt >= policy.maxAttempts) return { _tag: "GiveUp" }
  const backoff = Math.min(policy.capMillis, policy.baseMillis * policy.factor ** (attempt - 1))
  return { _tag: "Wait", millis: Math.max(backoff, failure.retryAfterMillis ?? 0) }
}

/** One attempt, never another. */
export const once: RetryPolicy = { maxAttempts: 1, baseMillis: 0, factor: 1, capMillis: 0 }
