/** What the demo does: a list of orders, each a payment and what its merchant wants of it afterwards. */
import { Effect, FileSystem, Schema } from "effect"
import { CancelPayment, CapturePayment, CompleteAction, CreatePayment, RefundPayment } from "../http/PaymentJson.ts"

const Step = Schema.Union([
  Schema.Struct({ capture: CapturePayment }),
  Schema.Struct({ cancel: CancelPayment }),
  Schema.Struct({ refund: RefundPayment }),
  /** The customer comes back from the redirect. */
  Schema.Struct({ complete: CompleteAction })
])
export type Step = typeof Step.Type

/** One line of the file. */
export const DemoOrder = Schema.Struct({
  /** The idempotency key of the creation; those of the steps are made from it. */
  key: Schema.NonEmptyString,
  order: CreatePayment,
  /** One after the other, each once the one before has come to rest. */
  steps: Schema.optionalKey(Schema.Array(Step)),
  /** Sent twice at once, as by a customer who clicks again. */
  twice: Schema.optionalKey(Schema.Boolean)
})
export type DemoOrder = typeof DemoOrder.Type

export class DemoFileError extends Schema.TaggedError<DemoFileError>()("DemoFileError", {
  path: Schema.String,
  line: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `${this.path}, line ${this.line}: ${this.detail}`
  }
}

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.toCodecJson(DemoOrder)), {
  onExcessProperty: "error"
})

export const read = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* files
    .readFileString(path)
    .pipe(Effect.mapError(({ message }) => new DemoFileError({ path, line: 0, detail: message })))
  const lines = text.split("\n").map((line, index) => ({ line, number: index + 1 }))
  return yield* Effect.forEach(
    lines.filter(({ line }) => line.trim() !== ""),
    ({ line, number }) =>
      Effect.mapError(decode(line), ({ message }) => new DemoFileError({ path, line: number, detail: message }))
  )
})
