/**
 * Stripe without a wire: a request comes in and has a course, which is how long
 * it takes and how it ends. What is done is done at once and whole.
 *
 * The order of a request: the key of the account, the version, the fault that
 * was planned for it, its idempotency key, its parameters, and then its work.
 */
import type { Params } from "./FormBody.ts"
import * as Form from "./FormBody.ts"
import * as IdempotencyKeys from "./IdempotencyKeys.ts"
import * as StripeFaults from "./StripeFaults.ts"
import * as Objects from "./StripeObjects.ts"
import type { JsonObject, Reply } from "./StripeReply.ts"
import { errorBody, Refused } from "./StripeReply.ts"
import * as Routes from "./StripeRoutes.ts"
import * as Tables from "./StripeTables.ts"

/** A request: names of headers in lower case, the query without its `?`. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

export type Ending =
  | { readonly _tag: "Replied"; readonly reply: Reply }
  | { readonly _tag: "Unreadable" }
  | { readonly _tag: "Closed" }
  | { readonly _tag: "Hung" }

export interface Course {
  readonly delayMillis: number
  /** What is done when the delay is over. */
  readonly end: () => Ending
}

/** A request as it was understood, for those who look at what was sent. */
export interface Seen {
  readonly method: string
  readonly path: string
  /** Its path with `{id}` for an id; empty for what no route knows. */
  readonly route: string
  readonly params: Params
  readonly key: string | undefined
  readonly version: string | undefined
  readonly headers: Readonly<Record<string, string | undefined>>
}

export interface StripeMachine {
  readonly secretKey: string
  readonly tables: Tables.Tables
  readonly faults: StripeFaults.StripeFaults
  readonly seen: ReadonlyArray<Seen>
  readonly receive: (asked: Asked) => Course
  /** Every key is forgotten, as if a day had passed. */
  readonly forgetKeys: () => void
  /** How far search is behind, in milliseconds. */
  searchLagMillis: number
  /** How long every request takes, during which its key is in use. */
  latencyMillis: number
}

/** Observed: customers are found after 16 to 20 s, PaymentIntents after more than two minutes. */
const searchLagMillis = 120_000

export const make = (now: () => number): StripeMachine => {
  const tables = Tables.make(now)
  const faults = StripeFaults.make()
  const keys: IdempotencyKeys.Keys = new Map()
  const seen: Array<Seen> = []

  const machine: StripeMachine = {
    secretKey: "sk_test_florin",
    tables,
    faults,
    seen,
    forgetKeys: () => keys.clear(),
    searchLagMillis,
    latencyMillis: 0,
    receive: (asked) => {
      const requestId = tables.id("req")
      const { headers, method, path } = asked
      const key = method === "POST" ? headers["idempotency-key"] : undefined
      const params = Form.decode(method === "POST" ? asked.body : asked.query)
      const own = headersOf(asked, requestId, key)
      const refusing = (work: () => Course): Course => {
        try {
          return work()
        } catch (error) {
          if (!(error instanceof Refused)) throw error
          return at(0, () => replied(refusal(error, requestId, own)))
        }
      }

      return refusing(() => {
        checkAccount(headers["authorization"], machine.secretKey)
        checkVersion(headers["stripe-version"])
        const noted = { method, path, params, key, version: headers["stripe-version"], headers }
        const found = findOr(method, path, () => seen.push({ ...noted, route: "" }))
        const { route } = found
        seen.push({ ...noted, route })
        const fault = faults.take({ route, key })
        const request = IdempotencyKeys.fingerprint(method, path, params)
        const before = fault === undefined ? undefined : endingBefore(fault, requestId, own)
        if (before !== undefined) {
          const isStored = fault?._tag === "errorBefore" && fault.stored === true && before._tag === "Replied"
          if (isStored && key !== undefined) {
            keys.set(key, { request, requestId, atMillis: now(), answer: before.reply })
          }
          return at(0, () => before)
        }
        const kept = key === undefined ? undefined : IdempotencyKeys.look(keys, key, request, now())
        if (kept?.answer !== undefined) {
          const replay = { ...own, "original-request": kept.requestId, "idempotent-replayed": "true" }
          return at(0, () => endingAfter(fault, replied({ ...kept.answer!, headers: replay })))
        }
        Routes.checkParameters(route, params)
        const claim: IdempotencyKeys.Kept = { request, requestId, atMillis: now(), answer: undefined }
        if (key !== undefined) keys.set(key, claim)

        const work = (): Ending => {
          tables.request = { id: requestId, idempotency_key: key ?? null }
          const context = { tables, params, id: found.id, searchLagMillis: () => machine.searchLagMillis }
          const { begun, body, status } = run(found, context, requestId)
          const failing = fault?._tag === "errorAfter" ? serverError(fault, requestId, own) : undefined
          const isStored = fault?._tag === "errorAfter" && fault.stored !== false
          if (!begun) keys.delete(key ?? "")
          else claim.answer = isStored ? { status: failing!.status, body: failing!.body } : { status, body }
          const original = key === undefined ? {} : { "original-request": requestId }
          return endingAfter(fault, replied(failing ?? { status, body, headers: { ...own, ...original } }))
        }
        return at(fault?._tag === "slow" ? fault.millis : machine.latencyMillis, work)
      })
    }
  }
  return machine
}

