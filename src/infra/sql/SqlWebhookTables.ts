/**
 * The tables of webhooks.
 *
 * - `webhook_inbox`: what gateways delivered and is still to be applied;
 *   `webhook_seen` knows their events, `webhook_dead_letters` holds what was given up.
 * - `webhook_endpoints`: where merchants want to hear of events, secrets included.
 * - `webhook_deliveries`: an event for an endpoint, whether it was delivered or
 *   not; `webhook_attempts`: each try to deliver it.
 */

const inbox = [
  `create table florin.webhook_inbox (
    id text collate "C" primary key,
    gateway text not null,
    body bytea not null,
    received_at timestamptz not null,
    failures integer not null default 0,
    owner text,
    lease_until timestamptz,
    retry_at timestamptz not null
  )`,
  `create index webhook_inbox_due on florin.webhook_inbox (gateway, retry_at)`,
  `create table florin.webhook_seen (
    gateway text not null,
    key text collate "C" not null,
    at timestamptz not null,
    primary key (gateway, key)
  )`,
  `create index webhook_seen_at on florin.webhook_seen (at)`,
  `create table florin.webhook_dead_letters (
    id text collate "C" primary key,
    gateway text not null,
    body bytea not null,
    received_at timestamptz not null,
    failures integer not null,
    error text not null,
    died_at timestamptz not null
  )`
]

const outgoing = [
  `create table florin.webhook_endpoints (
    id text collate "C" primary key,
    data jsonb not null,
    merchant text not null generated always as (data ->> 'merchant') stored,
    enabled boolean not null generated always as ((data ->> 'enabled')::boolean) stored
  )`,
  `create index webhook_endpoints_merchant on florin.webhook_endpoints (merchant, id)`,
  `create table florin.webhook_deliveries (
    endpoint text collate "C" not null references florin.webhook_endpoints (id) on delete cascade,
    payment text collate "C" not null,
    version integer not null,
    position bigint not null,
    queued_at timestamptz not null,
    state text not null default 'pending',
    attempts integer not null default 0,
    first_at timestamptz,
    next_at timestamptz not null,
    owner text,
    lease_until timestamptz,
    primary key (endpoint, payment, version)
  )`,
  // What waits is little of what was ever delivered.
  `create index webhook_deliveries_waiting on florin.webhook_deliveries (endpoint, payment, version) where state <> 'delivered'`,
  `create index webhook_deliveries_due on florin.webhook_deliveries (endpoint, next_at) where state = 'pending'`,
  `create index webhook_deliveries_newest on florin.webhook_deliveries (endpoint, position)`,
  `create table florin.webhook_attempts (
    endpoint text collate "C" not null,
    payment text collate "C" not null,
    version integer not null,
    sequence bigint generated always as identity,
    at timestamptz not null,
    status integer,
    error text,
    latency_millis integer not null,
    primary key (endpoint, payment, version, sequence),
    foreign key (endpoint, payment, version) references florin.webhook_deliveries on delete cascade
  )`
]

export const create: ReadonlyArray<string> = [...inbox, ...outgoing]
