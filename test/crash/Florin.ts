/**
 * `florin` as a process that is started again whenever it ends, as by systemd,
 * and that can be killed and stopped at any moment of its life, its start
 * included. What it says goes to a log of its own.
 */
import { Effect, Schedule } from "effect"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { appendFileSync, closeSync, openSync } from "node:fs"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../src/edge/cli/main.js", import.meta.url))

export interface Florin {
  /** Where it listens; `undefined` while it does not. */
  readonly url: () => string | undefined
  /** kill -9; it is started again after so many milliseconds. Waits for there to be a process. */
  readonly kill: (downMillis: number) => Effect.Effect<void>
  /** SIGSTOP, and SIGCONT after so many milliseconds. */
  readonly stall: (millis: number) => Effect.Effect<void>
  /** Ends that nobody asked for, in words. */
  readonly faults: ReadonlyArray<string>
}

export interface Options {
  readonly args: ReadonlyArray<string>
  readonly settings: Readonly<Record<string, string>>
  readonly log: string
  /** Until when its database was away: a start that began before has an excuse to fail. */
  readonly awayUntil: () => number
}

/** What a service has to finish when it is told to end, and the sandbox's database its last checkpoint. */
const endMillis = 15_000

/** Between an end that nobody asked for and the next start: a start takes longer. */
const restartMillis = 300

interface Life {
  readonly child: ChildProcess
  readonly ended: Promise<void>
  readonly startedAt: number
  url: string | undefined
  /** Set by whoever kills it: how long it stays away. */
  downMillis: number | undefined
}

/** Starts it; it is told to end, and then killed, with the scope. */
export const start = Effect.fnUntraced(function* (options: Options) {
  let life: Life | undefined
  const faults: Array<string> = []
  const supervise = Effect.gen(function* () {
    while (true) {
      const current = begin(options)
      life = current
      yield* Effect.promise(() => current.ended)
      life = undefined
      if (current.downMillis === undefined && !isExcused(current, options)) {
        faults.push(`${options.log}: it ended by itself, with ${current.child.exitCode ?? current.child.signalCode}`)
      }
      yield* Effect.sleep(current.downMillis ?? restartMillis)
    }
  })
  // Registered first, so it comes after the supervisor has ended.
  yield* Effect.addFinalizer(() => Effect.promise(async () => life && end(life)))
  yield* Effect.forkScoped(supervise)

  const present = Effect.sync(() => (life?.downMillis === undefined ? life : undefined)).pipe(
    Effect.repeat({ until: (found) => found !== undefined, schedule: pause })
  )
  return {
    url: () => (life?.downMillis === undefined ? life?.url : undefined),
    kill: Effect.fnUntraced(function* (downMillis) {
      const current = (yield* present)!
      current.downMillis = downMillis
      mark(options.log, "kill -9")
      current.child.kill("SIGKILL")
      yield* Effect.promise(() => current.ended)
    }),
    stall: Effect.fnUntraced(function* (millis) {
      const current = (yield* Effect.repeat(present, { until: (found) => found?.url !== undefined, schedule: pause }))!
      mark(options.log, "SIGSTOP")
      current.child.kill("SIGSTOP")
      yield* Effect.sleep(millis)
      mark(options.log, "SIGCONT")
      current.child.kill("SIGCONT")
    }),
    faults
  } satisfies Florin
})

/** Waits until it listens. */
export const listening = (florin: Florin): Effect.Effect<string> =>
  Effect.sync(florin.url).pipe(
    Effect.repeat({ until: (url) => url !== undefined, schedule: pause }),
    Effect.map((url) => url!),
    Effect.timeoutOrElse({
      duration: "60 seconds",
      orElse: () => Effect.die(new Error(`florin did not start: ${florin.faults.join("; ")}`))
    })
  )

const pause = Schedule.spaced("20 millis")

const begin = ({ args, log, settings }: Options): Life => {
  const written = openSync(log, "a")
  // Only what every program needs: no setting of the machine's own gets in.
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, PORT: "0", ...settings }
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", written] })
  closeSync(written)
  const life: Life = {
    child,
    ended: new Promise((resolve) => child.once("close", () => resolve())),
    startedAt: Date.now(),
    url: undefined,
    downMillis: undefined
  }
  mark(log, `started as ${child.pid}`)
  let said = ""
  child.stdout!.on("data", (text) => {
    said += text
    life.url ??= /listening on (http:\S+)\n/.exec(said)?.[1]
  })
  return life
}

/** A service cannot start without its database. */
const isExcused = ({ startedAt, url }: Life, { awayUntil }: Options): boolean =>
  url === undefined && awayUntil() >= startedAt

const end = async ({ child, ended }: Life): Promise<void> => {
  // A stopped process hears nothing until it goes on.
  child.kill("SIGTERM")
  child.kill("SIGCONT")
  const late = setTimeout(() => child.kill("SIGKILL"), endMillis)
  await ended
  clearTimeout(late)
}

/** The log is read beside what was done to the process. */
const mark = (log: string, what: string) => appendFileSync(log, `-- ${new Date().toISOString()} ${what}\n`)
