/**
 * Runs that outlive the machine they began on: each generation is an Effect
 * workflow.
 *
 * Every attempt, compensate and undo is an activity, so its outcome is kept
 * before anything acts on it, and a run that is taken up again, here or on
 * another machine, hears it instead of asking twice. At most the one attempt
 * that was under way is made again, with the same key. Waits are durable
 * clocks, so they end on time though nobody sat through them; a question is a
 * durable deferred that an answer or its clock completes, whichever comes first.
 *
 * Source: `effect/workflow`; the engine is in memory or on SQL.
 */
import { Context, Effect, Exit, Layer, Schema, Tracer } from "effect"
import * as Activity from "effect/workflow/Activity"
import * as DurableClock from "effect/workflow/DurableClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { StepOutcome, TakingBack, Wake } from "../../domain/saga/StepOutcome.ts"
import type { Body, EngineDriver, Which } from "./SagaEngine.ts"
import { Generation, SagaEngine } from "./SagaEngine.ts"

/** A wait of this long costs less in memory than on the clock of the store, and is waited anew after a crash. */
const inMemoryThreshold = "2 seconds"

export const layer: Layer.Layer<SagaEngine, never, WorkflowEngine> = Layer.effect(
  SagaEngine,
  Effect.gen(function* () {
    const engine = yield* WorkflowEngine
    const workflows = new Map<string, ReturnType<typeof workflowOf>>()
    const workflow = (saga: string) => {
      const one = workflows.get(saga) ?? workflowOf(saga)
      workflows.set(saga, one)
      return one
    }

    return SagaEngine.of({
      register: Effect.fnUntraced(function* <R>(saga: string, body: Body<R>) {
        const context = yield* Effect.context<R>()
        const execute = (generation: Generation) =>
          Effect.flatMap(WorkflowInstance, (instance) =>
            Effect.provideContext(body(generation, driver({ engine, instance })), context)
          )
        yield* Effect.provideService(engine.register(workflow(saga), execute), WorkflowEngine, engine)
      }),
      begin: (saga, generation) =>
        Effect.asVoid(
          engine.execute(workflow(saga), { executionId: idOf(generation), payload: generation, discard: true })
        ),
      wake: (saga, which, name, wake) =>
        engine.deferredDone(heard(name), {
          workflowName: workflow(saga)._tag,
          executionId: idOf(which),
          deferredName: heard(name).name,
          exit: Exit.succeed(wake)
        }),
      hurry: (saga, which) => engine.resume(workflow(saga), idOf(which))
    })
  })
)

/** A generation's id as a workflow. Nothing else has a "#" in its name. */
export const idOf = ({ execution, generation }: Which): string => `${execution}#${generation}`

/** What comes of it is in `SagaRuns`, so that the engine's own copy can be purged. */
const workflowOf = (saga: string) => Workflow.make(`Saga/${saga}`, { payload: Generation, idempotencyKey: idOf })

// --- Activities -------------------------------------------------------------

/** Elements of long collections have names of their own, and nobody holds millions of those. */
const mostNames = 1000

/**
 * What runs an effect as an activity. Making an activity compiles its schemas, which takes longer than running it, and
 * names come again in every run: it is made once a name, and what it does is a service, given by whoever runs it.
 */
const activities = <A>(kind: string, success: Schema.Codec<A, unknown>) => {
  const Work = Context.Service<Effect.Effect<A>>(`florin/orchestration/saga/DurableSagas/${kind}`)
  const make = (name: string) => Activity.make({ name, success, execute: Effect.flatten(Work) })
  const made = new Map<string, ReturnType<typeof make>>()
  const named = (name: string) => {
    const known = made.get(name)
    if (known !== undefined) return known
    if (made.size === mostNames) made.clear()
    const activity = make(name)
    made.set(name, activity)
    return activity
  }
  return <R>({ engine, instance }: Running, name: string, work: Effect.Effect<A, never, R>) => {
    // An activity has the services of whoever runs it, so those that its work needs are there.
    const given = Effect.provideService(engine.activityExecute(named(name), 1), Work, work as Effect.Effect<A>)
    const result = Workflow.wrapActivityResult(given, ({ _tag }) => _tag === "Suspended")
    const heard = Effect.flatMap(result, (result) =>
      result._tag === "Complete" ? result.exit : suspended(result, instance)
    )
    return traced(name, heard) as Effect.Effect<A, never, R>
  }
}

/** As an activity that is run by itself: whoever waits for it is suspended with it. */
const suspended = ({ failed }: Workflow.Suspended, instance: Running["instance"]) => {
  if (failed === true) instance.failed = true
  return Workflow.suspend(instance)
}

/** A span takes its time to make, so it is made where somebody traces. */
const traced = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.contextWith((context: Context.Context<never>) =>
    Context.getOrUndefined(context, Tracer.Tracer) === undefined
      ? effect
      : Effect.withSpan(effect, name, { captureStackTrace: false })
  )

const attempted = activities("Attempt", StepOutcome)
const takenBack = activities("TakingBack", TakingBack)

// --- The driver -------------------------------------------------------------

/** The run of a workflow that a generation is. */
interface Running {
  readonly engine: WorkflowEngine["Service"]
  readonly instance: WorkflowInstance["Service"]
}

const driver = (running: Running): EngineDriver => {
  const { engine, instance } = running
  const inWorkflow = <A>(effect: Effect.Effect<A, never, WorkflowEngine | WorkflowInstance>) =>
    effect.pipe(Effect.provideService(WorkflowEngine, engine), Effect.provideService(WorkflowInstance, instance))
  return {
    attempt: (name, effect) => attempted(running, name, effect),
    takeBack: (name, effect) => takenBack(running, name, effect),
    sleep: (name, duration) => inWorkflow(DurableClock.sleep({ name, duration, inMemoryThreshold })),
    hear: (name, millis) =>
      inWorkflow(
        Effect.gen(function* () {
          if (millis !== undefined) {
            const clock = DurableClock.make({ name, duration: millis })
            yield* engine.scheduleClock(instance.workflow, { executionId: instance.executionId, clock })
          }
          return (yield* DurableDeferred.await(heard(name))) ?? elapsed
        })
      )
  }
}

const elapsed: Wake = { _tag: "Elapsed" }

/** The deferred of a clock of that name, which completes it with nothing: the first to complete it is heard. */
const heard = (name: string) => DurableDeferred.make(`DurableClock/${name}`, { success: Schema.NullOr(Wake) })
