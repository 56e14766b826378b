/** What the commands of `florin simulate` share: how they fail, their flags, and the rows of their tables. */
import { Effect, Schema } from "effect"
import { Flag } from "effect/cli"

/** The promise was broken, or a check did not notice that it was. */
export class SimulationFailed extends Schema.TaggedError<SimulationFailed>()("SimulationFailed", {
  what: Schema.String
}) {
  override get message() {
    return this.what
  }
}

export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON instead of a table"),
  Flag.withDefault(false)
)
export const seed = Flag.Int("seed").pipe(
  Flag.withDescription("What the order of things and all ids follow from"),
  Flag.withDefault(1)
)

export const row = (...cells: ReadonlyArray<string | number>) =>
  cells.map((cell, index) => (index === 0 ? String(cell).padEnd(28) : String(cell).padStart(12))).join("")

/**
 * Thousands of errors are made on purpose, and nobody reads where they came
 * from: without their stacks a run takes a fifth less.
 */
export const withoutStacks = Effect.acquireRelease(
  Effect.sync(() => {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    return stackTraceLimit
  }),
  (before) => Effect.sync(() => (Error.stackTraceLimit = before))
)
