/**
 * A gateway that agrees to everything at once and remembers nothing: what is
 * measured is what stands in front of it. Authorizing and capturing are two
 * calls, as at the sandbox that `npm start` uses.
 */
import { Effect } from "effect"
import type { PaymentGateway } from "../src/adapters/PaymentGateway.ts"
import type { Money } from "../src/domain/Money.ts"
import { GatewayName, Reference } from "../src/domain/payment/Gateway.ts"
import { capabilities } from "../src/infra/simulated/SandboxGateway.ts"

const reference = Reference.make("ch_1001")

export const answers = {
  held: { _tag: "Approved", reference, captured: false },
  captured: (amount: Money) => ({ _tag: "Captured", amount, reference }) as const
} as const

export const gateway: PaymentGateway = {
  name: GatewayName.make("instant"),
  capabilities,
  authorize: () => Effect.succeed(answers.held),
  confirm: () => Effect.succeed(answers.held),
  capture: ({ amount }) => Effect.succeed(answers.captured(amount)),
  void: () => Effect.succeed({ _tag: "Voided" }),
  refund: () => Effect.succeed({ _tag: "Refunded" }),
  lookup: () => Effect.succeed({ _tag: "NotFound" })
}
