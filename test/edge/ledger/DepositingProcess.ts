/**
 * A process that keeps accounts in the directory that it is given and makes
 * deposits until it is killed, or until it has made as many as it is told. It
 * prints each that is answered, and what the accounts say of their start.
 */
import { Context, Effect, Layer } from "effect"
import { writeSync } from "node:fs"
import * as AccountCore from "../../../src/edge/AccountCore.ts"
import { ClientId, TxId } from "../../../src/domain/ledger/Transaction.ts"
import { ClientAccounts } from "../../../src/orchestration/ClientAccounts.ts"

const [path = "", count = "0"] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const layer = AccountCore.accounts({ snapshotEvery: 20 }).pipe(Layer.provide(AccountCore.directory(path)))
  const accounts = Context.get(yield* Layer.build(layer), ClientAccounts)
  const deposit = (id: number) =>
    Effect.tap(accounts.deposit({ client: ClientId.make(id % 3), tx: TxId.make(id), amount: 2n }), () =>
      Effect.sync(() => writeSync(1, `deposited ${id}\n`))
    )
  yield* Effect.forEach(
    Array.from({ length: Number(count) }, (_, id) => id),
    deposit,
    { concurrency: 4 }
  )
  const { accounts: all } = yield* accounts.accounts({ limit: 10 })
  writeSync(1, `accounts ${all.map(({ account, client }) => `${client}=${account.available}`).join(" ")}\n`)
})

Effect.runPromise(Effect.scoped(program)).catch((error: unknown) => {
  writeSync(2, `${String(error)}\n`)
  process.exitCode = 1
})
