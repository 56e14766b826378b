/** One thing that florin can be told from outside, and how its text is read. */
import * as Config from "effect/Config"
import * as Schema from "effect/Schema"

export interface Setting {
  readonly variable: string
  /** Without its dashes. */
  readonly flag: string
  /** What holds when it is not given, as a person reads it. */
  readonly byDefault: string
  /** What it is, in a phrase. */
  readonly is: string
  /** What is given, as a usage line shows it. */
  readonly metavar: string
  /** Never printed as it is. */
  readonly secret: boolean
}

export const setting = (
  variable: string,
  flag: string,
  metavar: string,
  byDefault: string | number,
  is: string,
  secret = false
): Setting => ({ variable, flag, metavar, byDefault: String(byDefault), is, secret })

/** Text that must hold to something; `complaint` says what was expected, and what came unless it may be a secret. */
export const text = ({ variable }: Setting, complaint: (given: string) => string | undefined) =>
  Config.schema(
    Schema.String.pipe(Schema.check(Schema.makeFilter((given: string) => complaint(given) ?? true))),
    variable
  )

/** What stands between commas. */
export const partsOf = (given: string): ReadonlyArray<string> =>
  given
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
