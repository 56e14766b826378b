/**
 * `florin`: the core. State machines and rules, what they need from the world,
 * and the Effect programs between the two.
 *
 * Nothing in it touches a network, a disk or a clock of its own: give it the
 * adapters of `florin/node`, those of `florin/testing`, or your own.
 */

// --- Rules -----------------------------------------------------------------

export * as Money from "../domain/Money.ts"
export * as Currency from "../domain/Currency.ts"
export * as Instant from "../domain/Instant.ts"
export * as Text from "../domain/Text.ts"
export * as CardNumber from "../domain/CardNumber.ts"
export * as Idempotency from "../domain/Idempotency.ts"
export * as RetryPolicy from "../domain/RetryPolicy.ts"
export * as Risk from "../domain/Risk.ts"
export * as Routing from "../domain/Routing.ts"

// --- The payment -----------------------------------------------------------

export * as Payment from "../domain/payment/Payment.ts"
export * as PaymentCommand from "../domain/payment/PaymentCommand.ts"
export * as PaymentEvent from "../domain/payment/PaymentEvent.ts"
export * as PaymentView from "../domain/payment/PaymentView.ts"
export * as PaymentPlan from "../domain/payment/PaymentPlan.ts"
export * as PaymentDraft from "../domain/payment/PaymentDraft.ts"
export * as Operation from "../domain/payment/Operation.ts"
export * as Gateway from "../domain/payment/Gateway.ts"
export * as OperationHistory from "../domain/payment/OperationHistory.ts"
export * as GatewayAgreement from "../domain/payment/GatewayAgreement.ts"
export * as Evidence from "../domain/payment/Evidence.ts"
export * as Notification from "../domain/payment/Notification.ts"

// --- Clients' accounts -------------------------------------------------------

export * as Ledger from "../domain/ledger/Ledger.ts"
export * as LedgerAmount from "../domain/ledger/LedgerAmount.ts"
export * as LedgerBook from "../domain/ledger/LedgerBook.ts"
export * as LedgerEvent from "../domain/ledger/LedgerEvent.ts"
export * as LedgerPolicy from "../domain/ledger/LedgerPolicy.ts"
export * as LedgerRefusal from "../domain/ledger/LedgerRefusal.ts"
export * as Transaction from "../domain/ledger/Transaction.ts"
export * as TransactionRow from "../domain/ledger/TransactionRow.ts"
export * as PackedEvents from "../domain/ledger/PackedEvents.ts"

// --- Flows -------------------------------------------------------------------

export * as FlowName from "../domain/flow/FlowName.ts"
export * as FlowEvent from "../domain/flow/FlowEvent.ts"
export * as FlowState from "../domain/flow/FlowState.ts"
export * as FlowPlan from "../domain/flow/FlowPlan.ts"
export * as FlowError from "../domain/flow/FlowError.ts"
export * as FlowContext from "../domain/flow/FlowContext.ts"

// --- Webhooks ----------------------------------------------------------------

export * as StandardWebhooks from "../domain/webhook/StandardWebhooks.ts"
export * as WebhookEndpoint from "../domain/webhook/WebhookEndpoint.ts"
export * as WebhookTarget from "../domain/webhook/WebhookTarget.ts"
export * as DeliverySchedule from "../domain/webhook/DeliverySchedule.ts"

// --- Subscriptions ----------------------------------------------------------

export * as BillingPlan from "../domain/subscription/BillingPlan.ts"
export * as BillingAnchor from "../domain/subscription/BillingAnchor.ts"
export * as Proration from "../domain/subscription/Proration.ts"
export * as Coupon from "../domain/subscription/Coupon.ts"
export * as Invoice from "../domain/subscription/Invoice.ts"
export * as Dunning from "../domain/subscription/Dunning.ts"
export * as Subscription from "../domain/subscription/Subscription.ts"
export * as SubscriptionCommand from "../domain/subscription/SubscriptionCommand.ts"
export * as SubscriptionEvent from "../domain/subscription/SubscriptionEvent.ts"
export * as SubscriptionView from "../domain/subscription/SubscriptionView.ts"
export * as SubscriptionPlan from "../domain/subscription/SubscriptionPlan.ts"
export * as SubscriptionNotice from "../domain/subscription/SubscriptionNotice.ts"
export * as ChargeOutcome from "../domain/subscription/ChargeOutcome.ts"

