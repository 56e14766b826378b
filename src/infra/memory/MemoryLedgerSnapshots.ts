/** `LedgerSnapshots` in memory: gone with the process. */
import { Effect, Layer, Option, Stream } from "effect"
import type { Snapshot } from "../../adapters/LedgerSnapshots.ts"
import { LedgerSnapshots } from "../../adapters/LedgerSnapshots.ts"
import * as SnapshotRetention from "../ledger/SnapshotRetention.ts"

interface Kept extends Snapshot {
  readonly parts: ReadonlyArray<Uint8Array>
}

/** What a process that starts anew finds, where a test wants one to: by sequence. */
export type Store = Map<number, Kept>

export const layerOver = (stored: Store): Layer.Layer<LedgerSnapshots> =>
  Layer.succeed(
    LedgerSnapshots,
    LedgerSnapshots.of({
      save: ({ at, sequence }, parts) =>
        Effect.sync(() => {
          stored.set(sequence, { sequence, at, parts: Array.from(parts, (part) => part.slice()) })
          for (const old of SnapshotRetention.surplus([...stored.keys()])) stored.delete(old)
        }),
      latest: ({ at = Infinity, sequence = Infinity }) =>
        Effect.sync(() => {
          const [kept] = [...stored.values()]
            .filter((one) => one.sequence <= sequence && one.at <= at)
            .toSorted((a, b) => b.sequence - a.sequence)
          return Option.map(Option.fromNullishOr(kept), (one) => ({
            sequence: one.sequence,
            at: one.at,
            parts: Stream.fromIterable(one.parts)
          }))
        })
    })
  )

/** Empty whenever it is built. */
export const layer: Layer.Layer<LedgerSnapshots> = Layer.unwrap(Effect.sync(() => layerOver(new Map())))
