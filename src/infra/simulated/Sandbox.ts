/**
 * What the sandbox keeps under each key, and how a request changes its books.
 *
 *     request -> a key of its own?  -> a fault before acting? -> act, store the answer -> a fault after? -> reply
 *                   \-> another request's: misused      stored already: the same answer, no act
 *
 * A request finds the entry that concerns it, its charge and what its key
 * stands for, and leaves a new entry and a reply. A key is forgotten after its
 * retention and then acts anew: that is a second charge, as at a real gateway,
 * and what callers have to avoid.
 *
 * Which send is the first is counted in the entry, never in a process, so that
 * a restart changes nothing.
 */
import * as Idempotency from "../../domain/Idempotency.ts"
import type { Instant } from "../../domain/Instant.ts"
import { plus } from "../../domain/Instant.ts"
import type { Answer, Capabilities } from "../../domain/payment/Gateway.ts"
import { Reference } from "../../domain/payment/Gateway.ts"
import type { Kind, OperationId } from "../../domain/payment/Operation.ts"
import * as SandboxCharge from "./SandboxCharge.ts"
import type { SandboxRequest } from "./SandboxRequest.ts"
import { fingerprint } from "./SandboxRequest.ts"
import * as SandboxToken from "./SandboxToken.ts"

// --- Entries ----------------------------------------------------------------

/** What is stored under a key. */
export interface StoredOperation {
  readonly key: OperationId
  readonly kind: Kind
  /** The charge it makes or concerns. */
  readonly reference: Reference
  readonly fingerprint: Idempotency.Fingerprint
  /** When the key was first seen; its retention counts from here. */
  readonly at: Instant
  /** How often the key was taken for new: more than 1 once it had been forgotten. */
  readonly run: number
  readonly sends: number
  /** How often it was looked up while it was pending. */
  readonly lookups: number
  /** `undefined` as long as no send has been acted on. */
  readonly answer: Answer | undefined
}

export interface Entry {
  readonly operation: StoredOperation | undefined
  readonly charge: SandboxCharge.Charge | undefined
}

// --- Replies ----------------------------------------------------------------

export type Reply =
  | { readonly _tag: "Answered"; readonly answer: Answer; readonly delayMillis: number }
  | { readonly _tag: "Failed"; readonly failure: SandboxToken.Failure }
  | { readonly _tag: "KeyMisused"; readonly detail: string }
  | { readonly _tag: "NoSuchCharge" }

export type Looked =
  | { readonly _tag: "Found"; readonly answer: Answer }
  | { readonly _tag: "NotFound" }
  | { readonly _tag: "Failed"; readonly failure: SandboxToken.Failure }

// --- A request --------------------------------------------------------------

export const send = (
  entry: Entry,
  request: SandboxRequest,
  rules: Capabilities,
  now: Instant
): readonly [Reply, Entry] => {
  const { maxLength, retentionMillis, storesErrors } = rules.idempotencyKey
  if (request.key.length > maxLength) return [misused(`the key is longer than ${maxLength}`), entry]

  const asked = fingerprint(request)
  const before = entry.operation
  const known = before !== undefined && now < plus(before.at, retentionMillis) ? before : undefined
  if (known !== undefined && known.fingerprint !== asked) {
    return [misused(`the key stands for another ${Idempotency.difference(known.fingerprint, asked)}`), entry]
  }
  const method = request.kind === "authorize" ? request.method : entry.charge?.method
  if (method === undefined) return [{ _tag: "NoSuchCharge" }, entry]

  const token = SandboxToken.of(method)
  const operation = known ?? begin(before, request, asked, now)
  const fault = token.faults?.[request.kind]
  // Where a 5xx is stored under the key, it is what the key answers from then on.
  const isStored = storesErrors && known !== undefined && fault?.failure === "serverError"
  const strikes = fault !== undefined && (operation.sends < fault.sends || isStored)
  // A connection that was refused brought nothing here, so nothing can be counted.
  if (strikes && fault.failure === "refuse") return [{ _tag: "Failed", failure: "refuse" }, entry]

  const sent = { ...operation, sends: operation.sends + 1 }
  if (strikes && !fault.acts)
    return [
      { _tag: "Failed", failure: fault.failure },
      { ...entry, operation: sent }
    ]
  // A stored answer stands, and nothing moves a second time.
  const [charge, answer] =
    sent.answer === undefined ? act(entry.charge, request, sent, rules) : [entry.charge, sent.answer]
  const after = { operation: { ...sent, answer }, charge }
  if (strikes) return [{ _tag: "Failed", failure: fault.failure }, after]
  const isFirst = request.kind === "authorize" && operation.sends === 0
  return [{ _tag: "Answered", answer, delayMillis: isFirst ? (token.delayMillis ?? 0) : 0 }, after]
}

