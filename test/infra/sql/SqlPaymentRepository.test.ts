import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlPaymentRepository from "../../../src/infra/sql/SqlPaymentRepository.ts"
import * as PaymentRepositoryContract from "../../../src/testing/contract/PaymentRepositoryContract.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

PaymentRepositoryContract.suite(
  "PostgreSQL",
  SqlPaymentRepository.layer.pipe(Layer.provideMerge(FlorinDatabase.layer)),
  (payment, version) =>
    Effect.flatMap(
      SqlClient,
      (sql) => sql`delete from florin.events where payment = ${payment} and version = ${version}`
    )
)
