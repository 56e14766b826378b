/** What every `LedgerSnapshots` must do. */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer, Option, Stream } from "effect"
import { LedgerSnapshots } from "../../adapters/LedgerSnapshots.ts"
import { at, later } from "./Samples.ts"

/** Bytes that differ from those of another seed at nearly every place. */
export const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17 + (index >>> 8)) & 255)

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.byteLength
  }
  return whole
}

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: `open`, which names an empty store with each call. The layer that it
 * answers may be built again and again, and finds what was there. What it needs
 * itself comes from `given`. `damage`, where the store can be reached past the
 * adapter, changes a byte of the latest snapshot of the store that `open` named
 * last.
 *
 * Checks: there is none at first; the latest within a sequence and a moment is
 * found; its bytes are those that were saved, wherever they are cut; one that is
 * saved again is replaced; a save that fails halfway leaves what was there; old
 * ones are dropped, and the latest three are not; all of it is there when the
 * store is opened again; a damaged one is passed over for the one before.
 *
 *     LedgerSnapshotsContract.suite("acme", AcmeDatabase.layer, () => AcmeSnapshots.layer({ name: randomUUID() }))
 */
export const suite = <R, E, E2>(
  name: string,
  given: Layer.Layer<R, E>,
  open: () => Layer.Layer<LedgerSnapshots, E2, R>,
  damage?: Effect.Effect<void, unknown, R>
) => {
  const using = <A, E3>(
    store: Layer.Layer<LedgerSnapshots, E2, R>,
    run: (snapshots: LedgerSnapshots["Service"]) => Effect.Effect<A, E3, R>
  ): Effect.Effect<A, E2 | E3, R> =>
    Effect.scoped(
      Effect.flatMap(Layer.build(Layer.fresh(store)), (context) => run(Context.get(context, LedgerSnapshots)))
    )
  const found = (
    snapshots: LedgerSnapshots["Service"],
    bound: Parameters<LedgerSnapshots["Service"]["latest"]>[0] = {}
  ) =>
    Effect.flatMap(
      snapshots.latest(bound),
      Option.match({
        onNone: () => Effect.undefined,
        onSome: ({ at, parts, sequence }) =>
          Effect.map(Stream.runCollect(parts), (collected) => ({ sequence, at, bytes: joined(collected) }))
      })
    )

  const cases: Record<string, (store: Layer.Layer<LedgerSnapshots, E2, R>) => Effect.Effect<void, unknown, R>> = {
    "there is none at first": (store) =>
      using(store, (snapshots) =>
        Effect.gen(function* () {
          assert.isUndefined(yield* found(snapshots))
          assert.isUndefined(yield* found(snapshots, { sequence: 10, at }))
        })
      ),

    "the latest within a sequence and a moment is found": (store) =>
      using(store, (snapshots) =>
        Effect.gen(function* () {
          yield* snapshots.save({ sequence: 10, at }, [bytes(3, 1)])
          yield* snapshots.save({ sequence: 30, at: later(20) }, [bytes(3, 3)])
          yield* snapshots.save({ sequence: 20, at: later(10) }, [bytes(3, 2)])
          const sequence = (bound: Parameters<typeof snapshots.latest>[0]) =>
            Effect.map(found(snapshots, bound), (one) => one?.sequence)
          assert.strictEqual(yield* sequence({}), 30)
          assert.strictEqual(yield* sequence({ sequence: 30 }), 30)
          assert.strictEqual(yield* sequence({ sequence: 29 }), 20)
          assert.strictEqual(yield* sequence({ sequence: 9 }), undefined)
          assert.strictEqual(yield* sequence({ at: later(10) }), 20)
          assert.strictEqual(yield* sequence({ at: later(9) }), 10)
          assert.strictEqual(yield* sequence({ sequence: 30, at: later(19) }), 20)
          assert.strictEqual(yield* sequence({ sequence: 15, at: later(20) }), 10)
        })
      ),

    "its bytes are those that were saved, wherever they are cut": (store) =>
      using(store, (snapshots) =>
        Effect.gen(function* () {
          // More than a store may want to hold in one piece, and parts of all sizes.
          const parts = [bytes(5, 1), bytes(0, 2), bytes(9 * 1024 * 1024 + 3, 3), bytes(1, 4)]
          yield* snapshots.save({ sequence: 7, at: later(7) }, parts)
          const one = yield* found(snapshots)
          assert.deepStrictEqual([one?.sequence, one?.at], [7, later(7)])
          assert.strictEqual(Buffer.compare(one!.bytes, joined(parts)), 0)
          yield* snapshots.save({ sequence: 8, at: later(8) }, [])
          assert.strictEqual((yield* found(snapshots))?.bytes.byteLength, 0)
        })
      ),

    "one that is saved again is replaced": (store) =>
      using(store, (snapshots) =>
        Effect.gen(function* () {
          yield* snapshots.save({ sequence: 7, at }, [bytes(100, 1)])
          yield* snapshots.save({ sequence: 7, at }, [bytes(50, 2)])
          assert.deepStrictEqual(yield* found(snapshots), { sequence: 7, at, bytes: bytes(50, 2) })
        })
      ),

    "one that fails halfway leaves what was there": (store) =>
      using(store, (snapshots) =>
        Effect.gen(function* () {
          yield* snapshots.save({ sequence: 7, at }, [bytes(100, 1)])
          function* failing() {
            yield bytes(100, 2)
            throw new Error("halfway")
          }
          yield* Effect.exit(snapshots.save({ sequence: 8, at }, failing()))
          assert.deepStrictEqual(yield* found(snapshots), { sequence: 7, at, bytes: bytes(100, 1) })
        })
      ),

    "old ones are dropped, and the latest three are not": (store) =>
      using(store, (snapshots) =>
        Effect.gen(function* () {
          for (const sequence of [1, 2, 3, 4, 5]) {
            yield* snapshots.save({ sequence, at: later(sequence) }, [bytes(10, sequence)])
          }
          for (const sequence of [3, 4, 5]) {
            const one = yield* found(snapshots, { sequence })
            assert.deepStrictEqual(one, { sequence, at: later(sequence), bytes: bytes(10, sequence) })
          }
          assert.isUndefined(yield* found(snapshots, { sequence: 2 }))
        })
      ),

    "it is there when the store is opened again": (store) =>
      Effect.gen(function* () {
        yield* using(store, (snapshots) => snapshots.save({ sequence: 7, at }, [bytes(100, 1)]))
        const one = yield* using(store, (snapshots) => found(snapshots))
        assert.deepStrictEqual(one, { sequence: 7, at, bytes: bytes(100, 1) })
      }),

    ...(damage !== undefined && {
      "a damaged one is passed over for the one before": (store) =>
        using(store, (snapshots) =>
          Effect.gen(function* () {
            yield* snapshots.save({ sequence: 7, at }, [bytes(100, 1)])
            yield* snapshots.save({ sequence: 8, at }, [bytes(100, 2)])
            yield* damage
            assert.strictEqual((yield* found(snapshots))?.sequence, 7)
            assert.strictEqual((yield* found(snapshots, { sequence: 8 }))?.sequence, 7)
            yield* snapshots.save({ sequence: 8, at }, [bytes(100, 3)])
            assert.strictEqual((yield* found(snapshots))?.sequence, 8)
          })
        )
    })
  }

  layer(given, { excludeTestServices: true })(`LedgerSnapshots (${name})`, (it) => {
    for (const [sentence, test] of Object.entries(cases)) it.effect(sentence, () => test(open()))
  })
}
