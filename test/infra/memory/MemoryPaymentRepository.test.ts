import { Effect, Layer } from "effect"
import { MemoryDatabase, layer as memoryDatabase } from "../../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryPaymentRepository from "../../../src/infra/memory/MemoryPaymentRepository.ts"
import * as PaymentRepositoryContract from "../../../src/testing/contract/PaymentRepositoryContract.ts"

PaymentRepositoryContract.suite(
  "memory",
  MemoryPaymentRepository.layer.pipe(Layer.provideMerge(memoryDatabase)),
  (payment, version) =>
    Effect.map(MemoryDatabase, ({ streams }) => {
      const row = streams.get(payment)!
      row.events = row.events.filter((event) => event.version !== version)
    })
)
