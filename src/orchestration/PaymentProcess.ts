/**
 * Drives one payment until nothing is owed, from whatever state it is in (R7).
 *
 * 1. Claim the payment, so that nobody else works on it.
 * 2. Ask `PaymentPlan.next` what is owed.
 * 3. A decision is decided in memory. Before a call is made, all that was
 *    decided is appended: the intent is durable before the gateway hears of
 *    it, and its answer before the next call (R2).
 * 4. A short wait is slept through, a long one is left to recovery: the store
 *    remembers when something is due.
 * 5. At rest the claim is given up with the last append.
 *
 * A lost race reloads, decides the same commands again and goes on from there.
 * A run whose claim was taken stops where it is. A run that dies between a call
 * and its answer leaves an operation in flight that is not any other run's, and
 * the next run records that doubt before it asks again.
 */
import { Duration, Effect, Result, Schedule, Schema } from "effect"
import { PaymentRepository, PaymentRepositoryError } from "../adapters/PaymentRepository.ts"
import type { RiskScreen } from "../adapters/RiskScreen.ts"
import type { Instant } from "../domain/Instant.ts"
import { plus } from "../domain/Instant.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import type { Command } from "../domain/payment/PaymentCommand.ts"
import * as PaymentDraft from "../domain/payment/PaymentDraft.ts"
import { PaymentId } from "../domain/payment/PaymentEvent.ts"
import * as PaymentPlan from "../domain/payment/PaymentPlan.ts"
import type { PaymentView } from "../domain/payment/PaymentView.ts"
import { now } from "./Clocks.ts"
import { GatewayCall } from "./GatewayCall.ts"
import { keeping } from "./HeldLease.ts"
import { PaymentPolicy } from "./PaymentPolicy.ts"
import { perform } from "./PaymentSteps.ts"

/** What a run leaves behind. */
export interface Outcome {
  readonly view: PaymentView
  /** Nothing is owed before this moment; absent when nothing is owed at all. */
  readonly until: Instant | undefined
  /** Nothing has begun and not ended: the view is an answer that stands. */
  readonly settled: boolean
}

export class PaymentNotFound extends Schema.TaggedError<PaymentNotFound>()("PaymentNotFound", { payment: PaymentId }) {
  override get message() {
    return `there is no payment ${this.payment}`
  }
}

/** A payment that this run has the claim on. */
export interface Held {
  readonly payment: PaymentId
  readonly runner: RunId
  readonly token: number
}

type Needs = PaymentRepository | PaymentPolicy | GatewayCall | RiskScreen

// --- Running ----------------------------------------------------------------

/** Claims the payment and drives it. Fails with `Claimed` while another run has it. */
export const run = Effect.fn("PaymentProcess.run")(function* (payment: PaymentId, runner: RunId) {
  const repository = yield* PaymentRepository
  const { leaseMillis } = yield* PaymentPolicy
  const at = yield* now
  const { history, token } = yield* repository.claim(payment, { owner: runner, until: plus(at, leaseMillis) }, at)
  if (history.length === 0) return yield* new PaymentNotFound({ payment })
  return yield* drive(PaymentDraft.of(history), { payment, runner, token })
})

/** Drives a payment under the caller's claim: keeps it meanwhile, and gives it up however this ends. */
export const drive = Effect.fnUntraced(function* (draft: PaymentDraft.Draft, held: Held) {
  const repository = yield* PaymentRepository
  const { leaseMillis } = yield* PaymentPolicy
  const renew = Effect.flatMap(now, (at) => repository.renew(held.payment, held.token, plus(at, leaseMillis)))
  const work = keeping(renew, { millis: leaseMillis, isTransient: isUnavailable })(loop(draft, held))
  return yield* Effect.onError(work, () => Effect.ignore(repository.release(held.payment, held.token)))
})

