/** `florin process` into a journal, killed again and again by SIGKILL at moments that a seed draws, and begun again. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { spawn } from "node:child_process"
import { randomInt } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { inject } from "vitest"
import { directories } from "../../infra/ledger/Directory.ts"
import * as FlorinDatabase from "../../infra/sql/FlorinDatabase.ts"
import * as Journals from "./Journals.ts"

const directory = directories()
const root = fileURLToPath(new URL("../../..", import.meta.url))
const main = join(root, "src/edge/cli/main.js")

/** Small, so that a process is done soon after it has started; three pieces of a file, so that there are some groups. */
const rows = 12_000
const text = Buffer.from(Journals.file(rows, 9, 300))
const expected = Journals.accountsOf(text.toString())

/** A seed of another run is set to see it again: FLORIN_KILL_SEED. */
const seed = Number(process.env.FLORIN_KILL_SEED ?? randomInt(2 ** 31))

/** 0 to 1, the same from the same seed: a linear congruential generator (Numerical Recipes). */
const drawn = () => {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

const args = (journal: string, output: string) =>
  `process - --source killed.csv --snapshot-every 2000 --journal ${journal} --output ${output}`.split(" ")

const start = (journal: string, output: string) => {
  const child = spawn(process.execPath, [main, ...args(journal, output)], {
    cwd: root,
    stdio: ["pipe", "ignore", "pipe"]
  })
  let stderr = ""
  child.stderr.on("data", (chunk) => (stderr += chunk))
  // A reader that was killed.
  child.stdin.on("error", () => {})
  const ended = new Promise<{ readonly code: number | null; readonly stderr: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, stderr }))
  )
  return { child, ended }
}

/** Feeds the file up to a place, waits a little, and kills whoever reads it. */
const killed = async (journal: string, output: string, upTo: number, millis: number) => {
  const { child, ended } = start(journal, output)
  for (let at = 0; at < upTo && child.exitCode === null; at += 4096) {
    const isRoomLeft = child.stdin.write(text.subarray(at, Math.min(upTo, at + 4096)))
    if (!isRoomLeft) await Promise.race([new Promise((resolve) => child.stdin.once("drain", resolve)), ended])
  }
  await setTimeout(millis)
  child.kill("SIGKILL")
  return ended
}

/** Kills so many runs, each a little further into the file, and lets the last one end. */
const crash = async (journal: string, kills: number) => {
  const draw = drawn()
  const output = join(directory(), "accounts.csv")
  for (let kill = 0; kill < kills; kill++) {
    const upTo = Math.floor((text.length * (kill + draw())) / kills)
    const { code, stderr } = await killed(journal, output, upTo, Math.floor(draw() * 30))
    assert.strictEqual(code, null, `seed ${seed}, kill ${kill}: it ended by itself: ${stderr}`)
  }
  const { child, ended } = start(journal, output)
  child.stdin.end(text)
  const { code, stderr } = await ended
  assert.strictEqual(code, 0, `seed ${seed}: ${stderr}`)
  assert.strictEqual(readFileSync(output, "utf8"), expected, `seed ${seed}`)
  return /restored up to event (\d+)/.exec(stderr)?.[1]
}

const url = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ readonly name: string }>`select current_database() as name`
  const { socketDir, username } = inject("postgres")
  return `postgres:///${row!.name}?host=${socketDir}&user=${username}`
})

layer(Layer.fresh(FlorinDatabase.layer), { excludeTestServices: true })("a run that is killed", (it) => {
  it.effect(
    "20 times, at any moment, ends with the accounts of one that was not: in files",
    () =>
      Effect.promise(async () => {
        process.stdout.write(`kill -9, seed ${seed}\n`)
        const restored = await crash(join(directory(), "journal"), 20)
        assert.isAbove(Number(restored), 0, `seed ${seed}: no run had kept anything`)
      }),
    60_000
  )

  it.effect(
    "4 times, at any moment, ends with the accounts of one that was not: in PostgreSQL",
    () =>
      Effect.gen(function* () {
        const journal = yield* url
        const restored = yield* Effect.promise(() => crash(journal, 4))
        assert.isAbove(Number(restored), 0, `seed ${seed}: no run had kept anything`)
      }),
    60_000
  )
})
