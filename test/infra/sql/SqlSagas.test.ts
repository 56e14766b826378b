import { Layer } from "effect"
import * as SqlSagaRuns from "../../../src/infra/sql/SqlSagaRuns.ts"
import * as SqlTurnstile from "../../../src/infra/sql/SqlTurnstile.ts"
import * as SagaRunsContract from "../../../src/testing/contract/SagaRunsContract.ts"
import * as TurnstileContract from "../../../src/testing/contract/TurnstileContract.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

const database = Layer.fresh(FlorinDatabase.layer)

SagaRunsContract.suite("PostgreSQL", SqlSagaRuns.layer.pipe(Layer.provide(database)))
TurnstileContract.suite("PostgreSQL", SqlTurnstile.layer.pipe(Layer.provide(database)))
