import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option, Result } from "effect"
import { Digest } from "effect/crypto"
import { SqlClient } from "effect/sql/SqlClient"
import { createHash } from "node:crypto"
import { AuditLog } from "../../../src/adapters/AuditLog.ts"
import * as AuditChain from "../../../src/domain/audit/AuditChain.ts"
import * as SqlAuditLog from "../../../src/infra/sql/SqlAuditLog.ts"
import * as AuditVerification from "../../../src/orchestration/AuditVerification.ts"
import { asked } from "../../../src/testing/contract/AuditLogContract.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest("hex")

/** A log over a database of its own, with six entries. */
const withLog = <A, E>(test: Effect.Effect<A, E, AuditLog | SqlClient | Digest.Digest>) =>
  Effect.gen(function* () {
    const log = yield* AuditLog
    for (const what of ["one", "two", "three", "four", "five", "six"]) yield* log.append([asked(what)])
    return yield* test
  }).pipe(
    Effect.provide(
      Layer.mergeAll(SqlAuditLog.layer, Digest.layerWebCrypto).pipe(
        Layer.provideMerge(Layer.fresh(FlorinDatabase.layer))
      )
    )
  )

const found = Effect.map(AuditVerification.verify(), (result) =>
  Result.isFailure(result) ? [result.failure.sequence, result.failure.how] : `${result.success.sequence} hold`
)

