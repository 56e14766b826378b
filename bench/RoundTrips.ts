/**
 * How often a payment goes to the database and back, counted: the SQL client
 * opens a span of kind "client" for every statement that it sends, nothing else
 * here does, and a tracer of ours counts them.
 */
import { Effect, Tracer } from "effect"
import * as Checkout from "./Checkout.ts"

/** So often each of those at a time makes a payment: groups form, and end. */
const times = 8

/** Statements that a payment takes, on average, with so many at a time. */
export const count = (concurrency: number) =>
  Effect.gen(function* () {
    const made = concurrency * times
    let statements = 0
    const tracer = Tracer.make({
      span: (options) => {
        if (options.kind === "client") statements += 1
        return new Tracer.NativeSpan(options)
      }
    })
    const { florin } = yield* Effect.provideService(Checkout.build, Tracer.Tracer, tracer)
    yield* Effect.all(
      Array.from({ length: made }, () => florin),
      { concurrency, discard: true }
    ).pipe(Effect.provideService(Tracer.Tracer, tracer))
    return statements / made
  })
