/**
 * `SandboxBooks` in two maps. They outlive the layers built on them: a test
 * keeps them, throws away the rest of the process, and builds it anew.
 */
import { Effect, Layer } from "effect"
import type { Reference } from "../../domain/payment/Gateway.ts"
import type { OperationId } from "../../domain/payment/Operation.ts"
import type { StoredOperation } from "./Sandbox.ts"
import { SandboxBooks } from "./SandboxBooks.ts"
import type { Charge } from "./SandboxCharge.ts"

export interface Tables {
  readonly charges: Map<Reference, Charge>
  readonly operations: Map<OperationId, StoredOperation>
}

export const make = (): Tables => ({ charges: new Map(), operations: new Map() })

export const layer = (tables: Tables = make()): Layer.Layer<SandboxBooks> => {
  const { charges, operations } = tables
  return Layer.succeed(SandboxBooks, {
    transact: (address, change) =>
      Effect.sync(() => {
        const operation = operations.get(address.key)
        const reference = address.reference ?? operation?.reference
        const charge = reference === undefined ? undefined : charges.get(reference)
        const [result, after] = change({ operation, charge })
        if (after.charge !== undefined) charges.set(after.charge.reference, after.charge)
        if (after.operation !== undefined) operations.set(after.operation.key, after.operation)
        return result
      }),
    charge: (reference) => Effect.sync(() => charges.get(reference)),
    charges: (after, limit) =>
      Effect.sync(() =>
        [...charges.values()]
          .filter(({ reference }) => after === undefined || reference > after)
          .toSorted((one, other) => (one.reference < other.reference ? -1 : 1))
          .slice(0, limit)
      )
  })
}
