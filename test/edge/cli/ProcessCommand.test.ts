/** `florin process` as a process: accounts, refused rows and summary, and that nothing is left of a run that could not go on. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import given from "../../fixtures/ledger/cases.json" with { type: "json" }

const place = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "florin-process-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const main = "src/edge/cli/main.js"

const processed = (words: ReadonlyArray<string>, input = "") => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [main, "process", ...words], {
    encoding: "utf8",
    input,
    timeout: 30_000
  })
  return { status, stderr, stdout }
}

const header = "type,client,tx,amount\n"
const accountsHeader = "client,available,held,total,locked\n"

/** Processes that start while others are at work. */
const patience = 60_000

describe("florin process", () => {
  it.live(
    "prints accounts on standard output; refused rows and a summary on standard error",
    () =>
      Effect.gen(function* () {
        const directory = yield* place
        const sample = given.cases[0]!
        const file = join(directory, "a.csv")
        writeFileSync(file, sample.input)
        const { status, stderr, stdout } = processed([file])
        assert.deepStrictEqual([status, stdout], [0, sample.accounts])
        const [refused, summary, speed, ...rest] = stderr.split("\n")
        assert.deepStrictEqual(rest, [""])
        assert.strictEqual(refused, `${file}:6: InsufficientFunds`)
        assert.strictEqual(summary, "rows 5, applied 4, refused 1 (InsufficientFunds 1), accounts 2")
        assert.match(speed!, /^\d+\.\d\d s, [\d,]+ rows a second, peak memory [\d,]+ MB$/)
      }),
    patience
  )

  it.live(
    "takes several files in order as one: plain, compressed and from standard input",
    () =>
      Effect.gen(function* () {
        const directory = yield* place
        const [plain, packed] = [join(directory, "a.csv"), join(directory, "b.csv.gz")]
        writeFileSync(plain, `${header}deposit,1,1,5\n`)
        writeFileSync(packed, gzipSync(`client,tx,amount,type\r\n1,2,3.25,withdrawal\r\n`))
        const rejects = join(directory, 'refused,"1".csv')
        const output = join(directory, "accounts.csv")
        const ran = processed(
          [plain, packed, "-", "--output", output, "--rejects", rejects, "--json"],
          `${header}deposit,1,2,1\ndeposit,1,3,x\ndispute,1,1`
        )
        assert.deepStrictEqual([ran.status, ran.stdout], [0, ""])
        assert.strictEqual(readFileSync(output, "utf8"), `${accountsHeader}1,-3.2500,5.0000,1.7500,false\n`)
        assert.strictEqual(
          readFileSync(rejects, "utf8"),
          "file,line,reason\n-,2,DuplicateTx\n-,3,MalformedRow:amount\n"
        )
        const summary = JSON.parse(ran.stderr)
        assert.include(summary, { files: 3, rows: 5, applied: 3, accounts: 1 })
        assert.deepStrictEqual(summary.refused, { DuplicateTx: 1, "MalformedRow:amount": 1 })
        assert.deepStrictEqual(summary.firstRefused, [
          { file: "-", line: 2, reason: "DuplicateTx" },
          { file: "-", line: 3, reason: "MalformedRow:amount" }
        ])
        assert.isAbove(summary.peakBytes, 20_000_000)
        assert.isAbove(summary.rowsPerSecond, 0)

        // The name of a refused row's file is quoted where it has to be.
        writeFileSync(join(directory, 'odd,"name".csv'), `${header}deposit,1,1,0\n`)
        assert.strictEqual(processed([join(directory, 'odd,"name".csv'), "--rejects", rejects]).status, 0)
        assert.strictEqual(
          readFileSync(rejects, "utf8"),
          `file,line,reason\n"${directory}/odd,""name"".csv",2,NonPositiveAmount\n`
        )
      }),
    patience
  )

  it.live(
    "tells the first ten refused rows, and how many more there are",
    () =>
      Effect.sync(() => {
        const { stderr } = processed(["-"], `${header}${"deposit,1,1,0\n".repeat(12)}`)
        const lines = stderr.split("\n")
        assert.deepStrictEqual([lines[0], lines[9]], ["-:2: NonPositiveAmount", "-:11: NonPositiveAmount"])
        assert.strictEqual(lines[10], "and 2 more; --rejects FILE names all")
        assert.match(lines[11]!, /^rows 12, applied 0, refused 12 /)
      }),
    patience
  )

  it.live(
    "follows the policies that are named and takes wide clients when told to",
    () =>
      Effect.sync(() => {
        const frozen = `${header}deposit,1,1,5\ndispute,1,1\nchargeback,1,1\ndeposit,1,2,7\ndeposit,70000,3,1\n`
        assert.strictEqual(processed(["-"], frozen).stdout, `${accountsHeader}1,7.0000,0.0000,7.0000,true\n`)
        const other = processed(
          ["-", "--policy", "frozen-deposits=refuse", "--policy", "disputable=all", "--wide-clients"],
          frozen
        )
        assert.strictEqual(
          other.stdout,
          `${accountsHeader}1,0.0000,0.0000,0.0000,true\n70000,1.0000,0.0000,1.0000,false\n`
        )
        const wrong = processed(["-", "--policy", "frozen-deposits=perhaps"], frozen)
        assert.deepStrictEqual([wrong.status, wrong.stdout], [2, ""])
        assert.match(wrong.stderr, /^florin: [^\n]*frozen-deposits=accept or frozen-deposits=refuse[^\n]*\n$/)
        const unknown = processed(["-", "--policy", "frozen=refuse"], frozen)
        assert.deepStrictEqual([unknown.status, unknown.stdout], [2, ""])
        assert.match(unknown.stderr, /^florin: [^\n]*one of frozen-deposits, frozen-withdrawals, [^\n]*\n$/)
      }),
    patience
  )

  it.live(
    "says in one line why it cannot go on, ends with 1, and leaves no file behind",
    () =>
      Effect.gen(function* () {
        const directory = yield* place
        const good = join(directory, "good.csv")
        writeFileSync(good, `${header}deposit,1,1,1\ndeposit,1,1,1\n`)
        const damaged = join(directory, "damaged.csv.gz")
        writeFileSync(damaged, gzipSync(`${header}${"deposit,1,7,1\n".repeat(1000)}`).subarray(0, 60))
        const bad = join(directory, "bad.csv")
        writeFileSync(bad, "\ndeposit,1,1,1\n")
        const before = readdirSync(directory)
        const into = ["--output", join(directory, "out.csv"), "--rejects", join(directory, "refused.csv")]
        for (const [file, why] of [
          [
            bad,
            `${bad}: line 2: expected a header that names type, client, tx and amount, each once; got something else`
          ],
          [join(directory, "none.csv"), `cannot read ${join(directory, "none.csv")}: there is no such file`],
          [directory, `cannot read ${directory}: it is a directory`],
          [damaged, `cannot read ${damaged}: it ends before what was compressed does`]
        ] as const) {
          assert.deepStrictEqual(processed([good, file, ...into]), {
            status: 1,
            stdout: "",
            stderr: `florin: ${why}\n`
          })
          assert.deepStrictEqual(readdirSync(directory), before)
        }
        // Nothing on standard output either, though all of the first file was read.
        const late = processed([good, bad])
        assert.deepStrictEqual([late.status, late.stdout], [1, ""])
        assert.deepStrictEqual(processed(["-"], ""), {
          status: 1,
          stdout: "",
          stderr:
            "florin: standard input: line 1: expected a header that names type, client, tx and amount, each once; got something else\n"
        })
      }),
    patience
  )

  it.live(
    "says that the disk is full, of standard output and of a file, of which it leaves nothing",
    () =>
      Effect.gen(function* () {
        const directory = yield* place
        const file = join(directory, "many.csv")
        const rows = Array.from({ length: 20_000 }, (_, index) => `deposit,${index},${index},1\n`)
        writeFileSync(file, `${header}${rows.join("")}`)

        const full = openSync("/dev/full", "w")
        const { status, stderr } = spawnSync(process.execPath, [main, "process", file], {
          encoding: "utf8",
          stdio: ["ignore", full, "pipe"]
        })
        closeSync(full)
        assert.deepStrictEqual([status, stderr], [1, "florin: cannot write to standard output: the disk is full\n"])

        // 20,000 accounts are some 700 KB; a process may write files of 64 KB.
        const output = join(directory, "accounts.csv")
        writeFileSync(output, "what was there before")
        const limited = spawnSync(
          "bash",
          [
            "-c",
            'trap "" XFSZ; ulimit -f 64; exec "$@"',
            "bash",
            process.execPath,
            main,
            "process",
            file,
            "--output",
            output
          ],
          { encoding: "utf8", env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" } }
        )
        assert.deepStrictEqual(
          [limited.status, limited.stderr],
          [1, `florin: cannot write ${output}: it is larger than the file system allows\n`]
        )
        assert.strictEqual(readFileSync(output, "utf8"), "what was there before")
        assert.deepStrictEqual(readdirSync(directory).toSorted(), ["accounts.csv", "many.csv"])
      }),
    patience
  )
})
