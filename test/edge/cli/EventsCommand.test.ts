/** `florin events tail` as a process, on the tests' PostgreSQL. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { inject } from "vitest"
import { PaymentRepository } from "../../../src/adapters/PaymentRepository.ts"
import * as SqlEventBus from "../../../src/infra/sql/SqlEventBus.ts"
import * as SqlPaymentRepository from "../../../src/infra/sql/SqlPaymentRepository.ts"
import { append, creation, paymentId } from "../../../src/testing/contract/Samples.ts"
import { eventually, kill, spawnFlorin } from "../FlorinProcess.ts"
import * as FlorinDatabase from "../../infra/sql/FlorinDatabase.ts"

const database = Layer.mergeAll(SqlPaymentRepository.layer, SqlEventBus.layer).pipe(
  Layer.provideMerge(FlorinDatabase.layer)
)

const tail = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ name: string }>`select current_database() as name`
  const { socketDir, username } = inject("postgres")
  return yield* spawnFlorin(["events", "tail", ...args], {
    DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}`
  })
})
type Tail = Effect.Success<ReturnType<typeof tail>>

const lines = (process: Tail, count: number) =>
  eventually(`${count} lines`, () => {
    if (process.child.exitCode !== null) throw new Error(`florin ended: ${process.stderr()}`)
    const found = process.stdout().split("\n").slice(0, -1)
    return found.length >= count ? found : undefined
  })

/** Five events of one payment. */
const payment = Effect.gen(function* () {
  const repository = yield* PaymentRepository
  const id = paymentId()
  yield* repository.create(creation(id))
  yield* repository.append(append(id, 1, 4))
  return id
})

layer(database, { excludeTestServices: true, timeout: "60 seconds" })("florin events tail", (it) => {
  it.effect(
    "shows all from the beginning and goes on, a line an event; a cursor leads on behind its line; Ctrl-C ends it well",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const first = yield* payment
          const process = yield* tail("--after", "beginning")
          const shown = yield* lines(process, 5)
          assert.match(shown[0]!, new RegExp(`^2023-11-14T22:13:20.000Z  Initiated +${first}/1  \\d+p\\d+$`))
          assert.match(shown[4]!, new RegExp(`^2023-11-14T22:13:20.004Z  Captured +${first}/5  \\d+p\\d+$`))
          const second = yield* payment
          assert.include((yield* lines(process, 10))[9]!, `Captured                  ${second}/5`)
          const { code, stderr } = yield* kill(process, "SIGINT")
          assert.strictEqual(code, 0)
          assert.strictEqual(stderr, "")

          const cursor = shown[2]!.split("  ").at(-1)!
          const later = yield* tail("--after", cursor, "--json")
          const events = (yield* lines(later, 7)).map((line) => JSON.parse(line))
          assert.deepStrictEqual(
            events.map(({ id }) => id),
            [`${first}/4`, `${first}/5`, ...[1, 2, 3, 4, 5].map((version) => `${second}/${version}`)]
          )
          assert.deepInclude(events[1], { payment: first, merchant: "shop", version: 5 })
          assert.deepInclude(events[1].event, { _tag: "Captured", amount: { currency: "EUR", minor: "1099" } })
          assert.match(events[1].cursor, /^\d+p\d+$/)

          // A reader that leaves, as head(1) does, ends it as well as Ctrl-C.
          later.child.stdout!.destroy()
          yield* payment
          const left = yield* Effect.promise(() => later.ended)
          assert.deepInclude(left, { code: 0, stderr: "" })
        })
      ),
    60_000
  )

  it.effect(
    "begins now without a cursor",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* payment
          const process = yield* tail()
          yield* eventually("that it follows", () => (process.stderr().includes("following") ? true : undefined))
          const published: Array<string> = []
          // When it stands there is its own affair: payments come until one is shown.
          yield* Effect.repeat(
            Effect.flatMap(payment, (id) => {
              published.push(id)
              return Effect.sleep("100 millis")
            }),
            { until: () => process.stdout() !== "" }
          )
          const [shown] = yield* lines(process, 1)
          assert.isTrue(published.some((id) => shown!.includes(id)))
        })
      ),
    60_000
  )

  it.effect(
    "says in one line what is wrong with a cursor",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const process = yield* tail("--after", "nonsense")
          const { code, stderr, stdout } = yield* Effect.promise(() => process.ended)
          assert.strictEqual(code, 1)
          assert.strictEqual(stderr, 'florin: Expected "beginning" or the cursor of an event, got "nonsense"\n')
          assert.strictEqual(stdout, "")
        })
      ),
    60_000
  )
})
