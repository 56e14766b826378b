/**
 * What is left of a world when its story is over: it goes on until everything
 * rests, and then everybody's books are gathered.
 */
import { Effect, Exit } from "effect"
import { Instant } from "../domain/Instant.ts"
import type { Tables } from "../infra/memory/MemoryDatabase.ts"
import type { Tables as BankTables } from "../infra/simulated/MemorySandboxBooks.ts"
import type { Books } from "./Auditor.ts"
import { epochMillis } from "./VirtualTime.ts"
import type { World } from "./World.ts"

export interface Rest {
  /** Nothing is owed, and nothing waits to be published or applied. */
  readonly rested: boolean
  /** Virtual time from the beginning until then. */
  readonly restMillis: number
}

/** Florin stops asking after some 26 hours; what is owed after two days is owed for ever. */
const patienceMillis = 2 * 24 * 60 * 60 * 1000
/** Whether all rests is looked up so often, and ever less often up to a minute. */
const lookMillis = 1000
const lookAtMostMillis = 60_000
/** What gateways do on their own, acts that come late and notifications on their way, has come by then. */
const graceMillis = 120_000

/** Lets time pass until everything rests and stays so, or patience ends. */
export const untilRest = ({ database, time }: World): Effect.Effect<Rest> =>
  Effect.gen(function* () {
    let restMillis = 0
    const until = time.now() + patienceMillis
    for (let look = lookMillis; time.now() < until; look = Math.min(look * 1.1, lookAtMostMillis)) {
      if (isQuiet(database)) {
        restMillis = time.now() - epochMillis
        yield* Effect.sleep(graceMillis)
        if (isQuiet(database)) return { rested: true, restMillis }
      }
      yield* Effect.sleep(Math.floor(look))
    }
    return { rested: false, restMillis }
  })

const isQuiet = ({ inbox, outbox, streams }: Tables) =>
  outbox.length === 0 && inbox.size === 0 && [...streams.values()].every(({ due }) => due === undefined)

/** Why a world did not come to rest. */
export const unrest = (exit: Exit.Exit<unknown> | { readonly _tag: "Stalled" }): string => {
  if (exit._tag === "Stalled") return "nothing could go on"
  return Exit.isFailure(exit) ? String(exit.cause) : "something was owed for two days"
}

/** What everybody has written down. */
export const booksOf = (
  { database, deliveries }: World,
  banks: ReadonlyArray<{ readonly name: string; readonly tables: BankTables }>
): Books => ({
  charges: banks.flatMap(({ name, tables }) =>
    [...tables.charges.values()].map((charge) => ({ gateway: name, charge }))
  ),
  streams: [...database.streams].map(([payment, { due, events, version }]) => ({
    payment,
    head: version,
    events,
    due: due === undefined ? undefined : Instant.make(due)
  })),
  views: [...database.views.values()],
  deliveries,
  deadLetters: [...database.deadLetters.values()].map(({ envelope: { payment, version } }) => ({ payment, version }))
})
