/** The diagrams of the guide are those of the sagas. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as Checkout from "../../../src/orchestration/paying/Checkout.ts"
import * as PaymentProcessing from "../../../src/orchestration/paying/PaymentProcessing.ts"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"

const options = { fraud: { points: {}, threshold: 0 }, record: () => Effect.void }
const shipment = { write: () => Effect.succeed({ shipment: "sh-1" }), withdraw: () => Effect.void }

describe("docs/guides/sagas.md", () => {
  it("shows payment processing and checkout as they are", () => {
    const guide = readFileSync("docs/guides/sagas.md", "utf8")
    const shown = [...guide.matchAll(/^```mermaid\n(.*?)^```$/gms)].map(([, diagram]) => diagram)
    assert.deepStrictEqual(shown, [
      Saga.diagram(PaymentProcessing.make(options)),
      Saga.diagram(Checkout.make({ ...options, shipment }))
    ])
  })
})
