/**
 * `npm run bench`: what florin costs beside a peer, in one run.
 *
 *     npm run bench                    all of it, some eight minutes
 *     npm run bench -- --quick         all of it in seconds, to see that it runs
 *     npm run bench -- money decider   only these
 *     npm run bench -- --json          the same as JSON
 *
 * The report goes to standard output, progress to standard error. Exit codes:
 * 0; 1 with one line that says why; 130 on Ctrl-C. The database and its
 * directory are gone at the end of each.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Console, Effect } from "effect"
import * as Complaint from "../src/edge/cli/Complaint.ts"
import * as RedactingLogger from "../src/infra/telemetry/RedactingLogger.ts"
import * as Arguments from "./Arguments.ts"
import * as BenchDatabase from "./BenchDatabase.ts"
import * as ColdStart from "./ColdStart.ts"
import * as Contest from "./Contest.ts"
import * as Decider from "./Decider.ts"
import * as HeldPayments from "./HeldPayments.ts"
import * as Ledger from "./Ledger.ts"
import * as Lifecycle from "./Lifecycle.ts"
import * as ManyPayments from "./ManyPayments.ts"
import * as MemoryLifecycle from "./MemoryLifecycle.ts"
import * as MoneyArithmetic from "./MoneyArithmetic.ts"
import * as PeakMemory from "./PeakMemory.ts"
import * as Report from "./Report.ts"
import * as SagaSubject from "./SagaSubject.ts"
import * as StoredPayment from "./StoredPayment.ts"
import * as WholePayment from "./WholePayment.ts"

const computing = {
  money: MoneyArithmetic.subject,
  decider: Decider.subject,
  memory: MemoryLifecycle.subject,
  held: HeldPayments.subject
}
/** Over files, without a database. */
const filing = { ledger: Ledger.subject }
const storing = {
  stored: StoredPayment.subject,
  payment: WholePayment.subject,
  lifecycle: Lifecycle.subject,
  peak: PeakMemory.subject,
  start: ColdStart.subject,
  many: ManyPayments.subject,
  saga: SagaSubject.subject
}

const tell = (name: string) => process.stderr.write(`measuring ${name}\n`)

/** Those of `all` that were asked for, in its own order. */
const chosen = <A>(all: Record<string, A>, { subjects }: Arguments.Arguments) =>
  Object.entries(all).flatMap(([name, subject]) => (subjects.includes(name) ? [subject] : []))

const measure = Effect.fnUntraced(function* (asked: Arguments.Arguments) {
  const pace = asked.quick ? Contest.quick : Contest.full
  const rows: Array<Contest.Row> = []
  const notes: Array<string> = []

  for (const make of chosen(computing, asked)) {
    const subject = make(pace)
    rows.push(...(yield* Contest.runAll(subject, tell)))
    notes.push(...subject.notes)
  }

  for (const make of chosen(filing, asked)) {
    const measured = Effect.gen(function* () {
      const subject = yield* make(pace)
      rows.push(...(yield* Contest.runAll(subject, tell)))
      notes.push(...subject.notes)
    })
    yield* Effect.scoped(measured)
  }

  const stored = Effect.gen(function* () {
    for (const make of chosen(storing, asked)) {
      const subject = yield* make(pace)
      rows.push(...(yield* Contest.runAll(subject, tell)))
      notes.push(...subject.notes)
    }
    return yield* BenchDatabase.describe
  })
  const needsDatabase = chosen(storing, asked).length > 0
  const postgres = needsDatabase ? yield* Effect.provide(Effect.scoped(stored), BenchDatabase.layer) : undefined
  return { machine: Report.machine(postgres), pace, rows, notes } satisfies Report.Report
})

const main = Effect.gen(function* () {
  const names = [...Object.keys(computing), ...Object.keys(filing), ...Object.keys(storing)]
  const asked = yield* Effect.fromResult(Arguments.parse(process.argv.slice(2), names))
  const report = yield* measure(asked)
  yield* Console.log(asked.json ? Report.json(report) : Report.text(report))
})

NodeRuntime.runMain(
  main.pipe(
    Effect.tapCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.sync(() => process.stderr.write(`${Complaint.of(cause)}\n`))
    ),
    // Standard output is the report's alone.
    Effect.provide(RedactingLogger.layer)
  ),
  { disableErrorReporting: true }
)
