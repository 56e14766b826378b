/**
 * Explores scenarios side by side, one worker thread a core.
 *
 * Telling a scenario is one long computation that shares nothing with the
 * others. In threads of their own they also leave this one free to hear Ctrl-C
 * and to draw its bar.
 *
 * This module is the worker's program, too: the thread is started on the file
 * itself, whatever its extension after a build.
 */
import { Effect, Queue } from "effect"
import { availableParallelism } from "node:os"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import * as Explorer from "../../testing/Explorer.ts"
import * as Scenario from "../../testing/Scenario.ts"

type Options = Pick<Explorer.Options, "seed" | "pairs">

type Said =
  | { readonly _tag: "Told"; readonly runs: number }
  | { readonly _tag: "Explored"; readonly report: Explorer.Report }
  | { readonly _tag: "Broke"; readonly cause: unknown }

/** The worker's data: it says that this module was started as a worker, and not imported in one. */
interface Task extends Options {
  readonly florin: "ScenarioWorkers"
  readonly scenario: string
}

/** A message costs more than a run: one every so many. */
const runsPerMessage = 200

export interface Progress {
  /** Scenarios that are done. */
  readonly explored: number
  /** Told since the last progress. */
  readonly runs: number
}

type OnProgress = (progress: Progress) => Effect.Effect<void>

/** Reports in the order of `scenarios`. */
export const explore = Effect.fnUntraced(function* (
  scenarios: ReadonlyArray<Scenario.Scenario>,
  options: Options,
  onProgress: OnProgress
) {
  let explored = 0
  const reports = yield* Effect.forEach(
    longestFirst(scenarios, options.seed),
    Effect.fnUntraced(function* ({ name }) {
      const onRuns = (runs: number) => onProgress({ explored, runs })
      const report = yield* exploreOne({ florin: "ScenarioWorkers", scenario: name, ...options }, onRuns)
      explored += 1
      yield* onRuns(0)
      return report
    }),
    { concurrency: availableParallelism() }
  )
  const byName = new Map(reports.map((report) => [report.scenario, report]))
  return scenarios.map(({ name }) => byName.get(name)!)
})

/** By crossings, which runs and their length grow with: a long one at the end would leave the other cores idle. */
const longestFirst = (scenarios: ReadonlyArray<Scenario.Scenario>, seed: number) => {
  if (scenarios.length === 1) return scenarios
  const crossings = new Map(
    scenarios.map((scenario) => {
      const undisturbed = Explorer.tellOnce(scenario, { processes: 1, faults: [] }, { seed })
      return [scenario, undisturbed.crossings.length]
    })
  )
  return scenarios.toSorted((one, other) => crossings.get(other)! - crossings.get(one)!)
}

const exploreOne = Effect.fnUntraced(function* (task: Task, onRuns: (runs: number) => Effect.Effect<void>) {
  const worker = yield* Effect.acquireRelease(
    Effect.sync(() => new Worker(new URL(import.meta.url), { workerData: task })),
    (started) => Effect.promise(() => started.terminate())
  )
  const said = yield* Queue.unbounded<Said>()
  worker.on("message", (message: Said) => Queue.offerUnsafe(said, message))
  worker.once("error", (cause) => Queue.offerUnsafe(said, { _tag: "Broke", cause }))
  while (true) {
    const next = yield* Queue.take(said)
    if (next._tag === "Explored") return next.report
    if (next._tag === "Broke") return yield* Effect.die(next.cause)
    yield* onRuns(next.runs)
  }
}, Effect.scoped)

// --- In the worker ----------------------------------------------------------

const isTask = (data: unknown): data is Task => (data as Task | null)?.florin === "ScenarioWorkers"

const work = ({ pairs, scenario, seed }: Task, say: (said: Said) => void) => {
  // Thousands of errors are made on purpose, and nobody reads where they came from: without their stacks a run takes a fifth less.
  Error.stackTraceLimit = 0
  const found = Scenario.all.find(({ name }) => name === scenario)
  if (found === undefined) throw new Error(`no scenario is named ${scenario}`)
  let runs = 0
  const tell = () => {
    if (runs > 0) say({ _tag: "Told", runs })
    runs = 0
  }
  const report = Explorer.explore(found, { seed, pairs }, () => {
    runs += 1
    if (runs === runsPerMessage) tell()
  })
  tell()
  say({ _tag: "Explored", report })
}

if (!isMainThread && parentPort !== null && isTask(workerData)) {
  const port = parentPort
  work(workerData, (said) => port.postMessage(said))
}
