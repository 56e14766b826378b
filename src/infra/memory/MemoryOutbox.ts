/** `Outbox` over `MemoryDatabase`. */
import { Effect, Layer, Option } from "effect"
import type { Entry } from "../../adapters/Outbox.ts"
import { Outbox } from "../../adapters/Outbox.ts"
import type { Instant } from "../../domain/Instant.ts"
import type { RunId } from "../../domain/payment/Operation.ts"
import type { OutboxRow } from "./MemoryDatabase.ts"
import { MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<Outbox, never, MemoryDatabase> = Layer.effect(
  Outbox,
  Effect.gen(function* () {
    const { deadLetters, outbox } = yield* MemoryDatabase

    const ofOwner = (owner: RunId, id: string) => outbox.find((row) => row.owner === owner && row.envelope.id === id)
    const remove = (gone: (row: OutboxRow) => boolean) => {
      for (let index = outbox.length - 1; index >= 0; index--) if (gone(outbox[index]!)) outbox.splice(index, 1)
    }

    /** A payment's rows go together: while one is held or waits to be retried, so do its successors. */
    const claim = (owner: RunId, now: Instant, until: Instant, limit: number): ReadonlyArray<Entry> => {
      const barred = new Set(
        outbox
          .filter((row) => held(row, now) || (row.retryAt !== undefined && row.retryAt > now))
          .map(({ envelope }) => envelope.payment)
      )
      const due = outbox.filter(({ envelope }) => !barred.has(envelope.payment))
      const chosen = new Set([...new Set(due.map(({ envelope }) => envelope.payment))].slice(0, limit))
      return due
        .filter(({ envelope }) => chosen.has(envelope.payment))
        .map((row) => {
          row.owner = owner
          row.until = until
          return { envelope: row.envelope, failures: row.failures }
        })
    }

    return Outbox.of({
      claim: ({ limit, now, owner, until }) => Effect.sync(() => claim(owner, now, until, limit)),
      published: (owner, ids) =>
        Effect.sync(() => remove((row) => row.owner === owner && ids.includes(row.envelope.id))),
      failed: (owner, id, retryAt) =>
        Effect.sync(() => {
          const row = ofOwner(owner, id)
          if (row === undefined) return
          row.failures += 1
          row.retryAt = retryAt
          for (const other of outbox) {
            if (other.envelope.payment !== row.envelope.payment || other.owner !== owner) continue
            other.owner = undefined
            other.until = undefined
          }
        }),
      bury: (owner, id, error, at) =>
        Effect.sync(() => {
          const row = ofOwner(owner, id)
          if (row === undefined) return
          deadLetters.set(id, { envelope: row.envelope, failures: row.failures + 1, error, at })
          remove((other) => other === row)
        }),
      deadLetters: (limit) => Effect.sync(() => [...deadLetters.values()].slice(0, limit)),
      deadLetter: (id) => Effect.sync(() => Option.fromUndefinedOr(deadLetters.get(id))),
      replay: (id) =>
        Effect.sync(() => {
          const letter = deadLetters.get(id)
          if (letter === undefined) return false
          deadLetters.delete(id)
          const { envelope } = letter
          outbox.push({ envelope, failures: 0, owner: undefined, until: undefined, retryAt: undefined })
          return true
        }),
      pending: Effect.sync(() => outbox.length)
    })
  })
)

const held = ({ until }: OutboxRow, now: Instant) => until !== undefined && until > now
