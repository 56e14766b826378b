/**
 * Holds what florin has stored against itself, and against the gateways.
 *
 * 1. Every stream is read again, a page at a time, so that memory stays the
 *    same however many there are.
 * 2. The state that its events give is compared with its row of the read model,
 *    field by field (R8).
 * 3. The gateway is asked about every operation that has ended, and its word
 *    compared with what was recorded (R4). Operations that are open are counted:
 *    florin knows that it does not know.
 *
 * It changes nothing, and may run beside a service: a payment that seems to
 * differ is read once more, because it may have moved between two readings.
 */
import { Duration, Effect, Equal, Option, Result, Schedule, Schema } from "effect"
import type { GatewayError } from "../adapters/PaymentGateway.ts"
import { PaymentGateways } from "../adapters/PaymentGateway.ts"
import type { PaymentRepositoryError, Stream, UnreadableView } from "../adapters/PaymentRepository.ts"
import { PaymentRepository } from "../adapters/PaymentRepository.ts"
import * as GatewayAgreement from "../domain/payment/GatewayAgreement.ts"
import * as Operation from "../domain/payment/Operation.ts"
import * as OperationHistory from "../domain/payment/OperationHistory.ts"
import * as PaymentDraft from "../domain/payment/PaymentDraft.ts"
import type { PaymentId } from "../domain/payment/PaymentEvent.ts"
import { PaymentView } from "../domain/payment/PaymentView.ts"
import { now } from "./Clocks.ts"
import { GatewayCall } from "./GatewayCall.ts"
import type { Difference, Report } from "./VerificationReport.ts"
import { add, empty } from "./VerificationReport.ts"

export interface Options {
  /** `false` compares events and read model only. */
  readonly askGateways: boolean
  readonly onProgress?: ((report: Report) => Effect.Effect<void>) | undefined
}

/** So many streams at a time. */
const pageSize = 500

/** Lookups at once: they wait for a network, and the service's own calls come first. */
const concurrency = 8

export const verify = Effect.fn("Verification.verify")(function* ({
  askGateways,
  onProgress = () => Effect.void
}: Options) {
  const repository = yield* PaymentRepository
  let report = empty
  let after: PaymentId | undefined
  while (true) {
    const page = yield* repository.histories({ limit: pageSize, after })
    const isLast = page.length < pageSize
    const { strangers, views } = yield* viewsOf(
      page.map(({ payment }) => payment),
      after,
      isLast ? undefined : page.at(-1)?.payment
    )
    const checked = yield* Effect.forEach(
      page,
      ({ payment, stream }) => check({ payment, stream, view: views.get(payment) }, askGateways),
      { concurrency }
    )
    report = [...strangers, ...checked].reduce(add, report)
    yield* onProgress(report)
    if (isLast) return report
    after = page.at(-1)?.payment
  }
})

type View = Result.Result<PaymentView, UnreadableView>

/** The rows of a page of payments, and one report a row that has no events. */
const viewsOf = Effect.fnUntraced(function* (
  payments: ReadonlyArray<PaymentId>,
  after: PaymentId | undefined,
  upTo: PaymentId | undefined
) {
  const repository = yield* PaymentRepository
  const wanted = new Set(payments)
  const views = new Map<PaymentId, View>()
  let strangers: ReadonlyArray<Report> = []
  let from = after
  while (true) {
    const rows = yield* repository.views({ after: from, upTo, limit: pageSize })
    for (const { payment, view } of rows) {
      if (wanted.has(payment)) views.set(payment, view)
      else strangers = [yield* stranger(payment, strangers[0] ?? empty)]
    }
    if (rows.length < pageSize) return { views, strangers }
    from = rows.at(-1)?.payment
  }
})

/** A row without events when the page was read; the payment may have begun since. */
const stranger = Effect.fnUntraced(function* (payment: PaymentId, before: Report) {
  const repository = yield* PaymentRepository
  const stream = yield* Effect.result(repository.load(payment))
  const isBegun = Result.isFailure(stream) || stream.success.version > 0
  return isBegun ? before : add(before, differing({ _tag: "ViewWithoutEvents", payment }))
})

const differing = (...found: ReadonlyArray<Difference>): Report => ({ ...empty, differences: found.length, found })

// --- One payment ------------------------------------------------------------

interface Subject {
  readonly payment: PaymentId
  readonly stream: Result.Result<Stream, PaymentRepositoryError>
  readonly view: View | undefined
}

/** A payment on its way moves a few times in a second; one that differs each time differs. */
const readings = 3

const check = Effect.fnUntraced(function* (subject: Subject, askGateways: boolean) {
  let report = yield* checkOnce(subject, askGateways)
  for (let reading = 1; reading < readings && report.differences > 0; reading++) {
    report = yield* checkOnce(yield* readAgain(subject), askGateways)
  }
  return report
})

const readAgain = Effect.fnUntraced(function* ({ payment, view }: Subject) {
  const repository = yield* PaymentRepository
  const stream = yield* Effect.result(repository.load(payment))
  // A store that does not answer says nothing of the payment.
  if (Result.isFailure(stream) && stream.failure.reason._tag === "StorageUnavailable") {
    return yield* stream.failure.reason
  }
  const again = yield* repository.find(payment).pipe(
    Effect.map((row): View | undefined => Option.getOrUndefined(Option.map(row, Result.succeed))),
    // One that cannot be read dies there, and stays what it was.
    Effect.catchDefect(() => Effect.succeed(view))
  )
  return { payment, stream, view: again } satisfies Subject
})

