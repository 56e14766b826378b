/**
 * The tables, as steps that run once each, in order, under a lock.
 *
 * Everything is in the schema `florin`, so that a database may be shared. A
 * step that has been released never changes; a change is a new step.
 *
 * - `streams`: the head of each payment's stream: how many events, who holds
 *   it, when something is owed.
 * - `events`: the truth. `position` counts globally but commits out of order;
 *   with `xid` a reader stops before transactions that are still open.
 * - `payments`: the read model, one view a payment. Its columns are generated
 *   from the view, so that they cannot disagree with it.
 * - `idempotency`, `outbox`, `dead_letters`, `locks`: as their adapters say.
 * - `audit`: the audit log, one link of its chain a row, which triggers refuse
 *   to change; `audit_head` says how far it reaches.
 * - `ledger_heads`, `ledger_blocks`, `ledger_sources`: the ledger's journal, as
 *   `SqlLedgerJournal` says; `ledger_snapshots` and their parts are derived from it.
 * - `ledger_handlers`, `ledger_dead_letters`: as `LedgerSubscriptions` says.
 * - `flows`: the head of each flow, with what its status and its due moment
 *   are; `flow_events` is the truth of it, `flow_contexts` what handlers share.
 * - `webhook_*`: webhooks of gateways and to merchants, in `SqlWebhookTables`.
 * - `saga*`: runs of sagas, in `SqlSagaTables`.
 * - `subscriptions` and their events, `invoices`: in `SqlSubscriptionTables`.
 * - `stock` and `stock_events`, in `SqlStockTables`.
 * - `append`, the function that writes to most of them, in `SqlAppendFunction`.
 */
import { Effect, Layer } from "effect"
import * as Migrator from "effect/sql/Migrator"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as SqlAppendFunction from "./SqlAppendFunction.ts"
import * as SqlWebhookTables from "./SqlWebhookTables.ts"
import * as SqlSubscriptionTables from "./SqlSubscriptionTables.ts"
import * as SqlSagaTables from "./SqlSagaTables.ts"
import * as SqlStockTables from "./SqlStockTables.ts"

/** One statement a call: the wire protocol's prepared statements hold no more. */
const statements = (...texts: ReadonlyArray<string>) =>
  Effect.flatMap(SqlClient, (sql) => Effect.forEach(texts, (text) => sql.unsafe(text), { discard: true }))

const payments = statements(
  // Half-full pages keep an update of a row beside it, without touching the indexes.
  `create table florin.streams (
    payment text collate "C" primary key,
    merchant text not null,
    version integer not null,
    token bigint not null,
    owner text,
    lease_until timestamptz,
    due timestamptz
  ) with (fillfactor = 50)`,
  `create index streams_due on florin.streams (due, payment) where due is not null`,
  `create table florin.events (
    payment text collate "C" not null,
    version integer not null,
    position bigint generated always as identity,
    merchant text not null,
    type text not null,
    data jsonb not null,
    at timestamptz not null,
    xid xid8 not null default pg_current_xact_id(),
    primary key (payment, version)
  )`,
  `create index events_order on florin.events (xid, position)`,
  `create table florin.payments (
    id text collate "C" primary key,
    version integer not null,
    view jsonb not null,
    merchant text generated always as (view ->> 'merchant') stored,
    status text generated always as (view ->> 'status') stored,
    currency text generated always as (view ->> 'currency') stored,
    amount_minor bigint generated always as ((view ->> 'amountMinor')::bigint) stored,
    captured_minor bigint generated always as ((view ->> 'capturedMinor')::bigint) stored,
    refunded_minor bigint generated always as ((view ->> 'refundedMinor')::bigint) stored,
    disputed_minor bigint generated always as ((view ->> 'disputedMinor')::bigint) stored,
    customer text generated always as (view ->> 'customer') stored,
    created_millis bigint generated always as ((view ->> 'createdAt')::bigint) stored
  ) with (fillfactor = 50)`,
  `create index payments_customer on florin.payments (merchant, customer, created_millis) where customer is not null`
)

const delivery = statements(
  `create table florin.outbox (
    payment text collate "C" not null,
    version integer not null,
    position bigint not null,
    failures integer not null default 0,
    owner text,
    lease_until timestamptz,
    retry_at timestamptz,
    primary key (payment, version)
  )`,
  `create index outbox_position on florin.outbox (position)`,
  `create table florin.dead_letters (
    payment text collate "C" not null,
    version integer not null,
    failures integer not null,
    error text not null,
    at timestamptz not null,
    primary key (payment, version)
  )`
)

