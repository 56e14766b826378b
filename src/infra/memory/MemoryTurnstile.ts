/** `Turnstile` in this process's memory, timed by the fiber's clock. */
import { Clock, Effect, Layer } from "effect"
import { Turnstile } from "../../adapters/Turnstile.ts"
import * as Turns from "../../domain/saga/Turns.ts"

export const layer: Layer.Layer<Turnstile> = Layer.sync(Turnstile, () => {
  const rates = new Map<string, Turns.Counted>()
  const periods = new Map<string, string>()
  const orders = new Map<string, Turns.Order>()

  return Turnstile.of({
    charge: (name, windows) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const keys = windows.map(({ millis }) => `${name}/${millis}`)
        const charged = Turns.charge(
          windows,
          keys.map((key) => rates.get(key)),
          now
        )
        if ("retryAfterMillis" in charged) return charged
        for (const [index, counted] of charged.entries()) rates.set(keys[index]!, counted)
        return undefined
      }),
    claim: (name, bucket, visitor) =>
      Effect.sync(() => {
        const key = `${name}/${bucket}`
        if (!periods.has(key)) periods.set(key, visitor)
        return periods.get(key) === visitor
      }),
    unclaim: (name, bucket, visitor) =>
      Effect.sync(() => {
        const key = `${name}/${bucket}`
        if (periods.get(key) === visitor) periods.delete(key)
      }),
    turn: (name, nonce) =>
      Effect.sync(() => {
        const { order, turn } = Turns.turn(orders.get(name) ?? Turns.atFirst, nonce)
        orders.set(name, order)
        return turn
      }),
    passed: (name, nonce, succeeded) =>
      Effect.sync(() => {
        orders.set(name, Turns.passed(orders.get(name) ?? Turns.atFirst, nonce, succeeded))
      })
  })
})
