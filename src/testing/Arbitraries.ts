/**
 * Arbitrary payments, for properties that hold for every one of them.
 *
 * - `money`, `order`: whatever a payment can be made of.
 * - `command`: every kind of command; most fit no payment.
 * - `journey`: commands that `PaymentDecision.decide` accepted one after the
 *   other, each with what it recorded. `history` and `payment` are read off it.
 *
 * A journey is a list of choices among what can happen next (`PaymentMoves`),
 * so it goes deep: at the default size a third of them take money, and most of
 * those give some of it back. It shrinks by leaving choices out, so the smallest
 * counterexample is a short history. Amounts are minor units.
 */
import { Arbitrary, Result, Schema } from "effect"
import { Instant, plus } from "../domain/Instant.ts"
import { maxMinor, Money } from "../domain/Money.ts"
import * as Payment from "../domain/payment/Payment.ts"
import { Command } from "../domain/payment/PaymentCommand.ts"
import * as PaymentDecision from "../domain/payment/PaymentDecision.ts"
import type { Event } from "../domain/payment/PaymentEvent.ts"
import { Order } from "../domain/payment/PaymentEvent.ts"
import { fold } from "../domain/payment/PaymentFold.ts"
import * as PaymentMoves from "./PaymentMoves.ts"

// --- Parts ------------------------------------------------------------------

/** Any amount in any currency, negative ones too. */
export const money: Arbitrary.Arbitrary<Money> = Arbitrary.schema(Money)

const positive = Arbitrary.schema(Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 1n, maximum: maxMinor })))

/** Any order of which a payment can be begun: its amount is positive. */
export const order: Arbitrary.Arbitrary<Order> = Arbitrary.map(
  Arbitrary.all([Arbitrary.schema(Order), positive]),
  ([any, minor]) => ({ ...any, amount: { ...any.amount, minor } })
)

/** Any command, of any payment, at any time. */
export const command: Arbitrary.Arbitrary<Command> = Arbitrary.schema(Command)

// --- Whole payments ---------------------------------------------------------

/** One command that was accepted, with what it recorded: `[]` when that was recorded already. */
export interface Step {
  readonly command: Command
  readonly events: ReadonlyArray<Event>
}

export type Journey = ReadonlyArray<Step>

/** A state with the history that made it. */
export interface PaymentAndHistory {
  readonly history: ReadonlyArray<Event>
  readonly state: Payment.State
}

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const choice = Arbitrary.schema(
  Schema.Struct({
    // Many times all weights of a state together.
    pick: between(0, 999),
    // Four digits to the base of four.
    detail: between(0, 255),
    // A little more than all is refused, as it should be.
    percent: between(0, 105),
    // Nothing, so that two things happen at one moment; then what a network, a customer and a night take.
    elapsedMillis: Schema.Literals([0, 1, 1000, 600_000, 43_200_000])
  })
)

/**
 * Lists of lists grow with the square of the size, so that the default size of
 * 10 makes some 25 choices: enough to capture twice, refund twice and dispute,
 * with trouble on the way. Both bounds together hold a run to a millisecond.
 */
const choices = Arbitrary.map(
  Arbitrary.array(Arbitrary.array(choice, { maxLength: 10 }), { maxLength: 10 }),
  (stretches) => stretches.flat()
)

const begunAt = Instant.make(1_700_000_000_000)

/** Commands that were accepted, from the first. Refused ones have left no trace and are not in it. */
export const journey: Arbitrary.Arbitrary<Journey> = Arbitrary.map(Arbitrary.all([order, choices]), ([of, chosen]) => {
  const steps: Array<Step> = []
  let state: Payment.State = Payment.initial
  let at = begunAt
  for (const { elapsedMillis, ...rest } of chosen) {
    at = plus(at, elapsedMillis)
    const asked = PaymentMoves.choose(state, of, { ...rest, at })
    const decision = PaymentDecision.decide(asked, state)
    if (Result.isFailure(decision)) continue
    steps.push({ command: asked, events: decision.success })
    state = fold(decision.success, state)
  }
  return steps
})

/** The states that a journey passes, `New` first: one before and one after each step. */
export const statesOf = (steps: Journey): ReadonlyArray<Payment.State> => {
  const states = [Payment.initial]
  for (const { events } of steps) states.push(fold(events, states.at(-1)))
  return states
}

/** All that was recorded on a journey. */
export const historyOf = (steps: Journey): ReadonlyArray<Event> => steps.flatMap(({ events }) => events)

/** Events that `decide` recorded, from the first; `[]` is one too. */
export const history: Arbitrary.Arbitrary<ReadonlyArray<Event>> = Arbitrary.map(journey, historyOf)

export const payment: Arbitrary.Arbitrary<PaymentAndHistory> = Arbitrary.map(history, (events) => ({
  history: events,
  state: fold(events)
}))
