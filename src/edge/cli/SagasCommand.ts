/** `florin sagas`: the runs of sagas, and what an operator does about one. A running service carries it out. */
import { Console, DateTime, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { Kept, SagaRuns } from "../../adapters/SagaRuns.ts"
import * as Operator from "./Operator.ts"
import * as SettingFlags from "./SettingFlags.ts"

export class NoSuchRun extends Schema.TaggedError<NoSuchRun>()("NoSuchRun", { id: Schema.String }) {
  override get message() {
    return `there is no run ${this.id}`
  }
}

/** Its status has no such move. */
export class RunStands extends Schema.TaggedError<RunStands>()("RunStands", {
  id: Schema.String,
  what: Schema.String,
  status: Schema.String
}) {
  override get message() {
    return `${this.id} is ${this.status}: there is nothing to ${this.what}`
  }
}

const load = Effect.promise(() => Promise.all([import("../../adapters/SagaRuns.ts"), import("../http/SagaJson.ts")]))

const iso = (at: number) => DateTime.formatIso(DateTime.makeUnsafe(at))

const found = Effect.fnUntraced(function* (runs: SagaRuns["Service"], id: string) {
  const kept = yield* runs.get(id)
  return Option.isSome(kept) ? kept.value : yield* new NoSuchRun({ id })
})

// --- List and show ----------------------------------------------------------

const maxListed = 10_000

const list = Effect.fnUntraced(function* (
  { limit, saga, status }: { limit: number; saga: Option.Option<string>; status: Option.Option<string> },
  isJson: boolean
) {
  const [{ SagaRuns, Status }, SagaJson] = yield* load
  const runs = yield* SagaRuns
  const decoded = Option.isNone(status) ? undefined : yield* Schema.decodeUnknownEffect(Status)(status.value)
  const all = yield* runs.find({ saga: Option.getOrUndefined(saga), status: decoded, limit })
  const widths = [32, 20, 10, 24]
  yield* Operator.answer(isJson, { runs: all.map(SagaJson.fromRun) }, () =>
    all.length === 0
      ? "no runs"
      : [
          Operator.row(widths, ["id", "saga", "status", "started", "because"]),
          ...all.map(({ error, execution, saga, startedAt, status, step }) =>
            Operator.row(widths, [
              execution,
              saga,
              status,
              iso(startedAt),
              step === undefined ? "" : `${step}${error === undefined ? "" : `: ${error.message}`}`
            ])
          )
        ].join("\n")
  )
})

const show = Effect.fnUntraced(function* (id: string, isJson: boolean) {
  const [{ SagaRuns }, SagaJson] = yield* load
  const runs = yield* SagaRuns
  const kept = yield* found(runs, id)
  const run = SagaJson.withSteps(kept, yield* runs.questions({ execution: id }))
  yield* Operator.answer(isJson, run, () =>
    [
      `${run.id}: ${run.saga}, ${run.status}, generation ${run.generation}, begun at ${run.startedAt}`,
      ...(run.error === undefined ? [] : [`${run.step ?? ""} failed: ${run.error.message}`]),
      ...run.steps.map(({ at, error, name, outcome }) =>
        Operator.row([24, 32, 12], [at ?? "", name, outcome, error ?? ""])
      ),
      ...run.questions.map(({ correlation, step }) => `${step} waits for an answer to ${correlation}`),
      ...run.rollbackFailures.map(({ kind, message, step }) => `${kind} of ${step} failed: ${message}`)
    ].join("\n")
  )
})

const id = Argument.String("id").pipe(Argument.withDescription("As `sagas list` prints it"))

const listCommand = Command.make(
  "list",
  {
    saga: Flag.optional(
      Flag.String("saga").pipe(Flag.withMetavar("<name>"), Flag.withDescription("Runs of this saga"))
    ),
    status: Flag.optional(
      Flag.String("status").pipe(
        Flag.withMetavar("<word>"),
        Flag.withDescription("Runs that are running, completed, halted, failed, stalled, cancelled or undone")
      )
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxListed }))),
      Flag.withDescription(`How many, from 1 to ${maxListed}; the newest first`),
      Flag.withDefault(100)
    ),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ json, settings, ...query }) => list(query, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("List runs of sagas, the newest first"),
  Command.withExamples([{ command: "florin sagas list --status stalled", description: "Those that wait for somebody" }])
)

const showCommand = Command.make(
  "show",
  { id, json: Operator.json, settings: SettingFlags.of("database") },
  ({ id, json, settings }) => show(id, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("Show one run: what came of its steps, what it waits for, what could not be taken back"),
  Command.withExamples([{ command: "florin sagas show saga_01jd8m2r6v", description: "One" }])
)

// --- What an operator does --------------------------------------------------

const cancelling = Effect.fnUntraced(function* (runs: SagaRuns["Service"], { run }: Kept) {
  const isAsked = yield* runs.askCancel(run.execution)
  // What it waits for is told, so that it does not wait any longer.
  for (const question of yield* runs.questions({ execution: run.execution })) {
    yield* runs.close(question, { _tag: "Cancelled" })
  }
  return isAsked
})

type Move = (runs: SagaRuns["Service"], kept: Kept) => ReturnType<SagaRuns["Service"]["askCancel"]>

const moves = {
  cancel: (runs, kept) => (kept.run.status === "running" ? cancelling(runs, kept) : Effect.succeed(false)),
  undo: (runs, kept) => {
    const { execution, generation, rollbackFailures, status } = kept.run
    if (status === "running") return cancelling(runs, kept)
    const isTakenBack = status === "failed" || status === "cancelled" || status === "undone"
    return isTakenBack && rollbackFailures.length === 0
      ? Effect.succeed(false)
      : runs.goOn(execution, generation, "undo")
  },
  resume: (runs, { run: { execution, generation, status } }) =>
    status === "stalled" ? runs.goOn(execution, generation, "run") : Effect.succeed(false)
} satisfies Record<string, Move>

const doing = Effect.fnUntraced(function* (what: keyof typeof moves, id: string, isJson: boolean) {
  const [[{ SagaRuns }], OperatorCaller] = yield* Effect.all([
    load,
    Effect.promise(() => import("./OperatorCaller.ts"))
  ])
  const runs = yield* SagaRuns
  const kept = yield* found(runs, id)
  const isDone = yield* OperatorCaller.onRecord(`${what} saga ${id}`, moves[what](runs, kept))
  if (!isDone) return yield* new RunStands({ id, what, status: (yield* found(runs, id)).run.status })
  yield* Operator.answer(isJson, { id, asked: what }, () => `${id}: asked to ${what}`)
  if (!isJson) yield* Console.log("a running service carries it out")
})

const moveCommand = (what: keyof typeof moves, description: string, example: string) =>
  Command.make(what, { id, json: Operator.json, settings: SettingFlags.of("database") }, ({ id, json, settings }) =>
    doing(what, id, json).pipe(Operator.overStores(settings))
  ).pipe(
    Command.withDescription(description),
    Command.withExamples([{ command: `florin sagas ${what} saga_01jd8m2r6v`, description: example }])
  )

export const command = Command.make("sagas").pipe(
  Command.withDescription("Runs of sagas: list them, look at one, go on with it or take it back"),
  Command.withExamples([{ command: "florin sagas list", description: "Which there are" }]),
  Command.withSubcommands([
    listCommand,
    showCommand,
    moveCommand("resume", "Go on with a run that stalled past its pivot", "Its failed steps are tried anew"),
    moveCommand("undo", "Take a run back, the charge included", "Money and goods go back"),
    moveCommand("cancel", "End a run before its next step, and take it back", "Unless it is past its pivot")
  ])
)
