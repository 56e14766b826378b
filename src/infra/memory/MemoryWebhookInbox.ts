/** `WebhookInbox` over `MemoryDatabase`. */
import { Effect, Layer, Option } from "effect"
import type { Received } from "../../adapters/WebhookInbox.ts"
import { keysOf, WebhookInbox } from "../../adapters/WebhookInbox.ts"
import type { Instant } from "../../domain/Instant.ts"
import type { RunId } from "../../domain/payment/Operation.ts"
import type { ReceivedRow } from "./MemoryDatabase.ts"
import { compound, MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<WebhookInbox, never, MemoryDatabase> = Layer.effect(
  WebhookInbox,
  Effect.gen(function* () {
    const { deadWebhooks, inbox, seenWebhooks } = yield* MemoryDatabase

    const held = (owner: RunId, id: string) => {
      const row = inbox.get(id)
      return row?.owner === owner ? row : undefined
    }

    return WebhookInbox.of({
      store: ({ at, body, events, gateway, id }) =>
        Effect.sync(() => {
          const isNew = (event: (typeof events)[number]) =>
            keysOf(event).every((key) => !seenWebhooks.has(compound(gateway, key)))
          const isStored = events.some(isNew)
          for (const key of events.flatMap(keysOf)) {
            const named = compound(gateway, key)
            if (!seenWebhooks.has(named)) seenWebhooks.set(named, at)
          }
          if (isStored) inbox.set(id, rowOf({ id, gateway, body, at, failures: 0 }, at))
          return isStored
        }),
      claim: ({ gateway, limit, now, owner, until }) =>
        Effect.sync(() =>
          [...inbox.values()]
            .filter((row) => row.received.gateway === gateway && row.retryAt <= now && (row.until ?? 0) <= now)
            .toSorted((one, other) => one.retryAt - other.retryAt)
            .slice(0, limit)
            .map((row) => {
              row.owner = owner
              row.until = until
              return { ...row.received, failures: row.failures }
            })
        ),
      applied: (owner, id) =>
        Effect.sync(() => {
          if (held(owner, id) !== undefined) inbox.delete(id)
        }),
      failed: (owner, id, retryAt) =>
        Effect.sync(() => {
          const row = held(owner, id)
          if (row === undefined) return
          row.failures += 1
          row.retryAt = retryAt
          row.owner = undefined
          row.until = undefined
        }),
      bury: (owner, id, error, diedAt) =>
        Effect.sync(() => {
          const row = held(owner, id)
          if (row === undefined) return
          inbox.delete(id)
          deadWebhooks.set(id, { ...row.received, failures: row.failures + 1, error, diedAt })
        }),
      deadLetters: (limit) =>
        Effect.sync(() =>
          [...deadWebhooks.values()].toSorted((one, other) => one.diedAt - other.diedAt).slice(0, limit)
        ),
      deadLetter: (id) => Effect.sync(() => Option.fromUndefinedOr(deadWebhooks.get(id))),
      replay: (id, now) =>
        Effect.sync(() => {
          const dead = deadWebhooks.get(id)
          if (dead === undefined) return false
          deadWebhooks.delete(id)
          const { at, body, gateway } = dead
          inbox.set(id, rowOf({ id, gateway, body, at, failures: 0 }, now))
          return true
        }),
      forget: (before) =>
        Effect.sync(() => {
          for (const [key, at] of seenWebhooks) if (at < before) seenWebhooks.delete(key)
        }),
      pending: Effect.sync(() => inbox.size)
    })
  })
)

const rowOf = (received: Received, retryAt: Instant): ReceivedRow => ({
  received,
  failures: 0,
  retryAt,
  owner: undefined,
  until: undefined
})
