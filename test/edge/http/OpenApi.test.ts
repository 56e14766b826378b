import { assert, describe, it } from "@effect/vitest"
import { OpenApi } from "effect/http-api"
import * as Operation from "../../../src/domain/payment/Operation.ts"
import { PaymentsApi } from "../../../src/edge/http/PaymentsApi.ts"

const spec = OpenApi.fromApi(PaymentsApi)
const operations = Object.entries(spec.paths).flatMap(([path, item]) =>
  (["get", "post", "put", "patch", "delete"] as const).flatMap((method) => {
    const operation = item[method]
    return operation === undefined ? [] : [{ name: `${method.toUpperCase()} ${path}`, operation }]
  })
)
const of = (name: string) => operations.find((one) => one.name === name)!.operation

describe("/openapi.json", () => {
  it("says of every route what it does, and of every parameter what it is", () => {
    assert.strictEqual(operations.length, 50)
    const silent = operations.flatMap(({ name, operation }) => [
      ...(operation.summary === undefined ? [name] : []),
      ...(operation.description === undefined && name.includes("/v1/") ? [`${name}: no description`] : []),
      ...(operation.parameters ?? [])
        .filter(({ schema }) => !("description" in schema))
        .map((parameter) => `${name} ${parameter.name}`)
    ])
    assert.deepStrictEqual(silent, [])
  })

  it("lists what a query may say", () => {
    const names = (name: string) => (of(name).parameters ?? []).map((parameter) => `${parameter.in} ${parameter.name}`)
    assert.deepStrictEqual(names("GET /v1/payments"), [
      "query status",
      "query customer",
      "query createdFrom",
      "query createdBefore",
      "query limit",
      "query cursor"
    ])
    assert.deepStrictEqual(names("GET /v1/events"), [
      "header last-event-id",
      "query after",
      "query payment",
      "query type"
    ])
  })

  it("has the kinds of answers and of problems that each route gives", () => {
    const statuses = (name: string) => Object.keys(of(name).responses)
    assert.deepStrictEqual(statuses("GET /v1/payments"), ["200", "400", "413", "415", "500", "503"])
    assert.deepStrictEqual(statuses("POST /v1/payments/{id}/decision"), [
      "200",
      "202",
      "400",
      "404",
      "409",
      "413",
      "415",
      "422",
      "500",
      "503"
    ])
    assert.property(of("GET /v1/events").responses["200"]!.content, "text/event-stream")
  })

  it("says of each kind of operation how a person may settle it", () => {
    const { description } = of("POST /v1/payments/{id}/decision")
    assert.include(description, "authorize as approved, declined, not_taken_effect;")
    assert.include(description, "capture as captured, refused, not_taken_effect;")
    assert.include(description, "void as voided, captured, refused, not_taken_effect;")
    assert.include(description, "refund as refunded, refused, not_taken_effect.")
    for (const kind of Operation.Kind.literals) assert.include(description, `${kind} as `)
  })
})
