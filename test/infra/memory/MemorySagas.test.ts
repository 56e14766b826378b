import * as MemorySagaRuns from "../../../src/infra/memory/MemorySagaRuns.ts"
import * as MemoryTurnstile from "../../../src/infra/memory/MemoryTurnstile.ts"
import * as SagaRunsContract from "../../../src/testing/contract/SagaRunsContract.ts"
import * as TurnstileContract from "../../../src/testing/contract/TurnstileContract.ts"

SagaRunsContract.suite("memory", MemorySagaRuns.layer)
TurnstileContract.suite("memory", MemoryTurnstile.layer)
