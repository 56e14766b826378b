import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Instant } from "../../../src/domain/Instant.ts"
import { plus } from "../../../src/domain/Instant.ts"
import type { Evidence } from "../../../src/domain/payment/Evidence.ts"
import { Command, Rule } from "../../../src/domain/payment/PaymentCommand.ts"
import * as PaymentDecision from "../../../src/domain/payment/PaymentDecision.ts"
import { Event } from "../../../src/domain/payment/PaymentEvent.ts"
import { fold } from "../../../src/domain/payment/PaymentFold.ts"
import {
  allowed,
  authorized,
  away,
  awayAgain,
  back,
  backAgain,
  begun,
  blocked,
  both,
  cancelRequested,
  cancelled,
  captureBegun,
  captureFailed,
  captured,
  capturing,
  capturingPart,
  capturingRest,
  capturingRestRefunded,
  capturingUnnamedTwice,
  claimed,
  claimedByPlain,
  confirmed,
  decline,
  declined,
  disputed,
  doubted,
  dp1,
  dp2,
  escalated,
  expired,
  failed,
  failedToCapture,
  gaveUpRedirect,
  gaveUpWaiting,
  givingUpRedirect,
  gone,
  handedOver,
  held,
  heldByPlain,
  inDoubt,
  inDoubtAtPlain,
  initiated,
  lost,
  notFound,
  notSent,
  order,
  orphaned,
  paid,
  paidByPlain,
  paidInPart,
  paidLess,
  pending,
  pendingLater,
  r1,
  r2,
  ready,
  redirected,
  refundBegun,
  refundFailed,
  refunded,
  refunding,
  refused,
  released,
  resent,
  resumed,
  retried,
  returned,
  screened,
  screening,
  sent,
  soldByWord,
  stolen,
  soldWhileVoiding,
  stuck,
  takenLess,
  takenOn,
  takenOver,
  uncaptured,
  unconfirmed,
  unfound,
  unreachable,
  unrefunded,
  unsent,
  unwanted,
  voidBegun,
  voidFailed,
  voidRefused,
  voided,
  voiding,
  won
} from "./Histories.ts"
import * as World from "./World.ts"
import {
  able,
  answers,
  at,
  beginAuthorization as begin,
  command,
  eur,
  later,
  op,
  plain,
  record,
  run1,
  run2
} from "./World.ts"

const { answer, lookup, operator, webhook } = World.evidence
const { approved, redirect, sold } = answers
const atPlain = World.evidenceOf(plain)
const muchLater = plus(later, 1000)
const dollar = { amount: World.usd(1_00n) }

// --- Commands ---------------------------------------------------------------

const amountOf = (minor: bigint | undefined) => (minor === undefined ? {} : { amount: eur(minor) })
const initiate = command.Initiate.make({ order, screening: false, at })
const allow = command.RecordScreening.make({ verdict: "allow", reasons: [], at })
const block = command.RecordScreening.make({ verdict: "block", reasons: stolen, at })
const complete = command.CompleteAction.make({ by: run1, at })
const capture = (minor?: bigint, request = r1, final = true) =>
  command.Capture.make({ by: run1, final, request, at, ...amountOf(minor) })
const captureUnnamed = (minor: bigint) => command.Capture.make({ by: run1, final: false, at, amount: eur(minor) })
const giveBack = command.Void.make({ by: run1, reason: "Requested", at })
const refund = (minor?: bigint, request = r1) => command.Refund.make({ by: run1, request, at, ...amountOf(minor) })
const dispute = (minor: bigint, dispute = dp1) =>
  command.OpenDispute.make({ dispute, amount: eur(minor), evidence: webhook, at })
const win = command.CloseDispute.make({ dispute: dp1, outcome: "Won", evidence: webhook, at })
const lose = command.CloseDispute.make({ dispute: dp1, outcome: "Lost", evidence: webhook, at })
const cancel = command.Cancel.make({ at })
const expire = command.Expire.make({ at })
const fail = command.Fail.make({ at })
const capturedDollar = { ...answers.captured(1n), ...dollar }
const recordCaptured = (path: string, minor: bigint) => record(path, answers.captured(minor))
const auth1 = { operation: op("auth/1"), at }
/** Sent twice, the second time long after. */
const sentAgain = [...inDoubt, doubted("Timeout", muchLater)]
const doubtingBack = [...back, { ...doubted(), operation: op("auth/1/confirm/1") }]
const toldPaid = [...capturing, captured("pay_1/capture/1", 10_00n, webhook)]
const recordNotSent = command.RecordNotSent.make({ ...auth1, by: run1, ...unreachable })
const recordDoubt = command.RecordDoubt.make({ ...auth1, asked: "send", reason: "Timeout" })
const recordNotFound = command.RecordNotFound.make({ ...auth1, gateway: able })
const lookedUp = { ...recordNotFound, at: later }
const takeOver = command.TakeOver.make(auth1)
const resume = command.Resume.make({ ...auth1, by: run2 })
const escalate = command.Escalate.make({ ...auth1, reason: "NoWayToAsk" })
const pendingAt = (when: Instant, how: Evidence) => ({ ...record("auth/1", answers.pending, how), at: when })
const referred = { ...answers.pending, reference: World.reference }

