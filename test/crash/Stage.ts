/**
 * All processes of a run but this one: PostgreSQL, the sandbox with durable
 * books of its own, and two services on the one database. They end with the
 * scope, and their directory goes with them unless it is kept.
 */
import { Effect } from "effect"
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Florin from "./Florin.ts"
import * as Plan from "./Plan.ts"
import * as Postgres from "./Postgres.ts"

export interface Stage {
  readonly postgres: Postgres.Postgres
  readonly services: Readonly<Record<Plan.Name, Florin.Florin>>
  readonly sandboxUrl: string
  /** Logs and databases. */
  readonly path: string
  /** Leaves them there, for somebody to look at. */
  readonly keep: () => void
  /** Processes that ended by themselves, in words. */
  readonly faults: () => ReadonlyArray<string>
}

/** As quick as they go without failing by themselves on two busy cores; the lease is the plan's. */
const settings = {
  FLORIN_LEASE_MILLIS: String(Plan.leaseMillis),
  FLORIN_RECOVERY_MILLIS: "200",
  FLORIN_GATEWAY_MILLIS: "1000",
  FLORIN_ANSWER_MILLIS: "3000",
  DATABASE_URL: ""
}

/** Everything listens when it is done. */
export const set = Effect.fnUntraced(function* () {
  const scratch = yield* directory
  const { path } = scratch
  const logs = join(path, "logs")
  mkdirSync(logs)
  const postgres = yield* Postgres.start(join(path, "postgres"))
  const sandbox = yield* Florin.start({
    args: ["sandbox"],
    settings: { ...settings, FLORIN_DATA_DIR: path },
    log: join(logs, "sandbox.log"),
    awayUntil: () => 0
  })
  const sandboxUrl = yield* Florin.listening(sandbox)
  const serve = (name: Plan.Name) =>
    Florin.start({
      args: ["serve"],
      settings: { ...settings, DATABASE_URL: postgres.url, FLORIN_SANDBOX_URL: sandboxUrl },
      log: join(logs, `${name}.log`),
      awayUntil: postgres.awayUntil
    })
  const services = { one: yield* serve("one"), two: yield* serve("two") }
  yield* Effect.forEach(Object.values(services), Florin.listening)
  return {
    postgres,
    services,
    sandboxUrl,
    path,
    keep: () => void (scratch.isKept = true),
    faults: () => [sandbox, ...Object.values(services)].flatMap(({ faults }) => faults)
  } satisfies Stage
})

const directory = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "florin-crash-"))
    // Root runs the databases as another user, who has to get there.
    chmodSync(path, 0o755)
    return { path, isKept: false }
  }),
  ({ isKept, path }) => Effect.sync(() => isKept || rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
)
