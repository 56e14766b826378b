/** Events and histories of a payment of 10.00 EUR, for examples: each name says where the payment stands. */
import type { Evidence } from "../../../src/domain/payment/Evidence.ts"
import type { DoubtReason } from "../../../src/domain/payment/Gateway.ts"
import { OperationId } from "../../../src/domain/payment/Operation.ts"
import { DisputeId, Event, RequestId } from "../../../src/domain/payment/PaymentEvent.ts"
import * as World from "./World.ts"
import { able, answers, at, eur, later, plain, run1, run2 } from "./World.ts"

const { answer, lookup, operator, webhook } = World.evidence
export const order = { ...World.order("manual"), amount: eur(10_00n) }
const { action } = answers.redirect
export const { decline } = answers.declined
export const stolen = [{ _tag: "Stated", by: "desk", detail: "stolen" }] as const
export const unreachable = { reason: "ConnectionRefused" } as const
export const [r1, r2] = [RequestId.make("req_1"), RequestId.make("req_2")]
export const [dp1, dp2] = [DisputeId.make("dp_1"), DisputeId.make("dp_2")]

// --- Events: operations by the whole id that the gateway sees ----------------

const { cases: event } = Event
const of = (operation: string) => ({ operation: OperationId.make(operation), at })
const known = (operation: string, evidence: Evidence = answer) => ({ ...of(operation), evidence })

export const initiated = event.Initiated.make({ order, screening: false, at })
export const allowed = event.Screened.make({ verdict: "allow", reasons: [], at })
export const blocked = event.Screened.make({ verdict: "block", reasons: stolen, at })
export const begun = (operation: string, gateway: "able" | "plain" = "able", method = 0) =>
  event.AuthorizationBegun.make({
    ...of(operation),
    by: run1,
    gateway: { able, plain }[gateway],
    method,
    capabilities: World.capabilities[gateway],
    routing: { reasons: [], passedOver: [] }
  })
export const authorized = (how?: Evidence, operation = "pay_1/auth/1") =>
  event.Authorized.make({ ...known(operation, how), reference: World.reference })
export const declined = (how?: Evidence) => event.AuthorizationDeclined.make({ ...known("pay_1/auth/1", how), decline })
export const confirmed = authorized(answer, "pay_1/auth/1/confirm/1")
export const redirected = (operation: string) =>
  event.ActionRequired.make({ ...known(operation), reference: World.reference, action })
export const returned = (operation: string) => event.ActionCompleted.make({ ...of(operation), by: run1 })
export const captureBegun = (operation: string, minor: bigint, request = r1, final = true) =>
  event.CaptureBegun.make({ ...of(operation), by: run1, amount: eur(minor), final, request })
export const captured = (operation: string, minor: bigint, how?: Evidence) =>
  event.Captured.make({ ...known(operation, how), amount: eur(minor) })
export const captureFailed = (code: string, authorizationGone: boolean) =>
  event.CaptureFailed.make({ ...known("pay_1/capture/1"), code, authorizationGone })
export const voidBegun = (operation: string) =>
  event.VoidBegun.make({ ...of(operation), by: run1, reason: "Requested" })
export const voidRefused = event.OperationEscalated.make({ ...of("pay_1/void/1"), reason: "VoidRefused", detail: "no" })
export const voidFailed = event.VoidFailed.make({ ...known("pay_1/void/1", operator), code: "no" })
export const voided = event.Voided.make(known("pay_1/void/1"))
export const refundBegun = (operation: string, minor: bigint, request = r1) =>
  event.RefundBegun.make({ ...of(operation), by: run1, amount: eur(minor), request })
export const refunded = event.Refunded.make(known("pay_1/refund/1"))
export const refundFailed = event.RefundFailed.make({ ...known("pay_1/refund/1"), code: "no" })
export const disputed = (dispute: DisputeId, minor: bigint) =>
  event.DisputeOpened.make({ dispute, amount: eur(minor), evidence: webhook, at })
export const won = event.DisputeWon.make({ dispute: dp1, evidence: webhook, at })
export const lost = event.DisputeLost.make({ dispute: dp1, evidence: webhook, at })
export const notSent = (operation: string) => event.OperationNotSent.make({ ...of(operation), ...unreachable })
export const notFound = event.OperationNotSent.make({
  ...known("pay_1/auth/1", lookup),
  reason: "NotFound",
  at: later
})
export const resumed = event.OperationResumed.make({ ...of("pay_1/auth/1"), by: run2 })
export const doubted = (reason: DoubtReason = "Timeout", when = at) =>
  event.OperationDoubted.make({ ...of("pay_1/auth/1"), asked: "send", reason, at: when })
