/** `AuditLog` over `MemoryDatabase`. */
import { Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { AuditLog } from "../../adapters/AuditLog.ts"
import * as AuditChain from "../../domain/audit/AuditChain.ts"
import { MemoryDatabase } from "./MemoryDatabase.ts"

const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest("hex")

export const layer: Layer.Layer<AuditLog, never, MemoryDatabase> = Layer.effect(
  AuditLog,
  Effect.gen(function* () {
    const { audit } = yield* MemoryDatabase

    const isOf = (payment: string) => {
      const ofPayment = new Set<number>()
      for (const { entry, link } of audit) {
        if (entry.payment !== payment) continue
        ofPayment.add(link.sequence)
        if (entry._tag === "Answered") ofPayment.add(entry.asked)
      }
      return (sequence: number) => ofPayment.has(sequence)
    }

    return AuditLog.of({
      append: (drafts) =>
        Effect.sync(() => {
          const first = audit.length + 1
          for (const entry of drafts) {
            const before = audit.at(-1)?.link ?? AuditChain.genesis
            const text = AuditChain.textAfter(before, entry)
            audit.push({ entry, link: { sequence: before.sequence + 1, hash: sha256(text), text } })
          }
          return first
        }),
      read: ({ after = 0, before = Infinity, limit, order, payment }) =>
        Effect.sync(() => {
          const matches = payment === undefined ? () => true : isOf(payment)
          const links = audit
            .map(({ link }) => link)
            .filter(({ sequence }) => sequence > after && sequence < before && matches(sequence))
          return (order === "oldestFirst" ? links : links.toReversed()).slice(0, limit)
        }),
      head: Effect.sync(() => {
        const { hash, sequence } = audit.at(-1)?.link ?? AuditChain.genesis
        return { sequence, hash, last: sequence }
      })
    })
  })
)
