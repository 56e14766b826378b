/**
 * `Lock` on PostgreSQL. A row stays when its lock is given back, because the
 * next token must be larger than every one before.
 */
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Locks from "../../adapters/Lock.ts"
import { Lock, LockError } from "../../adapters/Lock.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { RunId } from "../../domain/payment/Operation.ts"
import { fromTimestamp, unavailable } from "./SqlStorage.ts"

const asLockError = (name: string, owner: RunId) => (reason: StorageUnavailable) =>
  new LockError({ name, owner, reason })

export const layer: Layer.Layer<Lock, never, SqlClient> = Layer.effect(
  Lock,
  Effect.gen(function* () {
    const sql = yield* SqlClient

    return Lock.of({
      acquire: Effect.fn("SqlLock.acquire")(function* (name, owner, ttlMillis) {
        const now = yield* Clock.currentTimeMillis
        const [row] = yield* sql<{ readonly token: bigint }>`
          insert into florin.locks as old (name, owner, lease_until, token)
          values (${name}, ${owner}, ${new Date(now + ttlMillis)}, 1)
          on conflict (name) do update set
            owner = excluded.owner, lease_until = excluded.lease_until, token = old.token + 1
          where old.owner is null or old.owner = excluded.owner or old.lease_until <= ${new Date(now)}
          returning token`.pipe(unavailable("acquire"), Effect.mapError(asLockError(name, owner)))
        if (row !== undefined) return { name, owner, token: Number(row.token) }
        const [held] = yield* sql<{ readonly until: Date }>`
          select lease_until as until from florin.locks where name = ${name}`.pipe(
          unavailable("acquire"),
          Effect.mapError(asLockError(name, owner))
        )
        const until = fromTimestamp(held?.until ?? new Date(now))
        return yield* new LockError({ name, owner, reason: new Locks.Held({ until }) })
      }),
      extend: Effect.fn("SqlLock.extend")(function* ({ name, owner, token }, ttlMillis) {
        const now = yield* Clock.currentTimeMillis
        const rows = yield* sql`
          update florin.locks set lease_until = ${new Date(now + ttlMillis)}
          where name = ${name} and owner = ${owner} and token = ${BigInt(token)} returning name`.pipe(
          unavailable("extend"),
          Effect.mapError(asLockError(name, owner))
        )
        if (rows.length === 0) return yield* new LockError({ name, owner, reason: new Locks.Lost() })
      }),
      release: Effect.fn("SqlLock.release")(function* ({ name, owner, token }) {
        yield* sql`
          update florin.locks set owner = null
          where name = ${name} and owner = ${owner} and token = ${BigInt(token)}`.pipe(
          unavailable("release"),
          Effect.mapError(asLockError(name, owner))
        )
      })
    })
  })
)
