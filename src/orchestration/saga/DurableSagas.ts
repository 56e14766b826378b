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
import type { Context } from "effect"
import { Effect, Exit, Layer, Schema } from "effect"
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
          Effect.contextWith((inner: Context.Context<WorkflowEngine | WorkflowInstance>) =>
            Effect.provideContext(body(generation, driver(inner)), context)
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

// --- The driver -------------------------------------------------------------

const driver = (context: Context.Context<WorkflowEngine | WorkflowInstance>): EngineDriver => {
  const inWorkflow = <A, R>(effect: Effect.Effect<A, never, R | WorkflowEngine | WorkflowInstance>) =>
    Effect.provideContext(effect, context) as Effect.Effect<A, never, R>
  return {
    attempt: (name, effect) => inWorkflow(Activity.make({ name, success: StepOutcome, execute: effect })),
    takeBack: (name, effect) => inWorkflow(Activity.make({ name, success: TakingBack, execute: effect })),
    sleep: (name, duration) => inWorkflow<void, never>(DurableClock.sleep({ name, duration, inMemoryThreshold })),
    hear: (name, millis) =>
      inWorkflow<Wake, never>(
        Effect.gen(function* () {
          const engine = yield* WorkflowEngine
          const { executionId, workflow } = yield* WorkflowInstance
          if (millis !== undefined) {
            const clock = DurableClock.make({ name, duration: millis })
            yield* engine.scheduleClock(workflow, { executionId, clock })
          }
          return (yield* DurableDeferred.await(heard(name))) ?? elapsed
        })
      )
  }
}

const elapsed: Wake = { _tag: "Elapsed" }

/** The deferred of a clock of that name, which completes it with nothing: the first to complete it is heard. */
const heard = (name: string) => DurableDeferred.make(`DurableClock/${name}`, { success: Schema.NullOr(Wake) })
