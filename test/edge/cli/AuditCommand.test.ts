/** `florin audit` over a log that a real service wrote, which was killed in the middle of a command. */
import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { inject } from "vitest"
import * as AuditCommand from "../../../src/edge/cli/AuditCommand.ts"
import * as TestDatabase from "../../postgres/TestDatabase.ts"
import { call, kill, order, pay, start, tryCall } from "../FlorinProcess.ts"
import * as Terminal from "./Terminal.ts"

class Told extends Context.Service<Told, { readonly settings: Record<string, string>; readonly payment: string }>()(
  "test/edge/cli/AuditCommand/Told"
) {}

/** A payment, its refund, a refund too many, a key used twice, and a payment that the process did not live to answer. */
const told = Layer.effect(
  Told,
  Effect.scoped(
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const [row] = yield* sql<{ name: string }>`select current_database() as name`
      const { socketDir, username } = inject("postgres")
      const settings = {
        DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}`,
        FLORIN_MERCHANT: "corner-shop"
      }
      const service = yield* start("serve", settings)
      const paid = yield* pay(() => service, "order-1", "tok_visa")
      const payment = String(paid.body.id)
      const refund = (key: string, amount: number) =>
        call(service, "POST", `/v1/payments/${payment}/refunds`, { key, body: { amount } })
      assert.strictEqual((yield* refund("refund-1", 99)).status, 200)
      assert.strictEqual((yield* refund("refund-2", 9999)).status, 409)
      const other = yield* call(service, "POST", "/v1/payments", { key: "order-1", body: order("tok_amex") })
      assert.strictEqual(other.status, 422)
      // Two seconds until the gateway answers: the process does not live to hear it.
      const slow = tryCall(service, "POST", "/v1/payments", { key: "slow", body: order("tok_slow") })
      yield* sql<{ readonly count: bigint }>`select count(*) as count from florin.audit`.pipe(
        Effect.repeat({ until: ([row]) => row!.count === 9n, schedule: Schedule.spaced("20 millis") }),
        Effect.timeout("15 seconds")
      )
      yield* kill(service, "SIGKILL")
      assert.isUndefined(yield* Effect.promise(() => slow))
      return { settings, payment }
    })
  )
).pipe(Layer.provideMerge(TestDatabase.layer()))

const audit = (...args: ReadonlyArray<string>) =>
  Effect.flatMap(Told, ({ settings }) => Terminal.run(AuditCommand.command, args, settings))

interface Entry {
  readonly _tag: string
  readonly sequence: number
  readonly payment?: string
  readonly caller?: { readonly actor: string; readonly origin: string }
  readonly request?: { readonly _tag: string }
  readonly outcome?: { readonly _tag: string; readonly rule?: string }
}
interface Listed {
  readonly entries: ReadonlyArray<Entry>
  readonly before?: number
}
const listed = (...args: ReadonlyArray<string>) =>
  Effect.map(audit("list", "--json", ...args), ({ stdout }) => JSON.parse(stdout) as Listed)

/** The guide's snippet, over the same database. */
const byHand = Effect.gen(function* () {
  const { settings } = yield* Told
  const guide = readFileSync("docs/guides/audit-log.md", "utf8")
  const [, snippet] = /^```bash\n(.*?)^```$/ms.exec(guide)!
  // macOS has another name for it.
  const prelude = "command -v sha256sum >/dev/null || sha256sum() { shasum -a 256; }\n"
  return yield* Effect.sync(() => {
    try {
      return execFileSync("bash", ["-c", prelude + snippet!], {
        env: { ...process.env, ...settings },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"]
      })
    } catch (error) {
      const { status, stdout } = error as { readonly status: number; readonly stdout: string }
      return `exit ${status}: ${stdout}`
    }
  })
})

describe("florin audit", () => {
  // Building it starts a service, which takes more than a hook is given otherwise.
  layer(told, { timeout: "30 seconds", excludeTestServices: true })((it) => {
    it.effect("lists what was asked and what came of it, the newest first", () =>
      Effect.gen(function* () {
        const { payment } = yield* Told
        const { before, entries } = yield* listed()
        assert.isUndefined(before)
        assert.deepStrictEqual(
          entries.map(({ outcome, payment: of, request, sequence }) => [
            sequence,
            (request ?? outcome)!._tag,
            of === payment
          ]),
          [
            // Without an answer: the process was killed.
            [9, "Create", false],
            [8, "KeyReused", false],
            [7, "Create", false],
            [6, "Refused", true],
            [5, "Refund", true],
            [4, "Accepted", true],
            [3, "Refund", true],
            [2, "Accepted", true],
            [1, "Create", false]
          ]
        )
        const callers = entries.flatMap(({ caller }) => (caller === undefined ? [] : [caller]))
        assert.strictEqual(callers.length, 5)
        for (const { actor, origin } of callers) {
          assert.strictEqual(actor, "corner-shop")
          assert.match(origin, /^http .*127\.0\.0\.1$/)
        }
      })
    )

    it.effect("lists one payment with the command that made it, and goes on from a cursor", () =>
      Effect.gen(function* () {
        const { payment } = yield* Told
        const { before, entries } = yield* listed("--payment", payment, "--limit", "4")
        assert.deepStrictEqual(
          entries.map(({ sequence }) => sequence),
          [6, 5, 4, 3]
        )
        assert.strictEqual(before, 3)
        const older = yield* listed("--payment", payment, "--before", "3")
        assert.deepStrictEqual(
          older.entries.map(({ sequence }) => sequence),
          [2, 1]
        )
      })
    )

    it.effect("shows a table to people", () =>
      Effect.gen(function* () {
        const { stdout } = yield* audit("list", "--limit", "5", "--before", "7")
        const lines = stdout.trimEnd().split("\n")
        assert.strictEqual(lines.length, 7)
        assert.match(lines[0]!, /^ *entry +at +who +from +payment +what$/)
        assert.match(lines[1]!, /^ +6 .*5: refused in Captured: AboveCaptured$/)
        assert.match(lines[2]!, /^ +5 .* corner-shop +http \S*127\.0\.0\.1 +pay_\w+ +refund 99\.99 EUR$/)
        assert.match(lines[3]!, /3: accepted, succeeded at version \d+$/)
        assert.strictEqual(lines[6], "older: --before 2")
      })
    )

    it.effect("says which flag is wrong, and what was expected", () =>
      Effect.gen(function* () {
        const wrong = [
          [["list", "--payment", "order-1"], "a payment id"],
          [["verify", "--anchor", "9:abc"], "SEQUENCE:HASH"]
        ] as const
        for (const [args, said] of wrong) {
          const { stderr, stdout } = yield* audit(...args)
          assert.include(stdout + stderr, said)
        }
      })
    )

    it.effect(
      "verifies the chain, in its own way and by hand, and finds the first broken link",
      () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient
          const whole = yield* audit("verify")
          assert.strictEqual(whole.complaint, "")
          const [, head] = /^9 entries, every link holds\nhead (9:[0-9a-f]{64})\n$/.exec(whole.stdout)!
          assert.strictEqual(yield* byHand, `head ${head}\n`)
          const other = `9:${"0".repeat(64)}`
          const rewritten = yield* audit("verify", "--json", "--anchor", other)
          assert.include(rewritten.complaint, "the audit log is broken at entry 9")
          assert.deepStrictEqual(JSON.parse(rewritten.stdout), {
            valid: false,
            broken: { sequence: 9, how: "Rewritten" }
          })

          yield* sql`alter table florin.audit disable trigger user`
          yield* sql`update florin.audit set entry = replace(entry, 'corner-shop', 'corner-sh0p') where sequence = 5`
          const broken = yield* audit("verify")
          assert.include(broken.complaint, "the audit log is broken at entry 5")
          assert.include(broken.stdout, "entry 5 is the first broken link: its text or its hash was changed")
          assert.strictEqual(yield* byHand, "exit 1: entry 5 was changed\n")
          yield* sql`update florin.audit set entry = replace(entry, 'corner-sh0p', 'corner-shop') where sequence = 5`

          yield* sql`delete from florin.audit where sequence = 3`
          assert.include((yield* audit("verify")).stdout, "entry 3 is the first broken link: it is missing")
          assert.strictEqual(yield* byHand, "exit 1: entry 3 does not follow the one before\n")
        }),
      // By hand, it is `florin audit export` as a process.
      60_000
    )
  })
})
