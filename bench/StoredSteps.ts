/** The appends of one payment, as the loop makes them, each with its events and the view after it in their stored form. */
import { Result, Schema } from "effect"
import { Instant } from "../src/domain/Instant.ts"
import * as PaymentDraft from "../src/domain/payment/PaymentDraft.ts"
import { PaymentId } from "../src/domain/payment/PaymentEvent.ts"
import { PaymentView } from "../src/domain/payment/PaymentView.ts"
import * as SamplePayment from "./SamplePayment.ts"

export interface Step {
  /** How many events are stored before it. */
  readonly expected: number
  readonly events: ReadonlyArray<unknown>
  readonly view: unknown
}

/** As long as florin's own ids, and nowhere else in an event: it can be replaced. */
export const payment = PaymentId.make("pay_00000000000000000000000000")

/** The answer to an authorization and the intent to capture are stored together. */
const appends: ReadonlyArray<readonly [from: number, to: number]> = [
  [0, 1],
  [1, 2],
  [2, 4],
  [4, 5]
]

const encodeView = Schema.encodeSync(Schema.toCodecJson(PaymentView))

export const make = (): ReadonlyArray<Step> => {
  const commands = SamplePayment.commands(payment, Instant.make(1_700_000_000_000))
  let stored = PaymentDraft.of([])
  return appends.map(([from, to]) => {
    const draft = commands
      .slice(from, to)
      .reduce((before, command) => Result.getOrThrow(PaymentDraft.decide(before, command)), stored)
    const step = {
      expected: draft.version,
      events: SamplePayment.encodeEvents(draft.events) as ReadonlyArray<unknown>,
      view: encodeView(PaymentDraft.view(draft)!)
    }
    stored = PaymentDraft.stored(draft)
    return step
  })
}
