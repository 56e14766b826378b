/** A fresh PostgreSQL database with florin's tables. */
import * as SqlMigrations from "../../../src/infra/sql/SqlMigrations.ts"
import * as TestDatabase from "../../postgres/TestDatabase.ts"

export const layer = TestDatabase.layer({ name: "florin", migrate: SqlMigrations.migrate })
