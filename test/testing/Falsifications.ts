/** One false book at a time: small changes of `TrueBooks`, by the rule that each of them breaks. */
import { Reference } from "../../src/domain/payment/Gateway.ts"
import { OperationId } from "../../src/domain/payment/Operation.ts"
import type { Event } from "../../src/domain/payment/PaymentEvent.ts"
import { PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../../src/domain/payment/PaymentView.ts"
import type { Charge } from "../../src/infra/simulated/SandboxCharge.ts"
import type { BookedCharge, Books, Delivery, Rule, StoredStream } from "../../src/testing/Auditor.ts"
import * as True from "./TrueBooks.ts"
import { booksOf, charge, charges, histories } from "./TrueBooks.ts"

// --- Small changes ----------------------------------------------------------------

type Events = ReadonlyArray<Event>

/** Another history of one payment, and all the books in accord with it. */
export const telling = (name: True.Name, change: (events: Events) => Events, booked = charges): Books =>
  booksOf({ ...histories, [name]: change(histories[name]) }, booked)

export const replacing =
  <Tag extends Event["_tag"]>(tag: Tag, change: (event: Extract<Event, { readonly _tag: Tag }>) => Event) =>
  (events: Events): Events =>
    events.map((event) => (isOf(event, tag) ? change(event) : event))

const isOf = <Tag extends Event["_tag"]>(event: Event, tag: Tag): event is Extract<Event, { readonly _tag: Tag }> =>
  event._tag === tag

/** As a row would be read that lacks it. */
const unproven = (event: Event): Event => {
  const { evidence: _, ...rest } = { evidence: undefined, ...event }
  return rest as Event
}

/** Another charge in the books under this reference. */
export const booking = (reference: string, changes: Partial<Charge>, booked = charges) =>
  booked.map((one) => (one.charge.reference === reference ? { ...one, charge: { ...one.charge, ...changes } } : one))

export const truth = booksOf(histories)
export const withCharges = (booked: ReadonlyArray<BookedCharge>): Books => ({ ...truth, charges: booked })
export const adding = (...added: ReadonlyArray<Charge>) =>
  withCharges([...charges, ...added.map((one) => ({ gateway: "able", charge: one }))])

const withStream = (name: True.Name, change: (stream: StoredStream) => StoredStream): Books => ({
  ...truth,
  streams: truth.streams.map((stream) => (stream.payment === `pay_${name}` ? change(stream) : stream))
})
const withView = (name: True.Name, change: (view: PaymentView) => ReadonlyArray<PaymentView>): Books => ({
  ...truth,
  views: truth.views.flatMap((view) => (view.id === `pay_${name}` ? change(view) : [view]))
})
export const delivery = (name: string, version: number): Delivery => ({
  payment: PaymentId.make(`pay_${name}`),
  version
})
export const without = (name: string, ...versions: ReadonlyArray<number>) =>
  truth.deliveries.filter(({ payment, version }) => payment !== `pay_${name}` || !versions.includes(version))

export const reference = (text: string) => ({ reference: Reference.make(text) })
export const operation = (text: string) => ({ operation: OperationId.make(text) })
export const held = { status: "authorized", capturedMinor: 0n } as const
const half = { amountMinor: 5_00n, capturedMinor: 5_00n }

// --- The table ------------------------------------------------------------------

type Falsification = readonly [what: string, payment: string, books: Books]

export const falsifications: Readonly<Record<Rule, ReadonlyArray<Falsification>>> = {
  AtMostOneCharge: [
    [
      "one key took half of the money twice",
      "pay_plain",
      withCharges([
        ...booking("ch_plain", half),
        { gateway: "able", charge: charge("pay_plain", { ...half, ...reference("ch_plain-2") }) }
      ])
    ],
    [
      "an escalated authorization holds twice",
      "pay_doubt",
      adding(
        charge("pay_doubt", { ...held, ...reference("ch_a"), ...operation("pay_doubt/auth/2") }),
        charge("pay_doubt", { ...held, ...reference("ch_b"), ...operation("pay_doubt/auth/2") })
      )
    ]
  ],
  EveryChargeKnown: [
    ["a charge of a payment without a stream", "pay_nobody", adding(charge("pay_nobody"))],
    ["a refund that no event tells of", "pay_plain", withCharges(booking("ch_plain", { refundedMinor: 1n }))],
    ["one cent more refunded than recorded", "pay_refund", withCharges(booking("ch_refund", { refundedMinor: 4_01n }))],
    [
      "a customer who may still confirm what failed",
      "pay_away",
      withCharges(booking("ch_away", { status: "requires_action" }))
    ],
    ["a charge in another currency", "pay_plain", withCharges(booking("ch_plain", { currency: "USD" }))]
  ],
  EverySuccessCharged: [
    ["one cent less captured than recorded", "pay_plain", withCharges(booking("ch_plain", { capturedMinor: 9_99n }))],
    ["one cent less refunded than recorded", "pay_refund", withCharges(booking("ch_refund", { refundedMinor: 3_99n }))]
  ],
  CapturedWithinAuthorized: [
    ["a charge took more than it asked for", "pay_plain", withCharges(booking("ch_plain", { amountMinor: 9_99n }))],
    [
      "a charge asked for more than was ordered",
      "pay_second",
      withCharges(booking("ch_second_2", { amountMinor: 10_01n }))
    ],
    [
      "events and books captured more than was ordered",
      "pay_plain",
      telling(
        "plain",
        replacing("Captured", (event) => ({ ...event, amount: True.eur(10_01n) })),
        booking("ch_plain", { capturedMinor: 10_01n })
      )
    ],
    [
      "a capture is recorded in another currency",
      "pay_plain",
      telling(
        "plain",
        replacing("Captured", (event) => ({ ...event, amount: { currency: "USD", minor: 10_00n } }))
      )
    ]
  ],
  ReturnedWithinCaptured: [
    [
      "a refund of what was disputed then, though the dispute was won later",
      "pay_refund",
      telling("refund", (events) => [...events.filter(({ _tag }) => _tag !== "DisputeWon"), True.won])
    ],
    [
      "the dispute was lost, and its money refunded",
      "pay_refund",
      telling(
        "refund",
        replacing("DisputeWon", () => True.lost)
      )
    ],
    [
      "a dispute of more than was captured",
      "pay_plain",
      telling("plain", (events) => [...events, True.disputed(10_01n)])
    ]
  ],
  EvidenceGiven: [
    ["a capture without evidence", "pay_plain", telling("plain", replacing("Captured", unproven))],
    ["a decline without evidence", "pay_second", telling("second", replacing("AuthorizationDeclined", unproven))],
    ["a dispute without evidence", "pay_refund", telling("refund", replacing("DisputeOpened", unproven))],
    [
      "a repeat that was not sent, taken as proof",
      "pay_second",
      telling("second", ([first, begun, ...rest]) => [
        first!,
        begun!,
        True.doubted("pay_second/auth/1"),
        True.notSent("pay_second/auth/1"),
        True.resumed("pay_second/auth/1"),
        ...rest
      ])
    ],
    [
      "not found, by a lookup that proves nothing",
      "pay_unsent",
      telling("unsent", (events) => [
        ...events.slice(0, 4),
        True.notFound("pay_unsent/auth/2"),
        True.resumed("pay_unsent/auth/2"),
        ...events.slice(4)
      ])
    ]
  ],
  EvidenceTrue: [
    ["declined, but the books show the hold", "pay_doubt", withCharges(booking("ch_doubt", held))],
    [
      "declined, but the books show the money",
      "pay_doubt",
      withCharges(booking("ch_doubt", { status: "captured", capturedMinor: 10_00n }))
    ],
    [
      "authorized as a charge that is not in the books",
      "pay_plain",
      telling(
        "plain",
        replacing("Authorized", (event) => ({ ...event, ...reference("ch_other") }))
      )
    ],
    [
      "captured on the word of a gateway that was never asked",
      "pay_plain",
      telling(
        "plain",
        replacing("Captured", (event) => ({ ...event, evidence: True.plainAnswer }))
      )
    ]
  ],
  EndedWithoutMoney: [
    ["failed after the money was taken", "pay_plain", telling("plain", (events) => [...events, True.unroutable])],
    [
      "cancelled on top of a hold",
      "pay_plain",
      telling("plain", (events) => [...events.slice(0, 3), True.cancelled], booking("ch_plain", held))
    ],
    ["expired while in doubt", "pay_doubt", telling("doubt", (events) => [...events.slice(0, 5), True.expired])]
  ],
  OneAttemptAtATime: [
    [
      "a second card while the confirmation of the first was only not sent",
      "pay_away",
      telling("away", (events) => [
        ...events.slice(0, 4),
        True.notSent("pay_away/auth/1/confirm/1"),
        True.begun("pay_away/auth/2", 1),
        True.declined("pay_away/auth/2"),
        True.failed
      ])
    ],
    [
      "a third attempt after the decline of the first came twice",
      "pay_doubt",
      telling("doubt", (events) => [
        ...events.slice(0, 4),
        True.declined("pay_doubt/auth/1"),
        True.begun("pay_doubt/auth/3", 1, "plain"),
        True.doubted("pay_doubt/auth/3"),
        True.escalated("pay_doubt/auth/3")
      ])
    ]
  ],
  IntentFirst: [
    [
      "a charge under a key that was never begun",
      "pay_plain",
      adding(
        charge("pay_plain", { ...True.untaken("declined"), ...operation("pay_plain/auth/2"), ...reference("ch_x") })
      )
    ],
    [
      "a charge at a gateway that it was not begun at",
      "pay_plain",
      withCharges(charges.map((one) => (one.charge.payment === "pay_plain" ? { ...one, gateway: "plain" } : one)))
    ],
    [
      "an answer to an operation that was never begun",
      "pay_plain",
      telling(
        "plain",
        replacing("Authorized", (event) => ({ ...event, ...operation("pay_plain/auth/2") }))
      )
    ]
  ],
  OneKeyPerOperation: [
    [
      "a refund under an id that does not follow",
      "pay_refund",
      telling("refund", (events) =>
        events.map((event) =>
          "operation" in event && event.operation === "pay_refund/refund/1"
            ? { ...event, ...operation("pay_refund/refund/7") }
            : event
        )
      )
    ],
    [
      "a key begun twice",
      "pay_second",
      telling(
        "second",
        (events) =>
          events.map((event) =>
            "operation" in event && event.operation === "pay_second/auth/2"
              ? { ...event, ...operation("pay_second/auth/1") }
              : event
          ),
        booking("ch_second_2", operation("pay_second/auth/1"))
      )
    ],
    [
      "a capture under another payment's id",
      "pay_plain",
      telling("plain", (events) =>
        events.map((event) =>
          "operation" in event && event.operation === "pay_plain/capture/1"
            ? { ...event, ...operation("pay_other/capture/1") }
            : event
        )
      )
    ]
  ],
  StreamContinuous: [
    [
      "an event is missing",
      "pay_plain",
      withStream("plain", (stream) => ({ ...stream, events: stream.events.filter(({ version }) => version !== 3) }))
    ],
    [
      "a version is skipped",
      "pay_plain",
      withStream("plain", (stream) => ({
        ...stream,
        events: stream.events.map((one) => (one.version === 5 ? { ...one, version: 6 } : one))
      }))
    ],
    ["the head counts one more", "pay_plain", withStream("plain", (stream) => ({ ...stream, head: 6 }))],
    [
      "a payment is initiated twice",
      "pay_plain",
      withStream("plain", (stream) => ({
        ...stream,
        events: stream.events.map((one) => (one.version === 2 ? { ...one, event: True.initiated("pay_plain") } : one))
      }))
    ],
    [
      "the order of another payment",
      "pay_plain",
      withStream("plain", (stream) => ({
        ...stream,
        events: stream.events.map((one) => (one.version === 1 ? { ...one, event: True.initiated("pay_other") } : one))
      }))
    ]
  ],
  ViewIsFold: [
    [
      "a row says less than was captured",
      "pay_plain",
      withView("plain", (view) => [{ ...view, capturedMinor: 9_99n }])
    ],
    ["a row is a version behind", "pay_doubt", withView("doubt", (view) => [{ ...view, version: 5 }])],
    ["a row is missing", "pay_refund", withView("refund", () => [])],
    [
      "a row without a stream",
      "pay_nobody",
      withView("plain", (view) => [view, { ...view, id: PaymentId.make("pay_nobody") }])
    ],
    [
      "a history that no payment can have",
      "pay_away",
      withStream("away", (stream) => ({
        ...stream,
        events: stream.events.map((one) => (one.version === 5 ? { ...one, event: True.won } : one))
      }))
    ]
  ],
  EveryEventDelivered: [
    ["an event in the middle was never heard", "pay_plain", { ...truth, deliveries: without("plain", 3) }],
    ["the last event was never heard", "pay_away", { ...truth, deliveries: without("away", 7) }],
    [
      "an event was heard that is not stored",
      "pay_plain",
      { ...truth, deliveries: [...truth.deliveries, delivery("plain", 6)] }
    ]
  ],
  DeliveredInOrder: [
    [
      "the second event was heard last",
      "pay_plain",
      { ...truth, deliveries: [...without("plain", 2), delivery("plain", 2)] }
    ],
    [
      "the first two were heard the other way round",
      "pay_refund",
      { ...truth, deliveries: [delivery("refund", 2), ...without("refund", 2)] }
    ]
  ],
  NothingStuck: [
    ["something is still owed", "pay_plain", withStream("plain", (stream) => ({ ...stream, due: True.at }))],
    [
      "a refund was begun and forgotten",
      "pay_refund",
      telling("refund", (events) => events.slice(0, 8), booking("ch_refund", { refundedMinor: 0n }))
    ],
    ["nobody came back for a doubt", "pay_doubt", telling("doubt", (events) => events.slice(0, 5))],
    ["declined, and neither tried again nor failed", "pay_away", telling("away", (events) => events.slice(0, 6))]
  ]
}
