/** Accounts in a directory, of a process that is killed by SIGKILL again and again, and of the one that comes after. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { directories } from "../../infra/ledger/Directory.ts"

const directory = directories()
const main = fileURLToPath(new URL("DepositingProcess.ts", import.meta.url))
const deposits = 400

/** Runs to its end, or until it has answered so many deposits that it had not answered before. */
const run = (path: string, answered: Set<string>, upTo: number) =>
  new Promise<{ readonly signal: string | null; readonly output: string }>((resolve) => {
    const child = spawn(process.execPath, [main, path, String(deposits)], { stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    const hear = (chunk: Buffer) => {
      output += String(chunk)
      for (const [, id] of output.matchAll(/deposited (\d+)\n/g)) answered.add(id!)
      if (answered.size >= upTo) child.kill("SIGKILL")
    }
    child.stdout.on("data", hear)
    child.stderr.on("data", (chunk) => (output += String(chunk)))
    child.once("close", (_, signal) => resolve({ signal, output }))
  })

describe("accounts in a directory", () => {
  it(
    "lose nothing that was answered when their process is killed, and start from a snapshot",
    { timeout: 60_000 },
    async () => {
      const path = directory()
      const answered = new Set<string>()
      for (const upTo of [90, 211]) {
        const { output, signal } = await run(path, answered, upTo)
        assert.strictEqual(signal, "SIGKILL", output)
      }
      const { output } = await run(path, new Set(), Infinity)
      const [, snapshot, behind] =
        /restored from the snapshot after event (\d+) and (\d+) events behind it/.exec(output) ?? []
      assert.isAbove(Number(snapshot), 0, output)
      assert.isAtLeast(Number(snapshot) + Number(behind), answered.size)
      // Each of the four hundred once, however often it was sent.
      assert.match(output, /\naccounts 0=268 1=266 2=266\n/)
    }
  )
})
