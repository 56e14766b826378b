/**
 * An endless list of orders from a seed: what a merchant asks for, and what of
 * each payment afterwards. The index-th order is the same for the same seed,
 * however many are asked for.
 */
import { Schema } from "effect"
import { DemoOrder } from "../../src/edge/demo/DemoOrder.ts"
import * as SandboxToken from "../../src/infra/simulated/SandboxToken.ts"
import * as Seed from "../../src/testing/Seed.ts"

/** `key` is also the order's reference, so that a payment names the order it is for. */
export type Order = DemoOrder

const decode = Schema.decodeUnknownSync(Schema.toCodecJson(DemoOrder), { onExcessProperty: "error" })

/** An order without its key and its amount. */
interface Kind {
  readonly methods: ReadonlyArray<string>
  readonly capture?: "manual"
  readonly steps?: ReadonlyArray<object>
}

const manual = "manual" as const

/** Customers as most are: paid at once, sometimes given back, sometimes held first. */
const everyday: ReadonlyArray<Kind> = [
  { methods: ["tok_visa"] },
  { methods: ["tok_mastercard"] },
  { methods: ["tok_amex"] },
  { methods: ["tok_visa"], steps: [{ refund: {} }] },
  { methods: ["tok_visa"], steps: [{ refund: { amount: 300 } }, { refund: { amount: 200, reason: "one came back" } }] },
  { methods: ["tok_visa"], capture: manual, steps: [{ capture: {} }] },
  { methods: ["tok_visa"], capture: manual, steps: [{ capture: { amount: 700 } }, { refund: { amount: 100 } }] },
  {
    methods: ["tok_visa"],
    capture: manual,
    steps: [{ capture: { amount: 400, final: false } }, { capture: { amount: 500 } }]
  },
  { methods: ["tok_visa"], capture: manual, steps: [{ cancel: {} }] }
]

/** What a token needs besides being paid with, for what it does to be seen. */
const special: Readonly<Record<string, Omit<Kind, "methods">>> = {
  tok_3ds: { steps: [{ complete: { result: "authenticated" } }] },
  tok_3ds_fails: { steps: [{ complete: {} }] },
  tok_3ds_abandoned: { steps: [{ cancel: {} }] },
  tok_refund_refused: { steps: [{ refund: {} }] },
  tok_refund_lost_answer: { steps: [{ refund: { amount: 500 } }, { refund: {} }] },
  tok_void_lost_answer: { capture: manual, steps: [{ cancel: {} }] },
  tok_authorization_expired: { capture: manual, steps: [{ capture: {} }] },
  tok_capture_lost_answer: { capture: manual, steps: [{ capture: { amount: 600 } }, { refund: {} }] }
}

/**
 * Their doubts outlive every run: that about `tok_never_answers` goes to an
 * operator after 26 hours of asking, and so does one about `tok_unreachable`
 * whose first send a kill cut off, for its gateway is away for ever.
 */
const lasting = new Set(["tok_never_answers", "tok_unreachable"])

/** Every token of the sandbox but those. */
export const tokens: ReadonlyArray<string> = [
  ...Object.keys(SandboxToken.table).filter((token) => !lasting.has(token)),
  "tok_no_such_card"
]

/** What is refused with one card may be paid with the next. */
const troubled: ReadonlyArray<Kind> = tokens.flatMap((token) => [
  { methods: [token], ...special[token] },
  ...(/declined|3ds_fails/.test(token) ? [{ methods: [token, "tok_visa"], ...special[token] }] : [])
])

export const at = (seed: number, index: number): Order => {
  const draw = Seed.make(Seed.derive(seed, `order ${index}`))
  // Even odds: below half, or the gateway's failures open the breakers, and everything fails alike.
  const kinds = draw.below(2) === 0 ? everyday : troubled
  const { capture, methods, steps } = kinds[draw.below(kinds.length)]!
  const key = `crash-${seed}-${index}`
  return decode({
    key,
    order: {
      // More than what the steps capture and refund together.
      amount: 1000 + draw.below(9000),
      currency: draw.below(8) === 0 ? "JPY" : "EUR",
      paymentMethods: methods,
      reference: key,
      ...(capture !== undefined && { capture })
    },
    ...(steps !== undefined && { steps }),
    // Clicked twice: both services are asked at once, under one key.
    ...(draw.below(4) === 0 && { twice: true })
  })
}
