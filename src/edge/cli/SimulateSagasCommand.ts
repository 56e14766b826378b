/** `florin simulate sagas`: florin's sagas, cut off everywhere; and with `--bugs`, whether that would show a bug. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { Hunt, Report } from "../../testing/saga/SagaExplorer.ts"
import * as ProgressBar from "./ProgressBar.ts"
import { json, row, seed, SimulationFailed, withoutStacks } from "./Simulation.ts"
import * as Suggestion from "./Suggestion.ts"

const storyNamed = Flag.String("story").pipe(Flag.optional, Flag.withDescription("Only this one"))

/** Text, because the stories are loaded when they are told. */
const chosen = Effect.fnUntraced(function* (name: Option.Option<string>) {
  const { all } = yield* Effect.promise(() => import("../../testing/saga/SagaStories.ts"))
  if (Option.isNone(name)) return all
  const found = all.filter((story) => story.name === name.value)
  if (found.length > 0) return found
  const names = all.map((story) => story.name)
  const hint = Suggestion.didYouMean(name.value, names) || `; there are ${names.join(", ")}`
  return yield* new SimulationFailed({ what: `--story: there is no "${name.value}"${hint}` })
})

/** At most so many violations are told in full: the first one is what matters. */
const maxTold = 3

const exploredTable = (reports: ReadonlyArray<Report>): string =>
  [
    row("saga", "crossings", "runs", "violations"),
    ...reports.map(({ crossings, runs, story, violations }) => row(story, crossings, runs, violations.length)),
    row(
      "",
      "",
      reports.reduce((sum, { runs }) => sum + runs, 0),
      reports.reduce((sum, { violations }) => sum + violations.length, 0)
    ),
    ...reports
      .flatMap(({ violations }) => violations)
      .slice(0, maxTold)
      .flatMap(({ findings, plan, story }) => ["", `${story}, ${plan}`, ...findings.map((finding) => `  ${finding}`)])
  ].join("\n")

const bugsTable = (hunts: ReadonlyArray<Hunt>): string =>
  [
    row("saga", "found", "runs", "  bug"),
    ...hunts.map(({ bug, found, runs, story }) => `${row(story, found === undefined ? "no" : "yes", runs)}  ${bug}`)
  ].join("\n")

export const command = Command.make(
  "sagas",
  {
    story: storyNamed,
    pairs: Flag.Boolean("pairs").pipe(
      Flag.withDescription("Every second death until the run has ended, too"),
      Flag.withDefault(false)
    ),
    bugs: Flag.Boolean("bugs").pipe(
      Flag.withDescription("Plant bugs instead, and show that each is found"),
      Flag.withDefault(false)
    ),
    seed,
    json
  },
  Effect.fn(function* ({ bugs, json, pairs, seed, story }) {
    yield* withoutStacks
    const stories = yield* chosen(story)
    const SagaExplorer = yield* Effect.promise(() => import("../../testing/saga/SagaExplorer.ts"))
    const show = yield* ProgressBar.make("sagas")
    const each = <A>(tell: (story: (typeof stories)[number]) => A) =>
      Effect.forEach(stories, (one, index) =>
        show({ done: index, total: stories.length, note: one.name }).pipe(
          Effect.andThen(Effect.sleep(0)),
          Effect.andThen(Effect.sync(() => tell(one)))
        )
      )
    if (bugs) {
      const hunts = (yield* each((one) => one.bugs.map((bug) => SagaExplorer.hunt(one, bug)))).flat()
      yield* Console.log(json ? JSON.stringify(hunts) : bugsTable(hunts))
      const missed = hunts.filter(({ found }) => found === undefined)
      if (missed.length === 0) return undefined
      return yield* new SimulationFailed({ what: `not found: ${missed.map(({ bug }) => bug).join(", ")}` })
    }
    const reports = yield* each((one) => SagaExplorer.explore(one, { pairs, seed }))
    yield* Console.log(json ? JSON.stringify(reports) : exploredTable(reports))
    const broken = reports.reduce((sum, { violations }) => sum + violations.length, 0)
    if (broken === 0) return undefined
    return yield* new SimulationFailed({ what: `${broken} runs of sagas broke a promise` })
  }, Effect.scoped)
).pipe(
  Command.withDescription("Die at every crossing of every saga that florin comes with, take it up, audit"),
  Command.withExamples([
    { command: "florin simulate sagas", description: "Every single death" },
    { command: "florin simulate sagas --story checkout --pairs", description: "One saga, every pair" },
    { command: "florin simulate sagas --bugs", description: "Every planted bug" }
  ])
)
