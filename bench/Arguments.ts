/** The words after `npm run bench --`: flags, and the subjects to measure; without any, all of them. */
import { Result, Schema } from "effect"

export interface Arguments {
  readonly json: boolean
  readonly quick: boolean
  readonly subjects: ReadonlyArray<string>
}

export class UnknownArgument extends Schema.TaggedError<UnknownArgument>()("UnknownArgument", {
  word: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message() {
    return `unknown argument "${this.word}", expected any of: ${this.known.join(" ")}`
  }
}

const flags = ["--json", "--quick"]

/** `all` are the subjects' names. */
export const parse = (
  words: ReadonlyArray<string>,
  all: ReadonlyArray<string>
): Result.Result<Arguments, UnknownArgument> => {
  const known = [...flags, ...all]
  const unknown = words.find((word) => !known.includes(word))
  if (unknown !== undefined) return Result.fail(new UnknownArgument({ word: unknown, known }))
  const subjects = all.filter((name) => words.includes(name))
  return Result.succeed({
    json: words.includes("--json"),
    quick: words.includes("--quick"),
    subjects: subjects.length === 0 ? all : subjects
  })
}
