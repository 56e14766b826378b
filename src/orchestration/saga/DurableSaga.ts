/**
 * A saga whose runs outlive the machine they began on: an Effect workflow.
 *
 * Every attempt, compensate and undo is an activity, so its outcome is kept
 * before anything acts on it, and a run that is taken up again, here or on
 * another machine, hears it instead of asking twice. At most the one attempt
 * that was under way is made again, with the same key. Waits are durable
 * clocks, so they end on time though nobody sat through them.
 *
 * Source: `effect/workflow`; the engine is in memory or on SQL.
 */
import { Effect, Schema } from "effect"
import { Activity, DurableClock, Workflow } from "effect/workflow"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { StepOutcome, TakingBack } from "../../domain/saga/StepOutcome.ts"
import type { Saga } from "./Saga.ts"
import type { SagaDriver } from "./SagaDriver.ts"
import * as SagaExecutor from "./SagaExecutor.ts"

/** The workflow of a saga: its payload is the input and the run's id, which is its idempotency key. */
export const workflow = <Input, A, R>(saga: Saga<Input, A, R>) =>
  Workflow.make(saga.name, {
    payload: { execution: Schema.String, input: saga.input },
    success: answer(saga.output),
    error: Schema.Union([SagaExecutor.SagaFailed, SagaExecutor.InvalidInput]),
    idempotencyKey: ({ execution }) => execution
  })

const answer = <A>(output: Schema.Codec<A, unknown>) =>
  Schema.TaggedUnion({
    Completed: { execution: Schema.String, value: output },
    Halted: { execution: Schema.String, step: Schema.String, value: Schema.Json }
  })

/** Runs the saga's workflows here. */
export const layer = <Input, A, R>(saga: Saga<Input, A, R>) =>
  workflow(saga).toLayer(({ execution, input }) =>
    Effect.flatMap(Effect.context<WorkflowEngine | WorkflowInstance>(), (context) =>
      SagaExecutor.execute(
        saga,
        input,
        driver(execution, (effect) => Effect.provideContext(effect, context))
      )
    )
  )

type InWorkflow = <A, R>(
  effect: Effect.Effect<A, never, R | WorkflowEngine | WorkflowInstance>
) => Effect.Effect<A, never, R>

const driver = (execution: string, inWorkflow: InWorkflow): SagaDriver => ({
  execution,
  attempt: (name, effect) => inWorkflow(Activity.make({ name, success: StepOutcome, execute: effect })),
  takeBack: (name, effect) => inWorkflow(Activity.make({ name, success: TakingBack, execute: effect })),
  // A wait in memory would be waited anew after each crash.
  sleep: (name, duration) => inWorkflow<void, never>(DurableClock.sleep({ name, duration, inMemoryThreshold: 0 }))
})
