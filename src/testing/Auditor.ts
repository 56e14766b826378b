/**
 * Is the promise kept? Judged from what is left when faults have ended and time
 * has passed: the gateways' own books, the stored streams, the read model, and
 * what the subscriber heard.
 *
 * `audit` is pure and total, and takes nothing from the code under test: the
 * events are heard by `Testimony`, never folded. Only the rule that the read
 * model is the fold of the events folds them.
 *
 * A payment with an escalated operation says that it does not know. Its books
 * may then show more than its events, but never less, and never two charges. A
 * stream that is broken is not guessed at (R8): beyond that it is broken, only
 * the gateways' books are judged.
 *
 * Amounts are minor units.
 */
import { Predicate } from "effect"
import type { Instant } from "../domain/Instant.ts"
import type { Event, PaymentId } from "../domain/payment/PaymentEvent.ts"
import { fold } from "../domain/payment/PaymentFold.ts"
import * as PaymentView from "../domain/payment/PaymentView.ts"
import type { Charge } from "../infra/simulated/SandboxCharge.ts"
import * as ChargeAudit from "./ChargeAudit.ts"
import type { Testimony } from "./Testimony.ts"
import { hear, isOpen } from "./Testimony.ts"

/** A charge in a gateway's own books; `gateway` is the name by which florin calls it. */
export interface BookedCharge {
  readonly gateway: string
  readonly charge: Charge
}

/** One payment's stream as it is stored. */
export interface StoredStream {
  readonly payment: PaymentId
  /** How many events the stream says it has. */
  readonly head: number
  readonly events: ReadonlyArray<{ readonly version: number; readonly event: Event }>
  /** When something is owed; `undefined` at rest. */
  readonly due: Instant | undefined
}

export interface Delivery {
  readonly payment: PaymentId
  readonly version: number
}

/** All that is known when faults have ended and time has passed. */
export interface Books {
  readonly charges: ReadonlyArray<BookedCharge>
  readonly streams: ReadonlyArray<StoredStream>
  readonly views: ReadonlyArray<PaymentView.PaymentView>
  /** In the order in which the subscriber heard them. */
  readonly deliveries: ReadonlyArray<Delivery>
  readonly deadLetters: ReadonlyArray<Delivery>
}

/** Each rule in one sentence, with the rule of the design that it rests on. */
export const rules = {
  /** R3, R5. */
  AtMostOneCharge: "at most one charge of a payment holds or took money, over all gateways",
  /** R1: whatever a gateway did is recorded, or the payment says that it does not know. */
  EveryChargeKnown: "every charge, capture and refund at a gateway is in the payment's events",
  /** R4: and the other way round. */
  EverySuccessCharged: "every hold, capture and refund in the events is at a gateway",
  /** R6. */
  CapturedWithinAuthorized: "no more is captured than was authorized",
  /** R6. */
  ReturnedWithinCaptured: "no more is refunded and disputed than was captured",
  /** R4; for what was not sent, R1. */
  EvidenceGiven: "what was approved, declined, moved or not sent is recorded with what proves it",
  /** R4. */
  EvidenceTrue: "no evidence says what the gateway's books deny",
  /** R1: doubt does not become a failure. */
  EndedWithoutMoney: "a payment fails, expires or is cancelled only where no money is or can be",
  /** R5. */
  OneAttemptAtATime: "no authorization begins before the one before it was declined or proven not sent",
  /** R2. */
  IntentFirst: "a gateway hears only of operations that were begun, and only the gateway they were begun at",
  /** R3. */
  OneKeyPerOperation: "an operation's id is derived from its payment, and begun once",
  /** R8. */
  StreamContinuous: "versions are 1 to the stream's head, the first and only the first is Initiated",
  /** R8. */
  ViewIsFold: "the read model is the fold of the events",
  /** R8: subscribers hear the truth, all of it. */
  EveryEventDelivered: "every event is delivered at least once, and nothing else is",
  /** R9: repeats do not count; the first deliveries of a payment's events are in their order. */
  DeliveredInOrder: "a payment's events are first delivered in their order",
  /** R7. */
  NothingStuck: "every payment rests, or waits for an operator"
} as const satisfies Record<string, string>
export type Rule = keyof typeof rules

