import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Redacted } from "effect"
import * as RedactingLogger from "../../../src/infra/telemetry/RedactingLogger.ts"

/** The lines that `effect` logs. */
const linesOf = (effect: Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.map(RedactingLogger.format, (line) => void lines.push(line))
    yield* Effect.ignore(effect).pipe(Effect.provide(Logger.layer([logger])))
    return lines
  })

describe("RedactingLogger", () => {
  it.effect("logs one line of JSON with the message, the level and the annotations", () =>
    Effect.gen(function* () {
      const lines = yield* linesOf(
        Effect.logWarning("recovered", { found: 2 }).pipe(Effect.annotateLogs({ payment: "pay_1" }))
      )
      assert.strictEqual(lines.length, 1)
      const entry = JSON.parse(lines[0]!)
      assert.deepInclude(entry, { level: "WARN", message: ["recovered", { found: 2 }] })
      assert.deepInclude(entry.annotations, { payment: "pay_1" })
    })
  )

  it.effect("holds no card number, wherever it is in the entry", () =>
    Effect.gen(function* () {
      const pan = "4111 1111 1111 1111"
      const lines = yield* linesOf(
        Effect.all([
          Effect.log(`paid with ${pan}`),
          Effect.log("body", { card: [{ number: pan }], [pan]: 1, as: 4111111111111111, big: 4111111111111111n }),
          Effect.log("x").pipe(Effect.annotateLogs({ token: pan })),
          Effect.logError("failed", new Error(`bad card ${pan}`)),
          Effect.die(new Error(pan)).pipe(
            Effect.tapCause((cause) => Effect.logError("cause", cause)),
            Effect.sandbox
          )
        ])
      )
      assert.strictEqual(lines.length, 5)
      for (const line of lines) {
        assert.notMatch(line.replaceAll(/\D/g, ""), /41111111/)
        JSON.parse(line)
      }
      assert.include(lines[0], "card number ending 1111")
    })
  )

  it.effect("holds no secret of a URL, a header or a key", () =>
    Effect.gen(function* () {
      const lines = yield* linesOf(
        Effect.all([
          Effect.log("connecting to postgres://florin:hunter2@db.example:5432/florin?sslmode=require"),
          Effect.log("sent", { authorization: "Bearer abcdef0123456789" }),
          Effect.log(`key ${["sk", "live", "51H8hunter2"].join("_")}`),
          Effect.log("config", { url: Redacted.make("hunter2") })
        ])
      )
      for (const line of lines) assert.notMatch(line, /hunter2|abcdef0123456789/)
      assert.include(lines[0], "postgres://florin:***@db.example:5432/florin?sslmode=require")
    })
  )

  it.effect("leaves moments and amounts as they are", () =>
    Effect.gen(function* () {
      // The moment passes the check digit of a card number.
      const entry = { at: 1_700_000_000_000 + 8, amount: 109_900 }
      const [line] = yield* linesOf(Effect.log("event", entry))
      assert.deepStrictEqual(JSON.parse(line!).message, ["event", entry])
    })
  )
})