const checkOnce = Effect.fnUntraced(function* ({ payment, stream, view }: Subject, askGateways: boolean) {
  const one: Report = { ...empty, payments: 1 }
  if (Result.isFailure(stream)) return add(one, differing(broken(payment, stream.failure)))
  const { history } = stream.success
  const folded = Result.try({
    try: () => ({ draft: PaymentDraft.of(history), operations: OperationHistory.of(history) }),
    catch: (cause) => (cause instanceof Error ? cause.message : String(cause))
  })
  const seen = add(one, { ...empty, events: history.length })
  if (Result.isFailure(folded)) {
    return add(seen, differing({ _tag: "StreamUnreadable", payment, detail: folded.failure }))
  }
  const { draft, operations } = folded.success
  const viewed = add(seen, differing(...compareView(payment, view, PaymentDraft.view(draft)!)))
  const asked = yield* Effect.forEach(operations, (operation) => checkOperation(payment, operation, draft, askGateways))
  return asked.reduce(add, viewed)
})

const broken = (payment: PaymentId, { message, reason }: PaymentRepositoryError): Difference => {
  switch (reason._tag) {
    case "EventContinuityError":
      return { _tag: "StreamGap", payment, expected: reason.expected, actual: reason.actual }
    case "UnreadableEvent":
      return { _tag: "StreamUnreadable", payment, detail: `event ${reason.version}: ${reason.detail}` }
    case "VersionConflict":
    case "Fenced":
    case "Claimed":
    case "StorageUnavailable":
      return { _tag: "StreamUnreadable", payment, detail: message }
  }
}

// --- The read model ---------------------------------------------------------

const encode = Schema.encodeSync(Schema.toCodecJson(PaymentView))

const compareView = (payment: PaymentId, found: View | undefined, byEvents: PaymentView): ReadonlyArray<Difference> => {
  if (found === undefined) return [{ _tag: "ViewMissing", payment }]
  if (Result.isFailure(found)) return [{ _tag: "ViewUnreadable", payment, detail: found.failure.detail }]
  const fields = differentFields(found.success, byEvents)
  if (fields.length === 0) return []
  return found.success.version < byEvents.version
    ? [{ _tag: "ViewBehind", payment, view: found.success.version, events: byEvents.version, fields }]
    : [{ _tag: "ViewDiffers", payment, fields }]
}

/** As JSON, which is what is stored: an amount is text there, and an absent field is `null` here. */
const differentFields = (found: PaymentView, byEvents: PaymentView) => {
  const [view, events] = [found, byEvents].map((one) => new Map(Object.entries<unknown>(Object(encode(one)))))
  return Object.keys(PaymentView.fields)
    .map((field) => ({ field, view: view!.get(field) ?? null, events: events!.get(field) ?? null }))
    .filter((field) => !Equal.equals(field.view, field.events))
}

// --- The gateways -----------------------------------------------------------

const checkOperation = Effect.fnUntraced(function* (
  payment: PaymentId,
  operation: OperationHistory.OperationHistory,
  { state }: PaymentDraft.Draft,
  askGateways: boolean
) {
  const { call, end } = operation
  if (end._tag === "Open") return { ...empty, open: 1, inDoubt: Operation.isDoubtful(end.operation) ? 1 : 0 }
  // The customer is away at the gateway, and may be done there before florin hears of it.
  if (end._tag === "Answered" && end.answer === "ActionRequired" && state._tag === "ActionRequired") {
    return { ...empty, open: 1 }
  }
  const promised = (yield* PaymentGateways).get(call.gateway)?.capabilities.lookup
  if (!askGateways || promised === "none") return { ...empty, unasked: 1 }

  const about = { payment, operation: call.operation, gateway: call.gateway }
  const at = yield* now
  // What an eventual lookup does not find yet proves nothing.
  const isYoung = promised === "eventual" && at - operation.lastAt < settleMillis
  const answered = yield* Effect.result(lookup(call))
  if (Result.isFailure(answered)) {
    const { reason } = answered.failure
    const because = reason._tag === "Misconfigured" ? reason.detail : reason.because
    return add({ ...empty, operations: 1 }, differing({ _tag: "GatewayCannotBeAsked", ...about, because }))
  }
  const found = answered.success._tag === "Found" ? answered.success.answer : undefined
  if (found === undefined && isYoung) return { ...empty, unasked: 1 }
  const agreement = GatewayAgreement.of(operation, found, state, at)
  if (agreement._tag === "Agrees") return { ...empty, operations: 1 }
  const recorded = end._tag === "NotSent" ? `not sent (${end.reason})` : end.answer
  const difference: Difference = {
    _tag: "GatewayDisagrees",
    ...about,
    how: agreement._tag,
    recorded,
    found: found === undefined ? "nothing" : GatewayAgreement.describe(found)
  }
  return add({ ...empty, operations: 1 }, differing(difference))
})

/** Longer than the index behind an eventual lookup takes; as long as the plan waits before it believes one. */
const settleMillis = 2 * 60 * 1000

/** So often is a gateway asked that says "later": a limit of calls a window lets the next ones through. */
const patience = 30

const lookup = (call: Parameters<GatewayCall["Service"]["lookup"]>[0]) =>
  Effect.gen(function* () {
    const calls = yield* GatewayCall
    return yield* calls.lookup(call).pipe(
      Effect.tapError((error) => Effect.sleep(Duration.millis(isThrottled(error) ? pauseOf(error) : 0))),
      Effect.retry({ while: isThrottled, schedule: Schedule.recurs(patience) })
    )
  })

const isThrottled = ({ reason }: GatewayError) => reason._tag === "NotSent" && reason.because === "Throttled"

/** As the gateway or the limit says, or a second. */
const pauseOf = ({ reason }: GatewayError) => (reason._tag === "NotSent" ? (reason.retryAfterMillis ?? 1000) : 1000)