export interface Violation {
  readonly rule: Rule
  readonly payment: string
  /** Expected and actual, with the operation or reference. */
  readonly detail: string
}

/** A violation before it is said whose. */
export type Finding = readonly [rule: Rule, detail: string]
export type Findings = ReadonlyArray<Finding>

/** Every violation, payment by payment; `[]` when the promise is kept. */
export const audit = (books: Books): ReadonlyArray<Violation> => {
  const charges = Map.groupBy(books.charges, ({ charge }): string => charge.payment)
  const streams = Map.groupBy(books.streams, ({ payment }): string => payment)
  const views = Map.groupBy(books.views, ({ id }): string => id)
  const deliveries = Map.groupBy(books.deliveries, ({ payment }): string => payment)
  const deadLetters = Map.groupBy(books.deadLetters, ({ payment }): string => payment)
  const payments = new Set([...streams.keys(), ...charges.keys(), ...views.keys(), ...deliveries.keys()])
  return [...payments].flatMap((payment) =>
    auditPayment({
      charges: charges.get(payment) ?? [],
      streams: streams.get(payment) ?? [],
      views: views.get(payment) ?? [],
      deliveries: versionsOf(deliveries.get(payment)),
      deadLetters: versionsOf(deadLetters.get(payment))
    }).map(([rule, detail]) => ({ rule, payment, detail }))
  )
}

const versionsOf = (list: ReadonlyArray<Delivery> = []) => list.map(({ version }) => version)

// --- One payment ---------------------------------------------------------------

/** What all the books say of one payment. */
interface Dossier {
  readonly charges: ReadonlyArray<BookedCharge>
  readonly streams: ReadonlyArray<StoredStream>
  readonly views: ReadonlyArray<PaymentView.PaymentView>
  readonly deliveries: ReadonlyArray<number>
  readonly deadLetters: ReadonlyArray<number>
}

const auditPayment = (dossier: Dossier): Findings => {
  const { charges, streams, views } = dossier
  const [stream, ...others] = streams
  const always: Findings = ChargeAudit.ofBooks(charges)
  if (stream === undefined) return [...always, ...unknown(dossier)]

  const breaks: Findings = [
    ...continuity(stream),
    ...others.map((): Finding => ["StreamContinuous", "expected one stream, actual: several"])
  ]
  if (breaks.length > 0) return [...always, ...breaks]

  const events = stream.events.map(({ event }) => event)
  const testimony = hear(stream.payment, events)
  return [
    ...always,
    ...testimony.objections.map(({ detail, rule }): Finding => [rule, detail]),
    ...ChargeAudit.beside(charges, testimony),
    ...stuck(stream, testimony),
    ...viewIsFold(events, views),
    ...delivered(stream, dossier)
  ]
}

const unknown = ({ charges, deliveries, views }: Dossier): Findings => [
  ...charges.map(({ charge, gateway }): Finding => [
    "EveryChargeKnown",
    `${charge.reference} at ${gateway} for ${charge.operation}: expected a stream of its payment, actual: none`
  ]),
  ...views.map(({ version }): Finding => [
    "ViewIsFold",
    `expected no view without a stream, actual: version ${version}`
  ]),
  ...deliveries.map((version): Finding => [
    "EveryEventDelivered",
    `version ${version}: expected no delivery without a stream`
  ])
]

// --- Streams, views, deliveries ------------------------------------------------

const continuity = ({ events, head, payment }: StoredStream): Findings => {
  const gap = events.findIndex(({ version }, index) => version !== index + 1)
  const misplaced = events.find(({ event }, index) => (event._tag === "Initiated") !== (index === 0))
  const [first] = events
  if (gap !== -1) return broken(`expected version ${gap + 1}, actual ${events[gap]!.version}`)
  if (events.length !== head) return broken(`expected ${head} events, as the head says, actual ${events.length}`)
  if (first === undefined) return broken("expected Initiated first, actual: no events")
  if (misplaced !== undefined) {
    return broken(
      `version ${misplaced.version}: expected Initiated first and only there, actual ${misplaced.event._tag}`
    )
  }
  if (first.event._tag === "Initiated" && first.event.order.payment !== payment) {
    return broken(`expected the order of ${payment}, actual ${first.event.order.payment}`)
  }
  return []
}

