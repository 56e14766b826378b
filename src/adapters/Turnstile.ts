/**
 * What runs of sagas, on however many machines, let each other do: how often in
 * a time, once in a period, in which order.
 *
 * A visitor is a run or a step of it, by a text that is the same whenever it
 * comes again. Who was let in and comes again is let in again.
 */
import { Context } from "effect"
import type { Effect } from "effect"
import type { Exceeded, RateWindow, Turn } from "../domain/saga/Turns.ts"
import type { StorageUnavailable } from "./Storage.ts"

export class Turnstile extends Context.Service<
  Turnstile,
  {
    /** Counts one in every window, or in none where one of them is full: that one is the answer. */
    readonly charge: (
      name: string,
      windows: ReadonlyArray<RateWindow>
    ) => Effect.Effect<Exceeded | undefined, StorageUnavailable>
    /** Takes the one place of a period; false where another visitor has it. */
    readonly claim: (name: string, bucket: string, visitor: string) => Effect.Effect<boolean, StorageUnavailable>
    /** Gives the place back, where the visitor has it. */
    readonly unclaim: (name: string, bucket: string, visitor: string) => Effect.Effect<void, StorageUnavailable>
    /** Whether it is the turn of `nonce`, which count from 1 without gaps. */
    readonly turn: (name: string, nonce: number) => Effect.Effect<Turn, StorageUnavailable>
    /** Ends the turn of `nonce`; a repeat changes nothing. */
    readonly passed: (name: string, nonce: number, succeeded: boolean) => Effect.Effect<void, StorageUnavailable>
  }
>()("florin/adapters/Turnstile") {}
