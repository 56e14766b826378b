/** What the plan owes in the states of a small world, which `PaymentWorld.test.ts` explores once for all who ask. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Instant } from "../../../src/domain/Instant.ts"
import type * as Gateway from "../../../src/domain/payment/Gateway.ts"
import type * as Operation from "../../../src/domain/payment/Operation.ts"
import * as Payment from "../../../src/domain/payment/Payment.ts"
import type { Command } from "../../../src/domain/payment/PaymentCommand.ts"
import * as PaymentDecision from "../../../src/domain/payment/PaymentDecision.ts"
import { fold } from "../../../src/domain/payment/PaymentFold.ts"
import * as PaymentPlan from "../../../src/domain/payment/PaymentPlan.ts"
import { once } from "../../../src/domain/RetryPolicy.ts"
import { hour, later, minute, patience, policy, told } from "./PlanPolicy.ts"
import { able, answers, at, command, evidenceOf, run2 } from "./World.ts"

export const describePlan = (states: ReadonlyArray<Payment.State>) =>
  describe("PaymentPlan.next, in every reachable state", () => {
    const moments = [0, 1000, 2 * minute, hour, 24 * hour, 400 * 24 * hour]
    const impatient: Operation.Patience = { ...patience, resend: once, verify: once, poll: once }
    const policies: ReadonlyArray<PaymentPlan.Policy> = [
      policy,
      { ...policy, runner: run2 },
      { ...policy, authorizing: impatient, settling: impatient }
    ]
    const asked = states.flatMap((state) =>
      moments.flatMap((millis) =>
        policies.map((chosen) => ({
          state,
          millis,
          by: chosen.runner,
          answer: PaymentPlan.next(state, later(millis), chosen)
        }))
      )
    )

    it("says each of its words", () => {
      assert.sameMembers(
        [...new Set(asked.map(({ answer }) => told(answer).replace(/^Wait .*/, "Wait")))],
        [
          "Rest",
          "Wait",
          "Screen",
          "BeginAuthorization",
          "Fail",
          "Expire",
          "Cancel",
          "Capture",
          "Void",
          "TakeOver",
          "Resume",
          "Escalate",
          ...["Authorize", "Confirm", "Capture", "Void", "Refund"].flatMap((call) => [`Send ${call}`, `Lookup ${call}`])
        ]
      )
    })

    it("decides only what is accepted and changes something, so that the loop cannot spin", () => {
      const spinning = asked.flatMap(({ answer, state }) => {
        if (answer._tag !== "Decide") return []
        const decision = PaymentDecision.decide(answer.command, state)
        const moves = Result.isSuccess(decision) && decision.success.length > 0
        return moves ? [] : [`${answer.command._tag} in ${state._tag}`]
      })
      assert.deepStrictEqual(spinning, [])
    })

    it("waits only for what is still to come", () => {
      const past = asked.filter(({ answer, millis }) => answer._tag === "Wait" && answer.until <= later(millis))
      assert.deepStrictEqual(past, [])
    })

    it("sends only what this run began, or what the gateway will recognise", () => {
      const blind = asked.filter(({ answer, by, millis, state }) => {
        if (answer._tag !== "Perform" || answer.step._tag !== "Send") return false
        const { call } = answer.step
        const { standing } = Payment.openOperations(state).find(({ id }) => id === call.operation)!
        if (standing._tag === "InFlight") return standing.by !== by
        return standing._tag !== "InDoubt" || call.gateway !== able || millis >= 24 * hour - 10 * minute
      })
      assert.deepStrictEqual(blind.slice(0, 3), [])
    })

    it("rests only at an end, or where a person has to decide", () => {
      const ends = new Set(["New", "Captured", "Voided", "Cancelled", "Expired", "Failed"])
      const abandoned = asked.filter(({ answer, state }) => {
        if (answer._tag !== "Rest") return false
        const open = Payment.openOperations(state)
        const escalated = open.some(({ standing }) => standing._tag === "Escalated")
        return !escalated && (!ends.has(state._tag) || open.length > 0)
      })
      assert.deepStrictEqual(abandoned.slice(0, 3), [])
    })

    it("comes to rest from everywhere, whatever the gateway answers", () => {
      const answerTo: Record<string, (call: PaymentPlan.Call) => Gateway.Answer | undefined> = {
        "to all": ({ _tag }) =>
          ({
            Authorize: answers.approved,
            Confirm: answers.approved,
            Capture: answers.captured(1n),
            Void: answers.voided,
            Refund: answers.refunded
          })[_tag],
        "no to all": ({ _tag }) => (_tag === "Authorize" || _tag === "Confirm" ? answers.declined : answers.refused),
        "nothing at all": () => undefined
      }
      for (const [name, reply] of Object.entries(answerTo)) {
        const restless = states.filter((start) => run(start, reply) === undefined)
        assert.deepStrictEqual(restless.slice(0, 3), [], name)
      }
    })

    /** Runs the plan in virtual time until it rests; `undefined` when it does not within a bound. */
    const run = (start: Payment.State, reply: (call: PaymentPlan.Call) => Gateway.Answer | undefined) => {
      let state = start
      let now: Instant = at
      for (let turn = 0; turn < 60; turn++) {
        // Time stands still but for waits: a loop that needs a tick to get on would spin.
        const answer = PaymentPlan.next(state, now, policy)
        if (answer._tag === "Rest") return state
        if (answer._tag === "Wait") {
          now = answer.until
          continue
        }
        const asked = answer._tag === "Decide" ? answer.command : outcome(answer.step, reply, now)
        const decision = PaymentDecision.decide(asked, state)
        if (Result.isFailure(decision)) throw decision.failure
        state = fold(decision.success, state)
      }
      return undefined
    }

    const outcome = (
      step: PaymentPlan.Step,
      reply: (call: PaymentPlan.Call) => Gateway.Answer | undefined,
      now: Instant
    ): Command => {
      if (step._tag === "Screen") return command.RecordScreening.make({ verdict: "allow", reasons: [], at: now })
      const { gateway, operation } = step.call
      const what = reply(step.call)
      if (what !== undefined) {
        const how = step._tag === "Lookup" ? evidenceOf(gateway).lookup : evidenceOf(gateway).answer
        return command.RecordAnswer.make({ operation, answer: what, evidence: how, at: now })
      }
      return step._tag === "Lookup"
        ? command.RecordNotFound.make({ operation, gateway, at: now })
        : command.RecordDoubt.make({ operation, asked: "send", reason: "Timeout", at: now })
    }
  })
