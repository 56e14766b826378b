/**
 * `SandboxBooks` on PostgreSQL, in two tables of the current schema.
 *
 * The key is locked first, because a key that is new has no row to lock, then
 * its charge, whose row two keys may want. Each is one statement of its own, so
 * that the next one sees what the lock waited for.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { isSqlError } from "effect/sql/SqlError"
import { Fingerprint } from "../../domain/Idempotency.ts"
import { Instant } from "../../domain/Instant.ts"
import { Answer, Reference } from "../../domain/payment/Gateway.ts"
import { OperationId } from "../../domain/payment/Operation.ts"
import { unavailable } from "../sql/SqlStorage.ts"
import type { StoredOperation } from "./Sandbox.ts"
import { SandboxBooks } from "./SandboxBooks.ts"
import { Charge } from "./SandboxCharge.ts"

/** The first of an advisory lock's two numbers: "sand" in ASCII, so that nobody else's keys are waited for. */
const lockSpace = 0x73616e64

// --- Tables -----------------------------------------------------------------

/** Makes the tables unless they are there. Processes that start together wait for one of them. */
export const migrate: Effect.Effect<void, SqlError, SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql`select pg_advisory_xact_lock(${lockSpace}, 0)`
  yield* sql`
    create table if not exists sandbox_charges (
      reference text collate "C" primary key,
      operation text not null,
      payment text not null,
      merchant text not null,
      method text not null,
      currency text not null,
      amount_minor bigint not null,
      capture text not null,
      status text not null,
      captured_minor bigint not null check (captured_minor between 0 and greatest(amount_minor, 0)),
      refunded_minor bigint not null check (refunded_minor between 0 and captured_minor),
      return_url text
    )`
  yield* sql`
    create table if not exists sandbox_operations (
      key text collate "C" primary key,
      kind text not null,
      reference text collate "C" not null,
      fingerprint text not null,
      first_sent_millis bigint not null,
      run integer not null,
      sends integer not null,
      lookups integer not null,
      answer jsonb
    )`
}).pipe((statements) => Effect.flatMap(SqlClient, (sql) => sql.withTransaction(statements)))

// --- Rows -------------------------------------------------------------------

const decodeCharge = Schema.decodeUnknownSync(Schema.toType(Charge))

const chargeOf = ({ returnUrl, ...row }: { readonly returnUrl: string | null }): Charge =>
  decodeCharge(returnUrl === null ? row : { ...row, returnUrl })

const StoredAnswer = Schema.toCodecJson(Answer)
const decodeAnswer = Schema.decodeUnknownSync(StoredAnswer)
const encodeAnswer = Schema.encodeSync(Schema.fromJsonString(StoredAnswer))

interface OperationRow extends Omit<StoredOperation, "key" | "reference" | "fingerprint" | "at" | "answer"> {
  readonly key: string
  readonly reference: string
  readonly fingerprint: string
  readonly firstSentMillis: bigint
  readonly answer: unknown
}

const operationOf = ({
  answer,
  firstSentMillis,
  fingerprint,
  key,
  reference,
  ...row
}: OperationRow): StoredOperation => ({
  ...row,
  key: OperationId.make(key),
  reference: Reference.make(reference),
  fingerprint: Fingerprint.make(fingerprint),
  at: Instant.make(Number(firstSentMillis)),
  answer: answer === null ? undefined : decodeAnswer(answer)
})

// --- Books ------------------------------------------------------------------