// --- The audit log ----------------------------------------------------------

export * as AuditEntry from "../domain/audit/AuditEntry.ts"
export * as AuditChain from "../domain/audit/AuditChain.ts"

// --- Inventory --------------------------------------------------------------

export * as Stock from "../domain/reservation/Stock.ts"
export * as StockEvent from "../domain/reservation/StockEvent.ts"
export * as StockCommand from "../domain/reservation/StockCommand.ts"
export * as Reorder from "../domain/reservation/Reorder.ts"
export * as StockRepository from "../adapters/StockRepository.ts"
export * as Supplier from "../adapters/Supplier.ts"
export * as Inventory from "../orchestration/inventory/Inventory.ts"
export * as InventoryPolicy from "../orchestration/inventory/InventoryPolicy.ts"
export * as BulkInventory from "../orchestration/inventory/BulkInventory.ts"
export * as InventoryWorker from "../orchestration/inventory/InventoryWorker.ts"
export * as StockStep from "../orchestration/inventory/StockStep.ts"
export * as StockTransfer from "../orchestration/inventory/StockTransfer.ts"
export * as StockReplenishment from "../orchestration/inventory/StockReplenishment.ts"
export * as DeliveryTracking from "../orchestration/inventory/DeliveryTracking.ts"
export * as ReplenishmentWorker from "../orchestration/inventory/ReplenishmentWorker.ts"

// --- What florin needs from the world --------------------------------------

export * as PaymentGateway from "../adapters/PaymentGateway.ts"
export * as PaymentRepository from "../adapters/PaymentRepository.ts"
export * as SubscriptionRepository from "../adapters/SubscriptionRepository.ts"
export * as IdempotencyStore from "../adapters/IdempotencyStore.ts"
export * as Outbox from "../adapters/Outbox.ts"
export * as EventBus from "../adapters/EventBus.ts"
export * as Lock from "../adapters/Lock.ts"
export * as AuditLog from "../adapters/AuditLog.ts"
export * as LedgerBooks from "../adapters/LedgerBooks.ts"
export * as LedgerJournal from "../adapters/LedgerJournal.ts"
export * as LedgerSnapshots from "../adapters/LedgerSnapshots.ts"
export * as LedgerSubscriptions from "../adapters/LedgerSubscriptions.ts"
export * as RiskScreen from "../adapters/RiskScreen.ts"
export * as FlowStore from "../adapters/FlowStore.ts"
export * as FlowQueue from "../adapters/FlowQueue.ts"
export * as FlowGateway from "../adapters/FlowGateway.ts"
export * as GatewayWebhooks from "../adapters/GatewayWebhooks.ts"
export * as WebhookInbox from "../adapters/WebhookInbox.ts"
export * as WebhookEndpoints from "../adapters/WebhookEndpoints.ts"
export * as WebhookDeliveries from "../adapters/WebhookDeliveries.ts"
export * as WebhookSender from "../adapters/WebhookSender.ts"

export * as Shop from "../adapters/Shop.ts"
export * as Notifier from "../adapters/Notifier.ts"
export * as Storage from "../adapters/Storage.ts"

// --- Programs --------------------------------------------------------------

