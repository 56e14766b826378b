/** `Lock` over `MemoryDatabase`, timed by the fiber's clock. */
import { Clock, Effect, Layer } from "effect"
import * as Locks from "../../adapters/Lock.ts"
import { Lock, LockError } from "../../adapters/Lock.ts"
import { Instant } from "../../domain/Instant.ts"
import { MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<Lock, never, MemoryDatabase> = Layer.effect(
  Lock,
  Effect.gen(function* () {
    const { locks } = yield* MemoryDatabase

    return Lock.of({
      acquire: Effect.fnUntraced(function* (name, owner, ttlMillis) {
        const now = yield* Clock.currentTimeMillis
        const row = locks.get(name)
        if (row?.owner !== undefined && row.owner !== owner && row.until > now) {
          return yield* new LockError({ name, owner, reason: new Locks.Held({ until: Instant.make(row.until) }) })
        }
        const token = (row?.token ?? 0) + 1
        locks.set(name, { owner, until: now + ttlMillis, token })
        return { name, owner, token }
      }),
      extend: Effect.fnUntraced(function* ({ name, owner, token }, ttlMillis) {
        const row = locks.get(name)
        if (row?.token !== token || row.owner !== owner) {
          return yield* new LockError({ name, owner, reason: new Locks.Lost() })
        }
        row.until = (yield* Clock.currentTimeMillis) + ttlMillis
      }),
      release: ({ name, token }) =>
        Effect.sync(() => {
          const row = locks.get(name)
          if (row?.token === token) row.owner = undefined
        })
    })
  })
)
