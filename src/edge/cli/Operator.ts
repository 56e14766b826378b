/**
 * How a command of an operator runs: on the database of its settings, with the
 * gateways where it asks them, its log on standard error and its answer on
 * standard output, as text or as one JSON document.
 */
import { Console, Effect, Layer } from "effect"
import { Flag } from "effect/cli"
import * as Settings from "../Settings.ts"
import * as SettingFlags from "./SettingFlags.ts"

export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print one JSON document instead of text"),
  Flag.withDefault(false)
)

const load = Effect.promise(() =>
  Promise.all([import("../Operations.ts"), import("../../infra/telemetry/RedactingLogger.ts")])
)

/** Runs `command` over what is stored. */
export const overStores =
  (given: SettingFlags.Given) =>
  <A, E, R>(command: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const database = yield* Settings.database
      const redisUrl = yield* Settings.redisUrl
      const [Operations, RedactingLogger] = yield* load
      const layer = Layer.provideMerge(Operations.stores(database, redisUrl), RedactingLogger.layer)
      return yield* Effect.provide(command, layer)
    }).pipe(SettingFlags.provide(given))

/** Runs `command` over what is stored and the gateways that the service would call. */
export const overGateways =
  (given: SettingFlags.Given) =>
  <A, E, R>(command: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const database = yield* Settings.database
      const service = yield* Settings.service
      const [Operations, RedactingLogger] = yield* load
      const layer = Layer.provideMerge(Operations.gateways(database, service), RedactingLogger.layer)
      return yield* Effect.provide(command, layer)
    }).pipe(SettingFlags.provide(given))

/** The answer, in the form that was asked for. */
export const answer = (isJson: boolean, value: unknown, text: () => string) =>
  Console.log(isJson ? JSON.stringify(value, null, 2) : text())

/** A row of a table: cells as wide as their column, or as they are. */
export const row = (widths: ReadonlyArray<number>, cells: ReadonlyArray<string>): string =>
  cells
    .map((cell, index) => {
      const width = widths[index] ?? 0
      return width < 0 ? cell.padStart(-width) : cell.padEnd(width)
    })
    .join("  ")
    .trimEnd()
