/**
 * Text that every store can hold and every log can print.
 *
 * PostgreSQL's `text` refuses U+0000, its `jsonb` refuses lone surrogates, and
 * a control character in a log line forges another line. So stored text is
 * well-formed Unicode without control characters, of a bounded length.
 */
import * as Schema from "effect/Schema"

const printable = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u

/** 1 to `maxLength` UTF-16 units of printable, well-formed text. */
export const Text = (maxLength: number) =>
  Schema.String.check(
    Schema.isMinLength(1, { expected: "text that is not empty" }),
    Schema.isMaxLength(maxLength, { expected: `text of at most ${maxLength} characters` }),
    Schema.isPattern(printable, { expected: "printable text without control characters" })
  )

/** Visible ASCII only, as in a header or an identifier: no spaces, nothing to normalise. */
export const Token = (maxLength: number) =>
  Schema.String.check(
    Schema.isMinLength(1, { expected: "a token that is not empty" }),
    Schema.isMaxLength(maxLength, { expected: `a token of at most ${maxLength} characters` }),
    Schema.isPattern(/^[!-~]*$/, { expected: "a token of visible ASCII characters" })
  )
