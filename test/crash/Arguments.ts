/** The words after `npm run test:crash --`: how long, and from which seed; without one, any. */
import { Result, Schema } from "effect"
import { randomInt } from "node:crypto"

export interface Arguments {
  readonly size: "long" | "short"
  readonly seed: number
}

export class ArgumentsRefused extends Schema.TaggedError<ArgumentsRefused>()("ArgumentsRefused", {
  word: Schema.String
}) {
  override get message() {
    return `expected --short or --seed N, N a whole number of at most nine digits, got: ${this.word}`
  }
}

export const parse = (words: ReadonlyArray<string>): Result.Result<Arguments, ArgumentsRefused> => {
  let size: Arguments["size"] = "long"
  let seed: number | undefined
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    const number = words[index + 1] ?? ""
    if (word === "--short") size = "short"
    else if (word === "--seed" && /^\d{1,9}$/.test(number)) {
      seed = Number(number)
      index += 1
    } else return Result.fail(new ArgumentsRefused({ word: word === "--seed" ? `--seed ${number}` : word }))
  }
  return Result.succeed({ size, seed: seed ?? randomInt(1_000_000_000) })
}
