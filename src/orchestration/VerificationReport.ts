/** What a verification found: each difference with its kind and its particulars, and how much was looked at. */
import { Schema } from "effect"
import { GatewayName } from "../domain/payment/Gateway.ts"
import { OperationId } from "../domain/payment/Operation.ts"
import { PaymentId } from "../domain/payment/PaymentEvent.ts"

const payment = PaymentId
const Version = Schema.Int

/** A field of the read model, as it is there and as the events give it; JSON, `null` where there is none. */
const Field = Schema.Struct({ field: Schema.String, view: Schema.Unknown, events: Schema.Unknown })

export const Difference = Schema.TaggedUnion({
  /** The events are there, and no row of the read model. */
  ViewMissing: { payment },
  /** A row of the read model, and no events. */
  ViewWithoutEvents: { payment },
  /** The row is that of fewer events. */
  ViewBehind: { payment, view: Version, events: Version, fields: Schema.Array(Field) },
  ViewDiffers: { payment, fields: Schema.Array(Field) },
  ViewUnreadable: { payment, detail: Schema.String },
  /** An event is missing: nothing more can be said of this payment. */
  StreamGap: { payment, expected: Version, actual: Version },
  /** An event cannot be read, or does not follow from those before it. */
  StreamUnreadable: { payment, detail: Schema.String },
  GatewayDisagrees: {
    payment,
    operation: OperationId,
    gateway: GatewayName,
    how: Schema.Literals(["Unknown", "Contradicts", "Pending", "Ahead", "SentAfterAll"]),
    /** What florin has on record. */
    recorded: Schema.String,
    /** What the gateway said. */
    found: Schema.String
  },
  GatewayCannotBeAsked: { payment, operation: OperationId, gateway: GatewayName, because: Schema.String }
})
export type Difference = typeof Difference.Type

export const Report = Schema.Struct({
  payments: Schema.Int,
  events: Schema.Int,
  /** Operations that have ended and were asked about. */
  operations: Schema.Int,
  /** Operations that have ended and were not asked about: nobody wanted it, or the gateway has no lookup. */
  unasked: Schema.Int,
  /** Operations whose end is open; no difference, because florin knows that it does not know. */
  open: Schema.Int,
  /** Of the open ones, those where money may have moved. */
  inDoubt: Schema.Int,
  /** How many there are. */
  differences: Schema.Int,
  /** The first of them: what is listed is bounded, what is counted is not. */
  found: Schema.Array(Difference)
})
export type Report = typeof Report.Type

export const empty: Report = {
  payments: 0,
  events: 0,
  operations: 0,
  unasked: 0,
  open: 0,
  inDoubt: 0,
  differences: 0,
  found: []
}

/** More than anybody reads; a read model that was dropped is one difference a payment. */
const maxListed = 1000

export const add = (self: Report, that: Report): Report => ({
  payments: self.payments + that.payments,
  events: self.events + that.events,
  operations: self.operations + that.operations,
  unasked: self.unasked + that.unasked,
  open: self.open + that.open,
  inDoubt: self.inDoubt + that.inDoubt,
  differences: self.differences + that.differences,
  found: self.found.length >= maxListed ? self.found : [...self.found, ...that.found].slice(0, maxListed)
})

const names = (fields: ReadonlyArray<typeof Field.Type>) =>
  fields
    .map(({ events, field, view }) => `${field} is ${JSON.stringify(view)}, by the events ${JSON.stringify(events)}`)
    .join("; ")

const said: Record<Extract<Difference, { readonly _tag: "GatewayDisagrees" }>["how"], string> = {
  Unknown: "the gateway does not know it",
  Contradicts: "the gateway says otherwise",
  Pending: "the gateway says that it is still pending",
  Ahead: "the gateway is further",
  SentAfterAll: "it was recorded as never sent, and the gateway has it"
}

/** A difference in one line. */
export const describe = (difference: Difference): string => {
  switch (difference._tag) {
    case "ViewMissing":
      return `${difference.payment}: has events and no view`
    case "ViewWithoutEvents":
      return `${difference.payment}: has a view and no events`
    case "ViewBehind":
      return `${difference.payment}: its view is of ${difference.view} events, and there are ${difference.events}: ${names(difference.fields)}`
    case "ViewDiffers":
      return `${difference.payment}: its view differs: ${names(difference.fields)}`
    case "ViewUnreadable":
      return `${difference.payment}: its view cannot be read: ${difference.detail}`
    case "StreamGap":
      return `${difference.payment}: event ${difference.expected} is missing, ${difference.actual} comes next`
    case "StreamUnreadable":
      return `${difference.payment}: its events cannot be read: ${difference.detail}`
    case "GatewayDisagrees": {
      const { found, gateway, how, operation, recorded } = difference
      return `${operation}: ${said[how]}: ${recorded} here, ${found} at ${gateway}`
    }
    case "GatewayCannotBeAsked":
      return `${difference.operation}: ${difference.gateway} cannot be asked: ${difference.because}`
  }
}
