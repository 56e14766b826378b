/**
 * What the owner of a service decides about its payments, in one place and as
 * data. `defaults` argues for each number; routing and screening have none,
 * because nobody else can know them.
 */
import { Context } from "effect"
import type { Policy } from "../domain/payment/PaymentPlan.ts"
import type { Patience } from "../domain/payment/Operation.ts"
import type { UnavailablePolicy } from "../domain/Risk.ts"

export interface Settings extends Omit<Policy, "runner" | "health"> {
  /** `undefined`: payments are not screened. */
  readonly screening: { readonly whenUnavailable: UnavailablePolicy; readonly timeoutMillis: number } | undefined
  /** How long a worker may be silent before another takes its payment over. */
  readonly leaseMillis: number
  /** How long a run waits by itself for what is owed later; beyond it, recovery comes back. */
  readonly lingerMillis: number
}

export class PaymentPolicy extends Context.Service<PaymentPolicy, Settings>()("florin/orchestration/PaymentPolicy") {}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/**
 * Asking again about doubt: after 1, 2, 4, ... seconds up to every 15 minutes.
 * The 110th question comes about 26 hours after the first, when every gateway
 * that we know of has forgotten its keys and lookups have had hours to settle.
 */
const verify = { maxAttempts: 110, baseMillis: second, factor: 2, capMillis: 15 * minute }

/** An outcome that comes later comes within days: asked after 5 seconds, then ever less often, for a week. */
const poll = { maxAttempts: 180, baseMillis: 5 * second, factor: 2, capMillis: hour }

const asking: Omit<Patience, "resend"> = {
  verify,
  poll,
  // More than the clocks of two machines differ and a call takes.
  keyMarginMillis: 10 * minute,
  // Four times what a call may take: what is still on its way then has been lost.
  settleMillis: 2 * minute
}

export const defaults: Omit<Settings, "routing"> = {
  screening: undefined,
  // A customer waits: five sends within half a minute, then it fails, which costs nothing.
  authorizing: { ...asking, resend: { maxAttempts: 5, baseMillis: second, factor: 2, capMillis: 10 * second } },
  // Nobody waits, and it must arrive: as long as doubt is pursued.
  settling: { ...asking, resend: verify },
  readyMillis: hour,
  // Banks give a customer some ten minutes for 3-D Secure; half an hour is generous.
  actionMillis: 30 * minute,
  // Card schemes let most holds stand for seven days; one hour less, so that the void still meets one.
  authorizationMillis: 7 * day - hour,
  // Three missed renewals. Long enough for a pause of a garbage collector or a disk.
  leaseMillis: 15 * second,
  // The first two questions about a doubt come within it, and most doubts end there.
  lingerMillis: 5 * second
}