export const layer: Layer.Layer<SandboxBooks, never, SqlClient> = Layer.effect(
  SandboxBooks,
  Effect.gen(function* () {
    // Names are as written here, whatever the process's client makes of its own.
    const sql = (yield* SqlClient).withoutTransforms()

    const columns = sql.literal(`
      reference, operation, payment, merchant, method, currency, amount_minor as "amountMinor", capture, status,
      captured_minor as "capturedMinor", refunded_minor as "refundedMinor", return_url as "returnUrl"`)

    const lock = (key: OperationId) => sql`select pg_advisory_xact_lock(${lockSpace}, hashtext(${key}))`

    const operationUnder = (key: OperationId) =>
      sql<OperationRow>`
        select key, kind, reference, fingerprint, first_sent_millis as "firstSentMillis", run, sends, lookups, answer
        from sandbox_operations where key = ${key}`.pipe(
        Effect.map(([row]) => (row === undefined ? undefined : operationOf(row)))
      )

    const chargeForUpdate = (reference: Reference) =>
      sql<{ readonly returnUrl: string | null }>`
        select ${columns} from sandbox_charges where reference = ${reference} for update`.pipe(
        Effect.map(([row]) => (row === undefined ? undefined : chargeOf(row)))
      )

    const writeCharge = (charge: Charge) => sql`
      insert into sandbox_charges (
        reference, operation, payment, merchant, method, currency, amount_minor, capture, status,
        captured_minor, refunded_minor, return_url
      ) values (
        ${charge.reference}, ${charge.operation}, ${charge.payment}, ${charge.merchant}, ${charge.method},
        ${charge.currency}, ${charge.amountMinor}, ${charge.capture}, ${charge.status},
        ${charge.capturedMinor}, ${charge.refundedMinor}, ${charge.returnUrl ?? null}
      ) on conflict (reference) do update set
        status = excluded.status, captured_minor = excluded.captured_minor, refunded_minor = excluded.refunded_minor`

    const writeOperation = ({
      answer,
      at,
      fingerprint,
      key,
      kind,
      lookups,
      reference,
      run,
      sends
    }: StoredOperation) => sql`
      insert into sandbox_operations (
        key, kind, reference, fingerprint, first_sent_millis, run, sends, lookups, answer
      ) values (
        ${key}, ${kind}, ${reference}, ${fingerprint}, ${BigInt(at)}, ${run}, ${sends}, ${lookups},
        ${answer === undefined ? null : encodeAnswer(answer)}::jsonb
      ) on conflict (key) do update set
        kind = excluded.kind, reference = excluded.reference, fingerprint = excluded.fingerprint,
        first_sent_millis = excluded.first_sent_millis, run = excluded.run, sends = excluded.sends,
        lookups = excluded.lookups, answer = excluded.answer`

    return SandboxBooks.of({
      transact: (address, change) =>
        Effect.gen(function* () {
          yield* lock(address.key)
          const operation = yield* operationUnder(address.key)
          const reference = address.reference ?? operation?.reference
          const charge = reference === undefined ? undefined : yield* chargeForUpdate(reference)
          const [result, after] = change({ operation, charge })
          if (after.charge !== undefined && after.charge !== charge) yield* writeCharge(after.charge)
          if (after.operation !== undefined && after.operation !== operation) yield* writeOperation(after.operation)
          return result
        }).pipe(
          sql.withTransaction,
          // A connection that breaks takes the rollback with it, which the client reports as a defect.
          Effect.catchDefect((defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect))),
          // A gateway's books never roll back with its caller's transaction.
          Effect.updateContext((context: Context.Context<never>) => Context.omit(sql.transactionService)(context)),
          unavailable("SqlSandboxBooks.transact")
        ),
      charge: (reference) =>
        sql<{ readonly returnUrl: string | null }>`
          select ${columns} from sandbox_charges where reference = ${reference}`.pipe(
          Effect.map(([row]) => (row === undefined ? undefined : chargeOf(row))),
          unavailable("SqlSandboxBooks.charge")
        ),
      charges: (after, limit) =>
        sql<{ readonly returnUrl: string | null }>`
          select ${columns} from sandbox_charges where reference > ${after ?? ""} order by reference limit ${limit}`.pipe(
          Effect.map((rows) => rows.map(chargeOf)),
          unavailable("SqlSandboxBooks.charges")
        )
    })
  })
)
