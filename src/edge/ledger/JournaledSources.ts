/**
 * Transaction files into books that have a journal: each source is taken up
 * where it was left, however often it is sent and wherever a run was killed.
 *
 * A source's name is its own in the journal: a file's base name, without the
 * `.gz` of a packed one, because positions are of the unpacked text. A file
 * that has grown goes on; one whose beginning is another is refused.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { basename } from "node:path"
import { standardInput } from "./TransactionSource.ts"

/** What was taken of the source before is not what it begins with now. */
export class SourceChanged extends Schema.TaggedError<SourceChanged>()("SourceChanged", {
  path: Schema.String,
  source: Schema.String,
  line: Schema.Int
}) {
  override get message() {
    return `${this.path} does not begin with what the journal took as ${this.source} before, up to line ${this.line}; if it is another file, name it with --source`
  }
}

/** Two files that the journal could not tell apart. */
export class SourcesAlike extends Schema.TaggedError<SourcesAlike>()("SourcesAlike", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/** The names of the files in the journal; `given` names the only one. */
export const namesOf = (
  files: ReadonlyArray<string>,
  given: string | undefined
): Effect.Effect<ReadonlyArray<string>, SourcesAlike> => {
  if (given !== undefined) {
    if (given === "") return Effect.fail(new SourcesAlike({ detail: "--source: expected a name" }))
    return files.length === 1
      ? Effect.succeed([given])
      : Effect.fail(new SourcesAlike({ detail: `--source names one file, and there are ${files.length}` }))
  }
  const names = files.map((file) => (file === standardInput ? "stdin" : basename(file).replace(/\.gz$/, "")))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  return twice === undefined
    ? Effect.succeed(names)
    : Effect.fail(
        new SourcesAlike({
          detail: `two of the files are ${twice} to the journal, which knows a source by its name: process them one by one, with --source`
        })
      )
}
