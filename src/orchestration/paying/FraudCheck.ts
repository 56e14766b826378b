/**
 * Whether an order is too risky to take money for: what the `RiskScreen` says
 * of it, as a number of points.
 *
 * Each rule that fired counts the points that the shop's policy gives it, none
 * where it gives none. More than the threshold is high risk, and refused; so is
 * what the screen itself blocks. A screen that gives no verdict is asked again
 * by the step, and then nothing is taken: no order is worth a blind one.
 */
import { Effect, Schema } from "effect"
import type { Request } from "../../adapters/RiskScreen.ts"
import { RiskScreen } from "../../adapters/RiskScreen.ts"
import type { Reason } from "../../domain/Risk.ts"
import { newPayment, now } from "../Clocks.ts"

export interface FraudPolicy {
  /** Points of the screen's rules, by their names. */
  readonly points: Readonly<Record<string, number>>
  /** So many are still taken. */
  readonly threshold: number
}

export const Score = Schema.Struct({ score: Schema.Finite, rules: Schema.Array(Schema.String) })
export type Score = typeof Score.Type

export class HighRisk extends Schema.TaggedError<HighRisk>()("HighRisk", {
  ...Score.fields,
  threshold: Schema.Finite,
  isBlocked: Schema.Boolean
}) {
  /** The same order is as risky the next time. */
  readonly isRetryable = false
  override get message() {
    const rules = this.rules.length === 0 ? "" : ` (${this.rules.join(", ")})`
    return this.isBlocked
      ? `the order is blocked by the risk screen${rules}`
      : `the order has ${this.score} points of risk, where at most ${this.threshold} are taken${rules}`
  }
}

export const check = Effect.fn("FraudCheck.check")(function* (
  order: Pick<Request, "merchant" | "amount" | "methods" | "customer">,
  { points, threshold }: FraudPolicy
) {
  const screen = yield* RiskScreen
  // The screen knows orders by payments, and there is none yet.
  const payment = yield* newPayment
  const { reasons, verdict } = yield* screen.screen({ ...order, payment, at: yield* now })
  const rules = reasons.map(nameOf)
  const score = rules.reduce((sum, rule) => sum + (points[rule] ?? 0), 0)
  if (verdict === "block" || score > threshold) {
    return yield* new HighRisk({ score, rules, threshold, isBlocked: verdict === "block" })
  }
  return { score, rules } satisfies Score
})

const nameOf = (reason: Reason): string => {
  switch (reason._tag) {
    case "AmountAtLeast":
    case "VelocityAbove":
    case "MethodListed":
      return reason.rule
    case "Stated":
      return reason.by
    case "ScreenUnavailable":
      return reason._tag
  }
}
