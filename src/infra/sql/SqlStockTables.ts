/**
 * The tables of inventory, as the statements of their migration step.
 *
 * - `stock`: a product at a location, what its events have come to, and when
 *   something is owed next. What is reserved is counted from that state. `reorder_at`: from when on an order is wanted.
 * - `stock_events`: the truth. `key` is the operation's; `ended` the reservation that the event has ended.
 */

export const create: ReadonlyArray<string> = [
  `create function florin.reserved(state jsonb) returns bigint language sql immutable as $$
    select coalesce(sum((hold ->> 'quantity')::bigint), 0)::bigint from jsonb_array_elements(state -> 'holds') as hold
  $$`,
  // The state is what the events fold to; the check is the last to refuse a promise that cannot be kept.
  `create table florin.stock (
    product text collate "C" not null,
    location text collate "C" not null,
    version integer not null,
    state jsonb not null,
    due timestamptz,
    on_hand bigint generated always as ((state ->> 'onHand')::bigint) stored,
    reserved bigint generated always as (florin.reserved(state)) stored,
    primary key (product, location),
    check (reserved between 0 and on_hand)
  ) with (fillfactor = 50)`,
  `create index stock_due on florin.stock (due, product, location) where due is not null`,
  `create table florin.stock_events (
    product text collate "C" not null,
    location text collate "C" not null,
    version integer not null,
    type text not null,
    key text collate "C" not null,
    ended text collate "C",
    data jsonb not null,
    primary key (product, location, version)
  )`,
  // One operation, one key; one end to each reservation.
  `create unique index stock_events_key on florin.stock_events (product, location, key)`,
  `create unique index stock_events_ended on florin.stock_events (product, location, ended) where ended is not null`
]

/** None is watched yet where there is no column. */
export const watch: ReadonlyArray<string> = [
  `alter table florin.stock add column reorder_at timestamptz`,
  `create index stock_reorder on florin.stock (reorder_at, product, location) where reorder_at is not null`
]
