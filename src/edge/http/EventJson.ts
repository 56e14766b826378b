/**
 * `GET /v1/events`: events as server-sent events.
 *
 *     id: 7421p880
 *     data: {"id":"pay_01.../3","payment":"pay_01...","version":3,"event":{"_tag":"Authorized",...}}
 *
 * `id` is where to read on, and what a browser sends back as `Last-Event-ID`.
 * The first block has an `id` and nothing else, so that who loses the
 * connection before the first event loses no event either; comments in between
 * keep proxies from closing a quiet connection.
 */
import { Schema } from "effect"
import { Sse } from "effect/encoding"
import type { Cursor, Delivery } from "../../adapters/EventBus.ts"
import { fromEnvelope, PublishedEvent } from "../../adapters/EventBus.ts"
import { Event } from "../../domain/payment/PaymentEvent.ts"

/** An event of a payment, as webhooks show it as well. */
export const PaymentEvent = PublishedEvent.annotate({ identifier: "PaymentEvent" })
export type PaymentEvent = typeof PaymentEvent.Type

/** What a client decodes a block to. */
export const Block = Schema.Struct({
  id: Schema.String,
  event: Schema.Literal("message"),
  data: Schema.fromJsonString(Schema.toCodecJson(PaymentEvent))
})

const encodeData = Schema.encodeSync(Block.fields.data)

export const toBlock = ({ cursor, envelope }: Delivery): string =>
  Sse.encoder.write({ _tag: "Event", event: "message", id: cursor, data: encodeData(fromEnvelope(envelope)) })

/** Where a reader stands, without an event. */
export const toPlace = (cursor: Cursor): string => `id: ${cursor}\n\n`

/** A comment, which every reader passes over. */
export const heartbeat = ":\n\n"

const names = Object.keys(Event.cases) as ReadonlyArray<Event["_tag"]>

/** The kinds of events, as a query names them. */
export const EventType = Schema.Literals(names).annotate({ expected: 'a kind of event such as "Captured"' })
