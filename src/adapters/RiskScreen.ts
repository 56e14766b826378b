/** Asks whether to take a payment. What its silence means is a policy of the caller (`Risk.unavailable`). */
import { Context, Schema } from "effect"
import type { Effect } from "effect"
import { PaymentId } from "../domain/payment/PaymentEvent.ts"
import type { MerchantId } from "../domain/payment/PaymentEvent.ts"
import type { Assessment, Subject } from "../domain/Risk.ts"

export class RiskScreenError extends Schema.TaggedError<RiskScreenError>()("RiskScreenError", {
  payment: PaymentId,
  cause: Schema.Defect()
}) {
  override get message() {
    return `${this.payment}: the risk screen gave no verdict`
  }
}

export interface Request extends Subject {
  readonly payment: PaymentId
  readonly merchant: MerchantId
}

export class RiskScreen extends Context.Service<
  RiskScreen,
  {
    /** Moves no money and may be asked again. */
    readonly screen: (request: Request) => Effect.Effect<Assessment, RiskScreenError>
  }
>()("florin/adapters/RiskScreen") {}
