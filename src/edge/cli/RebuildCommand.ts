/** `florin rebuild`: drops the read model and writes it again from the events. */
import { Effect, Schema } from "effect"
import { Command } from "effect/cli"
import * as Operator from "./Operator.ts"
import * as ProgressBar from "./ProgressBar.ts"
import * as SettingFlags from "./SettingFlags.ts"

/** Some streams cannot be read: their payments have no view until somebody mends them. */
export class RebuildIncomplete extends Schema.TaggedError<RebuildIncomplete>()("RebuildIncomplete", {
  broken: Schema.Int
}) {
  override get message() {
    return `payments whose events cannot be read, and which have no view now: ${this.broken}`
  }
}

export class RebuildUnderWay extends Schema.TaggedError<RebuildUnderWay>()("RebuildUnderWay", {}) {
  override get message() {
    return "another rebuild is at it"
  }
}

const load = Effect.promise(() =>
  Promise.all([
    import("../../adapters/PaymentRepository.ts"),
    import("../../orchestration/ProjectionRebuild.ts"),
    import("./OperatorCaller.ts")
  ])
)

const rebuild = Effect.fnUntraced(function* (isJson: boolean) {
  const [{ PaymentRepository }, ProjectionRebuild, OperatorCaller] = yield* load
  const repository = yield* PaymentRepository
  const total = yield* repository.count
  const show = yield* ProgressBar.make("payments")
  const rebuilding = ProjectionRebuild.rebuild(({ broken, payments }) => {
    const done = payments + broken.length
    // Payments that have begun since are rebuilt as well.
    return show({ done, total: Math.max(done, total), note: "" })
  })
  const report = yield* OperatorCaller.onRecord("rebuild the read model", rebuilding).pipe(
    Effect.catchTag("LockError", (error) => Effect.fail(error.reason._tag === "Held" ? new RebuildUnderWay() : error))
  )
  yield* Operator.answer(isJson, report, () =>
    [
      `rebuilt ${report.payments} payments from ${report.events} events`,
      ...report.broken.map(({ error, payment }) => `${payment} cannot be read: ${error}`)
    ].join("\n")
  )
  if (report.broken.length > 0) return yield* new RebuildIncomplete({ broken: report.broken.length })
})

export const command = Command.make(
  "rebuild",
  { json: Operator.json, settings: SettingFlags.of("database") },
  ({ json, settings }) => rebuild(json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription(
    "Drop the read model and write it again from the events; payments go on meanwhile, and may be missing from lists. Exits with 1 when events cannot be read"
  ),
  Command.withShortDescription("Write the read model again from the events"),
  Command.withExamples([
    { command: "florin rebuild", description: "Beside a service or alone" },
    { command: "florin rebuild --json", description: "Its report for a program" }
  ])
)
