/** `florin verify`: what is stored, held against itself and against the gateways. */
import { Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import * as Operator from "./Operator.ts"
import * as ProgressBar from "./ProgressBar.ts"
import * as SettingFlags from "./SettingFlags.ts"

/** The events, the read model and the gateways do not say the same. */
export class DifferencesFound extends Schema.TaggedError<DifferencesFound>()("DifferencesFound", {
  count: Schema.Int
}) {
  override get message() {
    return `differences found: ${this.count}`
  }
}

const load = Effect.promise(() =>
  Promise.all([
    import("../../adapters/PaymentRepository.ts"),
    import("../../orchestration/Verification.ts"),
    import("../../orchestration/VerificationReport.ts")
  ])
)

const verify = Effect.fnUntraced(function* (askGateways: boolean, isJson: boolean) {
  const [{ PaymentRepository }, Verification, VerificationReport] = yield* load
  const repository = yield* PaymentRepository
  const total = yield* repository.count
  const show = yield* ProgressBar.make("payments")
  const report = yield* Verification.verify({
    askGateways,
    onProgress: ({ differences, payments }) =>
      show({
        done: payments,
        total: Math.max(payments, total),
        note: differences === 0 ? "" : `${differences} differences`
      })
  })
  const { differences, events, found, inDoubt, open, operations, payments, unasked } = report
  yield* Operator.answer(isJson, report, () =>
    [
      ...found.map(VerificationReport.describe),
      ...(differences > found.length ? [`and ${differences - found.length} more`] : []),
      `payments ${payments}, events ${events}; operations asked about ${operations}, not asked about ${unasked}`,
      `open ${open}, of which in doubt and known to be ${inDoubt}`,
      `differences ${differences}`
    ].join("\n")
  )
  if (differences > 0) return yield* new DifferencesFound({ count: differences })
})

export const command = Command.make(
  "verify",
  {
    gateways: Flag.Boolean("gateways").pipe(
      Flag.withDescription("Ask the gateways about every operation that has ended"),
      Flag.withDefault(true)
    ),
    json: Operator.json,
    settings: SettingFlags.of("gateways")
  },
  ({ gateways, json, settings }) => verify(gateways, json).pipe(Operator.overGateways(settings))
).pipe(
  Command.withDescription(
    "Replay every stream, compare it with the read model field by field and with the gateways' own word. Exits with 1 when anything differs, or a gateway cannot be asked"
  ),
  Command.withShortDescription("Compare events, read model and gateways"),
  Command.withExamples([
    { command: "florin verify", description: "All of it; changes nothing, and may run beside a service" },
    { command: "florin verify --no-gateways", description: "Events and read model only" },
    { command: "florin verify --json | jq .found", description: "The differences for a program" }
  ])
)
