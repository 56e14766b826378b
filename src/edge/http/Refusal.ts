/** From what stands in the way inside to the problem that is answered. */
import { Effect } from "effect"
import type { HttpServerResponse } from "effect/http"
import type { Unverified } from "../../adapters/GatewayWebhooks.ts"
import type { PaymentRepositoryError } from "../../adapters/PaymentRepository.ts"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { StockRepositoryError } from "../../adapters/StockRepository.ts"
import type { SubscriptionRepositoryError } from "../../adapters/SubscriptionRepository.ts"
import type { Rejected as SubscriptionRejected } from "../../domain/subscription/SubscriptionCommand.ts"
import type { Rejected } from "../../domain/payment/PaymentCommand.ts"
import type { ClientAccountsError } from "../../orchestration/ClientAccountsError.ts"
import type { IdempotencyError } from "../../orchestration/IdempotentRequest.ts"
import type { InventoryError } from "../../orchestration/inventory/Inventory.ts"
import type { InvalidInput } from "../../orchestration/saga/SagaAnswer.ts"
import type { SagaRunnerError } from "../../orchestration/saga/SagaRunnerError.ts"
import type { SubscriptionNotFound } from "../../orchestration/subscription/SubscriptionRecord.ts"
import type { PaymentNotFound } from "../../orchestration/PaymentProcess.ts"
import type { UnknownGateway } from "../../orchestration/WebhookIntake.ts"
import type { UnknownEndpoint } from "../../orchestration/WebhookSubscriptions.ts"
import * as PaymentJson from "./PaymentJson.ts"
import * as Problem from "./Problem.ts"
import * as ProblemResponse from "./ProblemResponse.ts"

export type Refusal =
  | Problem.Problem
  | SagaRunnerError
  | InvalidInput
  | SubscriptionNotFound
  | SubscriptionRepositoryError
  | SubscriptionRejected
  | InventoryError
  | StockRepositoryError
  | PaymentNotFound
  | PaymentRepositoryError
  | StorageUnavailable
  | IdempotencyError
  | Rejected
  | ClientAccountsError
  | UnknownGateway
  | Unverified
  | UnknownEndpoint

/** What stood in the way, as a response: the log has the cause, the caller has what to do about it. */
export const refuse = (error: Refusal): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.flatMap(problemOf(error), ProblemResponse.of)

const problemOf = (error: Refusal): Effect.Effect<Problem.Problem> => {
  switch (error._tag) {
    case "Payment.Rejected":
      return Effect.succeed(
        new Problem.OperationRefused({ state: error.state, rule: error.rule, detail: error.message })
      )
    case "IdempotencyError": {
      if (error.reason._tag === "Conflict") {
        const field = PaymentJson.fieldOf(error.reason.field)
        return Effect.succeed(new Problem.KeyReused({ field, detail: `the first request differs in ${field}` }))
      }
      const { payment } = error.reason
      return Effect.succeed(new Problem.RequestInFlight(payment === undefined ? {} : { payment }))
    }
    case "StorageUnavailable":
      return Effect.as(Effect.logWarning("the store did not answer", error), new Problem.Unavailable())
    case "PaymentRepositoryError":
      return error.reason._tag === "EventContinuityError" || error.reason._tag === "UnreadableEvent"
        ? Effect.as(Effect.logError("a payment's history is damaged", error), new Problem.PaymentStopped())
        : Effect.as(Effect.logWarning("a payment could not be worked on", error), new Problem.Unavailable())
    case "ClientAccountsError":
      return accountsProblemOf(error)
    case "SagaRunnerError":
      return Effect.succeed(sagaProblemOf(error))
    case "InvalidInput":
      return Effect.succeed(new Problem.InvalidRequest({ errors: [{ path: ["payload"], message: error.detail }] }))
    case "SubscriptionNotFound":
      return Effect.succeed(new Problem.SubscriptionNotFound())
    case "Subscription.Rejected":
      return Effect.succeed(
        new Problem.SubscriptionRefused({ state: error.state, rule: error.rule, detail: error.message })
      )
    case "SubscriptionRepositoryError":
      return error.reason._tag === "EventContinuityError" || error.reason._tag === "UnreadableEvent"
        ? Effect.as(Effect.logError("a subscription's history is damaged", error), new Problem.SubscriptionStopped())
        : Effect.as(Effect.logWarning("a subscription could not be worked on", error), new Problem.Unavailable())
    case "InventoryError":
    case "StockRepositoryError":
      return error.reason._tag === "UnreadableStock"
        ? Effect.as(Effect.logError("a stock's record is damaged", error), new Problem.StockStopped())
        : Effect.as(Effect.logWarning("a stock could not be worked on", error), new Problem.Unavailable())
    case "PaymentNotFound":
      return Effect.succeed(new Problem.PaymentNotFound())
    case "UnknownGateway":
      return Effect.succeed(new Problem.GatewayNotFound())
    case "Unverified":
      return Effect.succeed(new Problem.WebhookUnverified({ detail: error.detail }))
    case "UnknownEndpoint":
      return Effect.succeed(new Problem.EndpointNotFound())
    case "InvalidRequest":
    case "CardNumberRefused":
    case "BodyTooLarge":
    case "NotJson":
    case "GatewayNotFound":
    case "WebhookUnverified":
    case "EndpointNotFound":
    case "SagaRunNotFound":
    case "SagaRunRefused":
    case "SagaNotOffered":
    case "QuestionNotFound":
    case "AnswerRefused":
    case "SubscriptionRefused":
    case "SubscriptionStopped":
    case "StockRefused":
    case "StockStopped":
    case "RouteNotFound":
    case "AccountNotFound":
    case "TransactionRefused":
    case "Overloaded":
    case "LedgerStopped":
    case "OperationRefused":
    case "RequestInFlight":
    case "KeyReused":
    case "PaymentStopped":
    case "InternalError":
    case "Unavailable":
      return Effect.succeed(error)
  }
}

const sagaProblemOf = ({ message, reason }: SagaRunnerError): Problem.Problem => {
  switch (reason._tag) {
    case "UnknownRun":
      return new Problem.SagaRunNotFound()
    case "NotRegistered":
      return new Problem.SagaNotOffered({ saga: reason.saga, detail: message })
    case "NotNow":
      return new Problem.SagaRunRefused({ state: reason.status, detail: message })
    case "NotAsked":
      return new Problem.QuestionNotFound()
    case "WrongAnswer": {
      const { attemptsLeft, detail } = reason
      return new Problem.AnswerRefused({ detail, ...(attemptsLeft !== undefined && { attemptsLeft }) })
    }
  }
}

const accountsProblemOf = (error: ClientAccountsError): Effect.Effect<Problem.Problem> => {
  const { reason } = error
  switch (reason._tag) {
    case "Overloaded":
      return Effect.succeed(new Problem.Overloaded({ detail: reason.message }))
    case "KeyReused":
      return Effect.succeed(
        new Problem.KeyReused({ field: reason.field, detail: `the first request differs in ${reason.field}` })
      )
    case "Unavailable":
      return Effect.as(
        Effect.logWarning("the accounts did not answer", error),
        new Problem.Unavailable({ detail: reason.message })
      )
    case "JournalDamaged":
      return Effect.as(Effect.logError("the journal of the accounts is damaged", error), new Problem.LedgerStopped())
  }
}
