import * as MemoryLedgerSubscriptions from "../../../src/infra/memory/MemoryLedgerSubscriptions.ts"
import * as LedgerSubscriptionsContract from "../../../src/testing/contract/LedgerSubscriptionsContract.ts"

LedgerSubscriptionsContract.suite("memory", MemoryLedgerSubscriptions.layer)
