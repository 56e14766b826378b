/**
 * `npm run test:crash`: real processes, real kills.
 *
 *     npm run test:crash                 50 kills of a service, 5 of PostgreSQL, 5 stalls; some seven minutes
 *     npm run test:crash -- --short      5, 1 and 1; about a minute
 *     npm run test:crash -- --seed 42    the same blows and the same orders as every run with this seed
 *
 * 1. Start PostgreSQL, the sandbox with books of its own, and two services on
 *    the one database.
 * 2. Send them orders from this process, which is the client and its memory.
 * 3. Meanwhile carry out the plan of kills and stalls.
 * 4. Stop ordering, let everything come to rest, and audit what is stored.
 *
 * The report goes to standard output, progress to standard error. Exit codes: 0;
 * 1 when a rule was broken, with the directory of the logs and databases, or when
 * it could not run; 130 on Ctrl-C.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Console, Effect, Ref, Schedule } from "effect"
import * as Complaint from "../../src/edge/cli/Complaint.ts"
import * as ProgressBar from "../../src/edge/cli/ProgressBar.ts"
import * as RedactingLogger from "../../src/infra/telemetry/RedactingLogger.ts"
import * as Answers from "./Answers.ts"
import * as Arguments from "./Arguments.ts"
import * as Chaos from "./Chaos.ts"
import * as Merchant from "./Merchant.ts"
import * as Orders from "./Orders.ts"
import * as Plan from "./Plan.ts"
import type { Postgres } from "./Postgres.ts"
import * as Report from "./Report.ts"
import * as Stage from "./Stage.ts"
import * as StoredBooks from "./StoredBooks.ts"
import * as Verdict from "./Verdict.ts"

/** Orders at the same time: work for both services at every moment, and cores left for them to start on. */
const concurrency = 16

/** No payment of ours takes a quarter of it when nothing is killed; the blows come every few seconds. */
const patienceMillis = 60_000

const run = Effect.fnUntraced(function* ({ seed, size }: Arguments.Arguments) {
  const started = Date.now()
  const stage = yield* Stage.set()
  const world: Merchant.World = {
    seed,
    answers: Answers.make(),
    services: Plan.names.map((name) => stage.services[name].url),
    patienceMillis,
    counts: Merchant.counts(),
    left: []
  }
  const plan = Plan.make(seed, Plan.sizes[size])
  const show = yield* ProgressBar.make("blows")
  const taken = yield* Ref.make(0)
  const over = yield* Ref.make(false)
  const chaos = Chaos.carryOut(plan, stage, ({ blows, note }) =>
    Effect.flatMap(Ref.get(taken), (orders) =>
      show({ done: blows, total: plan.length, note: `${orders} orders ${note}` })
    )
  )
  yield* Effect.all([order(world, taken, over), Effect.andThen(chaos, Ref.set(over, true))], { concurrency: 2 })
  // Two minutes, for which the short run has no time.
  if (size === "long") yield* Merchant.finish(world)

  const books = yield* Effect.provide(rest(world, stage.sandboxUrl), clientOf(stage.postgres))
  const orders = Array.from({ length: yield* Ref.get(taken) }, (_, index) => Orders.at(seed, index).key)
  const violations = Verdict.violations(books, world.answers, orders, stage.faults())
  if (violations.length > 0) stage.keep()
  return {
    seed,
    size,
    plan,
    books,
    violations,
    orders: orders.length,
    counts: world.counts,
    left: world.left.length,
    path: stage.path,
    seconds: (Date.now() - started) / 1000
  } satisfies Report.Run
})

/** One order after the other, several at a time, until it is over. */
const order = (world: Merchant.World, taken: Ref.Ref<number>, over: Ref.Ref<boolean>) => {
  const worker = Effect.gen(function* () {
    while (!(yield* Ref.get(over))) {
      const index = yield* Ref.getAndUpdate(taken, (count) => count + 1)
      yield* Merchant.carryOut(world, Orders.at(world.seed, index))
    }
  })
  return Effect.all(
    Array.from({ length: concurrency }, () => worker),
    { concurrency, discard: true }
  )
}

// --- At rest ------------------------------------------------------------------

/** The relay's lease on the outbox, 30 seconds, is the longest that a kill can hold anything up. */
const restMillis = 60_000

/** Waits until nothing is owed, or as long as that may take, and reads everything. */
const rest = Effect.fnUntraced(function* (world: Merchant.World, sandboxUrl: string) {
  yield* until(({ due, held }) => due === held)
  const waiting = yield* StoredBooks.held
  yield* Effect.forEach(waiting, ({ id }) => Merchant.close(world, id, `close-${id}`), { concurrency })
  yield* until(({ due, outbox }) => due === 0 && outbox === 0)
  return yield* StoredBooks.read(sandboxUrl)
})

const until = (isRest: (owed: StoredBooks.Owed) => boolean) =>
  StoredBooks.owed.pipe(
    Effect.repeat({ until: isRest, schedule: Schedule.spaced("250 millis") }),
    Effect.timeoutOption(restMillis)
  )

const clientOf = ({ server: { database, socketDir, username } }: Postgres) =>
  PgClient.layer({ host: socketDir, username, database, maxConnections: 2 })

// --- The command ---------------------------------------------------------------

const main = Effect.gen(function* () {
  const asked = yield* Effect.fromResult(Arguments.parse(process.argv.slice(2)))
  process.stderr.write(`seed ${asked.seed}\n`)
  const ended = yield* Effect.scoped(run(asked))
  yield* Console.log(Report.text(ended))
  return ended.violations.length
})

NodeRuntime.runMain(
  main.pipe(
    Effect.tap((violations) => Effect.sync(() => void (process.exitCode = violations > 0 ? 1 : 0))),
    Effect.tapCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.sync(() => process.stderr.write(`${Complaint.of(cause)}\n`))
    ),
    // Standard output is the report's alone.
    Effect.provide(RedactingLogger.layer)
  ),
  { disableErrorReporting: true }
)