const coordination = statements(
  `create table florin.idempotency (
    merchant text not null,
    key text collate "C" not null,
    fingerprint text not null,
    payment text collate "C",
    owner text,
    lease_until timestamptz,
    answer jsonb,
    primary key (merchant, key)
  )`,
  `create unique index idempotency_payment on florin.idempotency (payment) where payment is not null`,
  `create table florin.locks (
    name text primary key,
    owner text,
    lease_until timestamptz not null,
    token bigint not null
  )`
)

const listing = statements(
  `create index payments_newest on florin.payments (created_millis, id)`,
  `create index payments_newest_of_merchant on florin.payments (merchant, created_millis, id)`,
  // An index of all statuses would be written by nearly every append: it costs an append's update of the row
  // half as much again. Most payments pass through these four, and so never write this one.
  `alter table florin.payments add column unusual text generated always as (
    case when view ->> 'status' not in ('initiated', 'authenticated', 'processing', 'succeeded') then view ->> 'status' end
  ) stored`,
  `create index payments_unusual on florin.payments (merchant, unusual, created_millis, id) where unusual is not null`
)

const audit = statements(
  // The entry is text, because its hash is of that text; what is looked for in it is generated from it.
  `create table florin.audit (
    sequence bigint primary key,
    hash text not null,
    entry text not null,
    payment text collate "C" generated always as (entry::jsonb ->> 'payment') stored,
    asked bigint generated always as ((entry::jsonb ->> 'asked')::bigint) stored
  )`,
  `create index audit_payment on florin.audit (payment, sequence) where payment is not null`,
  `create table florin.audit_head (
    is_head boolean primary key default true check (is_head),
    sequence bigint not null,
    hash text not null
  )`,
  `insert into florin.audit_head (sequence, hash) values (0, repeat('0', 64))`,
  `create function florin.refuse_change() returns trigger language plpgsql as $$
  begin
    raise exception 'florin.% is append-only: % is refused', tg_table_name, lower(tg_op);
  end $$`,
  `create trigger audit_append_only before update or delete on florin.audit
    for each row execute function florin.refuse_change()`,
  `create trigger audit_no_truncate before truncate on florin.audit
    for each statement execute function florin.refuse_change()`,
  `create trigger audit_head_forward before update on florin.audit_head
    for each row when (new.sequence <= old.sequence) execute function florin.refuse_change()`,
  `create trigger audit_head_stays before delete on florin.audit_head
    for each row execute function florin.refuse_change()`,
  `create trigger audit_head_no_truncate before truncate on florin.audit_head
    for each statement execute function florin.refuse_change()`
)

const ledger = statements(
  `create table florin.ledger_heads (
    ledger text collate "C" primary key,
    sequence bigint not null
  ) with (fillfactor = 50)`,
  `create table florin.ledger_blocks (
    ledger text collate "C" not null,
    first bigint not null,
    count bigint not null,
    at timestamptz not null,
    line bigint not null,
    to_line bigint not null,
    to_byte bigint not null,
    to_checksum bigint not null,
    words text not null,
    events bytea not null,
    checksum bigint not null,
    primary key (ledger, first)
  )`,
  // Packed events are small already, and to compress them takes ten times as long as to write them.
  `alter table florin.ledger_blocks alter column events set storage external`,
  `create table florin.ledger_sources (
    ledger text collate "C" not null,
    source text collate "C" not null,
    line bigint not null,
    byte bigint not null,
    checksum bigint not null,
    primary key (ledger, source)
  ) with (fillfactor = 50)`,
  `create table florin.ledger_snapshots (
    ledger text collate "C" not null,
    sequence bigint not null,
    at timestamptz not null,
    parts bigint not null,
    primary key (ledger, sequence)
  )`,
  `create table florin.ledger_snapshot_parts (
    ledger text collate "C" not null,
    sequence bigint not null,
    part bigint not null,
    bytes bytea not null,
    checksum bigint not null,
    primary key (ledger, sequence, part),
    foreign key (ledger, sequence) references florin.ledger_snapshots (ledger, sequence) on delete cascade
  )`,
  `alter table florin.ledger_snapshot_parts alter column bytes set storage external`
)

