/**
 * The tables of subscriptions: `subscriptions` and `subscription_events` are for them what `streams`, `payments` and `events`
 * are for payments; `invoices` is each merchant's register, numbered by `invoice_numbers`.
 */
export const create = [
  `create table florin.subscriptions (
    id text collate "C" primary key,
    merchant text collate "C" not null,
    version integer not null,
    due timestamptz,
    view jsonb not null
  ) with (fillfactor = 50)`,
  `create index subscriptions_due on florin.subscriptions (due, id) where due is not null`,
  `create index subscriptions_of_merchant on florin.subscriptions (merchant, id)`,
  `create table florin.subscription_events (
    subscription text collate "C" not null,
    version integer not null,
    type text not null,
    data jsonb not null,
    at timestamptz not null,
    primary key (subscription, version)
  )`,
  // A merchant's last number: its row is locked until the append commits, and what is rolled back takes no number.
  `create table florin.invoice_numbers (
    merchant text collate "C" primary key,
    last bigint not null
  )`,
  `create table florin.invoices (
    merchant text collate "C" not null,
    number bigint not null,
    id text collate "C" not null unique,
    subscription text collate "C" not null,
    invoice jsonb not null,
    primary key (merchant, number)
  )`,
  `create index invoices_of_subscription on florin.invoices (subscription, number)`
]
