/** `RiskScreen` by rules, with velocity counted over the read model. */
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { RiskScreen, RiskScreenError } from "../../adapters/RiskScreen.ts"
import { plus } from "../../domain/Instant.ts"
import * as Risk from "../../domain/Risk.ts"
import { unavailable } from "./SqlStorage.ts"

export const layer = (rules: ReadonlyArray<Risk.Rule>): Layer.Layer<RiskScreen, never, SqlClient> =>
  Layer.effect(
    RiskScreen,
    Effect.gen(function* () {
      const sql = yield* SqlClient

      return RiskScreen.of({
        screen: Effect.fn("SqlRiskScreen.screen")(function* (request) {
          const { at, customer, merchant, payment } = request
          const counts = new Map<number, number>()
          for (const windowMillis of customer === undefined ? [] : Risk.windows(rules)) {
            const [row] = yield* sql<{ readonly count: bigint }>`
              select count(*) as count from florin.payments
              where merchant = ${merchant} and customer = ${customer}
                and created_millis > ${BigInt(plus(at, -windowMillis))} and created_millis <= ${BigInt(at)}`.pipe(
              unavailable("screen"),
              Effect.mapError((cause) => new RiskScreenError({ payment, cause }))
            )
            counts.set(windowMillis, Number(row?.count ?? 0))
          }
          return Risk.assess(rules, request, (windowMillis) => counts.get(windowMillis) ?? 0)
        })
      })
    })
  )
