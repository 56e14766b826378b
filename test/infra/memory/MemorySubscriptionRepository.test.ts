import { Effect, Layer } from "effect"
import type { SubscriptionId } from "../../../src/domain/subscription/Invoice.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as MemorySubscriptionRepository from "../../../src/infra/memory/MemorySubscriptionRepository.ts"
import * as SubscriptionRepositoryContract from "../../../src/testing/contract/SubscriptionRepositoryContract.ts"

const lose = (subscription: SubscriptionId, version: number) =>
  Effect.map(MemoryDatabase.MemoryDatabase, ({ subscriptions }) => {
    const row = subscriptions.get(subscription)!
    subscriptions.set(subscription, { ...row, events: row.events.filter((stored) => stored.version !== version) })
  })

SubscriptionRepositoryContract.suite(
  "memory",
  MemorySubscriptionRepository.layer.pipe(Layer.provideMerge(MemoryDatabase.layer)),
  lose
)
