import { Effect, Layer } from "effect"
import * as MemoryNotifier from "../../../src/infra/memory/MemoryNotifier.ts"
import * as NotifierContract from "../../../src/testing/contract/NotifierContract.ts"

const arrived = Layer.effect(
  NotifierContract.Arrived,
  Effect.map(MemoryNotifier.SentNotices, (sent) => Effect.sync(() => [...sent.values()]))
)

NotifierContract.suite("memory", Layer.provideMerge(arrived, MemoryNotifier.layer))
