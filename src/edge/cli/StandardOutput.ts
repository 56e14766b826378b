/**
 * Standard output and error, whose readers may leave at any time: of
 * `florin payments list --all | head` nobody wants more than the head. Node
 * would end the process with a stack trace; a service goes on instead, and a
 * list ends where nobody reads it.
 */
import * as Effect from "effect/Effect"

let isLost = false

/** To be run once, before anything is printed. */
export const survive = Effect.sync(() => {
  process.stdout.on("error", () => (isLost = true))
  process.stderr.on("error", () => {})
})

/** Somebody may still read what is printed. */
export const isRead = Effect.sync(() => !isLost)
