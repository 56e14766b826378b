/** How far long work is: a bar that moves on a terminal, a line now and then elsewhere. On standard error. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface Progress {
  readonly done: number
  readonly total: number
  /** What is happening, in a word or two. */
  readonly note: string
}

const width = 32
/** Off a terminal, a line for each so many percent. */
const linePercent = 20

/** Shows progress whenever the returned effect is run. */
export const make = Effect.fnUntraced(function* (label: string) {
  const started = yield* Clock.currentTimeMillis
  const isTerminal = process.stderr.isTTY
  let shown = -1
  return ({ done, note, total }: Progress) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const part = total === 0 ? 1 : done / total
      const percent = Math.floor(part * 100)
      const seconds = ((now - started) / 1000).toFixed(1)
      const text = `${label} ${done}/${total} ${percent}% ${seconds}s ${note}`
      if (isTerminal) {
        const filled = Math.round(part * width)
        const bar = "█".repeat(filled) + "░".repeat(width - filled)
        process.stderr.write(`\r\u001b[2K${bar} ${text}${done === total ? "\n" : ""}`)
      } else if (Math.floor(percent / linePercent) > shown) {
        shown = Math.floor(percent / linePercent)
        process.stderr.write(`${text}\n`)
      }
    })
})
