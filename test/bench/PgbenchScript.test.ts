import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Checkout from "../../bench/Checkout.ts"
import * as PgbenchScript from "../../bench/PgbenchScript.ts"
import * as FlorinDatabase from "../infra/sql/FlorinDatabase.ts"

/** As pgbench binds them: each name a parameter, by its first use in the statement. */
const bind = (statement: string, variables: Readonly<Record<string, string>>) => {
  const names: Array<string> = []
  const text = statement.replaceAll(/(?<!:):([a-z_]\w*)/g, (_, name: string) => {
    if (!names.includes(name)) names.push(name)
    return `$${names.indexOf(name) + 1}`
  })
  return { text, values: names.map((name) => variables[name]!) }
}

const peer = Effect.gen(function* () {
  const sql = yield* SqlClient
  const variables = { ...PgbenchScript.variables(), n: "1", run: "test", client_id: "0" }
  const [count, ...lines] = PgbenchScript.text().split("\n")
  assert.strictEqual(count, "\\set n :n + 1")
  const statements = lines.join("\n").split(";\n")
  for (const statement of statements) {
    const { text, values } = bind(statement.replace(/;$/, ""), variables)
    const [row] = yield* sql.unsafe<Record<string, boolean>>(text, values)
    assert.isTrue(row!["created"] ?? row!["done"])
  }
  return statements.length
})

/** What is stored of a payment but for its id and its moments. */
const stored = (payment: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const events = yield* sql`
      select version, type, merchant, (select array_agg(key order by key) from jsonb_object_keys(data) as key) as fields
      from florin.events where payment = ${payment} order by version`
    const streams = yield* sql`
      select version, merchant, token, owner, lease_until, due from florin.streams where payment = ${payment}`
    const views = yield* sql`
      select version, merchant, status, currency, amount_minor, captured_minor, refunded_minor, disputed_minor, customer,
        (select array_agg(key order by key) from jsonb_object_keys(view) as key) as fields
      from florin.payments where id = ${payment}`
    const outbox = yield* sql`select version from florin.outbox where payment = ${payment} order by version`
    const keys = yield* sql`
      select merchant, fingerprint, answer ->> 'status' as answer from florin.idempotency where payment = ${payment}`
    return [events, streams, views, outbox, keys].map((rows) => [...rows])
  })

layer(FlorinDatabase.layer, { excludeTestServices: true })("PgbenchScript", (it) => {
  it.effect("the peer stores of a payment what florin stores, in one statement for each append", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      assert.strictEqual(yield* peer, 4)
      const { florin } = yield* Checkout.build
      yield* florin
      const ids = yield* sql<{ readonly payment: string; readonly transactions: bigint }>`
        select payment, count(distinct xid) as transactions from florin.events group by payment order by min(position)`
      assert.deepStrictEqual(
        ids.map(({ transactions }) => Number(transactions)),
        [4, 4]
      )
      const [byPeer, byFlorin] = yield* Effect.forEach(ids, ({ payment }) => stored(payment))
      for (const [index, rows] of byFlorin!.entries()) assert.deepStrictEqual(byPeer![index], rows)
    })
  )
})
