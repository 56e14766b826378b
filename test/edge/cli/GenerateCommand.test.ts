/** `florin generate` as a process, and the file that it leaves, or does not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import * as OutputFile from "../../../src/edge/cli/OutputFile.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "florin-generate-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const generate = (...args: ReadonlyArray<string>) => {
  const words = ["src/edge/cli/main.js", "generate", ...args]
  return spawnSync(process.execPath, words, { encoding: "utf8", timeout: 30_000 })
}

const mixed = "seed 1, mix deposit=60,withdrawal=34,dispute=3,resolve=1.9,chargeback=0.1,overdraft=1"

describe("florin generate", () => {
  it.live("writes the same rows to standard output, to a file, and compressed to one that ends with .gz", () =>
    Effect.gen(function* () {
      const place = yield* directory
      const { status, stderr, stdout } = generate("-n", "3", "-c", "2", "-")
      assert.strictEqual(
        stdout,
        "type,client,tx,amount\ndeposit,1,2466824938,591928.9742\nwithdrawal,1,4017435879,286310.3677\ndeposit,1,303953238,885573.7401\n"
      )
      assert.deepStrictEqual([status, stderr.split("\n")[0]], [0, mixed])
      assert.match(stderr, /\n3 rows, 123 bytes: 2 deposit, 1 withdrawal\n$/)
      assert.strictEqual(generate("--rows", "3", "--clients", "2", "--seed", "1", join(place, "a.csv")).status, 0)
      assert.strictEqual(generate("-n", "3", "-c", "2", join(place, "a.csv.gz")).status, 0)
      assert.strictEqual(readFileSync(join(place, "a.csv"), "utf8"), stdout)
      assert.strictEqual(gunzipSync(readFileSync(join(place, "a.csv.gz"))).toString(), stdout)
      assert.deepStrictEqual(readdirSync(place), ["a.csv", "a.csv.gz"])
    })
  )

  it.live("says in one line what was wrong, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const place = yield* directory
      const out = join(place, "a.csv")
      const mix = generate("-n", "3", "--mix", "deposit=1,dispute=x", out)
      assert.deepStrictEqual([mix.status, mix.stdout], [1, ""])
      assert.strictEqual(
        mix.stderr,
        'florin: --mix: expected dispute to have a share of 0 to 1000000, as in dispute=2.5; got "dispute=x"\n'
      )
      const rows = generate("-n", "-1", out)
      assert.deepStrictEqual([rows.status, rows.stdout], [2, ""])
      assert.include(rows.stderr, "Expected a whole number from 0 to 2147483648, got -1")
      const nowhere = generate("-n", "3", join(place, "none", "a.csv"))
      assert.strictEqual(nowhere.status, 1)
      assert.match(nowhere.stderr, /\nflorin: cannot write .*\/none\/a.csv: there is no such directory\n$/)
      assert.deepStrictEqual(readdirSync(place), [])
    })
  )

  it("ends quietly when nobody reads on", () => {
    const shell = `'${process.execPath}' src/edge/cli/main.js generate -n 200000 - 2>"$0" | head -1; echo "\${PIPESTATUS[0]}"`
    const place = mkdtempSync(join(tmpdir(), "florin-generate-"))
    const said = spawnSync("bash", ["-c", shell, join(place, "stderr")], { encoding: "utf8", timeout: 30_000 })
    const stderr = readFileSync(join(place, "stderr"), "utf8")
    rmSync(place, { recursive: true })
    assert.strictEqual(said.stdout, "type,client,tx,amount\n0\n")
    assert.notInclude(stderr, "florin:")
  })
})

const bytes = (text: string) => new TextEncoder().encode(text)
const half = Effect.fnUntraced(function* (put: OutputFile.Put) {
  yield* put(bytes("half"))
  return yield* Effect.fail("stopped")
})

describe("OutputFile.write", () => {
  it.live("keeps the file that was there until the new one is whole", () =>
    Effect.gen(function* () {
      const place = yield* directory
      const path = join(place, "a.csv")
      writeFileSync(path, "old")
      chmodSync(path, 0o640)
      assert.strictEqual(yield* Effect.flip(OutputFile.write(path, half)), "stopped")
      assert.deepStrictEqual([readFileSync(path, "utf8"), readdirSync(place)], ["old", ["a.csv"]])
      const answer = yield* OutputFile.write(path, (put) =>
        Effect.gen(function* () {
          yield* put(bytes("new"))
          assert.strictEqual(readFileSync(path, "utf8"), "old")
          return 7
        })
      )
      assert.strictEqual(answer, 7)
      assert.deepStrictEqual([readFileSync(path, "utf8"), readdirSync(place)], ["new", ["a.csv"]])
      assert.strictEqual(statSync(path).mode & 0o777, 0o640)
    })
  )

  it.live("leaves nothing behind when it is interrupted", () =>
    Effect.gen(function* () {
      const place = yield* directory
      const path = join(place, "a.csv.gz")
      const endless = (put: OutputFile.Put) => Effect.andThen(put(bytes("half")), Effect.never)
      const outcome = yield* Effect.timeoutOption(OutputFile.write(path, endless), "50 millis")
      assert.strictEqual(outcome._tag, "None")
      assert.deepStrictEqual(readdirSync(place), [])
    })
  )

  it.live("replaces what a link points to, and not the link", () =>
    Effect.gen(function* () {
      const place = yield* directory
      writeFileSync(join(place, "target"), "old")
      symlinkSync("target", join(place, "link"))
      yield* OutputFile.write(join(place, "link"), (put) => put(bytes("new")))
      assert.strictEqual(readFileSync(join(place, "target"), "utf8"), "new")
      assert.deepStrictEqual(readdirSync(place), ["link", "target"])
    })
  )

  it.live.runIf(process.platform === "linux")("says that the disk is full, compressed or not", () =>
    Effect.gen(function* () {
      const place = yield* directory
      symlinkSync("/dev/full", join(place, "full.gz"))
      for (const path of ["/dev/full", join(place, "full.gz")]) {
        const error = yield* Effect.flip(OutputFile.write(path, (put) => put(bytes("a row"))))
        assert.strictEqual(error.message, `cannot write ${path}: the disk is full`)
      }
      assert.isTrue(statSync("/dev/full").isCharacterDevice())
    })
  )
})
