/**
 * Does what a step asks, and returns the command that records the answer.
 *
 * An error is an answer too: not sent, or in doubt. Nothing is decided here.
 */
import { Duration, Effect } from "effect"
import type { GatewayError } from "../adapters/PaymentGateway.ts"
import { RiskScreen } from "../adapters/RiskScreen.ts"
import type { Instant } from "../domain/Instant.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import type { Command } from "../domain/payment/PaymentCommand.ts"
import type { Call, Step } from "../domain/payment/PaymentPlan.ts"
import * as Risk from "../domain/Risk.ts"
import { now } from "./Clocks.ts"
import { GatewayCall } from "./GatewayCall.ts"
import { PaymentPolicy } from "./PaymentPolicy.ts"

type Screen = Extract<Step, { readonly _tag: "Screen" }>

export const perform = (
  step: Step,
  runner: RunId
): Effect.Effect<Command, never, GatewayCall | RiskScreen | PaymentPolicy> => {
  switch (step._tag) {
    case "Screen":
      return screen(step)
    case "Send":
      return send(step.call, runner)
    case "Lookup":
      return lookup(step.call)
  }
}

/** A screen that fails, throws or is too slow has given no verdict, and the policy says what that means. */
const screen = Effect.fnUntraced(function* ({ at, order }: Screen) {
  const risk = yield* RiskScreen
  const { screening } = yield* PaymentPolicy
  const whenUnavailable = screening?.whenUnavailable ?? "failClosed"
  const { amount, customer, merchant, methods, payment } = order
  const { reasons, verdict } = yield* risk.screen({ payment, merchant, amount, methods, customer, at }).pipe(
    Effect.timeout(Duration.millis(screening?.timeoutMillis ?? 0)),
    Effect.tapError((error) => Effect.logWarning("the risk screen gave no verdict", error)),
    Effect.tapDefect((defect) => Effect.logError("the risk screen threw", defect)),
    Effect.catch(() => Effect.succeed(Risk.unavailable(whenUnavailable))),
    Effect.catchDefect(() => Effect.succeed(Risk.unavailable(whenUnavailable)))
  )
  return { _tag: "RecordScreening", verdict, reasons, at: yield* now } satisfies Command
})

const send = Effect.fnUntraced(function* (call: Call, runner: RunId) {
  const calls = yield* GatewayCall
  const { gateway, operation } = call
  return yield* Effect.matchEffect(calls.send(call), {
    onSuccess: (answer) =>
      Effect.map(now, (at): Command => ({
        _tag: "RecordAnswer",
        operation,
        answer,
        evidence: { _tag: "GatewayAnswer", gateway },
        at
      })),
    onFailure: (error) => Effect.map(now, (at) => unanswered(error, call, runner, at))
  })
})

const unanswered = ({ reason }: GatewayError, { operation }: Call, by: RunId, at: Instant): Command => {
  switch (reason._tag) {
    case "NotSent": {
      const { because, retryAfterMillis } = reason
      const wait = retryAfterMillis === undefined ? {} : { retryAfterMillis }
      return { _tag: "RecordNotSent", operation, by, reason: because, ...wait, at }
    }
    case "InDoubt":
      return { _tag: "RecordDoubt", operation, asked: "send", reason: reason.because, at }
    case "Misconfigured":
      return { _tag: "Escalate", operation, reason: "Misconfigured", detail: printable(reason.detail), at }
  }
}

const lookup = Effect.fnUntraced(function* (call: Call) {
  const calls = yield* GatewayCall
  const { gateway, operation } = call
  return yield* Effect.matchEffect(calls.lookup(call), {
    onSuccess: (found) =>
      Effect.map(now, (at): Command =>
        found._tag === "Found"
          ? { _tag: "RecordAnswer", operation, answer: found.answer, evidence: { _tag: "Lookup", gateway }, at }
          : { _tag: "RecordNotFound", operation, gateway, at }
      ),
    onFailure: () =>
      Effect.map(now, (at): Command => ({
        _tag: "RecordDoubt",
        operation,
        asked: "lookup",
        reason: "LookupFailed",
        at
      }))
  })
})

/** A gateway's words in the form that events may hold. */
const printable = (detail: string): string => {
  const text = detail.replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ").slice(0, 200)
  return text === "" ? "no detail" : text
}
