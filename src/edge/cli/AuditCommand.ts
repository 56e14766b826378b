/** `florin audit`: what was asked of florin, by whom, and whether that record still holds. */
import { Console, Effect, Option, Result, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import type { Digest } from "effect/crypto"
import { AuditLog } from "../../adapters/AuditLog.ts"
import type { Broken } from "../../domain/audit/AuditChain.ts"
import * as AuditChain from "../../domain/audit/AuditChain.ts"
import * as AuditEntry from "../../domain/audit/AuditEntry.ts"
import { PaymentId } from "../../domain/payment/PaymentEvent.ts"
import * as AuditVerification from "../../orchestration/AuditVerification.ts"
import * as AuditLine from "./AuditLine.ts"
import * as Operator from "./Operator.ts"
import * as ProgressBar from "./ProgressBar.ts"
import * as SettingFlags from "./SettingFlags.ts"

/** Somebody changed what is on record. */
export class AuditLogBroken extends Schema.TaggedError<AuditLogBroken>()("AuditLogBroken", {
  sequence: Schema.Int,
  how: Schema.String
}) {
  override get message() {
    return `the audit log is broken at entry ${this.sequence}: ${this.how}`
  }
}

const sequence = (name: string) =>
  Flag.Int(name).pipe(
    Flag.withSchema(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "the sequence of an entry" })))
  )

/** The audit log in the database that the settings name. */
const withLog =
  (given: SettingFlags.Given) =>
  <A, E>(run: Effect.Effect<A, E, AuditLog | Digest.Digest>) =>
    Effect.flatMap(
      Effect.promise(() => import("effect/crypto")),
      ({ Digest }) => Effect.provide(run, Digest.layerWebCrypto)
    ).pipe(Operator.overStores(given))

const settings = SettingFlags.of("database")

// --- List -------------------------------------------------------------------

const encodeEntry = Schema.encodeSync(Schema.toCodecJson(AuditEntry.Entry))

const listCommand = Command.make(
  "list",
  {
    payment: Flag.String("payment").pipe(
      Flag.withSchema(PaymentId),
      Flag.optional,
      Flag.withDescription("Only what was asked of this payment, with the command that made it")
    ),
    before: sequence("before").pipe(Flag.optional, Flag.withDescription("Only entries before this one: the cursor")),
    limit: Flag.Int("limit").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
      Flag.withDefault(50),
      Flag.withDescription("At most so many, 1 to 1000")
    ),
    json: Operator.json,
    settings
  },
  ({ before, json, limit, payment, settings }) =>
    withLog(settings)(
      Effect.gen(function* () {
        const log = yield* AuditLog
        const links = yield* log.read({
          order: "newestFirst",
          before: Option.getOrUndefined(before),
          payment: Option.getOrUndefined(payment),
          limit
        })
        const next = links.length === limit ? links.at(-1)!.sequence : undefined
        if (json) {
          const entries = links.map((link) => ({
            ...Option.match(AuditChain.entryOf(link), {
              onNone: () => ({ sequence: link.sequence, unreadable: link.text }),
              onSome: (entry) => Object(encodeEntry(entry))
            }),
            hash: link.hash
          }))
          return yield* Console.log(JSON.stringify({ entries, ...(next !== undefined && { before: next }) }))
        }
        yield* Console.log([AuditLine.heading, ...links.map(AuditLine.of)].join("\n"))
        if (next !== undefined) yield* Console.log(`older: --before ${next}`)
      })
    )
).pipe(
  Command.withDescription("Who asked for what, from where, and what came of it; the newest first"),
  Command.withExamples([
    { command: "florin audit list --limit 20", description: "The last twenty entries" },
    {
      command: "florin audit list --payment pay_01m7z1baaz5h7gm9rxvxwef2zt --json",
      description: "One payment, as JSON"
    }
  ])
)

// --- Verify -----------------------------------------------------------------

