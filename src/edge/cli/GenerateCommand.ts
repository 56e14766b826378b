/** `florin generate`: transaction files to try things with, the same from the same seed. */
import { Effect, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as LedgerFile from "../../testing/ledger/LedgerFile.ts"
import * as Mix from "../../testing/ledger/Mix.ts"
import * as ProgressBar from "./ProgressBar.ts"

/** The mix names a row that there is not, or shares that cannot hold. */
export class InvalidMixFlag extends Schema.TaggedError<InvalidMixFlag>()("InvalidMixFlag", { what: Schema.String }) {
  override get message() {
    return `--${this.what}`
  }
}

/** A seed is reduced to 32 bits: beyond, two seeds would give one file. */
const maxSeed = 2 ** 32 - 1

const within = (minimum: number, maximum: number) =>
  Flag.filter(
    (value: number) => value >= minimum && value <= maximum,
    (value) => `Expected a whole number from ${minimum} to ${maximum}, got ${value}`
  )

/** Not on standard output, where the file may go. */
const say = (text: string) => Effect.sync(() => process.stderr.write(`${text}\n`))

const run = Effect.fn(function* (options: {
  readonly rows: number
  readonly clients: number
  readonly seed: number
  readonly mix: string
  readonly out: string
}) {
  const { clients, out, rows, seed } = options
  const mix = yield* Effect.mapError(
    Effect.fromResult(Mix.parse(options.mix)),
    ({ message }) => new InvalidMixFlag({ what: message })
  )
  const OutputFile = yield* Effect.promise(() => import("./OutputFile.ts"))
  yield* say(`seed ${seed}, mix ${Mix.toText(mix)}`)
  const made = yield* OutputFile.write(
    out,
    Effect.fnUntraced(function* (put) {
      const show = yield* ProgressBar.make("rows")
      const pieces = LedgerFile.make({ rows, clients, seed, mix })
      let bytes = 0
      let piece = pieces.next()
      while (piece.done !== true) {
        yield* put(piece.value.bytes)
        bytes += piece.value.bytes.length
        yield* show({ done: piece.value.rows, total: rows, note: "" })
        piece = pieces.next()
      }
      return { bytes, counts: piece.value }
    })
  )
  if (made === undefined) return
  const parts = [...made.counts].flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind}`] : []))
  yield* say(`${rows} rows, ${made.bytes} bytes: ${parts.join(", ")}`)
})

export const command = Command.make(
  "generate",
  {
    rows: Flag.Int("rows").pipe(
      Flag.withAlias("n"),
      Flag.withDescription("How many, without the header"),
      within(0, LedgerFile.maxRows)
    ),
    clients: Flag.Int("clients").pipe(
      Flag.withAlias("c"),
      Flag.withDescription("How many, from 1 on; above 65535 `process` needs --wide-clients"),
      Flag.withDefault(1000),
      within(1, LedgerFile.maxClients)
    ),
    seed: Flag.Int("seed").pipe(
      Flag.withDescription("What everything in the file follows from"),
      Flag.withDefault(1),
      within(0, maxSeed)
    ),
    mix: Flag.String("mix").pipe(
      Flag.withDescription(`Relative shares of the kinds of rows: ${Mix.kinds.join(", ")}`),
      Flag.withDefault(Mix.toText(Mix.usual))
    ),
    out: Argument.String("out").pipe(
      Argument.withDescription("The file to write, compressed if its name ends with .gz; - for standard output")
    )
  },
  run
).pipe(
  Command.withDescription("Make a file of transactions to try things with: the same seed, the same bytes"),
  Command.withExamples([
    { command: "florin generate -n 1000 -c 50 transactions.csv", description: "A thousand rows of fifty clients" },
    {
      command: "florin generate -n 3750587 -c 60000 --seed 7 transactions.csv.gz",
      description: "As large as the benchmark's, compressed"
    },
    {
      command: "florin generate -n 100 -c 5 --mix deposit=5,withdrawal=4,malformed=1 -",
      description: "One row of ten cannot be read"
    }
  ])
)
