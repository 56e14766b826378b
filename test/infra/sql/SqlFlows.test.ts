import { Layer } from "effect"
import * as PersistedFlowQueue from "../../../src/infra/queue/PersistedFlowQueue.ts"
import * as SqlFlowStore from "../../../src/infra/sql/SqlFlowStore.ts"
import * as FlowQueueContract from "../../../src/testing/contract/FlowQueueContract.ts"
import * as FlowStoreContract from "../../../src/testing/contract/FlowStoreContract.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const database = Layer.fresh(FlorinDatabase.layer)

FlowStoreContract.suite("PostgreSQL", SqlFlowStore.layer.pipe(Layer.provide(database)))
FlowQueueContract.suite(
  "PostgreSQL",
  PersistedFlowQueue.layerSql({ pollMillis: 20, lockMillis: 5000 }).pipe(Layer.provide(database), Layer.orDie)
)
