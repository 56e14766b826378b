/** A page costs what it shows, wherever it is: rows read are counted, not time. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Filter } from "../../../src/adapters/PaymentRepository.ts"
import { PaymentRepository } from "../../../src/adapters/PaymentRepository.ts"
import { MerchantId, PaymentId } from "../../../src/domain/payment/PaymentEvent.ts"
import { PaymentView } from "../../../src/domain/payment/PaymentView.ts"
import * as SqlPaymentRepository from "../../../src/infra/sql/SqlPaymentRepository.ts"
import { creation, later, paymentId, shop } from "../../../src/testing/contract/Samples.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const payments = 100_000
const idOf = (count: number) => PaymentId.make(`pay_${String(count).padStart(8, "0")}`)

const other = MerchantId.make("other-shop")

/** One payment a second; each thousandth failed, each thousandth is customer c0's, each thousandth another merchant's. */
const fill = Effect.gen(function* () {
  const sql = yield* SqlClient
  const view = Schema.encodeSync(Schema.toCodecJson(PaymentView))(creation(paymentId()).view)
  yield* sql`
    insert into florin.payments (id, version, view)
    select id, 1, ${JSON.stringify(view)}::jsonb || jsonb_build_object(
      'id', id, 'merchant', case when count % 1000 = 500 then ${other}::text else ${shop}::text end,
      'createdAt', ${later(0)}::bigint + count * 1000, 'customer', 'c' || count % 1000,
      'status', case when count % 1000 = 7 then 'failed' else 'succeeded' end)
    from (select count, 'pay_' || lpad(count::text, 8, '0') as id from generate_series(1, ${payments}::integer) count)`
  yield* sql`analyze florin.payments`
})

/** What a page holds, and how many rows were read for it. */
const page = Effect.fnUntraced(function* (filter: Filter, cursor: PaymentId | undefined) {
  const sql = yield* SqlClient
  const repository = yield* PaymentRepository
  const counted = sql<{ readonly scans: bigint; readonly rows: bigint }>`
    select seq_scan as scans, idx_tup_fetch as rows from pg_stat_xact_user_tables where relname = 'payments'`
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      const [before] = yield* counted
      const { payments: listed } = yield* repository.list(filter, { limit: 20, cursor })
      const [after] = yield* counted
      return {
        ids: listed.map(({ id }) => id),
        scans: Number(after!.scans - before!.scans),
        rows: Number(after!.rows - before!.rows)
      }
    })
  )
})

const database = SqlPaymentRepository.layer.pipe(Layer.provideMerge(FlorinDatabase.layer))

layer(database, { excludeTestServices: true, timeout: "60 seconds" })("the list of 100,000 payments", (it) => {
  it.effect(
    "reads hardly more rows than it shows, on the first page, in the middle and at the end, by any filter",
    () =>
      Effect.gen(function* () {
        yield* fill
        // Beside the page: whether there is more, the cursor's own row, and the edge of a range.
        const filters: ReadonlyArray<readonly [filter: Filter, mostRows: number]> = [
          [{}, 25],
          [{ merchant: shop }, 25],
          [{ merchant: other }, 25],
          [{ merchant: shop, status: "failed" }, 25],
          [{ merchant: shop, status: "succeeded" }, 25],
          [{ merchant: shop, from: later(0), until: later(60_000_000) }, 25],
          // A customer's own payments are few, and all are read.
          [{ merchant: shop, customer: "c0" }, 105]
        ]
        for (const [filter, mostRows] of filters) {
          for (const cursor of [undefined, idOf(50_000), idOf(30_000)]) {
            const { ids, rows, scans } = yield* page(filter, cursor)
            assert.strictEqual(ids.length, 20)
            assert.strictEqual(scans, 0, `${JSON.stringify(filter)} after ${cursor} scans the table`)
            assert.isAtMost(rows, mostRows, `${JSON.stringify(filter)} after ${cursor}`)
          }
        }
        assert.deepStrictEqual((yield* page({ merchant: shop }, idOf(50_000))).ids[0], idOf(49_999))
        assert.deepStrictEqual((yield* page({ merchant: shop, status: "failed" }, idOf(50_000))).ids[0], idOf(49_007))
      }),
    60_000
  )
})
