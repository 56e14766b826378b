/**
 * When a step is tried again, as data.
 *
 * `attempts` counts the first one. The wait after the n-th attempt is `base`
 * (fixed), `base * n` (linear) or `base * 2^(n-1)` (exponential), in
 * milliseconds, at most `capMillis` where there is a cap. `jitter` is the share
 * of the wait that is drawn by lot: with 0.2, a wait of 10 s is 8 to 10 s. An
 * error that says it is not retryable ends it at once.
 */
export interface StepRetry {
  readonly attempts: number
  readonly backoff: "fixed" | "linear" | "exponential"
  readonly baseMillis: number
  readonly capMillis?: number | undefined
  readonly jitter?: number | undefined
}

export const once: StepRetry = { attempts: 1, backoff: "fixed", baseMillis: 0 }

/** What is wrong with it, `undefined` where nothing is. */
export const complaintAbout = ({ attempts, baseMillis, capMillis, jitter = 0 }: StepRetry): string | undefined => {
  if (!Number.isInteger(attempts) || attempts < 1)
    return `attempts of ${attempts}, where a whole number of 1 or more is`
  if (!Number.isFinite(baseMillis) || baseMillis < 0) return `a base of ${baseMillis} ms, where 0 or more is`
  if (capMillis !== undefined && !(capMillis >= 0)) return `a cap of ${capMillis} ms, where 0 or more is`
  if (!(jitter >= 0 && jitter <= 1)) return `a jitter of ${jitter}, where a share from 0 to 1 is`
  return undefined
}

export type Verdict = { readonly _tag: "Again"; readonly afterMillis: number } | { readonly _tag: "GiveUp" }

/** After `attempt` attempts, the last of which failed; `lot` is drawn by the caller, from 0 up to 1. */
export const decide = (retry: StepRetry, isRetryable: boolean, attempt: number, lot: number): Verdict =>
  isRetryable && attempt < retry.attempts
    ? { _tag: "Again", afterMillis: Math.round(wait(retry, attempt) * (1 - (retry.jitter ?? 0) * lot)) }
    : { _tag: "GiveUp" }

const wait = ({ backoff, baseMillis, capMillis = Infinity }: StepRetry, attempt: number): number => {
  const growth = { fixed: 1, linear: attempt, exponential: 2 ** (attempt - 1) }[backoff]
  return Math.min(capMillis, baseMillis * growth)
}
