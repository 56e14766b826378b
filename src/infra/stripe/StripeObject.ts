/**
 * The objects that Stripe answers with, as far as florin reads them.
 *
 * Amounts are in Stripe's units (`StripeAmount`), moments in seconds. What
 * Stripe adds is ignored; what florin reads and is not there is unreadable.
 */
import { Schema, SchemaTransformation } from "effect"
import { Currency } from "../../domain/Currency.ts"
import { Reference } from "../../domain/payment/Gateway.ts"
import { DisputeId } from "../../domain/payment/PaymentEvent.ts"
import { Text } from "../../domain/Text.ts"

const Word = Schema.optionalKey(Schema.NullOr(Schema.String))
const Amount = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
/** Seconds since 1970, at most those of the year 9999. */
const Seconds = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 253_402_300_799 }))
const Metadata = Schema.Record(Schema.String, Schema.String)

/** Stripe writes currencies in lower case. */
const WireCurrency = Schema.String.pipe(
  Schema.decode(SchemaTransformation.toUpperCase()),
  Schema.decodeTo(Currency, SchemaTransformation.passthroughSupertype())
)

export const Charge = Schema.Struct({
  id: Schema.String,
  status: Schema.String,
  failure_code: Word,
  outcome: Schema.optionalKey(Schema.NullOr(Schema.Struct({ reason: Word, advice_code: Word }))),
  payment_method_details: Schema.optionalKey(
    Schema.NullOr(
      Schema.Struct({
        card: Schema.optionalKey(
          Schema.NullOr(Schema.Struct({ capture_before: Schema.optionalKey(Schema.NullOr(Seconds)) }))
        )
      })
    )
  )
})

export const Intent = Schema.Struct({
  id: Reference,
  object: Schema.Literal("payment_intent"),
  /** Not a closed set: Stripe may add one, and an unknown one is no answer yet. */
  status: Schema.String,
  amount: Amount,
  amount_received: Amount,
  currency: WireCurrency,
  metadata: Metadata,
  last_payment_error: Schema.optionalKey(
    Schema.NullOr(Schema.Struct({ code: Word, decline_code: Word, advice_code: Word }))
  ),
  latest_charge: Schema.optionalKey(Schema.NullOr(Schema.Union([Schema.String, Charge]))),
  next_action: Schema.optionalKey(
    Schema.NullOr(
      Schema.Struct({
        type: Schema.String,
        redirect_to_url: Schema.optionalKey(Schema.NullOr(Schema.Struct({ url: Word })))
      })
    )
  )
})
export type Intent = typeof Intent.Type

export const Refund = Schema.Struct({
  id: Reference,
  object: Schema.Literal("refund"),
  status: Schema.NullOr(Schema.String),
  failure_reason: Word,
  metadata: Schema.optionalKey(Schema.NullOr(Metadata))
})
export type Refund = typeof Refund.Type

export const Dispute = Schema.Struct({
  id: DisputeId,
  object: Schema.Literal("dispute"),
  amount: Amount,
  currency: WireCurrency,
  payment_intent: Schema.NullOr(Schema.String),
  reason: Text(200),
  status: Schema.String
})
export type Dispute = typeof Dispute.Type

export const Customer = Schema.Struct({ id: Schema.String, object: Schema.Literal("customer") })
export const Method = Schema.Struct({ id: Schema.String, object: Schema.Literal("payment_method") })

/** An event as a webhook brings it, or a list of them: the object is read by whoever knows its type. */
export const Event = Schema.Struct({
  id: Schema.String.check(Schema.isPattern(/^evt_[!-~]{1,200}$/, { expected: 'an event id such as "evt_1"' })),
  object: Schema.Literal("event"),
  type: Schema.String,
  created: Seconds,
  data: Schema.Struct({
    object: Schema.Struct({
      id: Schema.optionalKey(Schema.String),
      object: Schema.String,
      metadata: Schema.optionalKey(Schema.NullOr(Metadata))
    })
  }),
  request: Schema.optionalKey(Schema.NullOr(Schema.Struct({ id: Word, idempotency_key: Word })))
})
export type Event = typeof Event.Type

export const listOf = <A, I>(item: Schema.Codec<A, I>) =>
  Schema.Struct({ data: Schema.Array(item), has_more: Schema.Boolean })
