/**
 * Florin and a peer at the same work, turn about: ABAB and so on, after one
 * turn of each that does not count, in which the compiler learns what is hot.
 *
 * Nothing here says what is fast enough: there are ratios, and no limits.
 */
import { Effect } from "effect"
import { setImmediate } from "node:timers/promises"
import type { Round, Summary } from "./Statistics.ts"
import { summarize } from "./Statistics.ts"

/** How much a run of the bench does. */
export interface Pace {
  readonly rounds: number
  readonly turnMillis: number
  /** Where a turn fills the heap or is a process of its own: how many rounds, and of how many payments. */
  readonly memory: { readonly rounds: number; readonly heldPayments: number; readonly madePayments: number }
  /** Beside pgbench, which counts in seconds and begins by connecting. */
  readonly lifecycle: { readonly rounds: number; readonly seconds: number; readonly atATime: ReadonlyArray<number> }
  /** How many payments are there to list and to rebuild. */
  readonly many: { readonly rounds: number; readonly payments: number }
  /** How long the files of transactions are; turns are processes of their own. */
  readonly ledger: {
    readonly rounds: number
    readonly rows: number
    readonly clients: number
    readonly longRows: number
    /** Events after a snapshot, from which a start is measured. */
    readonly startEvents: number
  }
  /** Each start is a process of its own. */
  readonly coldStart: { readonly rounds: number }
  /** How many runs of a saga a process is killed in the middle of. */
  readonly sagas: { readonly rounds: number; readonly runs: number }
}

/** Some eight minutes. More rounds steady the median; longer turns take in more of what comes and goes within one. */
export const full: Pace = {
  rounds: 11,
  turnMillis: 300,
  memory: { rounds: 3, heldPayments: 10_000, madePayments: 2000 },
  lifecycle: { rounds: 5, seconds: 4, atATime: [1, 8, 32, 256] },
  many: { rounds: 3, payments: 100_000 },
  ledger: { rounds: 5, rows: 3_750_587, clients: 60_000, longRows: 20_000_000, startEvents: 1_000_000 },
  coldStart: { rounds: 5 },
  sagas: { rounds: 3, runs: 1000 }
}

/** Shows that all of it runs, and little else. */
export const quick: Pace = {
  rounds: 3,
  turnMillis: 50,
  memory: { rounds: 1, heldPayments: 1000, madePayments: 300 },
  lifecycle: { rounds: 1, seconds: 1, atATime: [1, 32] },
  many: { rounds: 1, payments: 1000 },
  ledger: { rounds: 1, rows: 20_000, clients: 500, longRows: 100_000, startEvents: 10_000 },
  coldStart: { rounds: 1 },
  sagas: { rounds: 1, runs: 50 }
}

/** `perSecond`: more is better. `bytes` and `millis`: less is; of what, the notes say. */
export type Unit = "perSecond" | "bytes" | "millis"

/** Whatever goes wrong in a turn ends the bench with a line that says so. */
export type Turn<R> = Effect.Effect<number, unknown, R>

export interface Contest<R> {
  readonly name: string
  readonly unit: Unit
  readonly rounds: number
  /** A turn in a process of its own has nothing to learn from one before. */
  readonly warmUp: boolean
  readonly florin: Turn<R>
  readonly peer: Turn<R>
}

/** Contests that belong together, and what a reader has to know about them. */
export interface Subject<R> {
  readonly contests: ReadonlyArray<Contest<R>>
  readonly notes: ReadonlyArray<string>
}

const run = <R>({ florin, peer, rounds, warmUp }: Contest<R>): Effect.Effect<Summary, unknown, R> =>
  Effect.gen(function* () {
    const measured: Array<Round> = []
    for (let round = warmUp ? 0 : 1; round <= rounds; round++) {
      const both = { florin: yield* apart(florin), peer: yield* apart(peer) }
      if (round > 0) measured.push(both)
    }
    return summarize(measured)
  })

export interface Row extends Summary {
  readonly name: string
  readonly unit: Unit
}

/** Contests one after the other; `tell` hears of each before it begins. */
export const runAll = <R>({ contests }: Subject<R>, tell: (name: string) => void) =>
  Effect.forEach(
    contests,
    Effect.fnUntraced(function* (contest) {
      const { name, unit } = contest
      tell(name)
      return { name, unit, ...(yield* run(contest)) } satisfies Row
    })
  )

/** What computes lets nothing else run, so a Ctrl-C is heard between turns. */
const apart = <R>(turn: Turn<R>) =>
  Effect.andThen(
    Effect.promise(() => setImmediate()),
    turn
  )

// --- What a turn does -------------------------------------------------------

/** The last result of a computation: what is used cannot be optimised away. */
export let kept: unknown

/** Reading the clock takes as long as the smallest of the computations. */
const batch = 100

/** How often a second a computation can be done. */
export const compute = (millis: number, evaluate: () => unknown): Effect.Effect<number> =>
  Effect.sync(() => {
    const started = performance.now()
    let done = 0
    let elapsed = 0
    while (elapsed < millis) {
      for (let index = 0; index < batch; index++) kept = evaluate()
      done += batch
      elapsed = performance.now() - started
    }
    return (done * 1000) / elapsed
  })

/** How often a second `operation` comes to its end, with so many of it on their way at a time. */
export const perform = <E, R>(
  { concurrency, millis }: { readonly millis: number; readonly concurrency: number },
  operation: Effect.Effect<unknown, E, R>
): Effect.Effect<number, E, R> =>
  Effect.gen(function* () {
    const started = performance.now()
    let done = 0
    const worker = Effect.gen(function* () {
      while (performance.now() - started < millis) {
        yield* operation
        done += 1
      }
    })
    const workers = Array.from({ length: concurrency }, () => worker)
    yield* Effect.all(workers, { concurrency: "unbounded", discard: true })
    return (done * 1000) / (performance.now() - started)
  })
