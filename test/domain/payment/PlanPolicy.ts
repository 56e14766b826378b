/** The policy that the plan's tests follow, and its answers in words. */
import { plus } from "../../../src/domain/Instant.ts"
import type * as Operation from "../../../src/domain/payment/Operation.ts"
import type * as PaymentPlan from "../../../src/domain/payment/PaymentPlan.ts"
import type { RetryPolicy } from "../../../src/domain/RetryPolicy.ts"
import { able, at, capabilities, plain, run1 } from "./World.ts"

export const minute = 60_000
export const hour = 60 * minute
const steady: RetryPolicy = { maxAttempts: 3, baseMillis: 1000, factor: 2, capMillis: minute }
export const patience: Operation.Patience = {
  resend: steady,
  verify: steady,
  poll: steady,
  keyMarginMillis: 10 * minute,
  settleMillis: 2 * minute
}
export const policy: PaymentPlan.Policy = {
  runner: run1,
  routing: {
    gateways: [
      { name: able, capabilities: capabilities.able },
      { name: plain, capabilities: capabilities.plain }
    ],
    rules: []
  },
  health: () => "up",
  authorizing: patience,
  settling: patience,
  readyMillis: hour,
  actionMillis: 15 * minute,
  authorizationMillis: 24 * hour
}
export const later = (millis: number) => plus(at, millis)

/** What `next` says, in a word or two. */
export const told = (answer: PaymentPlan.Next): string => {
  switch (answer._tag) {
    case "Decide":
      return answer.command._tag
    case "Perform":
      return answer.step._tag === "Screen" ? "Screen" : `${answer.step._tag} ${answer.step.call._tag}`
    case "Wait":
      return `Wait ${answer.until - at}`
    case "Rest":
      return "Rest"
  }
}
