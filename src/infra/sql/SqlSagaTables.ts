/**
 * The tables of sagas, for `SqlMigrations`.
 *
 * - `sagas`: one run a row. What its columns show is without secrets; `sealed_*`
 *   is what the engine goes on from, secrets included.
 * - `saga_questions`: what runs wait for from outside, and what was said about it.
 * - `saga_rates`, `saga_periods`, `saga_orders`: what `Turnstile` counts.
 *
 * JSON is text: nothing asks what is in it, and text keeps a number as it was written.
 */
export const create: ReadonlyArray<string> = [
  // Half-full pages keep the update at a run's end beside it, without touching the indexes.
  `create table florin.sagas (
    execution text collate "C" primary key,
    saga text not null,
    key text collate "C",
    status text not null,
    generation integer not null,
    purpose text not null,
    started_millis bigint not null,
    settled_millis bigint,
    is_cancel_asked boolean not null default false,
    input text not null,
    result text,
    step text,
    error text,
    rollback_failures text not null default '[]',
    sealed_input text not null,
    sealed_journal text not null default '{}',
    sealed_unfinished text not null default '[]',
    sealed_result text,
    is_purged boolean not null default false
  ) with (fillfactor = 50)`,
  `create unique index sagas_key on florin.sagas (saga, key) where key is not null`,
  `create index sagas_running on florin.sagas (started_millis) where status = 'running'`,
  `create index sagas_newest on florin.sagas (started_millis, execution)`,
  `create index sagas_unpurged on florin.sagas (settled_millis) where not is_purged and settled_millis is not null`,
  `create table florin.saga_questions (
    execution text collate "C" not null,
    generation integer not null,
    name text collate "C" not null,
    saga text not null,
    step text not null,
    correlation text not null,
    attempts_left integer,
    wake text,
    primary key (execution, generation, name)
  )`,
  `create index saga_questions_correlation on florin.saga_questions (saga, correlation)`,
  `create table florin.saga_rates (
    name text collate "C" not null,
    window_millis bigint not null,
    started_millis bigint not null,
    count integer not null,
    primary key (name, window_millis)
  )`,
  `create table florin.saga_periods (
    name text collate "C" not null,
    bucket text collate "C" not null,
    execution text not null,
    primary key (name, bucket)
  )`,
  `create table florin.saga_orders (
    name text collate "C" primary key,
    next bigint not null,
    issued bigint not null,
    has_failed boolean not null
  )`
]
