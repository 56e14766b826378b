/** Runs of sagas and checkouts, as groups of the HTTP API. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { described, keyed, onceEach } from "./ApiWords.ts"
import * as Problem from "./Problem.ts"
import * as SagaJson from "./SagaJson.ts"

const params = { id: Schema.String.annotate({ description: "A run's id" }) }

const Ended = SagaJson.Run.pipe(HttpApiSchema.status(201)).annotate({
  description: "The run has ended: `status` says how"
})
const Underway = SagaJson.Run.pipe(HttpApiSchema.status(202)).annotate({
  description: "The run goes on; ask for it by its id"
})

const starting = [Problem.SagaNotOffered, Problem.KeyReused, Problem.RequestInFlight, Problem.Unavailable] as const

const changing = [Problem.SagaRunNotFound, Problem.SagaRunRefused, Problem.SagaNotOffered, Problem.Unavailable] as const

export class SagasGroup extends HttpApiGroup.make("sagas")
  .add(
    HttpApiEndpoint.post("start", "/", {
      headers: keyed,
      payload: SagaJson.StartSaga,
      success: [Ended, Underway],
      error: starting
    }).annotateMerge(
      described(
        "Pay an order in several steps",
        "`PaymentProcessing` checks, holds, charges, records; `MultiAttempt` goes on to `backups` after a definite " +
          "decline; `AlternativePayment` asks the customer for another card and waits for it. An order is one run: the " +
          `same \`reference\` again is answered with it. ${onceEach}`
      )
    ),
    HttpApiEndpoint.get("list", "/", {
      query: SagaJson.Query,
      success: SagaJson.Runs,
      error: Problem.Unavailable
    }).annotateMerge(described("List runs of sagas", "This merchant's, the newest first.")),
    HttpApiEndpoint.get("get", "/:id", {
      params,
      success: SagaJson.RunWithSteps,
      error: [Problem.SagaRunNotFound, Problem.Unavailable]
    }).annotateMerge(described("Read a run", "With what came of its steps, and the questions that are open.")),
    HttpApiEndpoint.post("cancel", "/:id/cancel", {
      params,
      success: SagaJson.Run.pipe(HttpApiSchema.status(202)),
      error: changing
    }).annotateMerge(
      described("Cancel a run", "Before its next step, and it is taken back; past its pivot it goes on.")
    ),
    HttpApiEndpoint.post("undo", "/:id/undo", {
      params,
      success: SagaJson.Run.pipe(HttpApiSchema.status(202)),
      error: changing
    }).annotateMerge(
      described("Take a run back", "All of it, the newest step first, the pivot included: money is refunded.")
    ),
    HttpApiEndpoint.post("resume", "/:id/resume", {
      params,
      success: SagaJson.Run.pipe(HttpApiSchema.status(202)),
      error: changing
    }).annotateMerge(
      described("Go on with a run", "One that stalled past its pivot: its failed steps are tried anew.")
    ),
    HttpApiEndpoint.post("answer", "/answers", {
      payload: SagaJson.Answer,
      success: HttpApiSchema.NoContent,
      error: [Problem.QuestionNotFound, Problem.AnswerRefused, Problem.SagaNotOffered, Problem.Unavailable]
    }).annotateMerge(
      described(
        "Answer what a run waits for",
        "By the correlation that it asked under. An answer of the wrong form counts; the last that may be wrong fails the step."
      )
    )
  )
  .prefix("/v1/sagas") {}

export class CheckoutsGroup extends HttpApiGroup.make("checkouts")
  .add(
    HttpApiEndpoint.post("start", "/", {
      headers: keyed,
      payload: SagaJson.StartCheckout,
      success: [Ended, Underway],
      error: starting
    }).annotateMerge(
      described(
        "Check an order out",
        "Reserves the goods, holds the money, has the shipment noted, charges: all of it or nothing. An order is one " +
          `run: the same \`reference\` again is answered with it. ${onceEach}`
      )
    ),
    HttpApiEndpoint.get("get", "/:reference", {
      params: { reference: Schema.String.annotate({ description: "The order's number" }) },
      success: SagaJson.RunWithSteps,
      error: [Problem.SagaRunNotFound, Problem.Unavailable]
    }).annotateMerge(described("Read a checkout", "By its order's number: the run, as `GET /v1/sagas/{id}` shows it."))
  )
  .prefix("/v1/checkouts") {}
