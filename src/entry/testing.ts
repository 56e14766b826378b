/**
 * `florin/testing`: what tries florin, and what is built on it. Adapters in
 * memory, gateways that misbehave on purpose, a virtual world in which
 * processes die, the auditor, and the contract suites for adapters.
 *
 * The suites are written for vitest: install `vitest` and `@effect/vitest`.
 */

// --- Adapters in memory ----------------------------------------------------

export * as MemoryDatabase from "../infra/memory/MemoryDatabase.ts"
export * as MemoryPaymentRepository from "../infra/memory/MemoryPaymentRepository.ts"
export * as MemorySubscriptionRepository from "../infra/memory/MemorySubscriptionRepository.ts"
export * as MemoryIdempotencyStore from "../infra/memory/MemoryIdempotencyStore.ts"
export * as MemoryFlowStore from "../infra/memory/MemoryFlowStore.ts"
export * as MemoryOutbox from "../infra/memory/MemoryOutbox.ts"
export * as MemoryEventBus from "../infra/memory/MemoryEventBus.ts"
export * as MemoryLock from "../infra/memory/MemoryLock.ts"
export * as MemoryAuditLog from "../infra/memory/MemoryAuditLog.ts"
export * as MemoryRiskScreen from "../infra/memory/MemoryRiskScreen.ts"
export * as MemoryLedgerBooks from "../infra/memory/MemoryLedgerBooks.ts"
export * as MemoryLedgerJournal from "../infra/memory/MemoryLedgerJournal.ts"
export * as MemoryLedgerSnapshots from "../infra/memory/MemoryLedgerSnapshots.ts"
export * as MemoryWebhookInbox from "../infra/memory/MemoryWebhookInbox.ts"
export * as MemoryWebhookEndpoints from "../infra/memory/MemoryWebhookEndpoints.ts"
export * as MemoryWebhookDeliveries from "../infra/memory/MemoryWebhookDeliveries.ts"
export * as MemoryLedgerSubscriptions from "../infra/memory/MemoryLedgerSubscriptions.ts"
export * as MemoryNotifier from "../infra/memory/MemoryNotifier.ts"

export * as MemoryStockRepository from "../infra/memory/MemoryStockRepository.ts"
export * as MemorySupplier from "../infra/memory/MemorySupplier.ts"
export * as MemorySagaRuns from "../infra/memory/MemorySagaRuns.ts"
export * as MemoryTurnstile from "../infra/memory/MemoryTurnstile.ts"

// --- Gateways --------------------------------------------------------------

export * as ScriptedGateway from "../infra/memory/ScriptedGateway.ts"
export * as SandboxGateway from "../infra/simulated/SandboxGateway.ts"
export * as SandboxBooks from "../infra/simulated/SandboxBooks.ts"
export * as MemorySandboxBooks from "../infra/simulated/MemorySandboxBooks.ts"
export * as SandboxToken from "../infra/simulated/SandboxToken.ts"
export * as AdversarialGateway from "../testing/AdversarialGateway.ts"

// --- A world to break ------------------------------------------------------

export * as Seed from "../testing/Seed.ts"
export * as VirtualTime from "../testing/VirtualTime.ts"
export * as FaultPlan from "../testing/FaultPlan.ts"
export * as Process from "../testing/Process.ts"
export * as World from "../testing/World.ts"
export * as Shop from "../testing/Shop.ts"
export * as Scenario from "../testing/Scenario.ts"
export * as Run from "../testing/Run.ts"
export * as Explorer from "../testing/Explorer.ts"
export * as Simulator from "../testing/Simulator.ts"
export * as FaultRates from "../testing/FaultRates.ts"
export * as SimulationReport from "../testing/SimulationReport.ts"
export * as Mutant from "../testing/Mutant.ts"
export * as MutantHunt from "../testing/MutantHunt.ts"

// --- Sagas -----------------------------------------------------------------

export * as SagaRehearsal from "../testing/saga/SagaRehearsal.ts"
export * as SagaTrace from "../testing/saga/SagaTrace.ts"
export * as FakeStep from "../testing/saga/FakeStep.ts"
export * as SagaStory from "../testing/saga/SagaStory.ts"
export * as SagaStories from "../testing/saga/SagaStories.ts"
export * as SagaBoundaries from "../testing/saga/SagaBoundaries.ts"
export * as SagaExplorer from "../testing/saga/SagaExplorer.ts"

// --- Who judges ------------------------------------------------------------

export * as Auditor from "../testing/Auditor.ts"
export * as Timeline from "../testing/Timeline.ts"
export * as TimelinePicture from "../testing/TimelinePicture.ts"

// --- Arbitrary payments ----------------------------------------------------

export * as Arbitraries from "../testing/Arbitraries.ts"
export * as PaymentMoves from "../testing/PaymentMoves.ts"

// --- Contract suites -------------------------------------------------------

export * as PaymentGatewayContract from "../testing/contract/PaymentGatewayContract.ts"
export * as GatewayUnderTest from "../testing/contract/GatewayUnderTest.ts"
export * as TestCards from "../testing/contract/TestCards.ts"
export * as PaymentRepositoryContract from "../testing/contract/PaymentRepositoryContract.ts"
export * as SubscriptionRepositoryContract from "../testing/contract/SubscriptionRepositoryContract.ts"
export * as IdempotencyStoreContract from "../testing/contract/IdempotencyStoreContract.ts"
export * as OutboxContract from "../testing/contract/OutboxContract.ts"
export * as EventBusContract from "../testing/contract/EventBusContract.ts"
export * as FlowStoreContract from "../testing/contract/FlowStoreContract.ts"
export * as FlowQueueContract from "../testing/contract/FlowQueueContract.ts"
export * as LockContract from "../testing/contract/LockContract.ts"
export * as AuditLogContract from "../testing/contract/AuditLogContract.ts"
export * as RiskScreenContract from "../testing/contract/RiskScreenContract.ts"
export * as LedgerJournalContract from "../testing/contract/LedgerJournalContract.ts"
export * as LedgerSnapshotsContract from "../testing/contract/LedgerSnapshotsContract.ts"
export * as WebhookInboxContract from "../testing/contract/WebhookInboxContract.ts"
export * as WebhookDeliveriesContract from "../testing/contract/WebhookDeliveriesContract.ts"
export * as SagaRunsContract from "../testing/contract/SagaRunsContract.ts"
export * as TurnstileContract from "../testing/contract/TurnstileContract.ts"
export * as LedgerSubscriptionsContract from "../testing/contract/LedgerSubscriptionsContract.ts"
export * as NotifierContract from "../testing/contract/NotifierContract.ts"
export * as StockRepositoryContract from "../testing/contract/StockRepositoryContract.ts"
export * as SupplierContract from "../testing/contract/SupplierContract.ts"
export * as ShopContract from "../testing/contract/ShopContract.ts"

export * as Samples from "../testing/contract/Samples.ts"
