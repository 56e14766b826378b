/**
 * `GET /v1/payments`: which payments, and a page of them, the newest first.
 *
 * A cursor is the last payment of a page in base64url; callers need not know,
 * and one that florin did not make is refused.
 */
import { DateTime, Option, Result, Schema, SchemaGetter } from "effect"
import { Base64Url } from "effect/encoding"
import { Instant } from "../../domain/Instant.ts"
import { PaymentId } from "../../domain/payment/PaymentEvent.ts"
import { Status } from "../../domain/payment/PaymentView.ts"
import { Text } from "../../domain/Text.ts"
import * as PaymentJson from "./PaymentJson.ts"

/** A screen of them. */
export const usualLimit = 25

/** As many as make an answer of some hundred kilobytes. */
const maxLimit = 100

// --- Cursors ----------------------------------------------------------------

const decodeId = Schema.decodeUnknownOption(PaymentId)

export const cursorOf = (payment: PaymentId): string => Base64Url.encode(payment)

const paymentOf = (cursor: string): Option.Option<PaymentId> =>
  Option.filter(
    Option.flatMap(Result.getSuccess(Base64Url.decodeString(cursor)), decodeId),
    (payment) => cursorOf(payment) === cursor
  )

const expected = "Expected a cursor that a page gave as nextCursor"

/** What to say of a cursor that is well made and names nothing here. */
export const unknownCursor = (payment: PaymentId) => ({
  path: ["query", "cursor"],
  message: `${expected}, got ${JSON.stringify(cursorOf(payment))}`
})

const Cursor = Schema.String.annotate({ description: "The `nextCursor` of the page before" }).check(
  Schema.makeFilter((text) => Option.isSome(paymentOf(text)) || expected)
)

// --- Query ------------------------------------------------------------------

const isMoment = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/
const isInstant = Schema.is(Instant)

/** The day of a moment is one of the calendar: the parser takes the 31st of every month. */
const momentOf = (text: string): Option.Option<DateTime.Utc> => {
  const day = text.slice(0, 10)
  const isDay = Option.exists(DateTime.make(day), (at) => DateTime.formatIsoDateUtc(at) === day)
  return isDay && isMoment.test(text)
    ? Option.filter(Option.map(DateTime.make(text), DateTime.toUtc), (at) => isInstant(DateTime.toEpochMillis(at)))
    : Option.none()
}

export const Moment = (description: string) =>
  Schema.String.annotate({ description })
    .check(
      Schema.makeFilter(
        (text) => Option.isSome(momentOf(text)) || 'Expected a moment such as "2026-11-21T12:00:00Z" or "2026-11-21"'
      )
    )
    .pipe(
      Schema.decodeTo(Schema.DateTimeUtc, {
        decode: SchemaGetter.transform((text) => Option.getOrThrow(momentOf(text))),
        encode: SchemaGetter.transform(DateTime.formatIso)
      })
    )

export const Limit = Schema.String.annotate({
  description: `How many, 1 to ${maxLimit}; ${usualLimit} when it is not said`
})
  .check(
    Schema.makeFilter(
      (text) =>
        (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= maxLimit) ||
        `Expected a whole number from 1 to ${maxLimit}`
    )
  )
  .pipe(
    Schema.decodeTo(Schema.Int, {
      decode: SchemaGetter.transform(Number),
      encode: SchemaGetter.transform(String)
    })
  )

export const Query = {
  status: Schema.optionalKey(Status.annotate({ description: "Payments of this status" })),
  customer: Schema.optionalKey(Text(255).annotate({ description: "Payments of this customer" })),
  createdFrom: Schema.optionalKey(Moment("Created at this moment or later; ISO 8601, with an offset or `Z`")),
  createdBefore: Schema.optionalKey(Moment("Created before this moment; ISO 8601, with an offset or `Z`")),
  limit: Schema.optionalKey(Limit),
  cursor: Schema.optionalKey(Cursor)
}

const AllOf = Schema.Struct(Query)

/** The query as the read model takes it. */
export const toFilter = ({ createdBefore, createdFrom, cursor, customer, limit, status }: typeof AllOf.Type) => ({
  filter: { status, customer, from: instantOf(createdFrom), until: instantOf(createdBefore) },
  page: {
    limit: limit ?? usualLimit,
    cursor: cursor === undefined ? undefined : Option.getOrUndefined(paymentOf(cursor))
  }
})

const instantOf = (at: DateTime.Utc | undefined) => at && Instant.make(DateTime.toEpochMillis(at))

// --- Answer -----------------------------------------------------------------

export const Payments = Schema.Struct({
  payments: Schema.Array(PaymentJson.Payment),
  /** Where the next page begins; absent on the last one. */
  nextCursor: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "Payments" })
