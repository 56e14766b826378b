import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { JournalDamaged } from "../../../src/adapters/LedgerJournal.ts"
import * as AccountCore from "../../../src/edge/AccountCore.ts"
import { ClientAccounts } from "../../../src/orchestration/ClientAccounts.ts"
import * as Errors from "../../../src/orchestration/ClientAccountsError.ts"
import type { Reply } from "./Api.ts"
import { withApi } from "./Api.ts"

const bankless = { gateways: [] }
const at = (client: number | string) => `/v1/accounts/${client}`
const bodyOf = ({ body, status }: Reply) => [status, body]

/** Each wrong field by its path, the part of the request first. */
const wrong = ({ body }: Reply) =>
  (body.errors as ReadonlyArray<{ path: ReadonlyArray<string>; message: string }>).map(({ path }) => path.join("."))

describe("POST /v1/accounts/{client}/transactions", () => {
  it.live("applies a transaction, and answers it in full", () =>
    withApi(bankless, async (call) => {
      const path = `${at(7)}/transactions`
      const deposit = { type: "deposit", tx: 1, amount: "10.5" }
      assert.deepStrictEqual(bodyOf(await call("POST", path, { body: deposit })), [
        201,
        { type: "deposit", client: 7, tx: 1, amount: "10.5000" }
      ])
      await call("POST", path, { body: { type: "withdrawal", tx: 2, amount: "0.0001" } })
      const disputed = await call("POST", path, { key: "d", body: { type: "dispute", tx: 1 } })
      assert.deepStrictEqual(bodyOf(disputed), [201, { type: "dispute", client: 7, tx: 1, amount: "10.5000" }])
      assert.deepStrictEqual(bodyOf(await call("GET", at(7))), [
        200,
        { client: 7, available: "-0.0001", held: "10.5000", total: "10.4999", locked: false }
      ])
      await call("POST", path, { key: "c", body: { type: "chargeback", tx: 1 } })
      assert.deepInclude((await call("GET", at(7))).body, { total: "-0.0001", locked: true })
    })
  )

  it.live("answers a repeat as the first, and says so", () =>
    withApi(bankless, async (call) => {
      const path = `${at(7)}/transactions`
      const deposit = { type: "deposit", tx: 1, amount: "10.5" }
      const first = await call("POST", path, { body: deposit })
      const again = await call("POST", path, { body: { ...deposit, amount: "10.50" } })
      assert.deepStrictEqual(bodyOf(again), bodyOf(first))
      assert.isNull(first.headers.get("idempotent-replayed"))
      assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
      const dispute = { key: "d", body: { type: "dispute", tx: 1 } }
      await call("POST", path, dispute)
      assert.strictEqual((await call("POST", path, dispute)).headers.get("idempotent-replayed"), "true")
      const reused = await call("POST", path, { key: "d", body: { type: "resolve", tx: 1 } })
      assert.strictEqual(reused.status, 422)
      assert.deepInclude(reused.body, { type: "urn:florin:problem:idempotency-key-reused", field: "type" })
    })
  )

  it.live("says by which rule a transaction is refused", () =>
    withApi(bankless, async (call) => {
      const refused = async (client: number, body: { readonly type: string; readonly [field: string]: unknown }) => {
        const reply = await call("POST", `${at(client)}/transactions`, { key: body.type, body })
        assert.deepInclude(reply.body, { type: "urn:florin:problem:transaction-refused", status: 409 })
        assert.match(String(reply.body.detail), /\w/)
        return reply.body.reason
      }
      await call("POST", `${at(1)}/transactions`, { body: { type: "deposit", tx: 1, amount: "5" } })
      assert.strictEqual(await refused(1, { type: "deposit", tx: 1, amount: "6" }), "DuplicateTx")
      assert.strictEqual(await refused(1, { type: "withdrawal", tx: 2, amount: "6" }), "InsufficientFunds")
      assert.strictEqual(await refused(1, { type: "dispute", tx: 2 }), "UnknownTx")
      assert.strictEqual(await refused(2, { type: "dispute", tx: 1 }), "ClientMismatch")
      assert.strictEqual(await refused(1, { type: "resolve", tx: 1 }), "NotDisputed")
    })
  )

  it.live("names every field that is wrong", () =>
    withApi(bankless, async (call) => {
      const path = `${at(7)}/transactions`
      const post = async (body: unknown, key?: string) => {
        const reply = await call("POST", path, { body, ...(key !== undefined && { key }) })
        assert.strictEqual(reply.status, 400)
        return wrong(reply)
      }
      assert.deepStrictEqual(await post({ type: "Deposit", tx: -1, amount: 5, note: "x" }), [
        "payload.note",
        "payload.type",
        "payload.tx",
        "payload.amount"
      ])
      for (const amount of ["0", "-1", "1e3", "1.00001", "922337203685477.5808", ".5", ""]) {
        assert.deepStrictEqual(await post({ type: "deposit", tx: 1, amount }), ["payload.amount"], amount)
      }
      assert.deepStrictEqual(await post({ type: "withdrawal", tx: 1 }), ["payload.amount"])
      assert.deepStrictEqual(await post({ type: "dispute", tx: 1, amount: "5" }, "k"), ["payload.amount"])
      assert.deepStrictEqual(await post({ type: "deposit", tx: 4_294_967_296, amount: "5" }), ["payload.tx"])
      // A dispute that is sent twice could not be told from two.
      assert.deepStrictEqual(await post({ type: "dispute", tx: 1 }), ["headers.idempotency-key"])
      for (const client of ["shop", "-1", "4294967296", "1.5"]) {
        const body = { type: "deposit", tx: 1, amount: "5" }
        const reply = await call("POST", `${at(client)}/transactions`, { body })
        assert.deepStrictEqual([reply.status, wrong(reply)], [400, ["params.client"]])
        assert.match(JSON.stringify(reply.body), /Expected a client's id of 0 to 4294967295/)
      }
      assert.deepStrictEqual((await call("GET", "/v1/accounts")).body, { accounts: [] })
    })
  )
})

describe("GET /v1/accounts", () => {
  it.live("lists accounts and transactions by pages, to the last", () =>
    withApi(bankless, async (call) => {
      for (const tx of [1, 2, 3, 4, 5]) {
        await call("POST", `${at(tx % 3)}/transactions`, { body: { type: "deposit", tx, amount: "1" } })
      }
      await call("POST", `${at(9)}/transactions`, { body: { type: "withdrawal", tx: 9, amount: "1" } })
      const pages = async (path: string, items: string) => {
        const all: Array<ReadonlyArray<Record<string, unknown>>> = []
        let cursor: string | undefined
        do {
          const { body, status } = await call(
            "GET",
            `${path}?limit=2${cursor === undefined ? "" : `&cursor=${cursor}`}`
          )
          assert.strictEqual(status, 200)
          all.push(body[items] as ReadonlyArray<Record<string, unknown>>)
          cursor = body.nextCursor as string | undefined
        } while (cursor !== undefined)
        return all
      }
      const accounts = await pages("/v1/accounts", "accounts")
      assert.deepStrictEqual(
        accounts.map((page) => page.map(({ client, total }) => [client, total])),
        [
          [
            [0, "1.0000"],
            [1, "2.0000"]
          ],
          [
            [2, "2.0000"],
            [9, "0.0000"]
          ]
        ]
      )
      const [[first, second] = [], ...rest] = await pages(`${at(1)}/transactions`, "transactions")
      assert.deepStrictEqual(rest, [])
      assert.deepInclude(first, { sequence: 1, type: "deposit", client: 1, tx: 1, amount: "1.0000" })
      assert.match(String(first!.at), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
      assert.deepInclude(second, { sequence: 4, tx: 4 })
      const [[opened] = []] = await pages(`${at(9)}/transactions`, "transactions")
      assert.deepInclude(opened, { type: "opened", client: 9 })
      assert.notProperty(opened, "tx")
    })
  )

  it.live("knows no account that nobody has, and no cursor that it did not give", () =>
    withApi(bankless, async (call) => {
      for (const path of [at(3), `${at(3)}/transactions`]) {
        const { body, status } = await call("GET", path)
        assert.deepStrictEqual([status, body.type], [404, "urn:florin:problem:account-not-found"])
      }
      for (const query of ["cursor=x", "cursor=LTE", "limit=0", "limit=101", "page=1"]) {
        const reply = await call("GET", `/v1/accounts?${query}`)
        assert.deepStrictEqual([reply.status, wrong(reply)], [400, [`query.${query.split("=")[0]}`]])
      }
    })
  )
})

describe("accounts that cannot answer", () => {
  const failing = (error: Errors.ClientAccountsError) =>
    Layer.effect(
      ClientAccounts,
      Effect.map(ClientAccounts, (accounts) => ({
        ...accounts,
        submit: () => Effect.fail(error),
        balance: () => Effect.fail(error)
      }))
    ).pipe(Layer.provide(AccountCore.accounts()), Layer.provide(AccountCore.memory))

  const answered = (error: Errors.ClientAccountsError) =>
    Effect.gen(function* () {
      const replies: Array<ReadonlyArray<unknown>> = []
      yield* withApi({ ...bankless, accounts: failing(error) }, async (call) => {
        const posted = await call("POST", `${at(1)}/transactions`, { body: { type: "deposit", tx: 1, amount: "5" } })
        const read = await call("GET", at(1))
        for (const { body, headers, status } of [posted, read]) {
          replies.push([status, body.type, headers.get("retry-after")])
        }
        assert.notInclude(JSON.stringify(posted.body), "secret")
      })
      assert.deepStrictEqual(replies[0], replies[1])
      return replies[0]
    })

  it.live("say when to ask again, and nothing of what is behind them", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* answered(Errors.overloaded(1)), [429, "urn:florin:problem:overloaded", "1"])
      assert.deepStrictEqual(yield* answered(Errors.unavailable(true, new Error("secret"))), [
        503,
        "urn:florin:problem:unavailable",
        "1"
      ])
      const damaged = new JournalDamaged({ after: 3, detail: "secret" })
      assert.deepStrictEqual(yield* answered(new Errors.ClientAccountsError({ reason: damaged })), [
        500,
        "urn:florin:problem:ledger-stopped",
        null
      ])
    })
  )
})