export const unfound = { ...doubted("NotFound", later), asked: "lookup" } as const
export const takenOver = { ...doubted("TakenOver"), asked: "takeover" } as const
export const pending = event.OperationPending.make(known("pay_1/auth/1"))
export const pendingLater = (how: Evidence, at = later) =>
  event.OperationPending.make({ ...known("pay_1/auth/1", how), at })
export const escalated = event.OperationEscalated.make({ ...of("pay_1/auth/1"), reason: "NoWayToAsk" })
export const cancelRequested = event.CancelRequested.make({ at })
export const cancelled = event.Cancelled.make({ at })
export const expired = event.Expired.make({ at })
export const failed = (reason: (typeof event.Failed.Type)["reason"]) => event.Failed.make({ reason, at })

// --- Histories --------------------------------------------------------------

export const screening = [event.Initiated.make({ order, screening: true, at })]
export const screened = [...screening, allowed]
export const ready = [initiated]
export const sent = [initiated, begun("pay_1/auth/1")]
export const unsent = [...sent, notSent("pay_1/auth/1")]
export const resent = [...unsent, resumed]
export const takenOn = [...sent, pending]
export const orphaned = [...sent, takenOver]
export const inDoubt = [...sent, doubted()]
export const inDoubtAtPlain = [initiated, begun("pay_1/auth/1", "plain"), doubted()]
export const handedOver = [...inDoubt, escalated]
export const soldByWord = [...handedOver, authorized(operator), captured("pay_1/auth/1", 10_00n, operator)]
export const gaveUpWaiting = [...takenOn, escalated]
export const refused = [...sent, declined()]
export const retried = [...refused, begun("pay_1/auth/2", "plain")]
export const unwanted = [...sent, cancelRequested, declined()]
export const away = [...sent, redirected("pay_1/auth/1")]
export const back = [...away, returned("pay_1/auth/1/confirm/1")]
export const awayAgain = [...back, redirected("pay_1/auth/1/confirm/1")]
export const backAgain = [...awayAgain, returned("pay_1/auth/1/confirm/2")]
export const unconfirmed = [...back, notSent("pay_1/auth/1/confirm/1")]
export const held = [...sent, authorized()]
export const heldByPlain = [initiated, begun("pay_1/auth/1", "plain"), authorized()]
export const capturing = [...held, captureBegun("pay_1/capture/1", 10_00n)]
export const uncaptured = [...capturing, captureFailed("no", false)]
export const capturingPart = [...held, captureBegun("pay_1/capture/1", 4_00n)]
export const gone = [...capturing, captureFailed("expired", true)]
export const paid = [...capturing, captured("pay_1/capture/1", 10_00n)]
export const paidByPlain = [
  ...heldByPlain,
  captureBegun("pay_1/capture/1", 10_00n),
  captured("pay_1/capture/1", 10_00n)
]
export const paidLess = [...held, captureBegun("pay_1/capture/1", 4_00n), captured("pay_1/capture/1", 4_00n)]
export const paidInPart = [
  ...held,
  captureBegun("pay_1/capture/1", 4_00n, r1, false),
  captured("pay_1/capture/1", 4_00n)
]
export const capturingRest = [...paidInPart, captureBegun("pay_1/capture/2", 6_00n, r2)]
export const voiding = [...held, voidBegun("pay_1/void/1")]
export const released = [...voiding, voided]
export const failedToCapture = [
  ...uncaptured,
  { ...voidBegun("pay_1/void/1"), reason: "CaptureRefused" as const },
  voided
]
export const stuck = [...voiding, voidRefused]
export const refunding = [...paid, refundBegun("pay_1/refund/1", 4_00n)]
export const unrefunded = [...refunding, refundFailed]
export const claimed = [...paid, disputed(dp1, 4_00n)]
export const claimedByPlain = [...paidByPlain, disputed(dp1, 4_00n)]
export const both = [...paid, refundBegun("pay_1/refund/1", 3_00n), disputed(dp1, 4_00n)]
export const takenLess = [...capturing, captured("pay_1/capture/1", 4_00n)]
export const capturingRestRefunded = [
  ...paidInPart,
  refundBegun("pay_1/refund/1", 1_00n),
  captureBegun("pay_1/capture/2", 6_00n, r2)
]
const unnamed = (operation: string, minor: bigint) =>
  event.CaptureBegun.make({ ...of(operation), by: run1, amount: eur(minor), final: false })
export const capturingUnnamedTwice = [
  ...held,
  unnamed("pay_1/capture/1", 4_00n),
  captured("pay_1/capture/1", 4_00n),
  unnamed("pay_1/capture/2", 1_00n)
]
export const givingUpRedirect = [...away, voidBegun("pay_1/void/1")]
export const gaveUpRedirect = [...givingUpRedirect, voided]
export const soldWhileVoiding = [...voiding, captured("pay_1/auth/1", 10_00n)]
