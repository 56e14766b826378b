/** `SubscriptionRepository` over `MemoryDatabase`: for tests, examples and the simulator. */
import { Effect, Layer, Option, Schema } from "effect"
import type { Due } from "../../adapters/SubscriptionRepository.ts"
import * as Repository from "../../adapters/SubscriptionRepository.ts"
import { SubscriptionRepository, SubscriptionRepositoryError } from "../../adapters/SubscriptionRepository.ts"
import type { SubscriptionId } from "../../domain/subscription/Invoice.ts"
import { MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<SubscriptionRepository, never, MemoryDatabase> = Layer.effect(
  SubscriptionRepository,
  Effect.gen(function* () {
    const { invoices, subscriptions } = yield* MemoryDatabase

    const settlementOf = ({ invoice, subscription }: Repository.RegisteredInvoice) =>
      subscriptions
        .get(subscription)
        ?.events.map(({ event }) => event)
        .filter(Schema.is(Repository.Settlement))
        .find((event) => event.invoice === invoice.id)

    return SubscriptionRepository.of({
      append: (append) =>
        Effect.suspend(() => {
          const { due, events, expected, merchant, subscription, view } = append
          const row = subscriptions.get(subscription) ?? { events: [], version: 0, view, due }
          if (row.version !== expected || expected + events.length === 0) {
            return refuse(subscription, new Repository.VersionConflict({ expected }))
          }
          const added = events.map((event, index) => ({ version: expected + index + 1, event }))
          const version = expected + events.length
          subscriptions.set(subscription, { events: [...row.events, ...added], version, view, due })
          const register = invoices.get(merchant) ?? []
          const numbered = Repository.finalizedIn(append).map((invoice, index) => ({
            number: register.length + index + 1,
            subscription,
            invoice
          }))
          invoices.set(merchant, [...register, ...numbered])
          return Effect.void
        }),

      load: (subscription) =>
        Effect.suspend(() => {
          const { events, version } = subscriptions.get(subscription) ?? { events: [], version: 0 }
          const gap = events.findIndex((stored, index) => stored.version !== index + 1)
          if (gap === -1 && events.length === version) {
            return Effect.succeed({ history: events.map(({ event }) => event), version })
          }
          const [expected, actual] = gap === -1 ? [version, events.length] : [gap + 1, events[gap]!.version]
          return refuse(subscription, new Repository.EventContinuityError({ expected, actual }))
        }),

      find: (subscription) => Effect.sync(() => Option.fromUndefinedOr(subscriptions.get(subscription)?.view)),

      list: ({ after = "", limit, merchant }) =>
        Effect.sync(() =>
          [...subscriptions.values()]
            .map(({ view }) => view)
            .filter((view) => view.merchant === merchant && view.id > after)
            .toSorted((a, b) => (a.id < b.id ? -1 : 1))
            .slice(0, limit)
        ),

      due: ({ after, before, limit }) =>
        Effect.sync(() =>
          [...subscriptions]
            .flatMap(([subscription, { due }]): ReadonlyArray<Due> =>
              due === undefined ? [] : [{ subscription, due }]
            )
            .filter((one) => one.due <= before && (after === undefined || isAfter(one, after)))
            .toSorted((a, b) => (isAfter(a, b) ? 1 : -1))
            .slice(0, limit)
        ),

      invoices: ({ after = 0, limit, merchant, subscription }) =>
        Effect.sync(() =>
          (invoices.get(merchant) ?? [])
            .filter((one) => one.number > after && (subscription === undefined || one.subscription === subscription))
            .slice(0, limit)
            .map((one) => ({ ...one, ...Repository.standingOf(settlementOf(one)) }))
        )
    })
  })
)

const refuse = (subscription: SubscriptionId, reason: SubscriptionRepositoryError["reason"]) =>
  Effect.fail(new SubscriptionRepositoryError({ subscription, reason }))

const isAfter = (self: Due, that: Due): boolean =>
  self.due > that.due || (self.due === that.due && self.subscription > that.subscription)
