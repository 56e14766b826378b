import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql/SqlClient"
import { PaymentRepository } from "../../../src/adapters/PaymentRepository.ts"
import * as SqlLock from "../../../src/infra/sql/SqlLock.ts"
import * as SqlPaymentRepository from "../../../src/infra/sql/SqlPaymentRepository.ts"
import { rebuild } from "../../../src/orchestration/ProjectionRebuild.ts"
import { append, creation, paymentId } from "../../../src/testing/contract/Samples.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const database = Layer.mergeAll(SqlPaymentRepository.layer, SqlLock.layer, SecureRandom.layerWebCrypto).pipe(
  Layer.provideMerge(FlorinDatabase.layer)
)

layer(database, { excludeTestServices: true })("ProjectionRebuild (PostgreSQL)", (it) => {
  it.effect("drops the read model and gives equal rows, over more than one page of payments", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const repository = yield* PaymentRepository
      const begun = Array.from({ length: 620 }, paymentId)
      yield* Effect.forEach(
        begun.entries(),
        ([index, id]) =>
          Effect.gen(function* () {
            yield* repository.create(creation(id))
            const more = index % 5
            if (more > 0) yield* repository.append(append(id, 1, more))
          }),
        { concurrency: 4, discard: true }
      )
      const rows = sql`select * from florin.payments order by id`
      const before = yield* rows
      yield* sql`update florin.payments set view = jsonb_set(view, '{status}', '"failed"')`
      assert.notDeepEqual([...(yield* rows)], [...before])
      const report = yield* rebuild()
      assert.deepStrictEqual(report, { payments: 620, events: 620 + 124 * (1 + 2 + 3 + 4), broken: [] })
      assert.deepStrictEqual([...(yield* rows)], [...before])
    })
  )
})
