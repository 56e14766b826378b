/** `SagaRuns` on PostgreSQL: each of its questions is one statement. */
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Kept, OpenQuestion } from "../../adapters/SagaRuns.ts"
import { SagaRun, SagaRuns, Sealed } from "../../adapters/SagaRuns.ts"
import { Wake } from "../../domain/saga/StepOutcome.ts"
import { unavailable } from "./SqlStorage.ts"

export const layer: Layer.Layer<SagaRuns, never, SqlClient> = Layer.effect(
  SagaRuns,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    // PostgreSQL reads no JSON with an escaped NUL or half of a surrogate pair in it. No merchant's name is escaped.
    const readable = sql.literal(`regexp_replace(input, '\\\\u[0-9a-f]{4}', '\\\\u0020', 'gi')::json`)

    return SagaRuns.of({
      begin: Effect.fn("SqlSagaRuns.begin")(function* ({ at, execution, input, key, saga, sealed }) {
        const [row] = yield* sql<Row>`
          insert into florin.sagas (execution, saga, key, status, generation, purpose, started_millis, input, sealed_input)
          values (${execution}, ${saga}, ${key ?? null}, 'running', 1, 'run', ${BigInt(at)}, ${JSON.stringify(input)},
            ${JSON.stringify(sealed)})
          on conflict do nothing returning *`.pipe(unavailable("begin"))
        if (row !== undefined) return { isNew: true, kept: keptOf(row) }
        // Who asks for an id that is there means that run, whatever key it has.
        const [first] = yield* sql<Row>`
          select * from florin.sagas where execution = ${execution} or (saga = ${saga} and key = ${key ?? null})
          order by execution = ${execution} desc limit 1`.pipe(unavailable("begin"))
        return { isNew: false, kept: keptOf(first!) }
      }),
      get: Effect.fn("SqlSagaRuns.get")(function* (execution) {
        const [row] = yield* sql<Row>`select * from florin.sagas where execution = ${execution}`.pipe(
          unavailable("get")
        )
        return Option.map(Option.fromUndefinedOr(row), keptOf)
      }),
      keyed: Effect.fn("SqlSagaRuns.keyed")(function* (saga, key) {
        const [row] = yield* sql<Row>`select * from florin.sagas where saga = ${saga} and key = ${key}`.pipe(
          unavailable("keyed")
        )
        return Option.map(Option.fromUndefinedOr(row), keptOf)
      }),
      find: Effect.fn("SqlSagaRuns.find")(function* ({ after, limit = 100, merchant, saga, status }) {
        // As `merchantOf` has it.
        const rows = yield* sql<Row>`
          select * from florin.sagas
          where (${saga ?? null}::text is null or saga = ${saga ?? null})
            and (${status ?? null}::text is null or status = ${status ?? null})
            and (${merchant ?? null}::text is null or coalesce(
              ${readable} #>> '{order,merchant}', ${readable} ->> 'merchant', ${merchant ?? null}) = ${merchant ?? null})
            and (${after?.execution ?? null}::text is null or (started_millis, execution) <
              (${after === undefined ? null : BigInt(after.startedAt)}::bigint, ${after?.execution ?? null}))
          order by started_millis desc, execution desc limit ${limit}`.pipe(unavailable("find"))
        return rows.map((row) => keptOf(row).run)
      }),
      settle: Effect.fn("SqlSagaRuns.settle")(function* (settlement) {
        const { at, ending, error, execution, generation, result, rollbackFailures, sealed, step } = settlement
        const rows = yield* sql`
          with settled as (
            update florin.sagas set status = ${ending}, settled_millis = ${BigInt(at)}, result = ${text(result)},
              step = ${step ?? null}, error = ${text(error)}, rollback_failures = ${JSON.stringify(rollbackFailures)},
              sealed_journal = ${JSON.stringify(sealed.journal)}, sealed_result = ${text(sealed.result)},
              sealed_unfinished = ${JSON.stringify(sealed.unfinished)}, is_purged = false
            where execution = ${execution} and generation = ${generation} and status = 'running'
            returning execution
          ), closed as (
            delete from florin.saga_questions where execution in (select execution from settled)
          )
          select execution from settled`.pipe(unavailable("settle"))
        return rows.length > 0
      }),
      answer: Effect.fn("SqlSagaRuns.answer")(function* (execution, generation, shown, sealed) {
        yield* sql`
          update florin.sagas set result = ${JSON.stringify(shown)}, sealed_result = ${JSON.stringify(sealed)}
          where execution = ${execution} and generation = ${generation} and status = 'running'`.pipe(
          unavailable("answer")
        )
      }),
      goOn: Effect.fn("SqlSagaRuns.goOn")(function* (execution, generation, purpose) {
        const rows = yield* sql`
          update florin.sagas set status = 'running', generation = generation + 1, purpose = ${purpose},
            settled_millis = null, is_cancel_asked = false, result = null, sealed_result = null, step = null,
            error = null, rollback_failures = '[]'
          where execution = ${execution} and generation = ${generation} and status <> 'running'
          returning execution`.pipe(unavailable("goOn"))
        return rows.length > 0
      }),
      running: Effect.map(
        sql<Row>`select * from florin.sagas where status = 'running' order by started_millis`.pipe(
          unavailable("running")
        ),
        (rows) => rows.map(keptOf)
      ),
      askCancel: Effect.fn("SqlSagaRuns.askCancel")(function* (execution) {
        const rows = yield* sql`
          update florin.sagas set is_cancel_asked = true where execution = ${execution} and status = 'running'
          returning execution`.pipe(unavailable("askCancel"))
        return rows.length > 0
      }),
      cancelled: Effect.map(
        sql<{ readonly execution: string }>`
          select execution from florin.sagas where status = 'running' and is_cancel_asked`.pipe(
          unavailable("cancelled")
        ),
        (rows) => new Set(rows.map(({ execution }) => execution))
      ),
      open: Effect.fn("SqlSagaRuns.open")(function* ({
        attemptsLeft,
        correlation,
        execution,
        generation,
        name,
        saga,
        step
      }) {
        yield* sql`
          insert into florin.saga_questions (execution, generation, name, saga, step, correlation, attempts_left)
          values (${execution}, ${generation}, ${name}, ${saga}, ${step}, ${correlation}, ${attemptsLeft ?? null})
          on conflict do nothing`.pipe(unavailable("open"))
      }),
      questions: Effect.fn("SqlSagaRuns.questions")(function* (of) {
        const where =
          "execution" in of
            ? sql`execution = ${of.execution}`
            : sql`saga = ${of.saga} and correlation = ${of.correlation}`
        const rows = yield* sql<QuestionRow>`
          select * from florin.saga_questions where ${where} and wake is null order by execution, name`.pipe(
          unavailable("questions")
        )
        return rows.map(questionOf)
      }),
      close: Effect.fn("SqlSagaRuns.close")(function* ({ execution, generation, name }, wake) {
        const rows = yield* sql`
          update florin.saga_questions set wake = ${JSON.stringify(wake)}
          where execution = ${execution} and generation = ${generation} and name = ${name} and wake is null
          returning name`.pipe(unavailable("close"))
        return rows.length > 0
      }),
      said: Effect.map(
        sql<QuestionRow & { readonly wake: string }>`
          select * from florin.saga_questions where wake is not null`.pipe(unavailable("said")),
        (rows) => rows.map((row) => ({ question: questionOf(row), wake: decodeWake(row.wake) }))
      ),
      refuse: Effect.fn("SqlSagaRuns.refuse")(function* ({ execution, generation, name }) {
        const [row] = yield* sql<QuestionRow>`
          update florin.saga_questions set attempts_left = attempts_left - 1
          where execution = ${execution} and generation = ${generation} and name = ${name} and wake is null
          returning *`.pipe(unavailable("refuse"))
        return Option.map(Option.fromUndefinedOr(row), questionOf)
      })
    })
  })
)