const broken = (detail: string): Findings => [["StreamContinuous", detail]]

const viewIsFold = (events: ReadonlyArray<Event>, views: Dossier["views"]): Findings => {
  const [view] = views
  if (view === undefined || views.length > 1) {
    return [["ViewIsFold", `expected one view of version ${events.length}, actual ${views.length}`]]
  }
  const expected = folded(events)
  if (typeof expected === "string") return [["ViewIsFold", `expected events that can be folded, actual: ${expected}`]]
  const [wantedFields, actualFields] = [fieldsOf(expected), fieldsOf(view)]
  const names = new Set([...wantedFields.keys(), ...actualFields.keys()])
  return [...names].toSorted().flatMap((name): Findings => {
    const [wanted, actual] = [text(wantedFields.get(name)), text(actualFields.get(name))]
    return wanted === actual ? [] : [["ViewIsFold", `${name}: expected ${wanted}, actual ${actual}`]]
  })
}

/** The view that the events make, or why they make none: the fold dies of a history that no payment can have. */
const folded = (events: ReadonlyArray<Event>): PaymentView.PaymentView | string => {
  try {
    const state = fold(events)
    return state._tag === "New" ? "no events" : PaymentView.of(state, events.length, events.at(-1)!.at)
  } catch (defect) {
    return defect instanceof Error ? defect.message : String(defect)
  }
}

const fieldsOf = (view: PaymentView.PaymentView): ReadonlyMap<string, unknown> => new Map(Object.entries(view))

/** A value as text that is equal where the value is, however its fields are ordered. */
const text = (value: unknown): string => {
  if (typeof value === "bigint") return String(value)
  if (Array.isArray(value)) return `[${value.map(text).join(", ")}]`
  if (!Predicate.isObject(value)) return value === undefined ? "absent" : JSON.stringify(value)
  const fields = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `{ ${fields.map(([name, field]) => `${name}: ${text(field)}`).join(", ")} }`
}

/** An event in the dead letters was given up on, and may be replayed at any time: it has no place in the order. */
const delivered = ({ head }: StoredStream, { deadLetters, deliveries }: Dossier): Findings => {
  const given = new Set(deadLetters)
  const heard = [...new Set(deliveries)]
  const versions = Array.from({ length: head }, (_, index) => index + 1)
  const living = heard.filter((version) => !given.has(version))
  const late = living.findIndex((version, index) => index > 0 && version < living[index - 1]!)
  return [
    ...versions
      .filter((version) => !given.has(version) && !heard.includes(version))
      .map((version): Finding => ["EveryEventDelivered", `version ${version}: expected a delivery, actual: none`]),
    ...heard
      .filter((version) => version < 1 || version > head)
      .map((version): Finding => [
        "EveryEventDelivered",
        `expected versions 1 to ${head}, actual ${version} delivered`
      ]),
    ...(late === -1
      ? []
      : [
          [
            "DeliveredInOrder",
            `expected ${living[late]} before ${living[late - 1]}, actual: ${living.join(", ")}`
          ] as const
        ])
  ]
}

// --- At rest -------------------------------------------------------------------

const stuck = ({ due }: StoredStream, testimony: Testimony): Findings => {
  const { attempts, capturedMinor, end, last, operations } = testimony
  const owed: Findings = due === undefined ? [] : [["NothingStuck", `expected nothing owed, actual: due at ${due}`]]
  // What is open under an ended payment is the end's mistake, and told there.
  if (end !== undefined) return owed
  const open = operations.filter(isOpen)
  const left = open
    .filter(({ standing }) => standing !== "Escalated")
    .map(({ gateway, id }): Finding => [
      "NothingStuck",
      `${id} at ${gateway}: expected an end, or escalation, actual: open`
    ])
  const rests = open.length > 0 || capturedMinor > 0n || attempts.at(-1)?.outcome === "Released"
  return rests || due !== undefined
    ? [...owed, ...left]
    : [["NothingStuck", `expected money, an end or an operator's turn, actual: nothing owed after ${last}`]]
}
