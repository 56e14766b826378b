import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { Envelope } from "../../src/adapters/EventBus.ts"
import { EventBus } from "../../src/adapters/EventBus.ts"
import { Outbox } from "../../src/adapters/Outbox.ts"
import { PaymentRepository } from "../../src/adapters/PaymentRepository.ts"
import type { PaymentId } from "../../src/domain/payment/PaymentEvent.ts"
import * as OutboxRelay from "../../src/orchestration/OutboxRelay.ts"
import { append, at, creation, later, paymentId, run } from "../../src/testing/contract/Samples.ts"
import * as Workshop from "./Workshop.ts"

const settings: OutboxRelay.Settings = {
  ...OutboxRelay.defaults,
  retry: { maxAttempts: 3, baseMillis: 1000, factor: 2, capMillis: 60_000 }
}
const pass = OutboxRelay.pass(settings, run("relay"))

const payment = Effect.gen(function* () {
  const repository = yield* PaymentRepository
  const id = paymentId()
  yield* repository.create(creation(id))
  yield* repository.append(append(id, 1, 4))
  return id
})

/** Notes what it is handed, and fails while `isDown` says so. */
const subscriber = (isDown: (envelope: Envelope) => boolean = () => false) =>
  Effect.gen(function* () {
    const bus = yield* EventBus
    const seen: Array<string> = []
    yield* bus.handle("subscriber", (envelope) =>
      isDown(envelope) ? Effect.fail("down") : Effect.sync(() => void seen.push(envelope.id))
    )
    return seen
  })

const ids = (id: PaymentId, ...versions: ReadonlyArray<number>) => versions.map((version) => `${id}/${version}`)

const inWorkshop = <A, E>(test: Effect.Effect<A, E, Workshop.Services>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(at)
    yield* Effect.provide(test, Workshop.layer({ gateways: [] }))
  })

describe("OutboxRelay", () => {
  it.effect("publishes every event once, in the order of its payment", () =>
    inWorkshop(
      Effect.scoped(
        Effect.gen(function* () {
          const [one, two] = [yield* payment, yield* payment]
          const seen = yield* subscriber()
          assert.strictEqual(yield* pass, 10)
          assert.strictEqual(yield* pass, 0)
          for (const id of [one, two]) {
            assert.deepStrictEqual(
              seen.filter((event) => event.startsWith(id)),
              ids(id, 1, 2, 3, 4, 5)
            )
          }
        })
      )
    )
  )

  it.effect("publishes an entry whose relay died after claiming it", () =>
    inWorkshop(
      Effect.scoped(
        Effect.gen(function* () {
          const outbox = yield* Outbox
          const id = yield* payment
          yield* outbox.claim({ owner: run("dead"), now: at, until: later(30_000), limit: 100 })
          const seen = yield* subscriber()
          assert.strictEqual(yield* pass, 0)
          yield* TestClock.adjust("30 seconds")
          assert.strictEqual(yield* pass, 5)
          assert.deepStrictEqual(seen, ids(id, 1, 2, 3, 4, 5))
        })
      )
    )
  )

  it.effect("tries again what was not taken, and holds back what comes after it", () =>
    inWorkshop(
      Effect.scoped(
        Effect.gen(function* () {
          const [sick, well] = [yield* payment, yield* payment]
          let isDown = true
          const seen = yield* subscriber(({ payment, version }) => isDown && payment === sick && version === 3)
          yield* pass
          assert.deepStrictEqual(
            seen.filter((event) => event.startsWith(sick)),
            ids(sick, 1, 2)
          )
          assert.strictEqual(seen.filter((event) => event.startsWith(well)).length, 5)
          isDown = false
          assert.strictEqual(yield* pass, 0)
          yield* TestClock.adjust("1 second")
          assert.strictEqual(yield* pass, 3)
          assert.deepStrictEqual(
            seen.filter((event) => event.startsWith(sick)),
            ids(sick, 1, 2, 3, 4, 5)
          )
        })
      )
    )
  )

  it.effect("gives an event up after so many tries, goes on with the next, and replays it when told", () =>
    inWorkshop(
      Effect.scoped(
        Effect.gen(function* () {
          const outbox = yield* Outbox
          const id = yield* payment
          let isDown = true
          const seen = yield* subscriber(({ version }) => isDown && version === 1)
          for (const seconds of [0, 1, 2]) {
            yield* TestClock.adjust(`${seconds} seconds`)
            assert.deepStrictEqual(yield* outbox.deadLetters(10), [])
            yield* pass
          }
          assert.deepStrictEqual(seen, ids(id, 2, 3, 4, 5))
          const [letter] = yield* outbox.deadLetters(10)
          assert.deepInclude(letter, { failures: 3 })
          assert.match(letter!.error, /subscriber.*down/)
          isDown = false
          assert.isTrue(yield* outbox.replay(letter!.envelope.id, later(3000)))
          yield* pass
          assert.deepStrictEqual(seen, ids(id, 2, 3, 4, 5, 1))
        })
      )
    )
  )
})
