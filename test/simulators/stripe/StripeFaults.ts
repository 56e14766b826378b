/**
 * What goes wrong on demand: planned faults, each for the next requests that it
 * matches, used up in the order in which they were planned.
 *
 * | fault | what becomes of the request, and what is seen of it |
 * | --- | --- |
 * | closeBefore | nothing is done, the connection breaks |
 * | closeAfter | it is done, the connection breaks |
 * | hangBefore, hangAfter | nothing is done, or it is; no answer ever comes |
 * | errorBefore | nothing is done, a 5xx |
 * | errorAfter | it is done, a 5xx, which is kept under the key |
 * | throttle | nothing is done, a 429 |
 * | inUse | nothing is done, a 409 |
 * | slow | it is done after a while, and its key is in use until then |
 * | unreadable | it is done, a 200 that is no JSON |
 * | refuse | nothing is done, and an error of the test's own |
 */
import type { ErrorFields } from "./StripeReply.ts"

export type Fault =
  | { readonly _tag: "closeBefore" | "closeAfter" | "hangBefore" | "hangAfter" | "unreadable" | "inUse" }
  | {
      readonly _tag: "errorBefore"
      readonly status?: number
      readonly shouldRetry?: boolean
      /** `true`: it is kept under the key all the same. */
      readonly stored?: boolean
    }
  | {
      readonly _tag: "errorAfter"
      readonly status?: number
      readonly shouldRetry?: boolean
      /** `false`: the error came from a proxy in front, and a repeat gets the real answer. */
      readonly stored?: boolean
    }
  | { readonly _tag: "throttle"; readonly retryAfterSeconds?: number; readonly shouldRetry?: boolean }
  | { readonly _tag: "slow"; readonly millis: number }
  | {
      readonly _tag: "refuse"
      readonly status: number
      readonly error: ErrorFields
      readonly shouldRetry?: boolean
    }

/** `POST /v1/payment_intents`, with `{id}` for any id; or a test of its own. */
export type Where = string | ((request: { readonly route: string; readonly key: string | undefined }) => boolean)

interface Planned {
  readonly where: Where
  readonly fault: Fault
  times: number
}

export interface StripeFaults {
  /** The next `times` requests of a route meet a fault; once unless told otherwise. */
  readonly plan: (where: Where, fault: Fault, times?: number) => void
  readonly clear: () => void
  /** How many faults did strike. */
  readonly struck: () => number
  readonly take: (request: { readonly route: string; readonly key: string | undefined }) => Fault | undefined
}

export const make = (): StripeFaults => {
  const planned: Array<Planned> = []
  let struck = 0
  return {
    plan: (where, fault, times = 1) => void planned.push({ where, fault, times }),
    clear: () => void planned.splice(0),
    struck: () => struck,
    take: (request) => {
      const next = planned.find(
        ({ times, where }) => times > 0 && (typeof where === "string" ? where === request.route : where(request))
      )
      if (next === undefined) return undefined
      next.times -= 1
      struck += 1
      return next.fault
    }
  }
}
