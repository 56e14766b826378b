/**
 * What it costs to store a payment, beside the least that storing can be.
 *
 * - `stored create`: `PaymentRepository.create`, one statement that claims the
 *   idempotency key and writes the stream's head, the first event, its outbox
 *   entry and the read model.
 * - `stored create+append`: the same, then the intent to authorize, one more
 *   statement: what is durable before a gateway hears of the payment.
 *
 * The peer is one plain INSERT of one row, in a transaction of its own, through
 * the same connection pool: it waits for the same disk and the same driver, so
 * the ratio is what florin writes beyond one row.
 */
import { Effect, Layer, Result } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql/SqlClient"
import { PaymentRepository } from "../src/adapters/PaymentRepository.ts"
import * as Idempotency from "../src/domain/Idempotency.ts"
import { plus } from "../src/domain/Instant.ts"
import * as PaymentDraft from "../src/domain/payment/PaymentDraft.ts"
import * as SqlPaymentRepository from "../src/infra/sql/SqlPaymentRepository.ts"
import { newPayment, now } from "../src/orchestration/Clocks.ts"
import { defaults } from "../src/orchestration/PaymentPolicy.ts"
import type { Pace, Subject } from "./Contest.ts"
import { perform } from "./Contest.ts"
import * as SamplePayment from "./SamplePayment.ts"

const { merchant, runner } = SamplePayment

const create = Effect.gen(function* () {
  const repository = yield* PaymentRepository
  const payment = yield* newPayment
  const at = yield* now
  const draft = SamplePayment.decideAll([SamplePayment.initiate(payment, at)])
  yield* repository.create({
    // A key is used once, as a payment's id is.
    key: Idempotency.IdempotencyKey.make(payment),
    fingerprint,
    payment,
    merchant,
    events: draft.events,
    view: PaymentDraft.view(draft)!,
    due: at,
    lease: { owner: runner, until: plus(at, defaults.leaseMillis) }
  })
  return { payment, draft: PaymentDraft.stored(draft) }
})

const { amount, ...rest } = SamplePayment.request
const fingerprint = Idempotency.fingerprint({ ...rest, amount: { ...amount, minor: String(amount.minor) } })

const createAndAppend = Effect.gen(function* () {
  const repository = yield* PaymentRepository
  const created = yield* create
  const at = yield* now
  const draft = Result.getOrThrow(PaymentDraft.decide(created.draft, SamplePayment.beginAuthorization(at)))
  yield* repository.append({
    payment: created.payment,
    expected: draft.version,
    events: draft.events,
    view: PaymentDraft.view(draft)!,
    due: at,
    // The first token of a payment is 1.
    claim: { token: 1, until: plus(at, defaults.leaseMillis) },
    answer: undefined
  })
})

const insert = Effect.flatMap(
  SqlClient,
  (sql) => sql`
    insert into bench.payments (merchant, amount_minor, currency, status)
    values (${merchant}, ${amount.minor}, ${amount.currency}, 'pending')`
)

const services = Layer.merge(SqlPaymentRepository.layer, SecureRandom.layerWebCrypto)

export const subject = Effect.fnUntraced(function* ({ rounds, turnMillis }: Pace) {
  const context = yield* Layer.build(services)
  const contest = (name: string, operation: typeof createAndAppend | typeof create, concurrency: number) => {
    const pace = { millis: turnMillis, concurrency }
    return {
      name: `${name} x${concurrency}`,
      unit: "perSecond" as const,
      rounds,
      warmUp: true,
      florin: Effect.provideContext(perform(pace, operation), context),
      peer: perform(pace, insert)
    }
  }
  return {
    contests: [1, 16].flatMap((concurrency) => [
      contest("stored create", create, concurrency),
      contest("stored create+append", createAndAppend, concurrency)
    ]),
    notes: ["stored: peer is one plain INSERT of one row; florin's create is one statement, create+append are two"]
  } satisfies Subject<SqlClient>
})