// --- Rows -------------------------------------------------------------------

interface Row {
  readonly execution: string
  readonly saga: string
  readonly key: string | null
  readonly status: string
  readonly generation: number
  readonly purpose: string
  readonly started_millis: bigint
  readonly settled_millis: bigint | null
  readonly is_cancel_asked: boolean
  readonly input: string
  readonly result: string | null
  readonly step: string | null
  readonly error: string | null
  readonly rollback_failures: string
  readonly sealed_input: string
  readonly sealed_journal: string
  readonly sealed_unfinished: string
  readonly sealed_result: string | null
}

const text = (json: unknown): string | null => (json === undefined ? null : JSON.stringify(json))

const decodeRun = Schema.decodeUnknownSync(SagaRun)
const decodeSealed = Schema.decodeUnknownSync(Sealed)
const decodeWake = Schema.decodeUnknownSync(Schema.fromJsonString(Wake))

const keptOf = (row: Row): Kept => ({
  run: decodeRun({
    execution: row.execution,
    saga: row.saga,
    ...present("key", row.key),
    status: row.status,
    generation: row.generation,
    purpose: row.purpose,
    startedAt: Number(row.started_millis),
    ...present("settledAt", row.settled_millis === null ? null : Number(row.settled_millis)),
    isCancelAsked: row.is_cancel_asked,
    input: JSON.parse(row.input),
    ...parsed("result", row.result),
    ...present("step", row.step),
    ...parsed("error", row.error),
    rollbackFailures: JSON.parse(row.rollback_failures)
  }),
  sealed: decodeSealed({
    input: JSON.parse(row.sealed_input),
    journal: JSON.parse(row.sealed_journal),
    unfinished: JSON.parse(row.sealed_unfinished),
    ...parsed("result", row.sealed_result)
  })
})

const present = (name: string, value: unknown) => (value === null ? {} : { [name]: value })
const parsed = (name: string, value: string | null) => (value === null ? {} : { [name]: JSON.parse(value) as unknown })

interface QuestionRow {
  readonly execution: string
  readonly generation: number
  readonly name: string
  readonly saga: string
  readonly step: string
  readonly correlation: string
  readonly attempts_left: number | null
}

const questionOf = (row: QuestionRow): OpenQuestion => ({
  execution: row.execution,
  generation: row.generation,
  name: row.name,
  saga: row.saga,
  step: row.step,
  correlation: row.correlation,
  attemptsLeft: row.attempts_left ?? undefined
})
