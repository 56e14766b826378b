import { Effect, Layer } from "effect"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as FileSnapshots from "../../../src/infra/ledger/FileSnapshots.ts"
import * as LedgerSnapshotsContract from "../../../src/testing/contract/LedgerSnapshotsContract.ts"
import { directories } from "./Directory.ts"

const directory = directories()
let last = ""

LedgerSnapshotsContract.suite(
  "files",
  Layer.empty,
  () => FileSnapshots.layer((last = directory())),
  Effect.sync(() => {
    const path = join(last, readdirSync(last).toSorted().at(-1)!)
    const bytes = readFileSync(path)
    bytes[60]! ^= 1
    writeFileSync(path, bytes)
  })
)
