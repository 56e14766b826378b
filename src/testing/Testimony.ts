/**
 * What a payment's own events say, read by their tags: which operations have
 * begun and how they stand, and what was held, captured, given back.
 *
 * It is written from the rules of the design and shares no code with the fold
 * that the core acts on, so that a mistake there is not repeated here. It is
 * total: a history that breaks a rule is heard to its end, and what it breaks
 * is told as `Objection`s.
 *
 * Amounts are minor units of the order's currency.
 */
import type { Evidence } from "../domain/payment/Evidence.ts"
import type { Kind } from "../domain/payment/Operation.ts"
import type { Event, Order } from "../domain/payment/PaymentEvent.ts"

/** What a history can break by itself, without a look at any books. */
export interface Objection {
  readonly rule:
    | "CapturedWithinAuthorized"
    | "ReturnedWithinCaptured"
    | "EvidenceGiven"
    | "EvidenceTrue"
    | "EndedWithoutMoney"
    | "OneAttemptAtATime"
    | "IntentFirst"
    | "OneKeyPerOperation"
  readonly detail: string
}

/**
 * One operation by its last word. `NotSent` stands only where it is proven;
 * `doubtful` stays through a repeat until an answer or a proof ends it.
 */
export interface Told {
  readonly id: string
  readonly kind: Kind
  readonly gateway: string
  /** What a capture or refund asked for; 0 for the others. */
  readonly amountMinor: bigint
  /** A capture that leaves nothing held. */
  readonly final: boolean
  standing: "Open" | "NotSent" | "Escalated" | "Ended"
  doubtful: boolean
}

/** An authorization from its first operation on, its confirmations included; `Left` when another began too early. */
export interface ToldAttempt {
  readonly id: string
  readonly gateway: string
  /** A "not found" of this gateway's is proof. */
  readonly lookupProves: boolean
  outcome: "Open" | "Held" | "Declined" | "Unsent" | "Released" | "Left"
}

/** Money that was held or moved on the gateway's own word, not by a person's decision. */
export interface Claim {
  readonly tag: "Authorized" | "Captured" | "Refunded"
  readonly operation: string
  readonly reference: string | undefined
}

export interface Testimony {
  readonly order: Order | undefined
  readonly operations: ReadonlyArray<Told>
  readonly attempts: ReadonlyArray<ToldAttempt>
  readonly claims: ReadonlyArray<Claim>
  readonly heldMinor: bigint
  readonly capturedMinor: bigint
  readonly refundedMinor: bigint
  /** Open or lost. */
  readonly disputedMinor: bigint
  /** `Cancelled`, `Expired` or `Failed`. */
  readonly end: Event["_tag"] | undefined
  readonly last: Event["_tag"] | undefined
  readonly objections: ReadonlyArray<Objection>
}

export const hear = (payment: string, events: ReadonlyArray<Event>): Testimony => {
  const hearing: Hearing = {
    payment,
    order: undefined,
    operations: new Map(),
    attempts: [],
    claims: [],
    disputes: new Map(),
    heldMinor: 0n,
    capturedMinor: 0n,
    refundedMinor: 0n,
    end: undefined,
    objections: []
  }
  for (const event of events) listen(hearing, event)
  return {
    ...hearing,
    operations: [...hearing.operations.values()],
    disputedMinor: disputed(hearing),
    last: events.at(-1)?._tag
  }
}

// --- Hearing: one event after the other ---------------------------------------

interface Hearing {
  readonly payment: string
  order: Order | undefined
  /** By id, in the order in which they were begun. */
  readonly operations: Map<string, Told>
  readonly attempts: Array<ToldAttempt>
  readonly claims: Array<Claim>
  readonly disputes: Map<string, bigint>
  heldMinor: bigint
  capturedMinor: bigint
  refundedMinor: bigint
  end: Event["_tag"] | undefined
  readonly objections: Array<Objection>
}

