/** `IdempotencyStore` over `MemoryDatabase`. */
import { Effect, Layer } from "effect"
import { IdempotencyStore } from "../../adapters/IdempotencyStore.ts"
import { compound, MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<IdempotencyStore, never, MemoryDatabase> = Layer.effect(
  IdempotencyStore,
  Effect.gen(function* () {
    const { requests } = yield* MemoryDatabase

    return IdempotencyStore.of({
      claim: ({ fingerprint, key, merchant, now, owner, until }) =>
        Effect.sync(() => {
          const named = compound(merchant, key)
          const row = requests.get(named)
          const lapsed = row?.answer === undefined && row !== undefined && row.until <= now
          if (row !== undefined && !(lapsed && row.fingerprint === fingerprint)) {
            return { _tag: "Taken", fingerprint: row.fingerprint, answer: row.answer }
          }
          requests.set(named, { fingerprint, owner, until, answer: undefined })
          return { _tag: "Claimed" }
        }),
      complete: (merchant, key, owner, answer) =>
        Effect.sync(() => {
          const row = requests.get(compound(merchant, key))
          if (row?.owner === owner) row.answer = answer
        }),
      release: (merchant, key, owner) =>
        Effect.sync(() => {
          const row = requests.get(compound(merchant, key))
          if (row?.owner === owner && row.answer === undefined) requests.delete(compound(merchant, key))
        })
    })
  })
)