describe("SqlAuditLog", () => {
  const refused: ReadonlyArray<readonly [what: string, statement: string]> = [
    ["changing an entry", `update florin.audit set hash = repeat('0', 64) where sequence = 3`],
    ["removing an entry", `delete from florin.audit where sequence = 6`],
    ["emptying the log", `truncate florin.audit`],
    ["moving the head back", `update florin.audit_head set sequence = 5`],
    ["removing the head", `delete from florin.audit_head`],
    ["emptying the head", `truncate florin.audit_head`]
  ]
  for (const [what, statement] of refused) {
    it.live(`${what} is refused by the database`, () =>
      withLog(
        Effect.gen(function* () {
          const sql = yield* SqlClient
          const error = yield* Effect.flip(sql.unsafe(statement))
          assert.include(String(error.reason.cause), "is append-only")
          assert.strictEqual(yield* found, "6 hold")
        })
      )
    )
  }

  /** What an attacker does who owns the database. */
  const changeText = (sequence: number) => (text: string) =>
    `update florin.audit set entry = '${text.replace("three", "tree")}', hash = '${sha256(text.replace("three", "tree"))}' where sequence = ${sequence}`
  const tampered: ReadonlyArray<
    readonly [what: string, statements: (third: string) => ReadonlyArray<string>, found: unknown]
  > = [
    ["nothing", () => [], "6 hold"],
    [
      "the text of an entry",
      () => [`update florin.audit set entry = replace(entry, 'three', 'tree') where sequence = 3`],
      [3, "Changed"]
    ],
    ["its text and its hash", (text) => [changeText(3)(text)], [4, "Unlinked"]],
    ["one entry taken out", () => [`delete from florin.audit where sequence = 3`], [3, "Missing"]],
    ["the last two taken out", () => [`delete from florin.audit where sequence > 4`], [5, "Missing"]],
    [
      "the last two taken out, and the head moved back",
      () => [`delete from florin.audit where sequence > 4`, `update florin.audit_head set sequence = 4`],
      [4, "HeadChanged"]
    ],
    [
      "two entries in each other's place",
      () => [
        `update florin.audit set sequence = 99 where sequence = 2`,
        `update florin.audit set sequence = 2 where sequence = 5`,
        `update florin.audit set sequence = 5 where sequence = 99`
      ],
      [2, "Moved"]
    ],
    ["the head taken away", () => [`delete from florin.audit_head`], [1, "Unclaimed"]],
    [
      "one added past the head",
      () => [`insert into florin.audit (sequence, hash, entry) values (7, repeat('0', 64), '{}')`],
      [7, "Unclaimed"]
    ]
  ]
  for (const [what, statements, expected] of tampered) {
    it.live(`with the triggers off, ${what}: verification says ${JSON.stringify(expected)}`, () =>
      withLog(
        Effect.gen(function* () {
          const sql = yield* SqlClient
          const log = yield* AuditLog
          const [third] = yield* log.read({ order: "oldestFirst", after: 2, limit: 1 })
          for (const table of ["audit", "audit_head"]) {
            yield* sql.unsafe(`alter table florin.${table} disable trigger user`)
          }
          for (const statement of statements(third!.text)) yield* sql.unsafe(statement)
          assert.deepStrictEqual(yield* found, expected)
        })
      )
    )
  }

  it.live("a chain that was made anew as a whole holds, but not through a head that was noted before", () =>
    withLog(
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const log = yield* AuditLog
        const { hash, sequence } = yield* log.head
        const noted = { sequence, hash }
        assert.isTrue(Result.isSuccess(yield* AuditVerification.verify({ anchor: noted })))
        for (const table of ["audit", "audit_head"]) {
          yield* sql.unsafe(`alter table florin.${table} disable trigger user`)
        }
        yield* sql.unsafe(`delete from florin.audit`)
        yield* sql.unsafe(`update florin.audit_head set sequence = 0, hash = repeat('0', 64)`)
        for (let count = 0; count < 7; count++) yield* log.append([asked("all is well")])
        assert.strictEqual(yield* found, "7 hold")
        assert.deepStrictEqual(
          yield* AuditVerification.verify({ anchor: noted }),
          Result.fail({ sequence: 6, how: "Rewritten" })
        )
        assert.deepStrictEqual(
          yield* AuditVerification.verify({ anchor: { ...noted, sequence: 8 } }),
          Result.fail({ sequence: 8, how: "Missing" })
        )
      })
    )
  )

  it.live("processes that append at once make one chain", () =>
    withLog(
      Effect.gen(function* () {
        // Each over the same database, and none knows where the others left the head.
        const logs = yield* Effect.forEach([1, 2, 3], () =>
          Effect.map(Layer.build(Layer.fresh(SqlAuditLog.layer)), (context) => Context.get(context, AuditLog))
        )
        const given = yield* Effect.forEach(
          Array.from({ length: 300 }, (_, index) => index),
          (index) => logs[index % 3]!.append([asked(`command ${index}`)]),
          { concurrency: 60 }
        )
        assert.deepStrictEqual(
          given.toSorted((a, b) => a - b),
          Array.from({ length: 300 }, (_, index) => index + 7)
        )
        const links = yield* (yield* AuditLog).read({ order: "oldestFirst", after: 6, limit: 1000 })
        const kept = links.map((link) => Option.getOrThrow(AuditChain.entryOf(link)))
        for (const [index, sequence] of given.entries()) {
          const entry = kept[sequence - 7]!
          assert.isTrue(entry._tag === "Asked" && entry.request._tag === "Operate")
          if (entry._tag === "Asked" && entry.request._tag === "Operate") {
            assert.strictEqual(entry.request.what, `command ${index}`)
          }
        }
        assert.strictEqual(yield* found, "306 hold")
      }).pipe(Effect.scoped)
    )
  )

  it.live("appends that come together share a statement", () =>
    withLog(
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const log = yield* AuditLog
        yield* Effect.forEach(Array.from({ length: 400 }), () => log.append([asked("again")]), {
          concurrency: "unbounded"
        })
        // Rows of one transaction share its id.
        const [row] = yield* sql<{ readonly count: bigint }>`
          select count(distinct xmin::text) as count from florin.audit where sequence > 6`
        assert.isBelow(Number(row!.count), 10)
        assert.strictEqual(yield* found, "406 hold")
      })
    )
  )

  it.live("an append that fails says so, and the next one goes on", () =>
    withLog(
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const log = yield* AuditLog
        yield* sql`alter table florin.audit_head rename to audit_head_away`
        assert.strictEqual((yield* Effect.exit(log.append([asked("seven")])))._tag, "Failure")
        yield* sql`alter table florin.audit_head_away rename to audit_head`
        assert.strictEqual(yield* log.append([asked("seven")]), 7)
        assert.strictEqual(yield* found, "7 hold")
      })
    )
  )
})
