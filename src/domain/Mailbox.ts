/**
 * One mail address, as RFC 5321 writes it without quotes.
 *
 * Whatever separates or wraps addresses in a header (commas, brackets, quotes,
 * spaces) is refused, so that an address stays one address.
 */
import * as Schema from "effect/Schema"

/** RFC 5321, 4.5.3.1: 64 octets before the @, 255 after it, and 254 in a path that holds both. */
const maxLength = 254

const mailbox = /^[^\s\p{C}@,;:<>()[\]"\\]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.)*[\p{L}\p{N}-]{1,63}$/u

export const Mailbox = Schema.String.check(
  Schema.isMaxLength(maxLength, { expected: `an address of at most ${maxLength} characters` }),
  Schema.isPattern(mailbox, { expected: "one mail address, such as ada@example.org" })
)
