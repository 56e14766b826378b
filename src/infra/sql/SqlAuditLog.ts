/**
 * `AuditLog` on PostgreSQL: one row a link, and one row for the head.
 *
 * Whoever appends moves the head in the same statement, on the condition that
 * it is where it was thought to be: the head's row is locked until the commit,
 * so that processes append one after the other, and one that was overtaken
 * moves nothing. It then reads the head under its lock, and appends there.
 *
 * Appends of one process that come together share a statement: one fiber
 * writes, and takes along what has gathered while it wrote the last.
 */
import { Deferred, Effect, Exit, Layer, Queue, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import type { Page } from "../../adapters/AuditLog.ts"
import { AuditLog } from "../../adapters/AuditLog.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { Anchor, Head, Link } from "../../domain/audit/AuditChain.ts"
import * as AuditChain from "../../domain/audit/AuditChain.ts"
import type { Draft } from "../../domain/audit/AuditEntry.ts"
import { unavailable } from "./SqlStorage.ts"

interface Waiting {
  readonly drafts: ReadonlyArray<Draft>
  readonly appended: Deferred.Deferred<number, StorageUnavailable>
}

/** An entry has some 400 bytes: a statement stays well below a megabyte. */
const maxGroup = 512

export const layer: Layer.Layer<AuditLog, never, SqlClient> = Layer.effect(
  AuditLog,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const queue = yield* Queue.unbounded<Waiting>()

    const locked = Effect.flatMap(sql<HeadRow>`select sequence, hash from florin.audit_head for update`, ([row]) =>
      row === undefined
        ? Effect.die(new Error("florin.audit_head has no row: somebody changed the audit log"))
        : Effect.succeed(anchorOf(row))
    )

    /** Nothing, when the head is elsewhere. */
    const writeAfter = (before: Anchor, links: readonly [Link, ...ReadonlyArray<Link>]) => {
      const { hash, sequence } = links.at(-1)!
      return Effect.map(
        sql`
          with moved as (
            update florin.audit_head set sequence = ${BigInt(sequence)}, hash = ${hash}
            where sequence = ${BigInt(before.sequence)} and hash = ${before.hash}
            returning sequence
          )
          insert into florin.audit (sequence, hash, entry)
          select link.sequence, link.hash, link.text
          from moved, jsonb_to_recordset(${encodeLinks(links)}::jsonb) as link (sequence bigint, hash text, text text)
          returning sequence`,
        (rows) => rows.length > 0
      )
    }

    const appendUnderLock = (drafts: ReadonlyArray<Draft>) =>
      sql.withTransaction(
        Effect.gen(function* () {
          const before = yield* locked
          const links = linksAfter(before, drafts)
          yield* writeAfter(before, links)
          return links
        })
      )

    /** Where this process last saw the head. When it is elsewhere by now, that is found out. */
    let known: Anchor | undefined
    const append = Effect.fnUntraced(function* (drafts: ReadonlyArray<Draft>) {
      const before = known
      const tried = before === undefined ? undefined : linksAfter(before, drafts)
      const links =
        before !== undefined && tried !== undefined && (yield* writeAfter(before, tried))
          ? tried
          : yield* appendUnderLock(drafts)
      known = links.at(-1)
      return links[0].sequence
    })

    const appendTogether = Effect.fn("SqlAuditLog.append")(function* (group: ReadonlyArray<Waiting>) {
      const drafts = group.flatMap((waiting) => waiting.drafts)
      const exit = yield* Effect.exit(append(drafts).pipe(unavailable("append to the audit log")))
      let offset = 0
      for (const waiting of group) {
        const skipped = offset
        yield* Deferred.done(
          waiting.appended,
          Exit.map(exit, (first) => first + skipped)
        )
        offset += waiting.drafts.length
      }
    })

    // Whoever still waits when this ends hears that it has.
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(Queue.clear(queue), (left) =>
        Effect.forEach(left, ({ appended }) => Deferred.interrupt(appended), { discard: true })
      )
    )
    yield* Queue.takeBetween(queue, 1, maxGroup).pipe(
      Effect.flatMap((group) => Effect.uninterruptible(appendTogether(group))),
      Effect.forever,
      Effect.forkScoped
    )

    return AuditLog.of({
      append: Effect.fnUntraced(function* (drafts) {
        const appended = yield* Deferred.make<number, StorageUnavailable>()
        yield* Queue.offer(queue, { drafts, appended })
        return yield* Deferred.await(appended)
      }),
      read: Effect.fn("SqlAuditLog.read")(function* (page) {
        const rows = yield* select(sql, page).pipe(unavailable("read the audit log"))
        return rows.map(({ entry, hash, sequence }) => ({ sequence: Number(sequence), hash, text: entry }))
      }),
      head: Effect.map(
        sql<{ readonly sequence: bigint | null; readonly hash: string | null; readonly last: bigint | null }>`
          select head.sequence, head.hash, links.last
          from (select max(sequence) as last from florin.audit) as links left join florin.audit_head as head on true`.pipe(
          unavailable("read the audit log")
        ),
        // A head that was taken away knows of no link.
        ([row]): Head => ({
          sequence: Number(row?.sequence ?? AuditChain.genesis.sequence),
          hash: row?.hash ?? AuditChain.genesis.hash,
          last: Number(row?.last ?? 0)
        })
      )
    })
  })
)

interface HeadRow {
  readonly sequence: bigint
  readonly hash: string
}

interface Row extends HeadRow {
  readonly entry: string
}

const anchorOf = ({ hash, sequence }: HeadRow): Anchor => ({ sequence: Number(sequence), hash })

const encodeLinks = Schema.encodeSync(
  Schema.fromJsonString(Schema.Array(Schema.Struct({ sequence: Schema.Int, hash: Schema.String, text: Schema.String })))
)

const linksAfter = (before: Anchor, drafts: ReadonlyArray<Draft>): readonly [Link, ...ReadonlyArray<Link>] => {
  const links: Array<Link> = []
  for (const draft of drafts) {
    const last = links.at(-1) ?? before
    const text = AuditChain.textAfter(last, draft)
    const hash = createHash("sha256").update(text, "utf8").digest("hex")
    links.push({ sequence: last.sequence + 1, hash, text })
  }
  const [first, ...others] = links
  return [first!, ...others]
}

const select = (
  sql: SqlClient,
  { after = 0, before, limit, order, payment }: Page
): Effect.Effect<ReadonlyArray<Row>, SqlError> => {
  const conditions = sql.and([
    sql`sequence > ${BigInt(after)}`,
    ...(before === undefined ? [] : [sql`sequence < ${BigInt(before)}`]),
    ...(payment === undefined
      ? []
      : [sql`(payment = ${payment} or sequence in (select asked from florin.audit where payment = ${payment}))`])
  ])
  return order === "oldestFirst"
    ? sql<Row>`select sequence, hash, entry from florin.audit where ${conditions} order by sequence limit ${limit}`
    : sql<Row>`select sequence, hash, entry from florin.audit where ${conditions} order by sequence desc limit ${limit}`
}
