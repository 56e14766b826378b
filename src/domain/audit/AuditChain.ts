/**
 * The audit log as a chain.
 *
 * A link is an entry as one text, the entry's canonical JSON, and the SHA-256 of that text in UTF-8. The text holds the
 * entry's `sequence` and, as `previous`, the hash of the link before: whoever changes, removes or moves a link breaks
 * the chain there, or has to make every later link anew, and the head with them. `docs/guides/audit-log.md` says how to
 * notice that, too.
 *
 * Hashing is the caller's: these functions take and give texts and hashes.
 */
import { Option, Result, Schema } from "effect"
import * as CanonicalJson from "../CanonicalJson.ts"
import { Draft, Entry } from "./AuditEntry.ts"

/** How far the chain reaches: how many links, and the hash of the last. */
export interface Anchor {
  readonly sequence: number
  readonly hash: string
}

/** Before the first link. */
export const genesis: Anchor = { sequence: 0, hash: "0".repeat(64) }

/** A link as it is kept; `sequence` is the place where it was found, whatever its text says. */
export interface Link extends Anchor {
  readonly text: string
}

const encodeDraft = Schema.encodeSync(Schema.toCodecJson(Draft))
const decodeText = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.toCodecJson(Entry)))

/** The text of the link that follows `before`; its hash is the SHA-256 of this in UTF-8. */
export const textAfter = (before: Anchor, draft: Draft): string => {
  const entry = encodeDraft(draft)
  return CanonicalJson.text({ ...Object(entry), sequence: before.sequence + 1, previous: before.hash })
}

/** The entry of a link, if its text is one. */
export const entryOf = ({ text }: Link): Option.Option<Entry> => decodeText(text)

// --- Verification -----------------------------------------------------------

/**
 * How a chain is broken.
 *
 * - `Missing`: there is no link of this sequence, though the head or a later link says so.
 * - `Changed`: the text is not the one that was hashed.
 * - `Unlinked`: it follows another link than the one that stands before it, which was changed and hashed anew.
 * - `Moved`: the text says another sequence.
 * - `Unreadable`: the text is no entry.
 * - `Unclaimed`: the head does not know of this link: it was added past florin.
 * - `HeadChanged`: the head says another hash than the last link has.
 * - `Rewritten`: the chain holds, but it is not the one whose head was noted elsewhere.
 */
export type How =
  | "Missing"
  | "Changed"
  | "Unlinked"
  | "Moved"
  | "Unreadable"
  | "Unclaimed"
  | "HeadChanged"
  | "Rewritten"

export interface Broken {
  readonly sequence: number
  readonly how: How
}

/** `link` is the next one that was found after `before`, and `sha256` the hash of its text. */
export const follow = (before: Anchor, link: Link, sha256: string): Result.Result<Anchor, Broken> => {
  const sequence = before.sequence + 1
  const broken = (how: How) => Result.fail({ sequence, how })
  if (link.sequence !== sequence) return broken("Missing")
  if (sha256 !== link.hash) return broken("Changed")
  const entry = Option.getOrUndefined(entryOf(link))
  if (entry === undefined) return broken("Unreadable")
  if (entry.sequence !== sequence) return broken("Moved")
  if (entry.previous !== before.hash) return broken("Unlinked")
  return Result.succeed({ sequence, hash: link.hash })
}

/** What the store says beside the links: its head, and how far its links reach. */
export interface Head extends Anchor {
  readonly last: number
}

/** `end` is where following the links ended, up to the head's sequence. */
export const close = (end: Anchor, head: Head): Result.Result<Anchor, Broken> => {
  if (end.sequence < head.sequence) return Result.fail({ sequence: end.sequence + 1, how: "Missing" })
  if (end.hash !== head.hash) return Result.fail({ sequence: head.sequence, how: "HeadChanged" })
  if (head.last > head.sequence) return Result.fail({ sequence: head.sequence + 1, how: "Unclaimed" })
  return Result.succeed(end)
}
