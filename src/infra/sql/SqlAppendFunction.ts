/**
 * `florin.append`, the function that writes the appends and creations of many
 * payments in one statement: all or nothing, and to each its own outcome.
 *
 * It is a function, because what guards each payment is the update of its own
 * row: one indexed update a payment cannot be planned as anything else, while a
 * join of many is planned by what the tables held when the plan was made. All
 * that follows from the rows that were won is one statement for all of them.
 *
 * Rows are locked in the order of the items: keys of creations before streams
 * of appends, and each sorted, so that two groups never wait for each other.
 */

/** What became of an item. */
export const outcome = { done: 0, conflict: 1, fenced: 2, keyTaken: 3 } as const
export type Outcome = (typeof outcome)[keyof typeof outcome]

/**
 * Arrays of one length hold what belongs to an item; those that begin with
 * `event_` hold all items' events, each with the item that it belongs to, from 1.
 * An item with a key is a creation. A claim is a token; without one it stays as
 * it is, and without `untils` it is given up.
 */
export const create = `
create function florin.append(
  payments text[], expected integer[], counts integer[], dues timestamptz[], tokens bigint[], untils timestamptz[],
  views text[], answers text[],
  merchants text[], keys text[], fingerprints text[], owners text[],
  event_items integer[], event_versions integer[], event_types text[], event_ats timestamptz[], event_data text[]
) returns integer[] language plpgsql as $$
declare
  outcomes integer[] := array_fill(${outcome.done}, array[cardinality(payments)]);
  its_merchant text;
begin
  for i in 1 .. cardinality(payments) loop
    if keys[i] is not null then
      insert into florin.idempotency (merchant, key, fingerprint, payment)
      values (merchants[i], keys[i], fingerprints[i], payments[i])
      on conflict (merchant, key) do nothing;
      if found then
        insert into florin.streams (payment, merchant, version, token, owner, lease_until, due)
        values (payments[i], merchants[i], counts[i], tokens[i], owners[i], untils[i], dues[i]);
      else
        outcomes[i] := ${outcome.keyTaken};
      end if;
    else
      update florin.streams set
        version = version + counts[i],
        due = dues[i],
        owner = case when tokens[i] is not null and untils[i] is null then null else owner end,
        lease_until = case when tokens[i] is null then lease_until else untils[i] end
      where payment = payments[i] and version = expected[i] and (tokens[i] is null or token = tokens[i])
      returning merchant into its_merchant;
      if found then
        merchants[i] := its_merchant;
        if answers[i] is not null then
          update florin.idempotency set answer = answers[i]::jsonb where payment = payments[i] and answer is null;
        end if;
      elsif exists (select from florin.streams where payment = payments[i] and token <> tokens[i]) then
        outcomes[i] := ${outcome.fenced};
      else
        outcomes[i] := ${outcome.conflict};
      end if;
    end if;
  end loop;

  with recorded as (
    insert into florin.events (payment, version, merchant, type, data, at)
    select payments[event.item], event.version, merchants[event.item], event.type, event.data::jsonb, event.at
    from unnest(event_items, event_versions, event_types, event_ats, event_data)
      as event (item, version, type, at, data)
    where outcomes[event.item] = ${outcome.done}
    returning payment, version, position
  ), queued as (
    insert into florin.outbox (payment, version, position) select payment, version, position from recorded
  )
  insert into florin.payments as old (id, version, view)
  select item.payment, item.expected + item.count, item.view::jsonb
  from unnest(payments, expected, counts, views, outcomes) as item (payment, expected, count, view, outcome)
  where item.outcome = ${outcome.done}
  on conflict (id) do update set version = excluded.version, view = excluded.view
  where old.version < excluded.version;

  return outcomes;
end
$$`