const at = (delayMillis: number, end: () => Ending): Course => ({ delayMillis, end })
const replied = (reply: Reply): Ending => ({ _tag: "Replied", reply })

const headersOf = (asked: Asked, requestId: string, key: string | undefined): Reply["headers"] => ({
  "content-type": "application/json",
  "request-id": requestId,
  "stripe-version": asked.headers["stripe-version"] ?? Objects.accountVersion,
  ...(key !== undefined && { "idempotency-key": key })
})

const findOr = (method: string, path: string, note: () => void): Routes.Found => {
  try {
    return Routes.find(method, path)
  } catch (error) {
    note()
    throw error
  }
}

// --- Before anything is done ------------------------------------------------

const checkAccount = (authorization: string | undefined, secretKey: string): void => {
  const given = authorization?.startsWith("Basic ")
    ? Buffer.from(authorization.slice(6), "base64").toString("utf8").replace(/:$/, "")
    : authorization?.replace(/^Bearer /, "")
  if (given === secretKey) return
  throw new Refused(401, {
    type: "invalid_request_error",
    message: given === undefined ? "You did not provide an API key." : "Invalid API Key provided: sk_test_****"
  })
}

/** Dated versions up to the SDK's own; the later ones have a name. */
const checkVersion = (version: string | undefined): void => {
  if (version === undefined) return
  const [date = "", name] = version.split(".")
  const isKnown = /^20\d\d-\d\d-\d\d$/.test(date) && date >= "2011-01-01" && date <= "2026-10-28"
  const isNamed = name === undefined || ["acacia", "basil", "clover", "dahlia", "endive"].includes(name)
  if (isKnown && isNamed) return
  throw new Refused(400, { type: "invalid_request_error", message: `Invalid Stripe API version: ${version}` })
}

// --- The work ---------------------------------------------------------------

interface Done {
  readonly status: number
  readonly body: JsonObject
  readonly begun: boolean
}

const run = (found: Routes.Found, context: Routes.Context, requestId: string): Done => {
  try {
    const object = found.run(context)
    const body = Objects.expanded(context.tables, object, Routes.expands(context.params))
    return { status: 200, body, begun: true }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return { status: error.status, body: errorBody(error.fields, requestId), begun: error.begun }
  }
}

const refusal = ({ fields, status }: Refused, requestId: string, headers: Reply["headers"]): Reply => ({
  status,
  headers: status === 409 ? { ...headers, "stripe-should-retry": "true" } : headers,
  body: errorBody(fields, requestId)
})

// --- Faults -----------------------------------------------------------------

const endingBefore = (fault: StripeFaults.Fault, requestId: string, headers: Reply["headers"]): Ending | undefined => {
  switch (fault._tag) {
    case "closeBefore":
      return { _tag: "Closed" }
    case "hangBefore":
      return { _tag: "Hung" }
    case "errorBefore":
      return replied(serverError(fault, requestId, headers))
    case "throttle": {
      const { retryAfterSeconds } = fault
      const wait = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }
      const fields = { type: "invalid_request_error", code: "rate_limit", message: "Request rate limit exceeded." }
      const advised = { ...headers, ...wait, ...shouldRetry(fault) }
      return replied({ status: 429, headers: advised, body: errorBody(fields, requestId) })
    }
    case "inUse": {
      const fields = {
        type: "api_error",
        code: "idempotency_key_in_use",
        message: "There is currently another in-progress request using this Idempotent Key."
      }
      return replied({ status: 409, headers, body: errorBody(fields, requestId) })
    }
    case "refuse": {
      const { error, status } = fault
      return replied({ status, headers: { ...headers, ...shouldRetry(fault) }, body: errorBody(error, requestId) })
    }
    case "closeAfter":
    case "hangAfter":
    case "errorAfter":
    case "slow":
    case "unreadable":
      return undefined
  }
}

const endingAfter = (fault: StripeFaults.Fault | undefined, ending: Ending): Ending => {
  if (fault?._tag === "closeAfter") return { _tag: "Closed" }
  if (fault?._tag === "hangAfter") return { _tag: "Hung" }
  return fault?._tag === "unreadable" ? { _tag: "Unreadable" } : ending
}

const serverError = (
  fault: { readonly status?: number; readonly shouldRetry?: boolean },
  requestId: string,
  headers: Reply["headers"]
): Reply => ({
  status: fault.status ?? 500,
  headers: { ...headers, ...shouldRetry(fault) },
  body: errorBody({ type: "api_error", message: "An unknown error occurred." }, requestId)
})

const shouldRetry = ({ shouldRetry }: { readonly shouldRetry?: boolean }): Readonly<Record<string, string>> =>
  shouldRetry === undefined ? {} : { "stripe-should-retry": String(shouldRetry) }
