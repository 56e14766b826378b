/**
 * Guards for steps and sagas:
 *
 *     guards: ({ product }) => [Coordination.lock(`product/${product}`), Coordination.rateLimit("sms", [{ limit: 3, millis: 1000 }])]
 *
 * - `lock`: one at a time; `semaphore`: so many at a time. Leases over the `Lock` adapter: a holder that died is followed
 *   when its lease lapses, and no invariant rests on them (R6).
 * - `rateLimit`: so many in each of several windows, charged in all of them or in none.
 * - `oncePer`: one run in a period; the next ends at once as halted. A run that fails gives the place back.
 * - `ordered`: by nonce, from 1 without gaps. After one that fails those that wait are skipped, and the count begins again.
 */
import { Duration, Effect } from "effect"
import type { Lease, LockError } from "../../adapters/Lock.ts"
import { Lock } from "../../adapters/Lock.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import { Turnstile } from "../../adapters/Turnstile.ts"
import { RunId } from "../../domain/payment/Operation.ts"
import type { RateWindow } from "../../domain/saga/Turns.ts"
import type { Entry, Guard, Visitor } from "./SagaGuard.ts"

/** Longer than a pause of the process, short enough to wait for when its holder died. */
const usualLease: Duration.Input = "30 seconds"

const entered: Entry = { _tag: "Entered" }

export const lock = (name: string, lease: Duration.Input = usualLease): Guard<Lock> => semaphore(name, 1, lease)

export const semaphore = (name: string, permits: number, lease: Duration.Input = usualLease): Guard<Lock> => {
  const ttl = Duration.toMillis(lease)
  const slots = Array.from({ length: permits }, (_, index) =>
    permits === 1 ? `saga/${name}` : `saga/${name}/${index}`
  )
  /** What each visitor holds, so that a free slot before its own is not taken as well. */
  const own = new Map<string, string>()
  /** The first slot that is free or the visitor's own. */
  const take = Effect.fnUntraced(function* (visitor: Visitor) {
    const { acquire } = yield* Lock
    const held = own.get(textOf(visitor))
    for (const slot of held === undefined ? slots : [held]) {
      const lease = yield* free(acquire(slot, ownerOf(visitor), ttl))
      if (lease === undefined) continue
      own.set(textOf(visitor), slot)
      return lease
    }
    return undefined
  })
  return {
    resource: permits === 1 ? `the lock ${name}` : `the semaphore ${name}`,
    enter: (visitor) => Effect.map(take(visitor), (lease): Entry => (lease === undefined ? { _tag: "Busy" } : entered)),
    // Its own lease is had for the asking: to renew it is to take it again.
    keep: (visitor) =>
      Effect.ignore(take(visitor)).pipe(Effect.delay(Duration.millis(Math.ceil(ttl / 3))), Effect.forever),
    leave: (visitor) =>
      Effect.gen(function* () {
        const { release } = yield* Lock
        const lease = yield* take(visitor)
        if (lease !== undefined) yield* release(lease)
        own.delete(textOf(visitor))
      }).pipe(Effect.ignore)
  }
}

/** The lease, unless somebody else has it. */
const free = (acquiring: Effect.Effect<Lease, LockError>): Effect.Effect<Lease | undefined, StorageUnavailable> =>
  Effect.catchTag(acquiring, "LockError", ({ reason }) => {
    switch (reason._tag) {
      case "Held":
      case "Lost":
        return Effect.succeed(undefined)
      case "StorageUnavailable":
        return Effect.fail(reason)
    }
  })

export const rateLimit = (name: string, windows: ReadonlyArray<RateWindow>): Guard<Turnstile> => ({
  resource: `the rate of ${name}`,
  enter: () =>
    Effect.flatMap(Turnstile, ({ charge }) =>
      Effect.map(charge(name, windows), (full): Entry =>
        full === undefined ? entered : { _tag: "Busy", retryAfterMillis: full.retryAfterMillis }
      )
    ),
  leave: () => Effect.void
})

/** `bucket` names the period, as "2026-11" does a month. */
export const oncePer = (name: string, bucket: string): Guard<Turnstile> => ({
  resource: `${name} in ${bucket}`,
  enter: (visitor) =>
    Effect.flatMap(Turnstile, ({ claim }) =>
      Effect.map(claim(name, bucket, textOf(visitor)), (isOurs): Entry => (isOurs ? entered : { _tag: "Done" }))
    ),
  leave: (visitor, succeeded) =>
    succeeded
      ? Effect.void
      : Effect.flatMap(Turnstile, ({ unclaim }) => Effect.ignore(unclaim(name, bucket, textOf(visitor))))
})

export const ordered = (name: string, nonce: number): Guard<Turnstile> => ({
  resource: `the turn ${nonce} of ${name}`,
  enter: () =>
    Effect.gen(function* () {
      const { passed, turn } = yield* Turnstile
      const found = yield* turn(name, nonce)
      if (found === "yours") return entered
      if (found === "wait") return { _tag: "Busy" }
      // It is not to be done, and whoever comes after need not wait for it.
      yield* passed(name, nonce, true)
      return { _tag: "Done" }
    }),
  leave: (_, succeeded) => Effect.flatMap(Turnstile, ({ passed }) => Effect.ignore(passed(name, nonce, succeeded)))
})

const textOf = ({ execution, step }: Visitor): string => (step === undefined ? execution : `${execution}/${step}`)

/** A lock's owner by the visitor's name, in 128 bits of FNV-1a: the same in every process, and a lock only saves work. */
const ownerOf = (visitor: Visitor): RunId => {
  const text = textOf(visitor)
  const part = (seed: number) => {
    let hash = seed
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
    return (hash >>> 0).toString(16).padStart(8, "0")
  }
  return RunId.make(`run_${[0x811c9dc5, 0x01234567, 0x89abcdef, 0x7654321f].map(part).join("")}`)
}
