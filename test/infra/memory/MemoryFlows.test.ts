import { Layer } from "effect"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryFlowStore from "../../../src/infra/memory/MemoryFlowStore.ts"
import * as PersistedFlowQueue from "../../../src/infra/queue/PersistedFlowQueue.ts"
import * as FlowQueueContract from "../../../src/testing/contract/FlowQueueContract.ts"
import * as FlowStoreContract from "../../../src/testing/contract/FlowStoreContract.ts"

FlowStoreContract.suite("memory", MemoryFlowStore.layer.pipe(Layer.provide(Layer.fresh(MemoryDatabase.layer))))
FlowQueueContract.suite("memory", PersistedFlowQueue.layerMemory)