export * as Payments from "../orchestration/Payments.ts"
export * as PaymentPolicy from "../orchestration/PaymentPolicy.ts"
export * as GatewayCall from "../orchestration/GatewayCall.ts"
export * as PaymentProcess from "../orchestration/PaymentProcess.ts"
export * as PaymentRecovery from "../orchestration/PaymentRecovery.ts"
export * as OutboxRelay from "../orchestration/OutboxRelay.ts"
export * as Notifications from "../orchestration/Notifications.ts"
export * as WebhookIntake from "../orchestration/WebhookIntake.ts"
export * as WebhookWorker from "../orchestration/WebhookWorker.ts"
export * as WebhookSubscriptions from "../orchestration/WebhookSubscriptions.ts"
export * as WebhookDispatch from "../orchestration/WebhookDispatch.ts"
export * as Flow from "../orchestration/Flow.ts"
export * as FlowDispatch from "../orchestration/FlowDispatch.ts"
export * as Flows from "../orchestration/Flows.ts"
export * as FlowPolicy from "../orchestration/FlowPolicy.ts"
export * as FlowWorker from "../orchestration/FlowWorker.ts"
export * as FlowRetry from "../orchestration/FlowRetry.ts"
export * as AuditTrail from "../orchestration/AuditTrail.ts"
export * as AuditedPayments from "../orchestration/AuditedPayments.ts"
export * as AuditVerification from "../orchestration/AuditVerification.ts"
export * as IdempotentRequest from "../orchestration/IdempotentRequest.ts"
export * as Verification from "../orchestration/Verification.ts"
export * as VerificationReport from "../orchestration/VerificationReport.ts"
export * as ProjectionRebuild from "../orchestration/ProjectionRebuild.ts"
export * as ClientAccounts from "../orchestration/ClientAccounts.ts"
export * as ClientAccountsError from "../orchestration/ClientAccountsError.ts"
export * as LedgerHandlers from "../orchestration/LedgerHandlers.ts"
export * as Subscriptions from "../orchestration/subscription/Subscriptions.ts"
export * as SubscriptionPolicy from "../orchestration/subscription/SubscriptionPolicy.ts"
export * as SubscriptionProcess from "../orchestration/subscription/SubscriptionProcess.ts"
export * as BillingSaga from "../orchestration/subscription/BillingSaga.ts"
export * as BillingWorker from "../orchestration/subscription/BillingWorker.ts"

// --- Sagas -----------------------------------------------------------------

export * as Saga from "../orchestration/saga/Saga.ts"
export * as SagaRunner from "../orchestration/saga/SagaRunner.ts"
export * as SagaEngine from "../orchestration/saga/SagaEngine.ts"
export * as SagaObserver from "../orchestration/saga/SagaObserver.ts"
export * as DurableSagas from "../orchestration/saga/DurableSagas.ts"
export * as SagaRuns from "../adapters/SagaRuns.ts"
export * as Turnstile from "../adapters/Turnstile.ts"
export * as SagaGraph from "../domain/saga/SagaGraph.ts"
export * as SagaPlan from "../domain/saga/SagaPlan.ts"
export * as SagaRef from "../domain/saga/SagaRef.ts"
export * as SagaNotice from "../domain/saga/SagaNotice.ts"
export * as StepRetry from "../domain/saga/StepRetry.ts"
export * as StepOutcome from "../domain/saga/StepOutcome.ts"
export * as Turns from "../domain/saga/Turns.ts"
export * as SagaStep from "../orchestration/saga/SagaStep.ts"
export * as SagaGuard from "../orchestration/saga/SagaGuard.ts"
export * as Coordination from "../orchestration/saga/Coordination.ts"
export * as SagaRunnerError from "../orchestration/saga/SagaRunnerError.ts"
export * as SagaAnswer from "../orchestration/saga/SagaAnswer.ts"
export * as SagaExecutor from "../orchestration/saga/SagaExecutor.ts"
export * as SagaDriver from "../orchestration/saga/SagaDriver.ts"
export * as SagaTelemetry from "../orchestration/saga/SagaTelemetry.ts"
export * as FollowedPayment from "../orchestration/paying/FollowedPayment.ts"
export * as PaymentOrder from "../orchestration/paying/PaymentOrder.ts"
export * as PaymentProcessing from "../orchestration/paying/PaymentProcessing.ts"
export * as MultiAttempt from "../orchestration/paying/MultiAttempt.ts"
export * as AlternativePayment from "../orchestration/paying/AlternativePayment.ts"
export * as Checkout from "../orchestration/paying/Checkout.ts"
