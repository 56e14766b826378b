/**
 * What is done to whom, and after how long: the same for the same seed. How far
 * the processes have come by then is the machine's affair, and differs.
 *
 * Moments and times are milliseconds.
 */
import * as Seed from "../../src/testing/Seed.ts"

/** The two services; they are alike, and share one database. */
export const names = ["one", "two"] as const
export type Name = (typeof names)[number]

export type Blow =
  /** kill -9; it is started again after `downMillis`. */
  | { readonly _tag: "Kill"; readonly name: Name; readonly downMillis: number }
  /** kill -9 of the database server; it is started again after `downMillis`, on what it left. */
  | { readonly _tag: "KillPostgres"; readonly downMillis: number }
  /** SIGSTOP, and SIGCONT after `stallMillis`. */
  | { readonly _tag: "Stall"; readonly name: Name; readonly stallMillis: number }

export interface Planned {
  /** Since the blow before it was over. */
  readonly afterMillis: number
  readonly blow: Blow
}

export interface Size {
  readonly kills: number
  readonly postgresKills: number
  readonly stalls: number
}

export const sizes: Readonly<Record<"long" | "short", Size>> = {
  long: { kills: 50, postgresKills: 5, stalls: 5 },
  short: { kills: 5, postgresKills: 1, stalls: 1 }
}

/** As `FLORIN_LEASE_MILLIS` of both services: a tenth of the default, so that a takeover takes seconds. */
export const leaseMillis = 1500

export const make = (seed: number, { kills, postgresKills, stalls }: Size): ReadonlyArray<Planned> => {
  const draw = Seed.make(Seed.derive(seed, "plan"))
  const between = (least: number, most: number) => least + draw.below(most - least)
  const name = () => names[draw.below(names.length)]!
  const blows = [
    // From at once, as a supervisor would, to longer than a lease: then the other has taken over.
    ...times(kills, (): Blow => ({ _tag: "Kill", name: name(), downMillis: between(0, 2 * leaseMillis) })),
    // A run asks a store that is away for some six seconds: both sides of that.
    ...times(postgresKills, (): Blow => ({ _tag: "KillPostgres", downMillis: between(200, 8000) })),
    // Past the lease in every case, and often past the answer of the gateway and the patience of the client.
    ...times(stalls, (): Blow => ({
      _tag: "Stall",
      name: name(),
      stallMillis: between(1.4 * leaseMillis, 4 * leaseMillis)
    }))
  ]
  return shuffled(blows, draw).map((blow) => ({
    // One in five comes while the process before it is starting or recovering; the others while there is work.
    afterMillis: draw.below(5) === 0 ? between(100, 1500) : between(1500, 5500),
    blow
  }))
}

const times = <A>(count: number, one: () => A): ReadonlyArray<A> => Array.from({ length: count }, one)

const shuffled = <A>(list: ReadonlyArray<A>, draw: Seed.Draw): ReadonlyArray<A> => {
  const all = [...list]
  for (let last = all.length - 1; last > 0; last--) {
    const other = draw.below(last + 1)
    ;[all[last], all[other]] = [all[other]!, all[last]!]
  }
  return all
}
