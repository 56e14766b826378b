/** Files of ledger transactions to measure with, made by `florin generate`'s own maker, and gone at the end. */
import { Effect } from "effect"
import { createWriteStream, mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import * as LedgerFile from "../src/testing/ledger/LedgerFile.ts"
import * as Mix from "../src/testing/ledger/Mix.ts"

/** As `florin generate` has it: deposits, withdrawals, disputes and how they end, withdrawals of too much. */
const mix = Mix.usual

const seed = 7

export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "florin-ledger-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
)

/** Where the file is. */
export const make = (directory: string, rows: number, clients: number) =>
  Effect.tryPromise(async () => {
    const path = join(directory, `${rows}.csv`)
    const pieces = LedgerFile.make({ rows, clients, seed, mix })
    await pipeline(Readable.from(pieces.map(({ bytes }) => bytes)), createWriteStream(path))
    return path
  })
