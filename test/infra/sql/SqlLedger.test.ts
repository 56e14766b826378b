import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { randomUUID } from "node:crypto"
import * as SqlLedgerJournal from "../../../src/infra/sql/SqlLedgerJournal.ts"
import * as SqlLedgerSnapshots from "../../../src/infra/sql/SqlLedgerSnapshots.ts"
import * as LedgerJournalContract from "../../../src/testing/contract/LedgerJournalContract.ts"
import * as LedgerSnapshotsContract from "../../../src/testing/contract/LedgerSnapshotsContract.ts"
import * as FlorinDatabase from "./FlorinDatabase.ts"

let last = ""
const ledger = () => ({ ledger: (last = `"ledger" ${randomUUID()} 金`) })

LedgerJournalContract.suite("PostgreSQL", FlorinDatabase.layer, () => SqlLedgerJournal.layer(ledger()))
LedgerSnapshotsContract.suite(
  "PostgreSQL",
  FlorinDatabase.layer,
  () => SqlLedgerSnapshots.layer(ledger()),
  Effect.flatMap(
    SqlClient,
    (sql) => sql`
      update florin.ledger_snapshot_parts set bytes = set_byte(bytes, 50, 255 - get_byte(bytes, 50))
      where ledger = ${last} and sequence = (select max(sequence) from florin.ledger_snapshots where ledger = ${last})`
  )
)
