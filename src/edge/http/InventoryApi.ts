/** Stock, as a group of the HTTP API. */
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { OperationKey } from "../../domain/reservation/StockEvent.ts"
import { described, keyed } from "./ApiWords.ts"
import * as InventoryJson from "./InventoryJson.ts"
import * as Problem from "./Problem.ts"
import * as SagaJson from "./SagaJson.ts"

const params = { product: InventoryJson.Product, location: InventoryJson.Location }

const failing = [Problem.StockStopped, Problem.Unavailable] as const

export class InventoryGroup extends HttpApiGroup.make("inventory")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: InventoryJson.Query,
      success: InventoryJson.Levels,
      error: failing
    }).annotateMerge(described("List stocks", "By product and location, a page at a time.")),
    HttpApiEndpoint.get("levels", "/:product", {
      params: { product: InventoryJson.Product },
      success: InventoryJson.Levels,
      error: failing
    }).annotateMerge(described("Read a product's stocks", "At each location where there is or was any.")),
    HttpApiEndpoint.get("get", "/:product/:location", {
      params,
      success: InventoryJson.Detail,
      error: failing
    }).annotateMerge(
      described("Read a stock", "On hand, reserved, available, on order; who reserved it, and what is ordered.")
    ),
    HttpApiEndpoint.post("operate", "/:product/:location/operations", {
      params,
      headers: {
        "idempotency-key": OperationKey.annotate({
          description: "Names the operation: a repeat is answered and not done again"
        })
      },
      payload: InventoryJson.Operation,
      success: InventoryJson.Level,
      error: [Problem.StockRefused, Problem.KeyReused, ...failing]
    }).annotateMerge(
      described(
        "Receive, adjust, reserve, release or consume",
        "Available is never negative, whoever asks at once. A `reserve` names its reservation, and may lapse by `until`."
      )
    ),
    HttpApiEndpoint.post("operateAll", "/operations", {
      payload: InventoryJson.Operations,
      success: InventoryJson.Report,
      error: Problem.Unavailable
    }).annotateMerge(
      described(
        "Many operations in one request",
        "Up to 100, each on its own and under its own `key`: the answer says of each whether it was done. A repeat of the request does what was not done yet."
      )
    ),
    HttpApiEndpoint.post("transfer", "/transfers", {
      headers: keyed,
      payload: InventoryJson.StartTransfer,
      success: [SagaJson.Run.pipe(HttpApiSchema.status(201)), SagaJson.Run.pipe(HttpApiSchema.status(202))],
      error: [Problem.SagaNotOffered, Problem.KeyReused, Problem.RequestInFlight, Problem.Unavailable]
    }).annotateMerge(
      described("Move stock to another location", "A run of the saga `StockTransfer`: half done, it is undone.")
    )
  )
  .prefix("/v1/inventory") {}
