/** `IdempotencyStore` over `MemoryDatabase`. */
import { Effect, Layer } from "effect"
import { IdempotencyStore } from "../../adapters/IdempotencyStore.ts"
import { compound, MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<IdempotencyStore, never, MemoryDatabase> = Layer.effect(
  IdempotencyStore,
  Effect.gen(function* () {
    const { keys } = yield* MemoryDatabase

    return IdempotencyStore.of({
      claim: ({ fingerprint, key, merchant, now, owner, until }) =>
        Effect.sync(() => {
          const named = compound(merchant, key)
          const row = keys.get(named)
          const isLapsed = row?.until !== undefined && row.until <= now && row.answer === undefined
          if (row !== undefined && !(isLapsed && row.fingerprint === fingerprint)) {
            return { _tag: "Taken", fingerprint: row.fingerprint, answer: row.answer }
          }
          keys.set(named, { fingerprint, payment: undefined, owner, until, view: undefined, answer: undefined })
          return { _tag: "Claimed" }
        }),
      complete: (merchant, key, owner, answer) =>
        Effect.sync(() => {
          const row = keys.get(compound(merchant, key))
          if (row?.owner === owner) row.answer = answer
        }),
      release: (merchant, key, owner) =>
        Effect.sync(() => {
          const row = keys.get(compound(merchant, key))
          if (row?.owner === owner && row.answer === undefined) keys.delete(compound(merchant, key))
        })
    })
  })
)