const listen = (hearing: Hearing, event: Event): void => {
  if ("operation" in event) identify(hearing, event)
  if ("evidence" in event || evident.has(event._tag)) prove(hearing, event)

  switch (event._tag) {
    case "Initiated":
      hearing.order ??= event.order
      return
    case "AuthorizationBegun":
      beginAttempt(hearing, event)
      return begin(hearing, event, "authorize")
    case "ActionCompleted":
      return begin(hearing, event, "confirm")
    case "CaptureBegun":
      return begin(hearing, event, "capture", event.amount.minor, event.final)
    case "VoidBegun":
      return begin(hearing, event, "void")
    case "RefundBegun":
      return begin(hearing, event, "refund", event.amount.minor)

    case "ActionRequired":
    case "VoidFailed":
    case "RefundFailed":
      return end(hearing, event.operation)
    case "Authorized":
      hearing.heldMinor = hearing.order?.amount.minor ?? 0n
      return endAttempt(hearing, attemptOf(hearing, event.operation), "Held")
    case "AuthorizationDeclined":
      hearing.heldMinor = 0n
      return endAttempt(hearing, attemptOf(hearing, event.operation), "Declined")
    case "Captured":
      return capture(hearing, event)
    case "CaptureFailed":
      end(hearing, event.operation)
      return event.authorizationGone ? release(hearing) : undefined
    case "Voided":
      end(hearing, event.operation)
      return release(hearing)
    case "Refunded":
      hearing.refundedMinor += hearing.operations.get(event.operation)?.amountMinor ?? 0n
      end(hearing, event.operation)
      return boundReturned(hearing, event.operation)
    case "DisputeOpened":
    case "DisputeLost":
    case "DisputeWon":
      if (event._tag === "DisputeOpened" && hearing.disputes.has(event.dispute)) {
        object(hearing, "OneKeyPerOperation", `${event.dispute}: expected one opening, actual: opened before`)
      }
      if (event._tag === "DisputeOpened") hearing.disputes.set(event.dispute, event.amount.minor)
      if (event._tag === "DisputeWon") hearing.disputes.delete(event.dispute)
      return boundReturned(hearing, event.dispute)

    case "OperationResumed":
      return resume(hearing, event.operation)
    case "OperationNotSent":
      return notSent(hearing, event)
    case "OperationDoubted":
    case "OperationPending":
      return stand(hearing, event.operation, "Open", true)
    case "OperationEscalated":
      return stand(hearing, event.operation, "Escalated", true)

    case "Cancelled":
    case "Expired":
    case "Failed":
      return close(hearing, event)
    case "Screened":
    case "CancelRequested":
      return
  }
}

type Of<Tag extends Event["_tag"]> = Extract<Event, { readonly _tag: Tag }>

const object = (hearing: Hearing, rule: Objection["rule"], detail: string): void => {
  hearing.objections.push({ rule, detail })
}

/** The attempt that an authorization or one of its confirmations belongs to. */
const attemptId = (operation: string): string => operation.split("/confirm/")[0]!

const attemptOf = (hearing: Hearing, operation: string): ToldAttempt | undefined =>
  hearing.attempts.findLast(({ id }) => id === attemptId(operation)) ?? hearing.attempts.at(-1)

// --- Beginning -----------------------------------------------------------------

const segments: Record<Kind, string> = {
  authorize: "auth",
  confirm: "confirm",
  capture: "capture",
  void: "void",
  refund: "refund"
}

type Begun = Of<"AuthorizationBegun" | "ActionCompleted" | "CaptureBegun" | "VoidBegun" | "RefundBegun">

const isBegun = (event: Event): event is Begun =>
  event._tag === "ActionCompleted" || (event._tag.endsWith("Begun") && "by" in event)

/** Whatever is said of an operation comes after its intent. */
const identify = (hearing: Hearing, event: Event & { readonly operation: string }): void => {
  const { operation } = event
  if (isBegun(event) || hearing.operations.has(operation)) return
  object(hearing, "IntentFirst", `${event._tag} of ${operation}: expected that it was begun, actual: it was not`)
}

