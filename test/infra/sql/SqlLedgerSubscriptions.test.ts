import { Layer } from "effect"
import * as SqlLedgerSubscriptions from "../../../src/infra/sql/SqlLedgerSubscriptions.ts"
import * as LedgerSubscriptionsContract from "../../../src/testing/contract/LedgerSubscriptionsContract.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

LedgerSubscriptionsContract.suite("PostgreSQL", SqlLedgerSubscriptions.layer.pipe(Layer.provide(FlorinDatabase.layer)))
