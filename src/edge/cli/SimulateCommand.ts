/** `florin simulate`: whether the promise holds when everything goes wrong, tried on this machine. */
import { Clock, Console, Effect, FileSystem, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type * as Explorer from "../../testing/Explorer.ts"
import * as FaultPlan from "../../testing/FaultPlan.ts"
import * as FaultRates from "../../testing/FaultRates.ts"
import type * as MutantHunt from "../../testing/MutantHunt.ts"
import * as ProgressBar from "./ProgressBar.ts"
import * as SimulateSagasCommand from "./SimulateSagasCommand.ts"
import { json, row, seed, SimulationFailed, withoutStacks } from "./Simulation.ts"
import * as Suggestion from "./Suggestion.ts"

/** Text, because the scenarios are loaded when they are played. */
const scenarioNamed = Flag.String("scenario").pipe(Flag.optional, Flag.withDescription("Only this one"))

const chosen = Effect.fnUntraced(function* (name: Option.Option<string>) {
  const { all } = yield* Effect.promise(() => import("../../testing/Scenario.ts"))
  if (Option.isNone(name)) return all
  const found = all.filter((scenario) => scenario.name === name.value)
  if (found.length > 0) return found
  const names = all.map((scenario) => scenario.name)
  const hint = Suggestion.didYouMean(name.value, names) || `; there are ${names.join(", ")}`
  return yield* new SimulationFailed({ what: `--scenario: there is no "${name.value}"${hint}` })
})

// --- Explore ----------------------------------------------------------------

/** At most so many violations are told in full: the first one is what matters. */
const maxTold = 3

const told = ({ findings, plan, scenario, trace }: Explorer.Violation) =>
  [
    "",
    `${scenario}, ${plan.processes} process${plan.processes === 1 ? "" : "es"}, ${plan.faults.map((fault) => FaultPlan.toText(fault)).join(", ") || "undisturbed"}`,
    ...findings.map(({ detail, payment, rule }) => `  ${rule} ${payment}: ${detail}`),
    ...trace.map((line) => `    ${line}`)
  ].join("\n")

const exploreCommand = Command.make(
  "explore",
  {
    scenario: scenarioNamed,
    pairs: Flag.Boolean("pairs").pipe(
      Flag.withDescription("Every second death during the recovery too, and every pair of workers"),
      Flag.withDefault(false)
    ),
    seed,
    json
  },
  Effect.fn(function* ({ json, pairs, scenario, seed }) {
    const scenarios = yield* chosen(scenario)
    const ScenarioWorkers = yield* Effect.promise(() => import("./ScenarioWorkers.ts"))
    const show = yield* ProgressBar.make("scenarios")
    let runsTold = 0
    yield* show({ done: 0, total: scenarios.length, note: "" })
    const reports = yield* ScenarioWorkers.explore(scenarios, { seed, pairs }, ({ explored, runs }) => {
      runsTold += runs
      return show({ done: explored, total: scenarios.length, note: `${runsTold} runs` })
    })
    const violations = reports.flatMap(({ violations }) => violations)
    const runs = reports.reduce((sum, report) => sum + report.runs, 0)
    if (json) {
      yield* Console.log(
        JSON.stringify({
          seed,
          pairs,
          runs,
          scenarios: reports.map((report) => ({ ...report, violations: report.violations.length })),
          violations: violations.map(({ findings, plan, scenario }) => ({ scenario, plan, findings }))
        })
      )
    } else {
      yield* Console.log(
        [
          row("scenario", "crossings", "runs", "violations", "slowest"),
          ...reports.map(({ crossings, runs, scenario, slowestMillis, violations }) =>
            row(scenario, crossings, runs, violations.length, `${(slowestMillis / 1000).toFixed(1)} s`)
          ),
          row("", "", runs, violations.length),
          ...violations.slice(0, maxTold).map(told)
        ].join("\n")
      )
    }
    if (violations.length > 0) {
      return yield* new SimulationFailed({ what: `${violations.length} of ${runs} runs broke the promise` })
    }
  })
).pipe(
  Command.withDescription("Die at every crossing of every scenario, recover, audit"),
  Command.withExamples([
    { command: "florin simulate explore", description: "Every single death" },
    { command: "florin simulate explore --scenario void --pairs", description: "One scenario, every pair" }
  ])
)

// --- Mutants ----------------------------------------------------------------

const mutantsCommand = Command.make(
  "mutants",
  { seed, json },
  Effect.fn(function* ({ json, seed }) {
    yield* withoutStacks
    const [Mutant, MutantHunt] = yield* Effect.promise(() =>
      Promise.all([import("../../testing/Mutant.ts"), import("../../testing/MutantHunt.ts")])
    )
    const show = yield* ProgressBar.make("mutants")
    const hunts: Array<MutantHunt.Hunt> = []
    for (const [index, mutant] of Mutant.all.entries()) {
      yield* show({ done: index, total: Mutant.all.length, note: mutant.name })
      yield* Effect.sleep(0)
      hunts.push(MutantHunt.hunt(mutant, seed))
    }
    yield* show({ done: Mutant.all.length, total: Mutant.all.length, note: "done" })
    yield* Console.log(
      json
        ? JSON.stringify(hunts)
        : [
            row("mutant", "found", "runs", "  scenario"),
            ...hunts.map(({ found, name, runs, scenario, rules }) =>
              [row(name, found ? "yes" : "no", runs), scenario ?? "", rules.join(", ")].join("  ")
            )
          ].join("\n")
    )
    const missed = hunts.filter(({ found }) => !found)
    if (missed.length > 0) {
      return yield* new SimulationFailed({ what: `not found: ${missed.map(({ name }) => name).join(", ")}` })
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription("Plant bugs that have lost money elsewhere, and show that each is found"),
  Command.withExamples([{ command: "florin simulate mutants", description: "Every planted bug" }])
)

// --- Simulate ---------------------------------------------------------------

const minuteMillis = 60_000

const rates = Flag.String("faults").pipe(
  Flag.withDescription(`What goes wrong, such as "crash=1%,lost=5%": ${FaultRates.names.join(", ")}`),
  Flag.withDefault(FaultRates.toText(FaultRates.usual))
)

const within = (minimum: number, maximum: number) =>
  Flag.filter(
    (value: number) => value >= minimum && value <= maximum,
    (value) => `Expected a whole number from ${minimum} to ${maximum}, got ${value}`
  )

/** Where the timeline of the first violation is drawn. */
const picture = Flag.Path("picture").pipe(
  Flag.optional,
  Flag.withDescription("Draw the first violation's payment into this SVG file")
)

const runSimulation = Effect.fn(function* (options: {
  readonly seed: number
  readonly payments: number
  readonly faults: string
  readonly processes: number
  readonly minutes: Option.Option<number>
  readonly json: boolean
  readonly picture: Option.Option<string>
}) {
  yield* withoutStacks
  const { json, minutes, payments, picture, processes, seed } = options
  const faults = yield* Effect.mapError(
    Effect.fromResult(FaultRates.parse(options.faults)),
    ({ message }) => new SimulationFailed({ what: `--${message}` })
  )
  const [Simulator, SimulationReport] = yield* Effect.promise(() =>
    Promise.all([import("../../testing/Simulator.ts"), import("../../testing/SimulationReport.ts")])
  )
  const show = yield* ProgressBar.make("payments")
  const clock = yield* Clock.Clock
  const started = clock.currentTimeMillisUnsafe()
  const steps = Simulator.simulation({
    seed,
    payments,
    processes,
    rates: faults,
    ...Option.match(minutes, {
      onNone: () => ({}),
      onSome: (most) => ({
        maxMillis: most * minuteMillis,
        elapsedMillis: () => clock.currentTimeMillisUnsafe() - started
      })
    })
  })
  let step = steps.next()
  while (step.done !== true) {
    const { of, payments: done, violations } = step.value
    yield* show({ done, total: of, note: violations === 0 ? "" : `${violations} violations` })
    yield* Effect.sleep(0)
    step = steps.next()
  }
  const report = step.value
  yield* Console.log(json ? SimulationReport.toJson(report) : SimulationReport.toText(report))
  const [first] = report.violations
  if (first === undefined) return
  if (Option.isSome(picture)) {
    const files = yield* FileSystem.FileSystem
    const TimelinePicture = yield* Effect.promise(() => import("../../testing/TimelinePicture.ts"))
    yield* files.writeFileString(picture.value, TimelinePicture.toSvg(first.payment, first.timeline))
  }
  return yield* new SimulationFailed({ what: `${report.violations.length} batches of payments broke the promise` })
}, Effect.scoped)

export const command = Command.make(
  "simulate",
  {
    seed,
    payments: Flag.Int("payments").pipe(Flag.withDescription("How many"), Flag.withDefault(1000), within(1, 1_000_000)),
    faults: rates,
    processes: Flag.Int("processes").pipe(
      Flag.withDescription("Processes of florin side by side"),
      Flag.withDefault(2),
      within(1, 8)
    ),
    minutes: Flag.Finite("minutes").pipe(Flag.optional, Flag.withDescription("Begin nothing after so long")),
    json,
    picture
  },
  runSimulation
).pipe(
  Command.withDescription("Try the promise under crashes, lost answers and planted bugs"),
  Command.withExamples([
    { command: "florin simulate --payments 10000", description: "Everything at once, by chance" },
    { command: 'florin simulate --seed 7 --faults "crash=20%,lost=10%"', description: "One run, the same every time" }
  ]),
  Command.withSubcommands([exploreCommand, mutantsCommand, SimulateSagasCommand.command])
)
