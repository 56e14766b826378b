/** Directories of a test file, gone when its tests are over. */
import { afterAll } from "vitest"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** To be called once in a test file: each call of what it answers makes an empty directory. */
export const directories = (): (() => string) => {
  const root = mkdtempSync(join(tmpdir(), "florin-ledger-"))
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  let count = 0
  return () => mkdtempSync(join(root, `${++count}-`))
}
