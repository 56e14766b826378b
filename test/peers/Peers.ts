/**
 * Programs that some suites need beside florin, and which suites those are.
 *
 * A suite without its program is not run, and `npm test` ends by saying which
 * and why. With `FLORIN_CI_NO_SKIP=1` that is an error before anything runs.
 */
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"

export interface Peer {
  readonly program: string
  /** The setting that names another binary. */
  readonly setting: string
  /** Who brings it. */
  readonly install: string
  /** The test files that need it. */
  readonly suites: ReadonlyArray<string>
}

export const redis: Peer = {
  program: "redis-server",
  setting: "FLORIN_REDIS_SERVER",
  install: "apt-get install redis-server",
  suites: ["test/infra/redis/RedisFlowQueue.test.ts", "test/infra/redis/RedisLock.test.ts"]
}

export const all: ReadonlyArray<Peer> = [redis]

/** Where packages put servers that a user's PATH need not have. */
const usualDirectories = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin"]

type Environment = Readonly<Record<string, string | undefined>>

/** The binary, if there is one. What the setting names is used, and nothing else. */
export const find = ({ program, setting }: Peer, environment: Environment): string | undefined => {
  const named = environment[setting]
  const directories = [
    ...(environment.PATH ?? "").split(delimiter).filter((entry) => entry !== ""),
    ...usualDirectories
  ]
  const candidates = named === undefined ? directories.map((directory) => join(directory, program)) : [named]
  return candidates.find(isExecutable)
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export const missing = (environment: Environment, peers = all): ReadonlyArray<Peer> =>
  peers.filter((peer) => find(peer, environment) === undefined)

/** The suites that cannot run here. */
export const excluded = (environment: Environment): ReadonlyArray<string> =>
  missing(environment).flatMap(({ suites }) => suites)

/** Which suites are not run and why, a line each; `undefined` when all are. */
export const report = (peers: ReadonlyArray<Peer>): string | undefined => {
  const lines = peers.flatMap(({ install, program, setting, suites }) =>
    suites.map((suite) => `  ${suite}: needs ${program} (${install}, or its path in ${setting})`)
  )
  return lines.length === 0 ? undefined : ["Suites that were not run:", ...lines].join("\n")
}

/** Whether a suite that cannot run is an error. */
export const isStrict = (environment: Environment): boolean => environment.FLORIN_CI_NO_SKIP === "1"
