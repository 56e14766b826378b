/** `LedgerSubscriptions` in memory: gone with the process. */
import { Effect, Layer, Option } from "effect"
import type { DeadLetter, LetterKey, Subscription } from "../../adapters/LedgerSubscriptions.ts"
import { idOf, LedgerSubscriptions } from "../../adapters/LedgerSubscriptions.ts"

/** What a process that starts anew finds, where a test wants one to. */
export interface Store {
  readonly positions: Map<string, number>
  /** By id; those that were put back are in `returned` as well. */
  readonly letters: Map<string, DeadLetter>
  readonly returned: Set<string>
}

export const store = (): Store => ({ positions: new Map(), letters: new Map(), returned: new Set() })

const nameOf = ({ handler, ledger }: Subscription) => `${ledger}/${handler}`

export const layerOver = ({ letters, positions, returned }: Store): Layer.Layer<LedgerSubscriptions> => {
  const positionOf = (subscription: Subscription) => positions.get(nameOf(subscription)) ?? 0
  const advance = (subscription: Subscription, sequence: number) =>
    void positions.set(nameOf(subscription), Math.max(positionOf(subscription), sequence))
  const resting = (key: LetterKey) => (returned.has(idOf(key)) ? undefined : letters.get(idOf(key)))

  return Layer.succeed(
    LedgerSubscriptions,
    LedgerSubscriptions.of({
      position: (subscription) => Effect.sync(() => positionOf(subscription)),
      advance: (subscription, sequence) => Effect.sync(() => advance(subscription, sequence)),
      bury: (letter) =>
        Effect.sync(() => {
          letters.set(idOf(letter), letter)
          returned.delete(idOf(letter))
          advance(letter, letter.sequence)
        }),
      deadLetters: (limit) =>
        Effect.sync(() =>
          [...letters.values()]
            .filter((letter) => !returned.has(idOf(letter)))
            .toSorted((a, b) => a.at - b.at || a.sequence - b.sequence)
            .slice(0, limit)
        ),
      deadLetter: (key) => Effect.sync(() => Option.fromUndefinedOr(resting(key))),
      replay: (key) =>
        Effect.sync(() => {
          const isThere = resting(key) !== undefined
          if (isThere) returned.add(idOf(key))
          return isThere
        }),
      returned: (subscription, limit) =>
        Effect.sync(() =>
          [...letters.values()]
            .filter((letter) => returned.has(idOf(letter)) && nameOf(letter) === nameOf(subscription))
            .toSorted((a, b) => a.sequence - b.sequence)
            .slice(0, limit)
        ),
      settle: (key) =>
        Effect.sync(() => {
          if (returned.delete(idOf(key))) letters.delete(idOf(key))
        })
    })
  )
}

/** Empty whenever it is built. */
export const layer: Layer.Layer<LedgerSubscriptions> = Layer.unwrap(Effect.sync(() => layerOver(store())))