/** Given these events, when this is asked, then these events are recorded, or this rule forbids it. */
type Example = readonly [name: string, given: ReadonlyArray<Event>, when: Command, then: ReadonlyArray<Event> | Rule]

const table: ReadonlyArray<Example> = [
  ["begins with the order as it was given", [], initiate, [initiated]],
  ["records nothing when the same order comes again", ready, initiate, []],
  ["refuses an order of zero", [], { ...initiate, order: { ...order, amount: eur(0n) } }, "AmountNotPositive"],
  ["refuses to begin a payment anew later", ready, { ...initiate, at: later }, "WrongState"],

  ["lets an allowed payment pass", screening, allow, [allowed]],
  ["fails a blocked payment at once", screening, block, [blocked, failed({ _tag: "Blocked", reasons: stolen })]],
  ["records nothing when the verdict comes again", screened, allow, []],
  ["keeps the first of two verdicts", screened, block, []],
  ["refuses a verdict on what never began", [], allow, "WrongState"],

  ["begins the first attempt as auth/1", ready, begin("able"), [begun("pay_1/auth/1")]],
  ["goes to a second gateway after a decline", refused, begin("plain"), [begun("pay_1/auth/2", "plain")]],
  ["goes to a second gateway when nothing was sent", unsent, begin("plain"), [begun("pay_1/auth/2", "plain")]],
  ["tries a second card after a decline", refused, begin("able", 1), [begun("pay_1/auth/2", "able", 1)]],
  ["records nothing when the same attempt is begun again", sent, begin("able"), []],
  ["refuses a second attempt while the first is in flight", sent, begin("plain"), "AttemptOpen"],
  ["refuses a second attempt while the first is in doubt", inDoubt, begin("plain"), "AttemptOpen"],
  ["refuses a second attempt while the first is pending", takenOn, begin("plain"), "AttemptOpen"],
  ["refuses a second attempt while the first is escalated", handedOver, begin("plain"), "AttemptOpen"],
  ["refuses a second attempt when only the confirmation was not sent", unconfirmed, begin("plain"), "AttemptOpen"],
  ["refuses a card where it was declined", refused, begin("able"), "AlreadyTried"],
  ["refuses a card where it could not be sent", unsent, begin("able"), "AlreadyTried"],
  ["refuses a third card of two", ready, begin("able", 2), "UnknownMethod"],
  ["refuses a card before the first", ready, begin("able", -1), "UnknownMethod"],
  ["refuses an attempt that nobody wants any more", unwanted, begin("plain"), "CancelRequested"],
  ["refuses an attempt beside a hold", held, begin("plain"), "WrongState"],

  ["confirms below the attempt", away, complete, [returned("pay_1/auth/1/confirm/1")]],
  ["confirms a second redirect as confirm/2", awayAgain, complete, [returned("pay_1/auth/1/confirm/2")]],
  ["records nothing when the customer comes back twice", back, complete, []],
  ["records nothing when the customer comes back after the answer", [...back, confirmed], complete, []],
  ["records nothing when a notification was faster than the customer", [...away, authorized(webhook)], complete, []],
  ["records nothing when the decline was faster than the customer", [...away, declined(webhook)], complete, []],
  ["refuses to confirm what nobody wants any more", [...away, cancelRequested], complete, "CancelRequested"],
  ["refuses to confirm where no redirect was asked for", held, complete, "WrongState"],

  ["captures all when no amount is given", held, capture(), [captureBegun("pay_1/capture/1", 10_00n)]],
  ["captures exactly what was authorized", held, capture(10_00n), [captureBegun("pay_1/capture/1", 10_00n)]],
  ["captures a single cent", held, capture(1n), [captureBegun("pay_1/capture/1", 1n)]],
  ["keeps the hold for the rest", held, capture(4_00n, r1, false), [captureBegun("pay_1/capture/1", 4_00n, r1, false)]],
  ["captures all that is left", paidInPart, capture(undefined, r2), [captureBegun("pay_1/capture/2", 6_00n, r2)]],
  ["captures exactly what is left", paidInPart, capture(6_00n, r2), [captureBegun("pay_1/capture/2", 6_00n, r2)]],
  ["captures anew after a refusal", uncaptured, capture(10_00n, r2), [captureBegun("pay_1/capture/2", 10_00n, r2)]],
  ["captures all where no part can be", heldByPlain, capture(10_00n), [captureBegun("pay_1/capture/1", 10_00n)]],
  ["records nothing when the request comes again on its way", capturing, capture(10_00n), []],
  ["records nothing when the request comes again after its end", paid, capture(10_00n), []],
  ["records nothing when a request comes again beside a later one", capturingRest, capture(4_00n, r1, false), []],
  ["records nothing when a request comes again of which less was taken", takenLess, capture(10_00n), []],
  ["records nothing when a request comes again that was refused", uncaptured, capture(10_00n), []],
  ["records nothing when the unnamed one on its way comes again", capturingUnnamedTwice, captureUnnamed(1_00n), []],
  ["refuses a request that was made with another amount", paidInPart, capture(4_01n, r1, false), "RequestMismatch"],
  ["refuses a request that was made to keep the hold", paidInPart, capture(4_00n), "RequestMismatch"],
  ["refuses to capture one cent more than was authorized", held, capture(10_01n), "AboveAuthorized"],
  ["refuses to capture one cent more than is left", paidInPart, capture(6_01n, r2), "AboveAuthorized"],
  ["refuses to capture one cent after a final capture", paidLess, capture(1n, r2), "AboveAuthorized"],
  ["refuses to capture what is left when nothing is", paid, capture(undefined, r2), "AboveAuthorized"],
  ["refuses to capture zero", held, capture(0n), "AmountNotPositive"],
  ["refuses to capture another currency", held, { ...capture(), ...dollar }, "CurrencyMismatch"],
  ["refuses to capture a part where the gateway cannot", heldByPlain, capture(9_99n), "GatewayCannot"],
  ["refuses to keep the hold where the gateway cannot", heldByPlain, capture(10_00n, r1, false), "GatewayCannot"],
  ["refuses to capture what nobody wants any more", [...held, cancelRequested], capture(), "CancelRequested"],
  ["refuses to capture before there is a hold", inDoubt, capture(), "WrongState"],
  ["refuses a second capture while the first is in flight", capturing, capture(1n, r2), "WrongState"],

  ["gives a hold back", held, giveBack, [voidBegun("pay_1/void/1")]],
  ["gives up a redirect", away, giveBack, [voidBegun("pay_1/void/1")]],
  ["gives a hold back as void/2 when it stayed", [...stuck, voidFailed], giveBack, [voidBegun("pay_1/void/2")]],
  ["records nothing when the hold is on its way back", voiding, giveBack, []],
  ["records nothing when the hold was given back", [...voiding, voided], giveBack, []],
  ["refuses to give back what may not be there", inDoubt, giveBack, "WrongState"],
  ["refuses to give back what was captured", paid, giveBack, "WrongState"],

  ["refunds all when no amount is given", paid, refund(), [refundBegun("pay_1/refund/1", 10_00n)]],
  ["refunds exactly what was captured", paid, refund(10_00n), [refundBegun("pay_1/refund/1", 10_00n)]],
  ["refunds all that is left", refunding, refund(undefined, r2), [refundBegun("pay_1/refund/2", 6_00n, r2)]],
  ["refunds all of it after a failure", unrefunded, refund(10_00n, r2), [refundBegun("pay_1/refund/2", 10_00n, r2)]],
  ["refunds exactly what a dispute leaves", claimed, refund(6_00n), [refundBegun("pay_1/refund/1", 6_00n)]],
  ["refunds what a won dispute sets free", [...claimed, won], refund(), [refundBegun("pay_1/refund/1", 10_00n)]],
  ["refunds what a refund and a dispute leave", both, refund(3_00n, r2), [refundBegun("pay_1/refund/2", 3_00n, r2)]],
  ["refunds all where no part can be", paidByPlain, refund(10_00n), [refundBegun("pay_1/refund/1", 10_00n)]],
  ["records nothing when the request comes again", refunding, refund(4_00n), []],
  ["records nothing when the request comes again after its failure", unrefunded, refund(4_00n), []],
  ["records nothing when it comes again beside a capture", capturingRestRefunded, refund(1_00n), []],
  ["refuses to refund beside a capture on its way", capturingRestRefunded, refund(1_00n, r2), "WrongState"],
  ["refuses a request that was made with another amount", refunding, refund(4_01n), "RequestMismatch"],
  ["refuses to refund one cent more than was captured", paid, refund(10_01n), "AboveCaptured"],
  ["refuses to refund what was authorized and not captured", paidInPart, refund(4_01n), "AboveCaptured"],
  ["refuses to refund one cent more than a refund on its way leaves", refunding, refund(6_01n, r2), "AboveCaptured"],
  ["refuses to refund one cent more than an open dispute leaves", claimed, refund(6_01n), "AboveCaptured"],
  ["refuses to refund one cent more than a lost dispute leaves", [...claimed, lost], refund(6_01n), "AboveCaptured"],
  ["refuses to refund one cent more than a refund and a dispute leave", both, refund(3_01n, r2), "AboveCaptured"],
  ["refuses to refund what is left when nothing is", [...paid, disputed(dp1, 10_00n)], refund(), "AboveCaptured"],
  ["refuses to refund zero", paid, refund(0n), "AmountNotPositive"],
  ["refuses to refund another currency", paid, { ...refund(), ...dollar }, "CurrencyMismatch"],
  ["refuses to refund a part where the gateway cannot", paidByPlain, refund(9_99n), "GatewayCannot"],
  ["refuses to refund what a dispute leaves where no part can be", claimedByPlain, refund(), "GatewayCannot"],
  ["refuses to refund before anything was captured", held, refund(), "WrongState"],

  ["opens a dispute of all that was captured", paid, dispute(10_00n), [disputed(dp1, 10_00n)]],
  ["opens a dispute of exactly what a refund leaves", refunding, dispute(6_00n), [disputed(dp1, 6_00n)]],
  ["opens a second dispute of exactly what the first leaves", claimed, dispute(6_00n, dp2), [disputed(dp2, 6_00n)]],
  ["opens a dispute while more is being captured", capturingRest, dispute(4_00n), [disputed(dp1, 4_00n)]],
  ["records nothing when the dispute comes again", claimed, dispute(4_00n), []],
  ["refuses the same dispute with another amount", claimed, dispute(4_01n), "ContradictsRecord"],
  ["refuses a dispute of one cent more than was captured", paid, dispute(10_01n), "AboveCaptured"],
  ["refuses a dispute of one cent more than a refund leaves", refunding, dispute(6_01n), "AboveCaptured"],
  ["refuses a dispute of one cent more than another leaves", claimed, dispute(6_01n, dp2), "AboveCaptured"],
  ["refuses a dispute of what is still being captured", capturingRest, dispute(4_01n), "AboveCaptured"],
  ["refuses a dispute of zero", paid, dispute(0n), "AmountNotPositive"],
  ["refuses a dispute in another currency", paid, { ...dispute(1n), ...dollar }, "CurrencyMismatch"],
  ["refuses a dispute before anything was captured", held, dispute(1n), "WrongState"],
  ["refuses another gateway's dispute", paid, { ...dispute(1n), evidence: atPlain.webhook }, "WrongGateway"],

  ["closes a dispute as won", claimed, win, [won]],
  ["closes a dispute as lost", claimed, lose, [lost]],
  ["records nothing when the end comes again", [...claimed, lost], lose, []],
  ["refuses to lose what was won", [...claimed, won], lose, "ContradictsRecord"],
  ["refuses to close what nobody opened", paid, win, "UnknownDispute"],
  ["refuses another gateway's end of a dispute", claimed, { ...win, evidence: atPlain.webhook }, "WrongGateway"],
  ["refuses to close a dispute before anything was captured", held, win, "WrongState"],

  ["ends a payment that no gateway knows of", ready, cancel, [cancelled]],
  ["ends a payment that was not sent", unsent, cancel, [cancelled]],
  ["only notes the wish while the attempt is in flight", sent, cancel, [cancelRequested]],
  ["only notes the wish while the attempt is in doubt", inDoubt, cancel, [cancelRequested]],
  ["only notes the wish while the customer is away", away, cancel, [cancelRequested]],
  ["only notes the wish while there is a hold", held, cancel, [cancelRequested]],
  ["records nothing when the wish comes again", [...held, cancelRequested], cancel, []],
  ["records nothing when the payment was cancelled", [...ready, cancelled], cancel, []],
  ["records nothing when the hold is on its way back", voiding, cancel, []],
  ["refuses to cancel what is being captured", capturing, cancel, "WrongState"],
  ["refuses to cancel what was captured", paid, cancel, "WrongState"],

  ["records a hold", sent, record("auth/1", approved), [authorized()]],
  ["records a hold and its capture", sent, record("auth/1", sold), [authorized(), captured("pay_1/auth/1", 10_00n)]],
  ["records a decline", sent, record("auth/1", answers.declined), [declined()]],
  ["records a redirect", sent, record("auth/1", redirect), [redirected("pay_1/auth/1")]],
  ["records what the gateway has taken on", sent, record("auth/1", answers.pending), [pending]],
  ["records a poll that finds it pending still", takenOn, pendingAt(later, lookup), [pendingLater(lookup)]],
  ["records nothing when the gateway tells pending again", takenOn, pendingAt(later, webhook), []],
  ["records nothing when the poll before is told again", [...takenOn, pendingLater(lookup)], pendingAt(at, lookup), []],
  [
    "records a reference that was not known of what is pending",
    takenOn,
    { ...pendingAt(later, webhook), answer: referred },
    [{ ...pendingLater(webhook), reference: World.reference }]
  ],
  [
    "records nothing when the reference is told again",
    [...takenOn, { ...pendingLater(webhook), reference: World.reference }],
    { ...pendingAt(muchLater, webhook), answer: referred },
    []
  ],
  ["leaves to an operator what was pending before", gaveUpWaiting, record("auth/1", answers.pending), []],
  ["leaves to an operator what is pending still", gaveUpWaiting, pendingAt(later, webhook), []],
  ["leaves to an operator what an older answer says", handedOver, record("auth/1", answers.pending), []],
  [
    "leaves to an operator a void that was refused",
    stuck,
    { ...record("void/1", answers.pending, webhook), at: later },
    []
  ],
  ["asks again when what nobody knew of is taken on", handedOver, pendingAt(later, webhook), [pendingLater(webhook)]],
  ["takes an authorization's answer for its confirmation's", back, record("auth/1", approved), [confirmed]],
  [
    "takes an authorization's decline for its confirmation's",
    back,
    record("auth/1", answers.declined),
    [{ ...declined(), operation: op("auth/1/confirm/1") }]
  ],
  ["keeps the customer when the first redirect is told again", back, record("auth/1", redirect, webhook), []],
  ["keeps the customer when pending is told again", back, record("auth/1", answers.pending, webhook), []],
  ["keeps the customer when the second redirect is told again", backAgain, record("auth/1/confirm/1", redirect), []],
  ["records a second redirect", back, record("auth/1/confirm/1", redirect), [redirected("pay_1/auth/1/confirm/1")]],
  ["records nothing when a redirect is told again", away, record("auth/1", redirect, webhook), []],
  ["records a hold before the customer is back", away, record("auth/1", approved, webhook), [authorized(webhook)]],
  ["records a late hold after doubt", inDoubt, record("auth/1", approved, lookup), [authorized(lookup)]],
  ["records a late decline after doubt", inDoubt, record("auth/1", answers.declined, lookup), [declined(lookup)]],
  ["records a late hold after escalation", handedOver, record("auth/1", approved, webhook), [authorized(webhook)]],
  ["records an operator's word if escalated", handedOver, record("auth/1", approved, operator), [authorized(operator)]],
  ["refuses an operator's later", handedOver, record("auth/1", answers.pending, operator), "AnswerMismatch"],
  ["refuses an operator's word in flight", sent, record("auth/1", approved, operator), "NotEscalated"],
  ["refuses an operator's word in doubt", inDoubt, record("auth/1", answers.declined, operator), "NotEscalated"],
  ["refuses an operator's word against the record", held, record("auth/1", answers.declined, operator), "NotEscalated"],
  ["records nothing when an operator repeats the record", held, record("auth/1", approved, operator), []],
  [
    "records an operator's sale",
    handedOver,
    record("auth/1", sold, operator),
    [authorized(operator), captured("pay_1/auth/1", 10_00n, operator)]
  ],
  ["records nothing when an operator repeats a sale", soldByWord, record("auth/1", sold, operator), []],
  ["refuses an operator's sale of a hold", held, record("auth/1", sold, operator), "NotEscalated"],
  [
    "refuses an operator's other amount",
    paid,
    { ...recordCaptured("capture/1", 9_99n), evidence: operator },
    "NotEscalated"
  ],
  ["records nothing when a hold is told again", held, record("auth/1", approved, webhook), []],
  ["records nothing when a capture is told again", paid, recordCaptured("capture/1", 10_00n), []],
  ["refuses a decline after a hold", held, record("auth/1", answers.declined), "ContradictsRecord"],
  ["refuses a hold after a decline", refused, record("auth/1", approved), "ContradictsRecord"],
  ["refuses a hold of the attempt before", retried, record("auth/1", approved), "ContradictsRecord"],
  ["refuses the failure of what was captured", paid, record("capture/1", answers.refused), "ContradictsRecord"],
  ["refuses the success of a failed refund", unrefunded, record("refund/1", answers.refunded), "ContradictsRecord"],
  ["records a capture of all", capturing, recordCaptured("capture/1", 10_00n), [captured("pay_1/capture/1", 10_00n)]],
  ["records a capture of less", capturing, recordCaptured("capture/1", 9_99n), [captured("pay_1/capture/1", 9_99n)]],
  ["records a capture by other hands", held, recordCaptured("auth/1", 10_00n), [captured("pay_1/auth/1", 10_00n)]],
  ["records a sale by other hands", held, record("auth/1", sold, webhook), [captured("pay_1/auth/1", 10_00n, webhook)]],
  [
    "records a sale that came before the void",
    givingUpRedirect,
    record("auth/1", sold),
    [captured("pay_1/auth/1", 10_00n)]
  ],
  ["leaves a late approval to the void", givingUpRedirect, record("auth/1", approved, webhook), []],
  ["leaves a late decline to the void", givingUpRedirect, record("auth/1", answers.declined, webhook), []],
  ["records nothing of an approval that the void has ended", gaveUpRedirect, record("auth/1", approved, webhook), []],
  ["refuses a sale after the void", gaveUpRedirect, record("auth/1", sold, webhook), "ContradictsRecord"],
  ["refuses a sale after a hold was given back", released, record("auth/1", sold, webhook), "ContradictsRecord"],
  ["refuses a sale after a hold had gone", gone, record("auth/1", sold, webhook), "ContradictsRecord"],
  ["refuses a sale after the payment failed", failedToCapture, record("auth/1", sold, webhook), "ContradictsRecord"],
  ["refuses a sale of which only a part is known", paidLess, record("auth/1", sold, webhook), "ContradictsRecord"],
  ["refuses a sale of which a part is still held", paidInPart, record("auth/1", sold, webhook), "ContradictsRecord"],
  ["refuses a sale while a part is captured", capturingPart, record("auth/1", sold, webhook), "ContradictsRecord"],
  ["refuses a sale while the rest is captured", capturingRest, record("auth/1", sold, webhook), "ContradictsRecord"],
  [
    "refuses a part by other hands while all is captured",
    capturing,
    recordCaptured("auth/1", 4_00n),
    "ContradictsRecord"
  ],
  [
    "takes a sale for the capture of all that is in flight",
    capturing,
    record("auth/1", sold, webhook),
    [captured("pay_1/capture/1", 10_00n, webhook)]
  ],
  [
    "takes all that other hands took for the capture of all in flight",
    capturing,
    record("auth/1", answers.captured(10_00n), webhook),
    [captured("pay_1/capture/1", 10_00n, webhook)]
  ],
  ["records nothing when that capture is answered after all", toldPaid, recordCaptured("capture/1", 10_00n), []],
  ["refuses that the capture took less after all", toldPaid, recordCaptured("capture/1", 9_99n), "ContradictsRecord"],
  [
    "refuses that the capture was refused after all",
    toldPaid,
    record("capture/1", answers.refused),
    "ContradictsRecord"
  ],
  ["records nothing when a sale is told again", toldPaid, record("auth/1", sold, webhook), []],
  ["records nothing of a sale after the capture of all", paid, record("auth/1", sold, webhook), []],
  ["refuses another amount for a capture", paid, recordCaptured("capture/1", 9_99n), "ContradictsRecord"],
  ["refuses another currency for a capture", paid, record("auth/1", capturedDollar), "ContradictsRecord"],
  ["records nothing when the void says what is known", soldWhileVoiding, recordCaptured("void/1", 10_00n), []],
  ["records a capture despite a void", voiding, recordCaptured("void/1", 10_00n), [captured("pay_1/void/1", 10_00n)]],
  ["refuses a capture of one cent too much", capturing, recordCaptured("capture/1", 10_01n), "AboveAuthorized"],
  ["refuses a rest of one cent too much", capturingRest, recordCaptured("capture/2", 6_01n), "AboveAuthorized"],
  ["refuses a capture of zero", capturing, recordCaptured("capture/1", 0n), "AmountNotPositive"],
  ["refuses a capture in another currency", capturing, record("capture/1", capturedDollar), "CurrencyMismatch"],
  ["records a capture that failed", capturing, record("capture/1", answers.refused), [captureFailed("no", false)]],
  ["records that the hold had gone", capturing, record("capture/1", answers.gone), [captureFailed("expired", true)]],
  ["records a hold as given back", voiding, record("void/1", answers.voided), [voided]],
  ["records a hold that had gone as given back", voiding, record("void/1", answers.gone), [voided]],
  ["hands a hold that stays to an operator", voiding, record("void/1", answers.refused), [voidRefused]],
  ["records an operator's word that it stays", stuck, record("void/1", answers.refused, operator), [voidFailed]],
  ["records a refund", refunding, record("refund/1", answers.refunded), [refunded]],
  ["records a refund that failed", refunding, record("refund/1", answers.refused), [refundFailed]],
  ["refuses an authorization's answer to a capture", capturing, record("capture/1", approved), "AnswerMismatch"],
  ["refuses a refund's answer to an authorization", sent, record("auth/1", answers.refunded), "AnswerMismatch"],
  ["refuses an answer to an attempt that never began", sent, record("auth/2", approved), "UnknownOperation"],
  ["refuses another gateway's answer", sent, record("auth/1", approved, atPlain.answer), "WrongGateway"],
  ["refuses another gateway's lookup", inDoubt, record("auth/1", approved, atPlain.lookup), "WrongGateway"],
  ["refuses another gateway's notification", sent, record("auth/1", approved, atPlain.webhook), "WrongGateway"],
  [
    "refuses another gateway's word of a confirmation",
    back,
    record("auth/1/confirm/1", approved, atPlain.answer),
    "WrongGateway"
  ],
  [
    "refuses another gateway's capture",
    capturing,
    record("capture/1", answers.captured(10_00n), atPlain.answer),
    "WrongGateway"
  ],
  [
    "refuses another gateway's refund",
    refunding,
    record("refund/1", answers.refunded, atPlain.webhook),
    "WrongGateway"
  ],
  ["refuses another gateway's repeat", held, record("auth/1", approved, atPlain.webhook), "WrongGateway"],
  [
    "refuses the second gateway's word of the first attempt",
    retried,
    record("auth/1", answers.declined, atPlain.webhook),
    "WrongGateway"
  ],
  ["refuses the first gateway's word of the second attempt", retried, record("auth/2", approved), "WrongGateway"],
  [
    "refuses another gateway's word of a failure",
    failedToCapture,
    record("capture/1", answers.refused, atPlain.webhook),
    "WrongGateway"
  ],
  ["records nothing when the first attempt's end is told again", retried, record("auth/1", answers.declined), []],
  [
    "records the second gateway's word of the second attempt",
    retried,
    record("auth/2", approved, atPlain.answer),
    [authorized(atPlain.answer, "pay_1/auth/2")]
  ],
  ["refuses an answer to a payment that never began", [], record("auth/1", approved), "WrongState"],

  ["records proof from the run that sends", sent, recordNotSent, [notSent("pay_1/auth/1")]],
  ["records nothing when the proof comes again", unsent, recordNotSent, []],
  ["records nothing when the answer came first", held, recordNotSent, []],
  ["records nothing of a confirmation when its attempt was not sent", back, recordNotSent, []],
  ["doubts what another run may have sent", sent, { ...recordNotSent, by: run2 }, [doubted("NotSent")]],
  ["stays in doubt of an earlier send", inDoubt, { ...recordNotSent, at: later }, [doubted("NotSent", later)]],
  ["refuses an attempt that never began", sent, { ...recordNotSent, operation: op("auth/2") }, "UnknownOperation"],
  ["refuses a payment that never began", [], recordNotSent, "WrongState"],

  ["records that nobody knows", sent, recordDoubt, [doubted()]],
  ["records a question of a later moment", inDoubt, { ...recordDoubt, at: later }, [doubted("Timeout", later)]],
  ["records the first question after a takeover", orphaned, recordDoubt, [doubted()]],
  ["records nothing twice of one moment", inDoubt, recordDoubt, []],
  ["records nothing of a confirmation when its attempt is doubted", back, recordDoubt, []],
  ["records nothing once it is escalated", handedOver, { ...recordDoubt, at: later }, []],
  ["refuses an attempt that never began", sent, { ...recordDoubt, operation: op("auth/2") }, "UnknownOperation"],
  ["refuses a payment that never began", [], recordDoubt, "WrongState"],

  ["ends the doubt where the lookup is proof", inDoubt, lookedUp, [notFound]],
  ["stays in doubt where it was looked up before it was sent", sentAgain, lookedUp, []],
  ["stays in doubt where it was looked up when it was sent", sentAgain, { ...recordNotFound, at: muchLater }, []],
  ["counts a lookup at the moment of a takeover", orphaned, recordNotFound, [{ ...unfound, at }]],
  ["counts no lookup from before a takeover", [...sent, { ...takenOver, at: later }], recordNotFound, []],
  ["records nothing of a confirmation when its attempt is not found", doubtingBack, lookedUp, []],
  ["refuses another gateway's lookup", inDoubt, { ...lookedUp, gateway: plain }, "WrongGateway"],
  ["stays in doubt where the lookup proves nothing", inDoubtAtPlain, { ...lookedUp, gateway: plain }, [unfound]],
  ["stays pending when the lookup finds nothing", takenOn, lookedUp, [unfound]],
  ["records nothing while it is being sent", sent, recordNotFound, []],
  ["records nothing when the proof comes again", [...inDoubt, notFound], lookedUp, []],
  ["refuses an attempt that never began", sent, { ...recordNotFound, operation: op("auth/2") }, "UnknownOperation"],
  ["refuses a payment that never began", [], recordNotFound, "WrongState"],

  ["doubts what another run was sending", sent, takeOver, [takenOver]],
  ["records nothing when it is taken over already", orphaned, takeOver, []],
  ["records nothing when the answer came first", held, takeOver, []],
  ["refuses an attempt that never began", sent, { ...takeOver, operation: op("auth/2") }, "UnknownOperation"],
  ["refuses a payment that never began", [], takeOver, "WrongState"],

  ["lets another run send what was not sent", unsent, resume, [resumed]],
  ["records nothing when the same run resumes again", resent, resume, []],
  ["refuses a second run beside the first", resent, { ...resume, by: run1 }, "WrongState"],
  [
    "refuses to send what nobody wants any more",
    [...sent, cancelRequested, notSent("pay_1/auth/1")],
    resume,
    "CancelRequested"
  ],
  ["refuses to send what is in doubt as if it were new", inDoubt, resume, "WrongState"],
  ["refuses an attempt that never began", sent, { ...resume, operation: op("auth/2") }, "UnknownOperation"],

  ["hands a doubt to an operator", inDoubt, escalate, [escalated]],
  ["records nothing when it is escalated already", handedOver, escalate, []],
  ["refuses an attempt that never began", sent, { ...escalate, operation: op("auth/2") }, "UnknownOperation"],
  ["refuses a payment that never began", [], escalate, "WrongState"],

  ["ends a payment that no gateway knows of", ready, expire, [expired]],
  ["ends a payment that was not sent", unsent, expire, [expired]],
  ["records nothing when it has expired", [...ready, expired], expire, []],
  ["refuses to let a doubt expire", inDoubt, expire, "WrongState"],
  ["refuses to let a hold expire unasked", held, expire, "WrongState"],

  ["fails without a route when nothing was tried", ready, fail, [failed({ _tag: "NoRoute" })]],
  ["fails with the last decline", refused, fail, [failed({ _tag: "Declined", decline, evidence: answer })]],
  ["fails with why nothing was sent", unsent, fail, [failed({ _tag: "NotSent", gateway: able, ...unreachable })]],
  ["records nothing when it has failed", [...ready, failed({ _tag: "NoRoute" })], fail, []],
  ["refuses to fail in doubt", inDoubt, fail, "WrongState"]
]