const ledgerHandlers = statements(
  `create table florin.ledger_handlers (
    ledger text collate "C" not null,
    handler text collate "C" not null,
    sequence bigint not null,
    primary key (ledger, handler)
  )`,
  `create table florin.ledger_dead_letters (
    ledger text collate "C" not null,
    handler text collate "C" not null,
    sequence bigint not null,
    event jsonb not null,
    recorded_at timestamptz not null,
    failures integer not null,
    error text not null,
    at timestamptz not null,
    is_returned boolean not null default false,
    primary key (ledger, handler, sequence)
  )`
)

const flows = statements(
  `create table florin.flows (
    id text collate "C" primary key,
    name text not null,
    key text collate "C" not null,
    worker text not null,
    context text collate "C" not null,
    fingerprint text not null,
    version integer not null,
    status text not null,
    due timestamptz,
    dispatched_at timestamptz not null,
    unique (name, key)
  ) with (fillfactor = 50)`,
  `create index flows_due on florin.flows (worker, due, id) where due is not null`,
  `create index flows_newest on florin.flows (dispatched_at, id)`,
  `create table florin.flow_events (
    flow text collate "C" not null,
    version integer not null,
    data jsonb not null,
    primary key (flow, version)
  )`,
  `create table florin.flow_contexts (
    id text collate "C" primary key,
    version integer not null,
    entries jsonb not null
  )`
)

/** `if not exists` looks before it writes: when two write, one is refused after the other's is there. */
const schema = Effect.retry(statements(`create schema if not exists florin`), {
  times: 1,
  while: ({ reason }) => reason._tag === "UniqueViolation"
})

/** Snapshots of the bare books, and those of the service, which knows more than its books. */
const ledgerSnapshotKinds = statements(
  `alter table florin.ledger_snapshot_parts
    drop constraint ledger_snapshot_parts_ledger_sequence_fkey,
    drop constraint ledger_snapshot_parts_pkey,
    add column kind text collate "C" not null default 'books'`,
  `alter table florin.ledger_snapshots
    drop constraint ledger_snapshots_pkey,
    add column kind text collate "C" not null default 'books',
    add primary key (ledger, kind, sequence)`,
  `alter table florin.ledger_snapshot_parts
    add primary key (ledger, kind, sequence, part),
    add foreign key (ledger, kind, sequence)
      references florin.ledger_snapshots (ledger, kind, sequence) on delete cascade`
)

/** Every step, in order. */
const steps = {
  "0001_payments": payments,
  "0002_delivery": delivery,
  "0003_coordination": coordination,
  "0004_append": statements(SqlAppendFunction.create),
  "0005_listing": listing,
  "0006_audit": audit,
  "0007_ledger": ledger,
  "0008_ledger_handlers": ledgerHandlers,
  "0009_webhooks": statements(...SqlWebhookTables.create),
  "0010_flows": flows,
  "0011_sagas": statements(...SqlSagaTables.create),
  "0012_subscriptions": statements(...SqlSubscriptionTables.create),
  "0013_inventory": statements(...SqlStockTables.create),
  "0014_ledger_snapshot_kinds": ledgerSnapshotKinds,
  "0015_reorder": statements(...SqlStockTables.watch)
}

const table = "florin.migrations"

/** Brings the database up to date. Processes that start together wait for one of them. */
export const migrate: Effect.Effect<void, Migrator.MigrationError | SqlError, SqlClient> = Effect.gen(function* () {
  yield* schema
  yield* Migrator.make({})({ loader: Migrator.fromRecord(steps), table })
})

/** The steps that the database lacks: all of them, when it was never florin's. Looks, and changes nothing. */
export const lacking: Effect.Effect<
  { readonly steps: ReadonlyArray<string>; readonly isFlorins: boolean },
  SqlError,
  SqlClient
> = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [found] = yield* sql<{ readonly is: boolean }>`select to_regclass(${table}) is not null as is`
  const rows =
    found?.is === true ? yield* sql<{ readonly id: number }>`select migration_id as id from ${sql(table)}` : []
  const done = new Set(rows.map(({ id }) => id))
  return { steps: Object.keys(steps).filter((name) => !done.has(Number.parseInt(name, 10))), isFlorins: done.size > 0 }
})

export const layer: Layer.Layer<never, Migrator.MigrationError | SqlError, SqlClient> = Layer.effectDiscard(migrate)