const wordsOf: Record<AuditChain.How, string> = {
  Missing: "it is missing",
  Changed: "its text or its hash was changed",
  Unlinked: "it follows another entry than the one that stands before it, which was changed and hashed anew",
  Moved: "it stands in the place of another",
  Unreadable: "it is no entry",
  Unclaimed: "it was added past florin",
  HeadChanged: "its hash is not the one that the head of the chain has",
  Rewritten: "its hash is not the one that was noted: the chain was made anew"
}

/** As `verify` prints it. */
const anchorPattern = /^([1-9]\d{0,14}):([0-9a-f]{64})$/

const Anchor = Schema.String.check(
  Schema.isPattern(anchorPattern, { expected: "SEQUENCE:HASH, as `florin audit verify` prints its head" })
)

const anchorOf = (text: string): AuditChain.Anchor => {
  const [sequence, hash] = text.split(":")
  return { sequence: Number(sequence), hash: hash! }
}

const verifyCommand = Command.make(
  "verify",
  {
    anchor: Flag.String("anchor").pipe(
      Flag.withSchema(Anchor),
      Flag.optional,
      Flag.withDescription("SEQUENCE:HASH, a head that was noted elsewhere: the chain must go through it")
    ),
    json: Operator.json,
    settings
  },
  ({ anchor, json, settings }) =>
    withLog(settings)(
      Effect.gen(function* () {
        const show = yield* ProgressBar.make("entries")
        const result = yield* AuditVerification.verify({
          anchor: Option.getOrUndefined(Option.map(anchor, anchorOf)),
          onProgress: (done, total) => show({ done, total, note: "" })
        })
        yield* Console.log(
          json ? jsonOf(result) : Result.isSuccess(result) ? wholeOf(result.success) : brokenOf(result.failure)
        )
        if (Result.isFailure(result)) {
          const { how, sequence } = result.failure
          return yield* new AuditLogBroken({ sequence, how: wordsOf[how] })
        }
      })
    )
).pipe(
  Command.withDescription("Follow the chain from its first entry to its head; exit 1 at the first broken link"),
  Command.withExamples([
    { command: "florin audit verify", description: "Prints the head, to be noted elsewhere" },
    { command: `florin audit verify --anchor 1:${"0".repeat(63)}1`, description: "Through a head that was noted" }
  ])
)

const wholeOf = ({ hash, sequence }: AuditChain.Anchor) =>
  `${sequence} ${sequence === 1 ? "entry" : "entries"}, every link holds\nhead ${sequence}:${hash}`

const brokenOf = ({ how, sequence }: Broken) => `entry ${sequence} is the first broken link: ${wordsOf[how]}`

const jsonOf = (result: Result.Result<AuditChain.Anchor, Broken>) =>
  JSON.stringify(
    Result.isSuccess(result) ? { valid: true, head: result.success } : { valid: false, broken: result.failure }
  )

// --- Export -----------------------------------------------------------------

/** Read and printed at a time. */
const exportPage = 1000

const exportCommand = Command.make(
  "export",
  {
    after: sequence("after").pipe(Flag.withDefault(0), Flag.withDescription("Only entries after this one")),
    settings
  },
  ({ after, settings }) =>
    withLog(settings)(
      Effect.gen(function* () {
        const log = yield* AuditLog
        let last = after
        while (true) {
          const links = yield* log.read({ order: "oldestFirst", after: last, limit: exportPage })
          if (links.length === 0) return
          yield* Console.log(links.map(({ hash, text }) => `${hash} ${text}`).join("\n"))
          last = links.at(-1)!.sequence
        }
      })
    )
).pipe(
  Command.withDescription("Every entry, the oldest first: its SHA-256, a space, and the text that was hashed"),
  Command.withExamples([{ command: "florin audit export > audit.txt", description: "To keep, or to verify elsewhere" }])
)

export const command = Command.make("audit").pipe(
  Command.withDescription("What was asked of florin, by whom, and whether that record still holds"),
  Command.withExamples([{ command: "florin audit verify", description: "Whether the record still holds" }]),
  Command.withSubcommands([listCommand, verifyCommand, exportCommand])
)
