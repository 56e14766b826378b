/**
 * What TypeScript refuses of a saga, and what is refused when it is made by who does not use TypeScript.
 *
 * Each `@ts-expect-error` is a test of its own: where the line below it type-checks, `npm run types` fails.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Saga from "../../../src/orchestration/saga/Saga.ts"

const input = Schema.Struct({ amount: Schema.Int, items: Schema.Array(Schema.Struct({ sku: Schema.String })) })

const begun = Saga.make("Typed", { input }).step("hold", {
  takes: ({ input }) => ({ amount: input.amount, by: 2 }),
  gives: Schema.Struct({ reference: Schema.String, at: Schema.Struct({ millis: Schema.Int }) }),
  run: ({ amount, by }) => Effect.succeed({ reference: String(amount * by), at: { millis: 1 } })
})

const text = { gives: Schema.String, run: () => Effect.succeed("done") }
const child = Saga.make("Child", { input: Schema.Struct({ reference: Schema.String }) })
  .step("one", text)
  .returns("one")

describe("a saga's types", () => {
  it("are those of the input, of results and what is in them, of literals and of elements", () => {
    const saga = begun
      .step("take", {
        takes: ({ input, steps }) => ({ reference: steps.hold.reference, at: steps.hold.at.millis, of: input.amount }),
        gives: Schema.String,
        run: ({ at, of, reference }) => {
          const checked: readonly [number, number, string] = [at, of, reference]
          return Effect.succeed(checked.join())
        }
      })
      .map("each", {
        over: ({ input }) => input.items,
        takes: ({ element, steps }) => ({ sku: element.sku, reference: steps.take }),
        gives: Schema.Int,
        run: ({ reference, sku }) => Effect.succeed((reference satisfies string).length + (sku satisfies string).length)
      })
      .returns("each")
    const { output }: { readonly output: Schema.Codec<ReadonlyArray<number>, unknown> } = saga
    assert.deepStrictEqual(Schema.decodeUnknownSync(output)([1, 2]), [1, 2])
    assert.deepStrictEqual(
      saga.graph.steps.map(({ name, takes }) => [name, takes]),
      [
        ["hold", []],
        ["take", ["hold"]],
        ["each", ["take"]]
      ]
    )
  })

  it("refuse a result, a field or an element that is used as something else", () => {
    begun.step("take", {
      takes: ({ steps }) => ({ reference: steps.hold.reference }),
      gives: Schema.Int,
      // @ts-expect-error a reference is a text
      run: ({ reference }) => Effect.succeed(reference * 2)
    })
    begun.step("take", {
      // @ts-expect-error what a hold gives has no such field
      takes: ({ steps }) => ({ reference: steps.hold.number }),
      ...text
    })
    begun.map("each", {
      over: ({ input }) => input.items,
      // @ts-expect-error an item has no such field
      takes: ({ element }) => ({ price: element.price }),
      ...text
    })
    begun.step("take", {
      gives: Schema.Int,
      // @ts-expect-error it gives a number, as it said
      run: () => Effect.succeed("1")
    })
    begun.compose("within", child, {
      // @ts-expect-error the saga within asks for a text
      takes: ({ input }) => ({ reference: input.amount })
    })
    // @ts-expect-error what is undone is what was given
    begun.step("take", {
      ...text,
      undo: (given: number) => Effect.succeed(given)
    })
    assert.strictEqual(begun.returns("hold").graph.steps.length, 1)
  })

  it("refuse names that are not there or are there already, and making it throws", () => {
    assert.throws(
      () =>
        begun
          .step("take", {
            // @ts-expect-error there is no such step yet, so none can wait for one that waits for it
            takes: ({ steps }) => ({ later: steps.later }),
            ...text
          })
          .returns("take"),
      "Typed: take names a step that is not there: later"
    )
    assert.throws(
      () =>
        begun
          .step("take", {
            // @ts-expect-error there is no such step to wait for
            waitFor: ["later"],
            ...text
          })
          .returns("take"),
      "Typed: take names a step that is not there: later"
    )
    assert.throws(
      () =>
        begun
          // @ts-expect-error there is a step of that name
          .step("hold", text)
          .returns("hold"),
      "Typed: two steps are named hold"
    )
    assert.throws(
      () =>
        begun
          .compose("within", child, {
            takes: ({ steps }) => ({ reference: steps.hold.reference }),
            // @ts-expect-error a saga within is never retried as a whole
            retry: { attempts: 2, backoff: "fixed", baseMillis: 1 }
          })
          .returns("within"),
      "Typed: within is a saga of its own and cannot be retried as a whole"
    )
  })

  it("refuse steps that wait for each other, written in any order", () => {
    assert.throws(
      () =>
        begun
          // @ts-expect-error what is not there yet cannot be waited for
          .step("a", { ...text, waitFor: ["b"] })
          .step("b", { ...text, waitFor: ["a"] })
          .returns("b"),
      "Typed: steps wait for each other: a -> b -> a"
    )
  })

  for (const batch of [0, -1, 1.5, Number.NaN]) {
    it(`refuse a batch of ${batch}, of which no element would ever begin`, () => {
      assert.throws(
        () =>
          begun
            .map("each", {
              over: ({ input }) => input.items,
              takes: ({ element }) => ({ sku: element.sku }),
              batch,
              ...text
            })
            .returns("each"),
        `Typed: each has a batch of ${batch}, where a whole number of 1 or more is`
      )
    })
  }

  it("refuse a question that takes no answer", () => {
    assert.throws(
      () => begun.interrupt("ask", { gives: Schema.String, correlation: () => "q", attempts: 0 }).returns("ask"),
      "Typed: ask has attempts of 0, where a whole number of 1 or more is"
    )
  })
})