const loop = Effect.fnUntraced(function* (
  begun: PaymentDraft.Draft,
  held: Held
): Effect.fn.Return<Outcome, PaymentRepositoryError, Needs> {
  const settings = yield* PaymentPolicy
  const calls = yield* GatewayCall
  const { leaseMillis, lingerMillis } = settings
  let draft = begun
  while (true) {
    const at = yield* now
    const policy: PaymentPlan.Policy = { ...settings, runner: held.runner, health: yield* calls.health }
    const next = PaymentPlan.next(draft.state, at, policy)
    switch (next._tag) {
      case "Decide":
        // The plan asks only for what is accepted; anything else is a bug, and dies.
        draft = yield* Effect.orDie(Effect.fromResult(PaymentDraft.decide(draft, next.command)))
        break

      case "Perform": {
        const before = draft
        if (draft.events.length > 0) draft = yield* store(draft, held, at, plus(at, leaseMillis))
        if (!isOnlyStored(before, draft)) break
        const command = yield* perform(next.step, held.runner)
        draft = yield* Result.match(PaymentDraft.decide(draft, command), {
          onSuccess: Effect.succeed,
          onFailure: (why) => Effect.as(complain(held.payment, command, why), draft)
        })
        break
      }

      case "Wait": {
        const before = draft
        const lingers = next.until - at <= lingerMillis
        draft = yield* store(draft, held, next.until, lingers ? plus(at, leaseMillis) : "released")
        if (!isOnlyStored(before, draft)) break
        if (!lingers) return outcome(draft, next.until)
        yield* Effect.sleep(Duration.millis(next.until - at))
        break
      }

      case "Rest": {
        const before = draft
        draft = yield* store(draft, held, undefined, "released")
        if (isOnlyStored(before, draft)) return outcome(draft, undefined)
        break
      }
    }
  }
})

/** Same state, nothing left to store: what was planned on it still holds. */
const isOnlyStored = (before: PaymentDraft.Draft, after: PaymentDraft.Draft): boolean =>
  after.state === before.state && after.events.length === 0

const outcome = (draft: PaymentDraft.Draft, until: Instant | undefined): Outcome => ({
  view: PaymentDraft.view(draft)!,
  until,
  settled: PaymentDraft.isSettled(draft)
})

// --- Storing ----------------------------------------------------------------

/**
 * Appends what the draft holds. An append that gave no answer is repeated: when
 * it did arrive, its version is taken. When it is taken, by that or by another
 * writer, the draft comes back decided anew on what is stored by now, and what
 * has arrived already comes out as nothing left to do.
 */
const store = Effect.fnUntraced(function* (
  draft: PaymentDraft.Draft,
  { payment, token }: Held,
  due: Instant | undefined,
  until: Instant | "released"
) {
  const repository = yield* PaymentRepository
  const view = PaymentDraft.view(draft)
  if (view === undefined) return draft
  const answer = until === "released" && PaymentDraft.isSettled(draft) ? view : undefined
  const { events, version } = draft
  return yield* repository
    .append({ payment, expected: version, events, view, due, claim: { token, until }, answer })
    .pipe(
      reachingStore,
      Effect.as(PaymentDraft.stored(draft)),
      Effect.catchReason("PaymentRepositoryError", "VersionConflict", () => reload(payment, draft))
    )
})

const isUnavailable = ({ reason }: PaymentRepositoryError) => reason._tag === "StorageUnavailable"

/**
 * A store that is unreachable for a moment is asked again for some six
 * seconds; then the run ends, and recovery comes back when the store does.
 */
const reachingStore = <A, R>(effect: Effect.Effect<A, PaymentRepositoryError, R>) =>
  Effect.retry(effect, { while: isUnavailable, schedule: Schedule.exponential("100 millis"), times: 6 })

const reload = Effect.fnUntraced(function* (payment: PaymentId, draft: PaymentDraft.Draft) {
  const repository = yield* PaymentRepository
  const { history } = yield* reachingStore(repository.load(payment))
  const rebased = PaymentDraft.rebase(draft, history)
  yield* Effect.forEach(rebased.refused, ({ command, why }) => complain(payment, command, why))
  return rebased.draft
})

/** What a gateway said and the record contradicts must not vanish without a trace. */
const complain = (payment: PaymentId, command: Command, why: { readonly message: string }) =>
  Effect.logError("a command came too late for the record", why.message).pipe(Effect.annotateLogs({ payment, command }))

// --- Recording --------------------------------------------------------------

/**
 * Records a wish or a fact without a claim: only the version guards it, and
 * whoever drives the payment next acts on it.
 */
export const record = Effect.fn("PaymentProcess.record")(
  function* (payment: PaymentId, command: (at: Instant) => Command) {
    const repository = yield* PaymentRepository
    const { history } = yield* repository.load(payment)
    if (history.length === 0) return yield* new PaymentNotFound({ payment })
    const at = yield* now
    const draft = yield* Effect.fromResult(PaymentDraft.decide(PaymentDraft.of(history), command(at)))
    const view = PaymentDraft.view(draft)!
    const { events, version } = draft
    if (events.length > 0) {
      yield* repository.append({
        payment,
        expected: version,
        events,
        view,
        due: at,
        claim: undefined,
        answer: undefined
      })
    }
    return view
  },
  Effect.retry({
    while: (error) => error._tag === "PaymentRepositoryError" && error.reason._tag === "VersionConflict",
    // Each loss means that others got ahead; twenty in a row is not a race any more.
    times: 20
  })
)
