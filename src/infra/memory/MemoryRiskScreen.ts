/** `RiskScreen` by rules, with velocity counted over `MemoryDatabase`. */
import { Effect, Layer } from "effect"
import { RiskScreen } from "../../adapters/RiskScreen.ts"
import { plus } from "../../domain/Instant.ts"
import * as Risk from "../../domain/Risk.ts"
import { MemoryDatabase } from "./MemoryDatabase.ts"

export const layer = (rules: ReadonlyArray<Risk.Rule>): Layer.Layer<RiskScreen, never, MemoryDatabase> =>
  Layer.effect(
    RiskScreen,
    Effect.gen(function* () {
      const { views } = yield* MemoryDatabase

      return RiskScreen.of({
        screen: (request) =>
          Effect.sync(() => {
            const ofCustomer = [...views.values()].filter(
              ({ createdAt, customer, merchant }) =>
                customer === request.customer && merchant === request.merchant && createdAt <= request.at
            )
            return Risk.assess(
              rules,
              request,
              (windowMillis) => ofCustomer.filter(({ createdAt }) => createdAt > plus(request.at, -windowMillis)).length
            )
          })
      })
    })
  )
