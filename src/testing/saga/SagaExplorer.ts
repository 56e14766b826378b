/**
 * Every place at which a run of a saga can be cut off, tried.
 *
 * A run is told once undisturbed, and its crossings of florin's boundaries are
 * counted; then once for each crossing with the process dying just before it,
 * and once just after. Another process takes the run up from its beginning,
 * with the same keys: nothing of what was done is known but what the outside
 * has kept, which is the least that an engine may promise. Each run goes on
 * until all rests, and is audited: `Auditor` judges payments, and the story
 * itself judges what else has to hold.
 *
 * The world is `World`: virtual time, stores that outlive processes, a sandbox
 * gateway with books of its own.
 */
import { Context, Effect, Exit, Layer, Result, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import { SagaRuns } from "../../adapters/SagaRuns.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import * as MemorySagaRuns from "../../infra/memory/MemorySagaRuns.ts"
import * as MemorySandboxBooks from "../../infra/simulated/MemorySandboxBooks.ts"
import type { Saga } from "../../orchestration/saga/Saga.ts"
import * as SagaEngine from "../../orchestration/saga/SagaEngine.ts"
import { SagaRunner } from "../../orchestration/saga/SagaRunner.ts"
import * as SagaRunners from "../../orchestration/saga/SagaRunner.ts"
import * as AdversarialGateway from "../AdversarialGateway.ts"
import * as Aftermath from "../Aftermath.ts"
import * as Auditor from "../Auditor.ts"
import type { PlannedFault } from "../FaultPlan.ts"
import * as FaultPlan from "../FaultPlan.ts"
import type { Process } from "../Process.ts"
import type { Florin, Services } from "../World.ts"
import * as World from "../World.ts"

/** One run of a saga, with a world outside of its own that outlives every process. */
export interface Story<Input, A, X> {
  readonly saga: Saga<Input, A, Services | X>
  readonly input: Input
  /** What the saga needs beyond payments, over stores that this story holds, each call crossing the process's boundary. */
  readonly outside: (process: Process, world: World.World) => Layer.Layer<X, never, SecureRandom.SecureRandom>
  /** What is wrong in the end, beyond what the auditor sees; `ending` is `completed`, `failed`, and so on. */
  readonly judge: (ending: string, payments: ReadonlyArray<PaymentView>) => Effect.Effect<ReadonlyArray<string>>
}

export interface Told {
  readonly crossings: ReadonlyArray<string>
  readonly ending: string
  /** What is wrong, a line each. */
  readonly findings: ReadonlyArray<string>
}

export interface Report {
  readonly runs: number
  readonly endings: ReadonlySet<string>
  /** The plan of each run that broke a promise, and how. */
  readonly violations: ReadonlyArray<{ readonly plan: string; readonly findings: ReadonlyArray<string> }>
}

export const explore = <Input, A, X>(story: () => Story<Input, A, X>): Report => {
  const { crossings, ...undisturbed } = tell(story(), [])
  const deaths = crossings.flatMap((_, index) =>
    (["before", "after"] as const).map((point): PlannedFault => ({
      crossing: index + 1,
      point,
      fault: { _tag: "Die" }
    }))
  )
  const all = [
    { plan: "undisturbed", ...undisturbed },
    ...deaths.map((death) => ({
      plan: FaultPlan.toText(death, crossings[death.crossing - 1]),
      ...tell(story(), [death])
    }))
  ]
  return {
    runs: all.length,
    endings: new Set(all.map(({ ending }) => ending)),
    violations: all.filter(({ findings }) => findings.length > 0).map(({ findings, plan }) => ({ plan, findings }))
  }
}

// --- One run ----------------------------------------------------------------

const execution = "explored"
/** A client that was cut off asks again after so long. */
const againMillis = 1000

export const tell = <Input, A, X>(story: Story<Input, A, X>, faults: ReadonlyArray<PlannedFault>): Told => {
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
    const runs = Context.get(yield* Layer.buildWithScope(MemorySagaRuns.layer, Scope.makeUnsafe()), SagaRuns)
    const runners = new Map<string, SagaRunner["Service"]>()
    const asked = (florin: Florin) =>
      florin.request(
        Effect.gen(function* () {
          const { process } = florin
          const runner = runners.get(process.name) ?? (yield* runnerIn(story, process, world, runs))
          runners.set(process.name, runner)
          return yield* Effect.result(runner.run(story.saga, story.input, { execution }))
        })
      )
    const insist: Effect.Effect<string> = Effect.suspend(() => {
      const [florin] = world.florins()
      const again = Effect.andThen(Effect.sleep(againMillis), insist)
      if (florin === undefined) return again
      return Effect.matchEffect(asked(florin), {
        onFailure: () => again,
        onSuccess: (answer) => Effect.succeed(endingOf(answer))
      })
    })
    const ending = yield* insist
    const { rested } = yield* Aftermath.untilRest(world)
    const judged = yield* story.judge(ending, [...world.database.views.values()])
    return { ending, findings: rested ? judged : [...judged, "it never came to rest"] }
  })
  const exit = world.run(told)
  if (exit._tag !== "Success") {
    const why = exit._tag === "Stalled" ? "nothing could go on" : String(Exit.isFailure(exit) && exit.cause)
    return { crossings, ending: "none", findings: [why] }
  }
  const audited = Auditor.audit(Aftermath.booksOf(world, [{ name: "bank", tables }]))
  const { ending, findings } = exit.value
  return { crossings, ending, findings: [...findings, ...audited.map(({ detail, rule }) => `${rule}: ${detail}`)] }
}

const endingOf = (
  answer: Result.Result<{ readonly _tag: string }, { readonly _tag: string; readonly ending?: string }>
): string =>
  Result.isSuccess(answer) ? answer.success._tag.toLowerCase() : (answer.failure.ending ?? answer.failure._tag)

/** A runner of this process, which takes up what the one before it left. */
const runnerIn = Effect.fnUntraced(function* <Input, A, X>(
  story: Story<Input, A, X>,
  process: Process,
  world: World.World,
  runs: SagaRuns["Service"]
) {
  const scope = Scope.makeUnsafe()
  const random = Layer.succeed(SecureRandom.SecureRandom, yield* SecureRandom.SecureRandom)
  const layer = SagaRunners.layer.pipe(
    Layer.provide(SagaEngine.layerMemory),
    Layer.provide(Layer.succeed(SagaRuns, bounded(process, runs))),
    Layer.provideMerge(story.outside(process, world)),
    Layer.provide(random)
  )
  const context = yield* Layer.buildWithScope(layer, scope)
  const runner = Context.get(context, SagaRunner)
  yield* Effect.provideContext(Effect.provideService(runner.register(story.saga), Scope.Scope, scope), context)
  yield* runner.recover
  return runner
})

/** The calls that a run of its own makes. Whoever waits for one looks without crossing, or looks would be most of all. */
const bounded = (process: Process, runs: SagaRuns["Service"]): SagaRuns["Service"] => {
  const cross = <B, E>(name: string, effect: Effect.Effect<B, E>) =>
    process.cross(`SagaRuns.${name}`, effect, (): E => {
      throw new Error("the explorer's processes only die")
    })
  return {
    ...runs,
    begin: (run) => cross("begin", runs.begin(run)),
    settle: (settlement) => cross("settle", runs.settle(settlement)),
    running: cross("running", runs.running)
  }
}