const byCommand = Map.groupBy(table, ([, , when]) => when._tag)

for (const [tag, examples] of byCommand) {
  describe(`PaymentDecision.decide ${tag}`, () => {
    it.each(examples)("%s", (_, given, when, then) => {
      const decision = PaymentDecision.decide(when, fold(given))
      assert.deepStrictEqual(Result.isSuccess(decision) ? decision.success : decision.failure.rule, then)
    })
  })
}

describe("the table of examples", () => {
  const kindOf = ([, , , then]: Example) => (typeof then === "string" ? "rule" : then.length === 0 ? "[]" : "events")

  it("has each command accepted, repeated and refused", () => {
    assert.sameMembers([...byCommand.keys()], Object.keys(Command.cases))
    for (const [tag, examples] of byCommand) {
      assert.sameMembers([...new Set(examples.map(kindOf))], ["events", "[]", "rule"], tag)
    }
  })

  it("comes to every rule and every event", () => {
    const rules = table.flatMap(([, , , then]) => (typeof then === "string" ? [then] : []))
    const events = table.flatMap(([, , , then]) => (typeof then === "string" ? [] : then.map(({ _tag }) => _tag)))
    assert.sameMembers([...new Set(rules)], [...Rule.literals])
    assert.sameMembers([...new Set(events)], Object.keys(Event.cases))
  })
})
