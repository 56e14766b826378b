/** `florin recover`: goes on with what nobody goes on with, as the service's own recovery does. */
import { Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import type { Report } from "../../orchestration/PaymentRecovery.ts"
import * as Operator from "./Operator.ts"
import * as SettingFlags from "./SettingFlags.ts"

export class RecoveryFailed extends Schema.TaggedError<RecoveryFailed>()("RecoveryFailed", { failed: Schema.Int }) {
  override get message() {
    return `payments that could not be worked on: ${this.failed}; the log above says why`
  }
}

/** A pass that finds nothing but what it cannot work on would find the same again. */
const isDone = ({ failed, found }: Report) => found === failed

const recover = Effect.fnUntraced(function* (untilDone: boolean, isJson: boolean) {
  const PaymentRecovery = yield* Effect.promise(() => import("../../orchestration/PaymentRecovery.ts"))
  let last = yield* PaymentRecovery.sweep()
  let total = { passes: 1, ...last }
  let isOver = !untilDone || isDone(last)
  while (!isOver) {
    last = yield* PaymentRecovery.sweep()
    isOver = isDone(last)
    total = {
      passes: total.passes + 1,
      found: total.found + last.found,
      resolved: total.resolved + last.resolved,
      waiting: total.waiting + last.waiting,
      escalated: total.escalated + last.escalated,
      failed: last.failed
    }
  }
  const { escalated, failed, found, passes, resolved, waiting } = total
  yield* Operator.answer(isJson, total, () =>
    [
      `overdue payments found in ${passes === 1 ? "one pass" : `${passes} passes`}: ${found}`,
      `  resolved   ${resolved}`,
      `  waiting    ${waiting}`,
      `  escalated  ${escalated}`,
      `  failed     ${failed}`
    ].join("\n")
  )
  if (failed > 0) return yield* new RecoveryFailed({ failed })
})

export const command = Command.make(
  "recover",
  {
    untilDone: Flag.Boolean("until-done").pipe(
      Flag.withDescription("Go on until nothing is overdue; without it, one pass"),
      Flag.withDefault(false)
    ),
    json: Operator.json,
    settings: SettingFlags.of("gateways")
  },
  ({ json, settings, untilDone }) => recover(untilDone, json).pipe(Operator.overGateways(settings))
).pipe(
  Command.withDescription(
    "Take on every payment that owes something and that no worker has: resolved ones rest, waiting ones owe something later, escalated ones wait for a person. Exits with 1 when one could not be worked on"
  ),
  Command.withShortDescription("Go on with payments that nobody goes on with"),
  Command.withExamples([
    { command: "florin recover", description: "One pass; a running service does so every two seconds" },
    { command: "florin recover --until-done --json", description: "Until nothing is overdue" }
  ])
)
