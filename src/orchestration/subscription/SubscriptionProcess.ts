/**
 * Drives one subscription until nothing is owed, from whatever state it is in
 * (R7): load, ask `SubscriptionPlan.next`, do it.
 *
 * The first run, the run after a crash and the run on another machine are the
 * same call. Two that run at once are harmless: each append is conditional,
 * and each charge has its key.
 */
import { Effect } from "effect"
import type { Notifier } from "../../adapters/Notifier.ts"
import type { SubscriptionRepository, SubscriptionRepositoryError } from "../../adapters/SubscriptionRepository.ts"
import type { SubscriptionId } from "../../domain/subscription/Invoice.ts"
import type { Rejected } from "../../domain/subscription/SubscriptionCommand.ts"
import * as SubscriptionPlan from "../../domain/subscription/SubscriptionPlan.ts"
import { now } from "../Clocks.ts"
import type { Payments } from "../Payments.ts"
import type { InvalidInput, SagaFailed } from "../saga/SagaAnswer.ts"
import * as SagaDriver from "../saga/SagaDriver.ts"
import * as SagaExecutor from "../saga/SagaExecutor.ts"
import { BillingSaga } from "./BillingSaga.ts"
import * as SubscriptionNotices from "./SubscriptionNotices.ts"
import { SubscriptionPolicy } from "./SubscriptionPolicy.ts"
import type { Stored, SubscriptionNotFound } from "./SubscriptionRecord.ts"
import * as SubscriptionRecord from "./SubscriptionRecord.ts"

export type Needs = SubscriptionRepository | SubscriptionPolicy | Payments | Notifier

export type Trouble = SagaFailed | InvalidInput | SubscriptionNotFound | SubscriptionRepositoryError | Rejected

export const run = Effect.fn("SubscriptionProcess.run")(function* (
  subscription: SubscriptionId
): Effect.fn.Return<Stored, Trouble, Needs> {
  const policy = yield* SubscriptionPolicy
  while (true) {
    const stored = yield* SubscriptionRecord.load(subscription)
    const owed = SubscriptionPlan.next(stored.state, yield* now, policy)
    if (owed._tag === "Wait" || owed._tag === "Rest") return stored
    if (owed._tag === "Charge" || owed.command._tag === "Bill" || owed.command._tag === "RetryCharge") {
      const isOpen = yield* bill(stored)
      if (isOpen) return yield* SubscriptionRecord.load(subscription)
    } else {
      const { notices } = yield* SubscriptionRecord.record(subscription, () => owed.command)
      yield* tell(notices)
    }
  }
})

/** Whether the charge is still under way. The subscription's own events are what a run of the saga is resumed from. */
const bill = Effect.fnUntraced(function* ({ state, version }: Stored) {
  const { subscription } = state.terms
  const driver = SagaDriver.memory(`${subscription}/bill/${version}`)
  const answer = yield* SagaExecutor.execute(BillingSaga, { subscription }, driver)
  return answer._tag === "Completed" && answer.value.outcome === "Pending"
})

/** What cannot be told now is not told: it changes nothing that is owed. */
export const tell = (notices: Parameters<typeof SubscriptionNotices.tell>[0]) =>
  SubscriptionNotices.tell(notices).pipe(
    Effect.catch((error) => Effect.logWarning("a notice could not be told", error)),
    Effect.asVoid
  )
