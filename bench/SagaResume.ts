/**
 * How long runs take to be taken up: a process begins them and is killed with
 * all of them in their second step; the time is from the start of the engine in
 * a new process to the last step of the last run (`SagaResumeProcess`).
 */
import { Effect } from "effect"
import * as BenchDatabase from "./BenchDatabase.ts"
import type { Pace } from "./Contest.ts"
import * as MeasuringProcess from "./MeasuringProcess.ts"

export type Side = "saga" | "bare"

const program = new URL("SagaResumeProcess.ts", import.meta.url)

export const contest = Effect.fnUntraced(function* ({ rounds, runs }: Pace["sagas"]) {
  const dataDir = yield* BenchDatabase.DataDir
  let turns = 0
  const resume = (side: Side) =>
    Effect.suspend(() => {
      const args = [side, dataDir, String(runs), `${side}-${process.pid}-${(turns += 1)}`]
      // The first is killed, so it tells nothing.
      const killed = Effect.ignore(MeasuringProcess.run(program, ["hold", ...args]))
      return Effect.andThen(killed, Effect.map(MeasuringProcess.run(program, ["go", ...args]), Number))
    })
  return {
    name: `saga resume ${runs}`,
    unit: "millis" as const,
    rounds,
    warmUp: false,
    florin: resume("saga"),
    peer: resume("bare")
  }
})
