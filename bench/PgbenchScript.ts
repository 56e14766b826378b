/**
 * One payment as `pgbench` makes it: four statements, each one append with its
 * events, its outbox entries, its key and its view, in florin's own tables. It
 * is what florin would send if every append were a statement of its own.
 *
 * pgbench computes nothing but the payment's id, so that all payments have the
 * same events. Ids ascend within a client, as florin's do by time.
 */
import * as Idempotency from "../src/domain/Idempotency.ts"
import * as SamplePayment from "./SamplePayment.ts"
import * as StoredSteps from "./StoredSteps.ts"

/** Texts that the script names as `:name`; pgbench binds them as parameters. */
export const variables = (): Readonly<Record<string, string>> => {
  const { merchant, request, runner } = SamplePayment
  const { amount, ...rest } = request
  return {
    n: "0",
    merchant,
    owner: runner,
    until: "2100-01-01 00:00:00+00",
    fingerprint: Idempotency.fingerprint({ ...rest, amount: { ...amount, minor: String(amount.minor) } }),
    ...Object.fromEntries(
      StoredSteps.make().flatMap(({ events, view }, index) => [
        [`events${index}`, JSON.stringify(events)],
        [`view${index}`, JSON.stringify(view)]
      ])
    )
  }
}

/** Of this run, this payment and this client: `run` is a variable that whoever starts it adds. */
const id = "'pay_' || :run::text || lpad(:n::text, 8, '0') || :client_id::text"

export const text = (): string => {
  const [, ...appends] = StoredSteps.make()
  return ["\\set n :n + 1", create, ...appends.map(append)].join("\n")
}

const recorded = (index: number, expected: number) => `recorded as (
  insert into florin.events (payment, version, merchant, type, data, at)
  select head.payment, ${expected} + entry.ordinality, head.merchant, entry.value ->> '_tag', entry.value,
    to_timestamp((entry.value ->> 'at')::bigint / 1000.0)
  from head, jsonb_array_elements(:events${index}::jsonb) with ordinality as entry
  returning payment, version, position
), queued as (
  insert into florin.outbox (payment, version, position) select payment, version, position from recorded
)`

const create = `with keyed as (
  insert into florin.idempotency (merchant, key, fingerprint, payment)
  values (:merchant::text, ${id}, :fingerprint::text, ${id})
  on conflict (merchant, key) do nothing
  returning payment
), head as (
  insert into florin.streams (payment, merchant, version, token, owner, lease_until, due)
  select payment, :merchant::text, 1, 1, :owner::text, :until::timestamptz, :until::timestamptz from keyed
  returning payment, merchant
), ${recorded(0, 0)}, viewed as (
  insert into florin.payments (id, version, view) select payment, 1, :view0::jsonb from head
)
select exists (select from keyed) as created;`

const append = ({ events, expected }: StoredSteps.Step, before: number): string => {
  const index = before + 1
  const version = expected + events.length
  const isLast = index === 3
  const claim = isLast
    ? "due = null, owner = null, lease_until = null"
    : "due = :until::timestamptz, lease_until = :until::timestamptz"
  return `with head as (
  update florin.streams set version = version + ${events.length}, ${claim}
  where payment = ${id} and version = ${expected} and token = 1
  returning payment, merchant
), ${recorded(index, expected)}, viewed as (
  insert into florin.payments as old (id, version, view) select payment, ${version}, :view${index}::jsonb from head
  on conflict (id) do update set version = excluded.version, view = excluded.view
  where old.version < excluded.version
)${isLast ? answered : ""}
select exists (select from head) as done,
  exists (select from florin.streams where payment = ${id} and token <> 1) as fenced;`
}

const answered = `, answered as (
  update florin.idempotency set answer = :view3::jsonb from head
  where florin.idempotency.payment = head.payment and answer is null
)`
