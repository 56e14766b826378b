/** The commands of an operator in this process, on a real PostgreSQL and the sandbox. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Option } from "effect"
import type { Command } from "effect/cli"
import { SqlClient } from "effect/sql/SqlClient"
import { inject } from "vitest"
import { PaymentRepository } from "../../../src/adapters/PaymentRepository.ts"
import * as Idempotency from "../../../src/domain/Idempotency.ts"
import { MethodToken } from "../../../src/domain/payment/Gateway.ts"
import { MerchantId, RequestId } from "../../../src/domain/payment/PaymentEvent.ts"
import * as ConfigCommand from "../../../src/edge/cli/ConfigCommand.ts"
import * as DeadLettersCommand from "../../../src/edge/cli/DeadLettersCommand.ts"
import * as PaymentsCommand from "../../../src/edge/cli/PaymentsCommand.ts"
import * as RebuildCommand from "../../../src/edge/cli/RebuildCommand.ts"
import * as RecoverCommand from "../../../src/edge/cli/RecoverCommand.ts"
import * as VerifyCommand from "../../../src/edge/cli/VerifyCommand.ts"
import * as Operations from "../../../src/edge/Operations.ts"
import * as Service from "../../../src/edge/Service.ts"
import * as Settings from "../../../src/edge/Settings.ts"
import { Payments } from "../../../src/orchestration/Payments.ts"
import { append, creation, later, paymentId, run } from "../../../src/testing/contract/Samples.ts"
import * as TestDatabase from "../../postgres/TestDatabase.ts"
import * as Terminal from "./Terminal.ts"

const database = TestDatabase.layer({ name: "florin_service", migrate: Service.migrate })

/** How a command finds the test's database. */
const settings = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ name: string }>`select current_database() as name`
  const { socketDir, username } = inject("postgres")
  return { DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}` }
})

const florin = <Name extends string, Input, Context, E, R>(
  command: Command.Command<Name, Input, Context, E, R>,
  ...words: ReadonlyArray<string>
) => Effect.flatMap(settings, (variables) => Terminal.run(command, words, variables))

/** What a command answered as JSON, and nothing else on standard output. */
const answered = <Name extends string, Input, Context, E, R>(
  command: Command.Command<Name, Input, Context, E, R>,
  ...words: ReadonlyArray<string>
) =>
  Effect.map(florin(command, ...words, "--json"), ({ complaint, stdout }) => ({
    complaint,
    answer: JSON.parse(stdout) as Record<string, unknown>
  }))

const shop = MerchantId.make("shop")

/** Pays through the sandbox, as the service would. */
const pay = (key: string, token: string, changes: { capture?: "manual"; customer?: string } = {}) =>
  Effect.gen(function* () {
    const payments = yield* Payments
    const { view } = yield* payments.create(shop, Idempotency.IdempotencyKey.make(key), {
      amount: { currency: "EUR", minor: 10_99n },
      capture: "automatic",
      methods: [MethodToken.make(token)],
      ...changes
    })
    return view.id
  })

const asService = <A, E>(use: Effect.Effect<A, E, Payments | PaymentRepository>) =>
  Effect.gen(function* () {
    const provider = ConfigProvider.fromEnvRecord(yield* settings)
    const [stored, service] = yield* Effect.all([Settings.database, Settings.service]).pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, provider)
    )
    return yield* Effect.provide(use, Layer.fresh(Operations.gateways(stored, service)))
  })

describe("florin payments", () => {
  it.live("lists the newest first, by what is asked for, page by page and all at once", () =>
    Effect.gen(function* () {
      const [first, second, held] = yield* asService(
        Effect.all([
          pay("k1", "tok_visa", { customer: "ada" }),
          pay("k2", "tok_declined_stolen"),
          pay("k3", "tok_visa", { capture: "manual" })
        ])
      )
      const ids = (...words: ReadonlyArray<string>) =>
        Effect.map(answered(PaymentsCommand.command, "list", ...words), ({ answer }) => ({
          ids: (answer.payments as ReadonlyArray<{ id: string }>).map(({ id }) => id),
          cursor: answer.cursor
        }))
      assert.deepStrictEqual(yield* ids(), { ids: [held, second, first], cursor: undefined })
      assert.deepStrictEqual(yield* ids("--limit", "2"), { ids: [held, second], cursor: second })
      assert.deepStrictEqual(yield* ids("--limit", "2", "--cursor", second), { ids: [first], cursor: undefined })
      assert.deepStrictEqual(yield* ids("--limit", "1", "--all"), { ids: [held, second, first], cursor: undefined })
      assert.deepStrictEqual((yield* ids("--status", "failed")).ids, [second])
      assert.deepStrictEqual((yield* ids("--customer", "ada")).ids, [first])
      assert.deepStrictEqual((yield* ids("--merchant", "nobody")).ids, [])
      assert.deepStrictEqual((yield* ids("--from", "2020-01-01")).ids.length, 3)
      assert.deepStrictEqual((yield* ids("--until", "2020-01-01T00:00:00Z")).ids, [])

      const { stdout } = yield* florin(PaymentsCommand.command, "list", "--limit", "1")
      const lines = stdout.trim().split("\n")
      assert.deepStrictEqual(lines[1]!.split(/ {2,}/).slice(0, 5), [held, "authorized", "10.99 EUR", "0.00", "0.00"])
      assert.strictEqual(lines[2], `and more: --cursor ${held}, or --all`)
    }).pipe(Effect.provide(database))
  )

  it.live("tells one payment's story: events with durations and evidence, operations with doubts, what is owed", () =>
    Effect.gen(function* () {
      const id = yield* asService(pay("k1", "tok_lost_answer", { capture: "manual" }))
      const { stdout } = yield* florin(PaymentsCommand.command, "show", id)
      assert.match(stdout, new RegExp(`^${id}  authorized  10\\.99 EUR\n  authorized 10\\.99, captured 0\\.00`))
      assert.match(stdout, /\n {2}1 {2}\S+Z +Initiated +10\.99 EUR, manual capture\n/)
      assert.match(stdout, /\n {2}3 {2}\S+Z {2}\+\d+ ms +OperationDoubted +\S+\/auth\/1, send: ConnectionLost\n/)
      assert.match(stdout, /\n {2}4 {2}\S+Z {2}\+\d[\d.]* m?s +Authorized +\S+\/auth\/1, ch_\S+, answered by sandbox\n/)
      assert.match(stdout, /\n {2}\S+\/auth\/1 {2}Authorize {2}at sandbox {2}Approved, answered by sandbox\n/)
      assert.match(stdout, /\n {4}doubt \S+Z, send: ConnectionLost\n/)
      assert.match(stdout, /\nowed next\n {2}void the hold: AuthorizationExpired\n {2}not before \S+Z, in 6 d 2\d h\n$/)

      const { answer } = yield* answered(PaymentsCommand.command, "show", id)
      assert.deepInclude(answer.payment, { id, status: "authorized", amount: 1099 })
      assert.deepStrictEqual(
        (answer.events as ReadonlyArray<{ version: number; event: { _tag: string } }>).map(({ event, version }) => [
          version,
          event._tag
        ]),
        [
          [1, "Initiated"],
          [2, "AuthorizationBegun"],
          [3, "OperationDoubted"],
          [4, "Authorized"]
        ]
      )
      const [operation] = answer.operations as ReadonlyArray<Record<string, unknown>>
      assert.deepInclude(operation, { id: `${id}/auth/1`, kind: "Authorize", gateway: "sandbox", sends: 1 })
      assert.deepInclude(answer.owed, { what: "void the hold: AuthorizationExpired", since: null })
    }).pipe(Effect.provide(database))
  )

  it.live("says since when something is owed that nobody does", () =>
    Effect.gen(function* () {
      const id = paymentId()
      yield* asService(
        Effect.gen(function* () {
          const repository = yield* PaymentRepository
          yield* repository.create(creation(id, { lease: { owner: run("dead"), until: later(1000) } }))
          yield* repository.append(append(id, 1, 1))
        })
      )
      const { answer } = yield* answered(PaymentsCommand.command, "show", id)
      assert.deepInclude(answer.owed, {
        what: `take ${id}/auth/1 over from its run, unless that is at it still`,
        until: null
      })
      const { since } = answer.owed as { since: string }
      assert.strictEqual(Date.parse(since), later(1))
    }).pipe(Effect.provide(database))
  )

  it.live("knows what is no payment, and what is no id", () =>
    Effect.gen(function* () {
      const unknown = yield* florin(PaymentsCommand.command, "show", "pay_1")
      assert.deepStrictEqual([unknown.stdout, unknown.complaint], ["", "florin: there is no payment pay_1"])
      const wrong = yield* florin(PaymentsCommand.command, "show", "order-1")
      assert.match(wrong.stderr, /"order-1".*Expected a payment id such as/)
      const status = yield* florin(PaymentsCommand.command, "list", "--status", "paid")
      assert.match(status.stderr, /Invalid value for flag --status: "paid"/)
    }).pipe(Effect.provide(database))
  )
})

describe("florin verify", () => {
  it.live("finds nothing after payments of every kind, and asks the gateway about each operation", () =>
    Effect.gen(function* () {
      yield* asService(
        Effect.gen(function* () {
          const payments = yield* Payments
          const captured = yield* pay("k1", "tok_visa")
          yield* payments.refund(captured, RequestId.make("r1"), {})
          yield* pay("k2", "tok_declined_stolen")
          const held = yield* pay("k3", "tok_lost_answer", { capture: "manual" })
          yield* payments.cancel(held, RequestId.make("r2"), undefined)
          yield* pay("k4", "tok_3ds")
        })
      )
      const { answer, complaint } = yield* answered(VerifyCommand.command)
      assert.strictEqual(complaint, "")
      assert.deepInclude(answer, { payments: 4, operations: 6, open: 1, inDoubt: 0, differences: 0, found: [] })
    }).pipe(Effect.provide(database))
  )

  it.live(
    "finds a row that was changed, a row that was lost, an event that was lost, and money that moved unseen",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const [changed, lost, gap, taken] = yield* asService(
          Effect.all([pay("k1", "tok_visa"), pay("k2", "tok_visa"), pay("k3", "tok_visa"), pay("k4", "tok_visa")])
        )
        yield* sql`update florin.payments set view = jsonb_set(view, '{capturedMinor}', '"1"') where id = ${changed}`
        yield* sql`delete from florin.payments where id = ${lost}`
        yield* sql`delete from florin.events where payment = ${gap} and version = 3`
        yield* sql`
        update sandbox_operations set answer = '{"_tag":"Captured","amount":{"currency":"EUR","minor":"5"}}'
        where key = ${`${taken}/capture/1`}`
        const { complaint, stdout } = yield* florin(VerifyCommand.command)
        assert.strictEqual(complaint, "florin: differences found: 4")
        assert.deepStrictEqual(stdout.trim().split("\n").slice(0, 4), [
          `${changed}: its view differs: capturedMinor is "1", by the events "1099"`,
          `${lost}: has events and no view`,
          `${gap}: event 3 is missing, 4 comes next`,
          `${taken}/capture/1: the gateway says otherwise: Captured here, Captured 0.05 EUR at sandbox`
        ])
        const without = yield* florin(VerifyCommand.command, "--no-gateways")
        assert.strictEqual(without.complaint, "florin: differences found: 3")

        const rebuilt = yield* answered(RebuildCommand.command)
        assert.strictEqual(
          rebuilt.complaint,
          "florin: payments whose events cannot be read, and which have no view now: 1"
        )
        assert.deepInclude(rebuilt.answer, { payments: 3 })
        const again = yield* florin(VerifyCommand.command, "--no-gateways")
        assert.strictEqual(again.complaint, "florin: differences found: 1")
        assert.match(again.stdout, new RegExp(`^${gap}: event 3 is missing`))
      }).pipe(Effect.provide(database))
  )

  it.live("finds a view that this florin cannot read, and goes on", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const [broken] = yield* asService(Effect.all([pay("k1", "tok_visa"), pay("k2", "tok_visa")]))
      yield* sql`update florin.payments set view = jsonb_set(view, '{status}', '"paid"') where id = ${broken}`
      const { answer } = yield* answered(VerifyCommand.command, "--no-gateways")
      assert.deepInclude(answer, { payments: 2, differences: 1 })
      const [difference] = answer.found as ReadonlyArray<Record<string, unknown>>
      assert.deepInclude(difference, { _tag: "ViewUnreadable", payment: broken })
    }).pipe(Effect.provide(database))
  )
})

describe("florin recover", () => {
  it.live("takes on what a dead worker left, and finds nothing the second time", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const id = yield* asService(pay("k1", "tok_visa"))
      // As if the worker had died after asking for the capture.
      yield* sql`delete from florin.events where payment = ${id} and version = 5`
      yield* sql`delete from florin.outbox where payment = ${id} and version = 5`
      yield* sql`update florin.streams set version = 4, due = now(), owner = null, lease_until = null where payment = ${id}`
      const first = yield* answered(RecoverCommand.command, "--until-done")
      assert.deepStrictEqual(first.answer, { passes: 2, found: 1, resolved: 1, waiting: 0, escalated: 0, failed: 0 })
      const { stdout } = yield* florin(RecoverCommand.command)
      assert.match(stdout, /^overdue payments found in one pass: 0\n/)
      const shown = yield* answered(PaymentsCommand.command, "show", id)
      assert.deepInclude(shown.answer.payment, { status: "succeeded", capturedAmount: 1099 })
    }).pipe(Effect.provide(database))
  )

  it.live("ends when nothing is left but what it cannot work on, and says so", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const id = yield* asService(pay("k1", "tok_visa"))
      yield* sql`delete from florin.events where payment = ${id} and version = 2`
      yield* sql`update florin.streams set due = now(), owner = null, lease_until = null where payment = ${id}`
      const { answer, complaint } = yield* answered(RecoverCommand.command, "--until-done")
      assert.deepInclude(answer, { passes: 1, found: 1, failed: 1 })
      assert.strictEqual(complaint, "florin: payments that could not be worked on: 1; the log above says why")
    }).pipe(Effect.provide(database))
  )
})

describe("florin dead-letters", () => {
  const buried = Effect.gen(function* () {
    const sql = yield* SqlClient
    const id = yield* asService(pay("k1", "tok_visa"))
    yield* sql`delete from florin.outbox`
    yield* sql`
      insert into florin.dead_letters (payment, version, failures, error, at)
      select payment, version, 10, 'nobody took it', to_timestamp(1000 + version) from florin.events where version <= 3`
    return id
  })

  it.live("lists, shows and puts back one, then all", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const id = yield* buried
      const ids = Effect.map(answered(DeadLettersCommand.command, "list"), ({ answer }) =>
        (answer.deadLetters as ReadonlyArray<{ id: string }>).map((letter) => letter.id)
      )
      assert.deepStrictEqual(yield* ids, [`${id}/1`, `${id}/2`, `${id}/3`])
      const bounded = yield* answered(DeadLettersCommand.command, "list", "--limit", "2")
      assert.strictEqual(bounded.answer.more, true)
      const { stdout } = yield* florin(DeadLettersCommand.command, "show", `${id}/1`)
      assert.match(
        stdout,
        new RegExp(
          `^${id}/1: Initiated, of merchant shop\ngiven up at 1970-01-01T00:16:41.000Z after 10 tries: nobody took it\n`
        )
      )
      const shown = yield* answered(DeadLettersCommand.command, "show", `${id}/2`)
      assert.deepInclude(shown.answer, { type: "AuthorizationBegun", failures: 10, error: "nobody took it" })

      const one = yield* answered(DeadLettersCommand.command, "replay", `${id}/2`)
      assert.deepStrictEqual(one.answer, { replayed: [`${id}/2`] })
      assert.deepStrictEqual(yield* ids, [`${id}/1`, `${id}/3`])
      const all = yield* answered(DeadLettersCommand.command, "replay", "--all")
      assert.deepStrictEqual(all.answer, { replayed: [`${id}/1`, `${id}/3`] })
      assert.deepStrictEqual(yield* ids, [])
      const queued = yield* sql<{ version: number }>`select version from florin.outbox order by version`
      assert.deepStrictEqual(
        queued.map(({ version }) => version),
        [1, 2, 3]
      )
    }).pipe(Effect.provide(database))
  )

  it.live("are those of accounts' handlers too, each by its ledger, its handler and its sequence", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const payment = yield* buried
      yield* sql`
        insert into florin.ledger_dead_letters (ledger, handler, sequence, event, recorded_at, failures, error, at)
        select 'shop', 'mailer', number, '{"_tag":"Deposited","client":7,"tx":1,"amount":"105000"}', to_timestamp(900),
          10, 'no mail', to_timestamp(1002.5) from unnest(array[17, 18]) as number`
      const ids = Effect.map(answered(DeadLettersCommand.command, "list"), ({ answer }) =>
        (answer.deadLetters as ReadonlyArray<{ id: string }>).map((letter) => letter.id)
      )
      assert.deepStrictEqual(yield* ids, [
        `${payment}/1`,
        `${payment}/2`,
        "shop/mailer/17",
        "shop/mailer/18",
        `${payment}/3`
      ])
      const shown = yield* answered(DeadLettersCommand.command, "show", "shop/mailer/17")
      assert.deepStrictEqual(shown.answer, {
        id: "shop/mailer/17",
        ledger: "shop",
        handler: "mailer",
        sequence: 17,
        type: "Deposited",
        failures: 10,
        error: "no mail",
        at: "1970-01-01T00:16:42.500Z",
        recordedAt: "1970-01-01T00:15:00.000Z",
        event: { _tag: "Deposited", client: 7, tx: 1, amount: "105000" }
      })
      const { stdout } = yield* florin(DeadLettersCommand.command, "show", "shop/mailer/18")
      assert.match(
        stdout,
        /^shop\/mailer\/18: Deposited, of ledger shop for mailer\ngiven up at \S+ after 10 tries: no mail\n/
      )
      const one = yield* answered(DeadLettersCommand.command, "replay", "shop/mailer/18")
      assert.deepStrictEqual(one.answer, { replayed: ["shop/mailer/18"] })
      const { answer } = yield* answered(DeadLettersCommand.command, "replay", "--all")
      assert.deepStrictEqual(answer, {
        replayed: [`${payment}/1`, `${payment}/2`, "shop/mailer/17", `${payment}/3`]
      })
      assert.deepStrictEqual(yield* ids, [])
      const returned = yield* sql<{ sequence: bigint }>`
        select sequence from florin.ledger_dead_letters where is_returned order by sequence`
      assert.deepStrictEqual(
        returned.map(({ sequence }) => Number(sequence)),
        [17, 18]
      )
      const missing = yield* florin(DeadLettersCommand.command, "show", "shop/mailer/17")
      assert.strictEqual(missing.complaint, "florin: there is no dead letter shop/mailer/17")
      const wrong = yield* florin(DeadLettersCommand.command, "show", "mailer/17")
      assert.match(wrong.stderr, /"mailer\/17".*shop\/mailer\/17/)
    }).pipe(Effect.provide(database))
  )

  it.live("says what is not there, and which is meant", () =>
    Effect.gen(function* () {
      const complaintOf = (...words: ReadonlyArray<string>) =>
        Effect.map(florin(DeadLettersCommand.command, ...words), ({ complaint }) => complaint)
      assert.strictEqual(yield* complaintOf("show", "pay_1/1"), "florin: there is no dead letter pay_1/1")
      assert.strictEqual(yield* complaintOf("replay", "pay_1/1"), "florin: there is no dead letter pay_1/1")
      const which = "florin: name one dead letter, or all of them with --all"
      assert.strictEqual(yield* complaintOf("replay"), which)
      assert.strictEqual(yield* complaintOf("replay", "pay_1/1", "--all"), which)
      const { stdout } = yield* florin(DeadLettersCommand.command, "list")
      assert.strictEqual(stdout, "no dead letters\n")
    }).pipe(Effect.provide(database))
  )
})

describe("a database that was never florin's", () => {
  it.live("is left as it is, and the command says so", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const never = "florin: the database has no tables of florin in it; florin serve makes them"
      assert.strictEqual((yield* florin(RebuildCommand.command)).complaint, never)
      assert.strictEqual((yield* florin(VerifyCommand.command)).complaint, never)
      assert.strictEqual((yield* florin(RecoverCommand.command)).complaint, never)
      assert.strictEqual((yield* florin(DeadLettersCommand.command, "list")).complaint, never)
      assert.strictEqual((yield* florin(PaymentsCommand.command, "list")).complaint, never)
      assert.deepStrictEqual([...(yield* sql`select from pg_namespace where nspname = 'florin'`)], [])
    }).pipe(Effect.provide(TestDatabase.layer()))
  )

  it.live("is told from one of an earlier florin, by what it lacks", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* sql`delete from florin.migrations where migration_id >= 3`
      const { complaint } = yield* florin(PaymentsCommand.command, "list")
      assert.match(
        complaint,
        /^florin: the database is of an earlier florin and lacks 0003_\w+.*; florin serve brings it up to date$/
      )
    }).pipe(Effect.provide(database))
  )
})

describe("florin config", () => {
  const shown = (words: ReadonlyArray<string>, variables: Record<string, string>) =>
    Effect.map(Terminal.run(ConfigCommand.command, [...words, "--json"], variables), ({ stdout }) => {
      const { settings } = JSON.parse(stdout) as { settings: ReadonlyArray<Record<string, unknown>> }
      return (variable: string) => Option.fromUndefinedOr(settings.find((one) => one.variable === variable))
    })

  it.effect("says what holds, and where it comes from", () =>
    Effect.gen(function* () {
      const of = yield* shown(["--port", "81"], { PORT: "82", FLORIN_HOST: "::1" })
      const value = (variable: string) => {
        const { source, value } = Option.getOrThrow(of(variable))
        return [value, source]
      }
      assert.deepStrictEqual(value("PORT"), ["81", "flag"])
      assert.deepStrictEqual(value("FLORIN_HOST"), ["::1", "environment"])
      assert.deepStrictEqual(value("FLORIN_DATA_DIR"), [".florin", "default"])
    })
  )

  it.effect("shows no password, wherever it is in a URL", () =>
    Effect.gen(function* () {
      const { stdout } = yield* Terminal.run(ConfigCommand.command, ["--sandbox-url", "http://u:hunter2@sandbox/"], {
        DATABASE_URL: "postgres://florin:hunter2@db:5432/florin?sslmode=require&password=hunter2"
      })
      assert.notMatch(stdout, /hunter2/)
      assert.match(stdout, /postgres:\/\/florin:\*\*\*@db:5432\/florin\?sslmode=require&password=\*\*\*/)
      assert.match(stdout, /http:\/\/u:\*\*\*@sandbox\//)
    })
  )

  it.effect("names what is wrong", () =>
    Effect.gen(function* () {
      const { complaint, stdout } = yield* Terminal.run(ConfigCommand.command, [], { FLORIN_LEASE_MILLIS: "soon" })
      assert.strictEqual(stdout, "")
      assert.match(complaint, /^florin: FLORIN_LEASE_MILLIS: Expected a whole number from 1 to 86400000, got "soon"$/)
    })
  )
})
