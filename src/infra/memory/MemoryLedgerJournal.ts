/** `LedgerJournal` in memory: gone with the process. */
import { Effect, Layer, Stream } from "effect"
import type { Block, Head, SourcePosition } from "../../adapters/LedgerJournal.ts"
import { JournalConflict, LedgerJournal, LedgerJournalError } from "../../adapters/LedgerJournal.ts"

/** What a process that starts anew finds, where a test wants one to. */
export interface Store {
  readonly blocks: Array<Block>
  readonly sources: Map<string, SourcePosition>
  sequence: number
}

export const store = (): Store => ({ blocks: [], sources: new Map(), sequence: 0 })

export const layerOver = (stored: Store): Layer.Layer<LedgerJournal> =>
  Layer.succeed(
    LedgerJournal,
    LedgerJournal.of({
      head: Effect.sync((): Head => ({ sequence: stored.sequence, sources: new Map(stored.sources) })),
      append: (block) =>
        Effect.suspend(() => {
          const expected = block.first - 1
          if (expected !== stored.sequence) {
            return new LedgerJournalError({ reason: new JournalConflict({ expected, actual: stored.sequence }) })
          }
          // The caller may use its buffer again.
          if (block.count > 0) stored.blocks.push({ ...block, events: block.events.slice() })
          stored.sequence += block.count
          stored.sources.set(block.source, block.to)
          return Effect.void
        }),
      read: ({ after, upTo = Infinity }) =>
        Stream.suspend(() =>
          Stream.fromIterable(stored.blocks.filter(({ count, first }) => first + count - 1 > after && first <= upTo))
        )
    })
  )

/** Empty whenever it is built. */
export const layer: Layer.Layer<LedgerJournal> = Layer.unwrap(Effect.sync(() => layerOver(store())))
