/**
 * What an operator's command works with: the payments that are there, and, where
 * it has to ask, their gateways. Nothing is migrated, and no worker is started.
 */
import { Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import * as SqlSandboxBooks from "../infra/simulated/SqlSandboxBooks.ts"
import * as SqlLock from "../infra/sql/SqlLock.ts"
import * as SqlOutbox from "../infra/sql/SqlOutbox.ts"
import * as SqlPaymentRepository from "../infra/sql/SqlPaymentRepository.ts"
import * as Database from "./Database.ts"
import * as PaymentCore from "./PaymentCore.ts"
import * as Sandbox from "./Sandbox.ts"
import type * as Settings from "./Settings.ts"
import * as Stores from "./Stores.ts"

/** What is stored, to read and to repair. */
export const stores = (database: Settings.Database) =>
  Layer.mergeAll(SqlPaymentRepository.layer, SqlOutbox.layer, SqlLock.layer, SecureRandom.layerWebCrypto).pipe(
    Layer.provide(Database.existing(database))
  )

/** The same, and the gateways that the service would call. */
export const gateways = (database: Settings.Database, service: Settings.Service) =>
  PaymentCore.payments(service).pipe(
    Layer.provideMerge(Sandbox.layer(service.sandboxUrl).pipe(Layer.provide(SqlSandboxBooks.layer))),
    Layer.provideMerge(Stores.sql(service.screening?.rules ?? [])),
    Layer.provide(Database.existing(database))
  )
