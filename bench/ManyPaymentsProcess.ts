/**
 * A process that goes through all payments there are, and prints how many a
 * second, or how many bytes more than before it held meanwhile.
 *
 *     node --expose-gc bench/ManyPaymentsProcess.ts <list|read-views|verify|rebuild|read-events> <speed|growth> <dataDir>
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import { SqlClient } from "effect/sql/SqlClient"
import { PaymentRepository } from "../src/adapters/PaymentRepository.ts"
import type { PaymentId } from "../src/domain/payment/PaymentEvent.ts"
import * as PaymentCore from "../src/edge/PaymentCore.ts"
import * as SqlLock from "../src/infra/sql/SqlLock.ts"
import * as SqlPaymentRepository from "../src/infra/sql/SqlPaymentRepository.ts"
import * as RedactingLogger from "../src/infra/telemetry/RedactingLogger.ts"
import * as GatewayCall from "../src/orchestration/GatewayCall.ts"
import * as ProjectionRebuild from "../src/orchestration/ProjectionRebuild.ts"
import * as Verification from "../src/orchestration/Verification.ts"
import * as BenchDatabase from "./BenchDatabase.ts"
import type { Work } from "./ManyPayments.ts"

/** The most that a page may have, over HTTP as well. */
const listed = 100

/** What a rebuild reads at a time. */
const rebuilt = 500

// Each answers how many it has gone through, payments or events, and looks at the memory now and then.

const list = (look: () => void) =>
  Effect.gen(function* () {
    const repository = yield* PaymentRepository
    let count = 0
    let cursor: PaymentId | undefined
    do {
      const page = yield* repository.list({}, { limit: listed, cursor })
      count += page.payments.length
      cursor = page.cursor
      look()
    } while (cursor !== undefined)
    return count
  })

const rebuild = (look: () => void) =>
  Effect.map(
    ProjectionRebuild.rebuild(() => Effect.sync(look)),
    ({ events }) => events
  )

const verify = (look: () => void) =>
  Effect.map(Verification.verify({ askGateways: false, onProgress: () => Effect.sync(look) }), ({ events }) => events)

const readViews = (look: () => void) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    let count = 0
    let last: string | undefined
    while (true) {
      const rows: ReadonlyArray<{ readonly id: string }> = yield* sql<{ readonly id: string }>`
        select id, view from florin.payments
        ${last === undefined ? sql`` : sql`where id < ${last}`} order by id desc limit ${listed}`
      count += rows.length
      last = rows.at(-1)?.id
      look()
      if (rows.length < listed) return count
    }
  })

const readEvents = (look: () => void) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    let count = 0
    let last = ""
    while (true) {
      const rows: ReadonlyArray<{ readonly payment: string }> = yield* sql<{ readonly payment: string }>`
        with page as (select payment from florin.streams where payment > ${last} order by payment limit ${rebuilt})
        select event.payment, event.version, event.data from page join florin.events event using (payment)
        order by event.payment, event.version`
      count += rows.length
      look()
      const next = rows.at(-1)
      if (next === undefined) return count
      last = next.payment
    }
  })

const works = { list, verify, rebuild, "read-views": readViews, "read-events": readEvents } satisfies Record<
  Work,
  unknown
>

const [work, quantity, dataDir = ""] = process.argv.slice(2)

/** Bytes that are in use once all garbage is gone. */
const held = () => {
  globalThis.gc?.()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** Collecting takes longer than a page does, so not at each of them; often enough for ten looks at the fewest pages. */
const looksApart = 2

const measure = Effect.gen(function* () {
  const go = Object.entries(works).find(([name]) => name === work)![1]
  if (quantity === "growth") {
    const before = held()
    let most = before
    let looks = 0
    yield* go(() => {
      if (looks++ % looksApart === 0) most = Math.max(most, held())
    })
    process.stdout.write(String(most - before))
  } else {
    const started = performance.now()
    const count = yield* go(() => undefined)
    process.stdout.write(String((count * 1000) / (performance.now() - started)))
  }
})

/** There are no gateways to ask. */
const calls = GatewayCall.layer.pipe(
  Layer.provideMerge(PaymentCore.gateways()),
  Layer.provide([
    CircuitBreaker.layerStoreMemory(),
    RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))
  ])
)

const services = Layer.mergeAll(SqlPaymentRepository.layer, SqlLock.layer, SecureRandom.layerWebCrypto, calls)

NodeRuntime.runMain(
  measure.pipe(Effect.provide(services), Effect.provide([BenchDatabase.at(dataDir), RedactingLogger.layer]))
)
