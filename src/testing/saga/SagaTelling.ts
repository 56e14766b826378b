/**
 * One telling of a saga's story, in which processes die where they are told to.
 *
 * Another process takes the run up from its beginning, with the same keys:
 * nothing of what was done is known but what the outside has kept, which is the
 * least that an engine may promise. The telling goes on until all rests, and is
 * audited: `Auditor` judges payments, and the plot itself what else has to hold.
 *
 * The world is `World`: virtual time, stores that outlive processes, a sandbox
 * gateway with books of its own.
 */
import { Context, Effect, Exit, Layer, Result, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import { SagaRuns } from "../../adapters/SagaRuns.ts"
import * as MemorySagaRuns from "../../infra/memory/MemorySagaRuns.ts"
import * as MemorySandboxBooks from "../../infra/simulated/MemorySandboxBooks.ts"
import * as SagaEngine from "../../orchestration/saga/SagaEngine.ts"
import { SagaRunner } from "../../orchestration/saga/SagaRunner.ts"
import * as SagaRunners from "../../orchestration/saga/SagaRunner.ts"
import * as AdversarialGateway from "../AdversarialGateway.ts"
import * as Aftermath from "../Aftermath.ts"
import * as Auditor from "../Auditor.ts"
import type { PlannedFault } from "../FaultPlan.ts"
import * as FaultPlan from "../FaultPlan.ts"
import type { Process } from "../Process.ts"
import * as World from "../World.ts"
import * as SagaBoundaries from "./SagaBoundaries.ts"
import type { Plot } from "./SagaStory.ts"

export interface Told {
  readonly crossings: ReadonlyArray<string>
  /** The crossings until the run had its ending; the rest are payments' own. */
  readonly ended: number
  readonly ending: string
  /** What is wrong, a line each. */
  readonly findings: ReadonlyArray<string>
}

/** A client that was cut off asks again after so long, and whoever has to answer looks as often. */
const againMillis = 1000

/** The longest that a story may take: what is in doubt is asked about well within it. */
const patienceMillis = 24 * 60 * 60 * 1000

export const tell = <Input, A, X>(plot: Plot<Input, A, X>, faults: ReadonlyArray<PlannedFault>): Told => {
  const crossings: Array<string> = []
  const tables = MemorySandboxBooks.make()
  const world = World.make({
    seed: 1,
    faults: FaultPlan.planned(faults),
    processes: 1,
    observe: (what) => {
      if (what._tag === "Crossed") crossings.push(what.crossing.boundary)
    },
    gateways: (inside) => [
      AdversarialGateway.make("bank", {
        tables,
        mischief: () => undefined,
        background: (effect) => void inside.time.fork(effect)
      })
    ]
  })
  const told = Effect.gen(function* () {
    yield* plot.begin?.(world) ?? Effect.void
    const ending = yield* Effect.timeoutOrElse(endingOf(plot, world), {
      duration: patienceMillis,
      orElse: () => Effect.succeed("never")
    })
    const ended = crossings.length
    const { rested } = yield* Aftermath.untilRest(world)
    const judged = yield* plot.judge(ending, [...world.database.views.values()])
    return { ended, ending, findings: rested ? judged : [...judged, "it never came to rest"] }
  })
  const exit = world.run(told)
  if (exit._tag !== "Success") {
    const why = exit._tag === "Stalled" ? "nothing could go on" : String(Exit.isFailure(exit) && exit.cause)
    return { crossings, ended: crossings.length, ending: "none", findings: [why] }
  }
  const audited = Auditor.audit(Aftermath.booksOf(world, [{ name: "bank", tables }]))
  const { ended, ending, findings } = exit.value
  const all = [...findings, ...audited.map(({ detail, rule }) => `${rule}: ${detail}`)]
  return { crossings, ended, ending, findings: all }
}

// --- Until it has ended -----------------------------------------------------

/** Asks for it of whichever process lives, as a client does who was cut off. */
const endingOf = Effect.fnUntraced(function* <Input, A, X>(plot: Plot<Input, A, X>, world: World.World) {
  const runs = Context.get(yield* Layer.buildWithScope(MemorySagaRuns.layer, Scope.makeUnsafe()), SagaRuns)
  const runners = new Map<string, Hosted>()
  const inProcess = <B, E>(use: (runner: SagaRunner["Service"]) => Effect.Effect<B, E>) =>
    Effect.suspend(() => {
      const [florin] = world.florins()
      if (florin === undefined) return Effect.fail(new World.Disconnected())
      const { process } = florin
      return florin.request(
        Effect.suspend(() => {
          const hosted = runners.get(process.name)
          if (hosted !== undefined) return use(hosted.runner)
          return Effect.flatMap(runnerIn(plot, process, world, runs), (begun) => {
            runners.set(process.name, begun)
            return use(begun.runner)
          })
        })
      )
    })

  const insist = (run: number): Effect.Effect<string> => {
    const execution = `explored-${run}`
    return Effect.matchEffect(
      inProcess((runner) => Effect.result(runner.run(plot.saga, plot.input, { execution }))),
      {
        onFailure: () => Effect.andThen(Effect.sleep(againMillis), insist(run)),
        onSuccess: (answer) =>
          Result.isSuccess(answer) && plot.isLeftOpen?.(answer.success) === true
            ? Effect.andThen(Effect.sleep(againMillis), insist(run + 1))
            : Effect.succeed(wordFor(answer))
      }
    )
  }
  const { answers } = plot
  /** Whoever is asked answers, and again as long as the question is open. */
  const answering = Effect.gen(function* () {
    for (const { step } of yield* Effect.orDie(runs.questions({ execution: "explored-1" }))) {
      const answer = answers?.[step]
      if (answer !== undefined) {
        yield* Effect.ignore(inProcess((runner) => runner.answerStep("explored-1", step, answer)))
      }
    }
  }).pipe(Effect.delay(againMillis), Effect.forever)

  const ending = yield* answers === undefined ? insist(1) : Effect.raceFirst(insist(1), answering)
  // Nobody has a saga to run any more, and looking for one is most of what an idle process does. What a dead process
  // had open never closes, so nobody waits for it.
  for (const { scope } of runners.values()) world.time.fork(Scope.close(scope, Exit.void))
  return ending
})

const wordFor = (
  answer: Result.Result<{ readonly _tag: string }, { readonly _tag: string; readonly ending?: string }>
): string =>
  Result.isSuccess(answer) ? answer.success._tag.toLowerCase() : (answer.failure.ending ?? answer.failure._tag)

interface Hosted {
  readonly runner: SagaRunner["Service"]
  readonly scope: Scope.Closeable
}

/** A runner of this process, which takes up what the one before it left. */
const runnerIn = Effect.fnUntraced(function* <Input, A, X>(
  plot: Plot<Input, A, X>,
  process: Process,
  world: World.World,
  runs: SagaRuns["Service"]
) {
  const scope = Scope.makeUnsafe()
  const random = Layer.succeed(SecureRandom.SecureRandom, yield* SecureRandom.SecureRandom)
  const layer = SagaRunners.layer.pipe(
    Layer.provide(SagaEngine.layerMemory),
    Layer.provide(Layer.succeed(SagaRuns, SagaBoundaries.sagaRuns(process, runs))),
    Layer.provideMerge(plot.outside(process, world)),
    Layer.provide(random)
  )
  const context = yield* Layer.buildWithScope(layer, scope)
  const runner = Context.get(context, SagaRunner)
  yield* Effect.provideContext(Effect.provideService(runner.register(plot.saga), Scope.Scope, scope), context)
  yield* Effect.ignore(runner.recover)
  return { runner, scope } satisfies Hosted
})
