import { Layer } from "effect"
import * as MemoryLedgerJournal from "../../../src/infra/memory/MemoryLedgerJournal.ts"
import * as MemoryLedgerSnapshots from "../../../src/infra/memory/MemoryLedgerSnapshots.ts"
import * as LedgerJournalContract from "../../../src/testing/contract/LedgerJournalContract.ts"
import * as LedgerSnapshotsContract from "../../../src/testing/contract/LedgerSnapshotsContract.ts"

LedgerJournalContract.suite("memory", Layer.empty, () => MemoryLedgerJournal.layerOver(MemoryLedgerJournal.store()))
LedgerSnapshotsContract.suite("memory", Layer.empty, () => MemoryLedgerSnapshots.layerOver(new Map()))
