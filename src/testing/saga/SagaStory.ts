/**
 * A run of a saga as it is told to the explorer: the saga, its input, the world
 * around it, what has to hold in the end, and bugs that would break it.
 *
 *     const story = SagaStory.make({
 *       name: "payment-processing",
 *       ending: "completed",
 *       plot: () => ({ saga, input, outside, judge }),
 *       bugs: { "a hold under another key each time": (plot) => ({ ...plot, saga: ... }) }
 *     })
 *     const { violations } = SagaExplorer.explore(story, { pairs: false })
 *
 * Each telling has a plot of its own, whose stores outlive the processes in it.
 */
import type { Effect, Layer, Schema } from "effect"
import type { SecureRandom } from "effect/crypto"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import type { Saga } from "../../orchestration/saga/Saga.ts"
import type { Answer } from "../../orchestration/saga/SagaAnswer.ts"
import type { PlannedFault } from "../FaultPlan.ts"
import type { Process } from "../Process.ts"
import type { Services, World } from "../World.ts"
import type { Told } from "./SagaTelling.ts"
import * as SagaTelling from "./SagaTelling.ts"

/** What a saga may need that is told here: what a process of florin's has, and what the plot adds. */
export type Within<X> = Services | X

/** One run of a saga, with a world outside of its own that outlives every process. */
export interface Plot<Input, A, X> {
  readonly saga: Saga<Input, A, Within<X>>
  readonly input: Input
  /** What the world holds before the first process asks for anything. */
  readonly begin?: (world: World) => Effect.Effect<void>
  /** What the saga needs beyond payments, over stores that the plot holds, each call crossing the process's boundary. */
  readonly outside: (process: Process, world: World) => Layer.Layer<X, never, SecureRandom.SecureRandom>
  /** What somebody outside says to each question that the saga asks. */
  readonly answers?: Readonly<Record<string, Schema.Json>>
  /** Whether a worker would come back for what this run has left open, with a run of its own. */
  readonly isLeftOpen?: (answer: Answer<A>) => boolean
  /** What is wrong in the end, beyond what the auditor sees; `ending` is `completed`, `failed`, and so on. */
  readonly judge: (ending: string, payments: ReadonlyArray<PaymentView>) => Effect.Effect<ReadonlyArray<string>>
}

/** What a story is made of. A bug is a plot that does one thing wrong. */
export interface Parts<Input, A, X> {
  readonly name: string
  /** How each telling has to end. */
  readonly ending: string
  readonly plot: () => Plot<Input, A, X>
  readonly bugs: Readonly<Record<string, (plot: Plot<Input, A, X>) => Plot<Input, A, X>>>
}

export interface Story {
  readonly name: string
  readonly ending: string
  /** Their names. An exploration that finds none of them proves nothing. */
  readonly bugs: ReadonlyArray<string>
  /** Tells it once, as it is or with one of its bugs. */
  readonly tell: (faults: ReadonlyArray<PlannedFault>, bug?: string) => Told
}

export const make = <Input, A, X>({ bugs, ending, name, plot }: Parts<Input, A, X>): Story => ({
  name,
  ending,
  bugs: Object.keys(bugs),
  tell: (faults, bug) => SagaTelling.tell(bug === undefined ? plot() : bugs[bug]!(plot()), faults)
})