const begin = (hearing: Hearing, event: Begun, kind: Kind, amountMinor = 0n, final = false): void => {
  const id = event.operation
  const parent = kind === "confirm" ? (hearing.attempts.at(-1)?.id ?? hearing.payment) : hearing.payment
  const prefix = `${parent}/${segments[kind]}/`
  const before = [...hearing.operations.values()].filter((told) => told.kind === kind && told.id.startsWith(prefix))
  const expected = `${prefix}${before.length + 1}`
  if (hearing.end !== undefined) {
    object(hearing, "EndedWithoutMoney", `${event._tag} of ${id}: expected nothing after ${hearing.end}`)
  }
  if (id !== expected) object(hearing, "OneKeyPerOperation", `${event._tag}: expected id ${expected}, actual ${id}`)
  const gateway = hearing.attempts.at(-1)?.gateway ?? "none"
  hearing.operations.set(id, { id, kind, gateway, amountMinor, final, standing: "Open", doubtful: false })
}

const beginAttempt = (hearing: Hearing, event: Of<"AuthorizationBegun">): void => {
  const { capabilities, gateway, operation } = event
  for (const before of hearing.attempts) {
    if (before.outcome === "Declined" || before.outcome === "Unsent" || before.outcome === "Left") continue
    const expected = `${operation} begun at ${gateway}: expected ${before.id} declined or not sent`
    object(hearing, "OneAttemptAtATime", `${expected}, actual: ${before.outcome} at ${before.gateway}`)
    // Told once: what it left open is not objected to again.
    endAttempt(hearing, before, "Left")
  }
  hearing.attempts.push({
    id: operation,
    gateway,
    lookupProves: capabilities.lookup === "authoritative",
    outcome: "Open"
  })
}

// --- Ending --------------------------------------------------------------------

const stand = (hearing: Hearing, operation: string, standing: Told["standing"], doubtful: boolean): void => {
  const told = hearing.operations.get(operation)
  if (told === undefined) return
  told.standing = standing
  told.doubtful = doubtful
}

const end = (hearing: Hearing, operation: string): void => stand(hearing, operation, "Ended", false)

const endAttempt = (hearing: Hearing, attempt: ToldAttempt | undefined, outcome: ToldAttempt["outcome"]): void => {
  if (attempt === undefined) return
  attempt.outcome = outcome
  for (const { id } of hearing.operations.values()) if (attemptId(id) === attempt.id) end(hearing, id)
}

/** The hold is gone, and with it the last attempt. */
const release = (hearing: Hearing): void => {
  hearing.heldMinor = 0n
  const attempt = hearing.attempts.at(-1)
  if (attempt !== undefined) attempt.outcome = "Released"
}

/** A doubt is not undone by sending again: only what was proven not sent starts afresh. */
const resume = (hearing: Hearing, operation: string): void => {
  const attempt = attemptOf(hearing, operation)
  if (attempt?.outcome === "Unsent" && attempt.id === operation) attempt.outcome = "Open"
  stand(hearing, operation, "Open", hearing.operations.get(operation)?.doubtful ?? false)
}

/**
 * Proof that nothing took effect: a first send that did not leave, or an
 * authoritative lookup. A repeat that was not sent proves nothing of the send
 * before it.
 */
const notSent = (hearing: Hearing, event: Of<"OperationNotSent">): void => {
  const { evidence, operation, reason } = event
  const told = hearing.operations.get(operation)
  const attempt = attemptOf(hearing, operation)
  const isProof =
    reason === "NotFound" ? evidence?._tag === "Lookup" && attempt?.lookupProves === true : told?.doubtful === false
  if (!isProof) {
    const given = reason === "NotFound" ? `${evidence?._tag ?? "no evidence"} at ${attempt?.gateway}` : "an open doubt"
    const detail = `${operation} not sent, ${reason}: expected an authoritative lookup, actual: ${given}`
    return object(hearing, "EvidenceGiven", detail)
  }
  stand(hearing, operation, "NotSent", false)
  if (told?.kind === "authorize" && attempt !== undefined) attempt.outcome = "Unsent"
}

