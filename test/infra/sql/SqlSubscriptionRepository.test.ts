import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SubscriptionId } from "../../../src/domain/subscription/Invoice.ts"
import * as SqlSubscriptionRepository from "../../../src/infra/sql/SqlSubscriptionRepository.ts"
import * as SubscriptionRepositoryContract from "../../../src/testing/contract/SubscriptionRepositoryContract.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const lose = (subscription: SubscriptionId, version: number) =>
  Effect.flatMap(
    SqlClient,
    (sql) => sql`delete from florin.subscription_events where subscription = ${subscription} and version = ${version}`
  ).pipe(Effect.asVoid)

SubscriptionRepositoryContract.suite(
  "PostgreSQL",
  SqlSubscriptionRepository.layer.pipe(Layer.provideMerge(FlorinDatabase.layer)),
  lose
)
