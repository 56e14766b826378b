/** Carries out a plan, blow after blow, and says what it has done. */
import { Effect } from "effect"
import type { Florin } from "./Florin.ts"
import type { Blow, Name, Planned } from "./Plan.ts"
import type { Postgres } from "./Postgres.ts"

export interface Targets {
  readonly services: Readonly<Record<Name, Florin>>
  readonly postgres: Postgres
}

export interface Done {
  readonly blows: number
  /** The last of them, in a word or two. */
  readonly note: string
}

/** `tell` is run before the first and after each. A kill is over when the process is gone, the others when it is back. */
export const carryOut = Effect.fnUntraced(function* (
  plan: ReadonlyArray<Planned>,
  targets: Targets,
  tell: (done: Done) => Effect.Effect<void>
) {
  yield* tell({ blows: 0, note: "" })
  for (const [index, { afterMillis, blow }] of plan.entries()) {
    yield* Effect.sleep(afterMillis)
    yield* strike(blow, targets)
    yield* tell({ blows: index + 1, note: noteOf(blow) })
  }
})

const strike = (blow: Blow, { postgres, services }: Targets): Effect.Effect<void> => {
  switch (blow._tag) {
    case "Kill":
      return services[blow.name].kill(blow.downMillis)
    case "KillPostgres":
      return postgres.crash(blow.downMillis)
    case "Stall":
      return services[blow.name].stall(blow.stallMillis)
  }
}

const noteOf = (blow: Blow): string => {
  switch (blow._tag) {
    case "Kill":
      return `killed ${blow.name}`
    case "KillPostgres":
      return "killed PostgreSQL"
    case "Stall":
      return `stalled ${blow.name}`
  }
}