const misused = (detail: string): Reply => ({ _tag: "KeyMisused", detail })

/** A key that is new, or was forgotten. Its faults are over all the same, or a gateway without keys never got over one. */
const begin = (
  before: StoredOperation | undefined,
  request: SandboxRequest,
  asked: Idempotency.Fingerprint,
  at: Instant
): StoredOperation => {
  const { key, kind } = request
  const run = (before?.run ?? 0) + 1
  const reference = kind === "authorize" ? referenceOf("ch", key, run) : request.reference
  return { key, kind, reference, fingerprint: asked, at, run, sends: before?.sends ?? 0, lookups: 0, answer: undefined }
}

const act = (
  charge: SandboxCharge.Charge | undefined,
  request: SandboxRequest,
  { key, reference, run }: StoredOperation,
  rules: Capabilities
): SandboxCharge.Acted => {
  if (request.kind === "authorize") return SandboxCharge.authorize(request, reference, rules)
  // `send` has refused every other request that has no charge.
  const existing = charge!
  switch (request.kind) {
    case "confirm":
      return SandboxCharge.confirm(existing, rules)
    case "capture":
      return SandboxCharge.capture(existing, request, referenceOf("cap", key, run), rules)
    case "void":
      return SandboxCharge.release(existing)
    case "refund":
      return SandboxCharge.refund(existing, request, referenceOf("re", key, run), rules)
  }
}

/** `ch_1_auth_1` for `pay_1/auth/1`; if its key was forgotten and came again, the second is `ch_1_auth_1-2`. */
const referenceOf = (prefix: string, key: OperationId, run: number): Reference =>
  Reference.make(`${prefix}_${key.slice("pay_".length).replaceAll("/", "_")}${run === 1 ? "" : `-${run}`}`)

// --- A lookup ---------------------------------------------------------------

/** How far an `eventual` lookup is behind, as a replica or a search index is. */
export const lookupLagMillis = 5000

/** Finds an operation by its id, however long ago its key was forgotten. */
export const lookup = (entry: Entry, rules: Capabilities, now: Instant): readonly [Looked, Entry] => {
  const { charge, operation } = entry
  const token = charge === undefined ? undefined : SandboxToken.of(charge.method)
  const fault = token?.faults?.lookup
  if (fault !== undefined) return [{ _tag: "Failed", failure: fault.failure }, entry]
  if (operation?.answer === undefined) return [{ _tag: "NotFound" }, entry]
  if (rules.lookup === "eventual" && now < plus(operation.at, lookupLagMillis)) return [{ _tag: "NotFound" }, entry]
  if (operation.answer._tag !== "Pending" || charge === undefined || token?.outcome._tag !== "Pend") {
    return [{ _tag: "Found", answer: operation.answer }, entry]
  }

  const lookups = operation.lookups + 1
  const isSettled = charge.status === "pending" && lookups >= token.outcome.lookups
  const settled = isSettled ? SandboxCharge.hold(charge, rules)[0] : charge
  const answer = SandboxCharge.standing(settled)
  return [
    { _tag: "Found", answer },
    { operation: { ...operation, lookups, answer }, charge: settled }
  ]
}