const close = (hearing: Hearing, event: Of<"Cancelled" | "Expired" | "Failed">): void => {
  const open = [...hearing.operations.values()].filter(isOpen).map(({ id, standing }) => `${id} is ${standing}`)
  const waiting = hearing.attempts.filter(({ outcome }) => outcome === "Open").map(({ id }) => `${id} has no end`)
  const money = [
    ...(hearing.heldMinor > 0n ? [`${hearing.heldMinor} held`] : []),
    ...(hearing.capturedMinor > 0n ? [`${hearing.capturedMinor} captured`] : [])
  ]
  const reasons = [...(open.length > 0 ? open : waiting), ...money]
  if (reasons.length > 0) {
    object(hearing, "EndedWithoutMoney", `${event._tag}: expected nothing open or held, actual: ${reasons.join(", ")}`)
  }
  const isDeclined = hearing.attempts.some(({ outcome }) => outcome === "Declined")
  if (event._tag === "Failed" && event.reason._tag === "Declined" && !isDeclined) {
    const { code } = event.reason.decline
    object(hearing, "EvidenceGiven", `Failed, declined ${code}: expected a declined attempt, actual: there is none`)
  }
  hearing.end = event._tag
}

/** Begun, and neither answered nor, for an authorization, proven not sent. */
export const isOpen = ({ kind, standing }: Told): boolean =>
  standing === "NotSent" ? kind !== "authorize" : standing !== "Ended"

// --- Money ---------------------------------------------------------------------

/** What florin did not ask for, and what it asked for last, leaves nothing held. */
const capture = (hearing: Hearing, { amount, operation }: Of<"Captured">): void => {
  const told = hearing.operations.get(operation)
  hearing.capturedMinor += amount.minor
  end(hearing, operation)
  // A void that finds the money taken is over.
  for (const { id, kind } of hearing.operations.values()) if (kind === "void") end(hearing, id)
  const authorized = hearing.order?.amount
  const closes = told?.kind !== "capture" || told.final
  hearing.heldMinor = closes ? 0n : hearing.heldMinor - amount.minor
  if (authorized === undefined) return
  if (hearing.capturedMinor > authorized.minor || amount.currency !== authorized.currency) {
    const actual = `${hearing.capturedMinor} ${amount.currency}`
    const detail = `${operation}: expected at most ${authorized.minor} ${authorized.currency} captured, actual ${actual}`
    object(hearing, "CapturedWithinAuthorized", detail)
  }
}

const disputed = ({ disputes }: Hearing): bigint => [...disputes.values()].reduce((total, minor) => total + minor, 0n)

const boundReturned = (hearing: Hearing, what: string): void => {
  const { capturedMinor, refundedMinor } = hearing
  const returned = refundedMinor + disputed(hearing)
  if (returned <= capturedMinor) return
  const detail = `${what}: expected at most ${capturedMinor} refunded and disputed, actual ${returned}`
  object(hearing, "ReturnedWithinCaptured", detail)
}

// --- Evidence ------------------------------------------------------------------

/** What may only be recorded with evidence. */
const evident: ReadonlySet<Event["_tag"]> = new Set([
  "Authorized",
  "AuthorizationDeclined",
  "Captured",
  "CaptureFailed",
  "Voided",
  "VoidFailed",
  "Refunded",
  "RefundFailed",
  "DisputeOpened",
  "DisputeWon",
  "DisputeLost"
])

const prove = (hearing: Hearing, event: Event): void => {
  const operation = "operation" in event ? event.operation : "dispute" in event ? event.dispute : ""
  // Read as stored: whatever the types promise, a row may lack it.
  const evidence: Evidence | undefined = "evidence" in event ? event.evidence : undefined
  if (evidence === undefined) {
    if (!evident.has(event._tag)) return
    return object(hearing, "EvidenceGiven", `${event._tag} of ${operation}: expected evidence, actual: none`)
  }
  if (evidence._tag === "Operator") return
  const gateway = attemptOf(hearing, operation)?.gateway
  if (evidence.gateway !== gateway) {
    const detail = `${event._tag} of ${operation}: expected evidence of ${gateway ?? "no gateway"}`
    object(hearing, "EvidenceTrue", `${detail}, actual: ${evidence._tag} of ${evidence.gateway}`)
  }
  if (event._tag === "Authorized" || event._tag === "Captured" || event._tag === "Refunded") {
    hearing.claims.push({ tag: event._tag, operation, reference: event.reference })
  }
}
