/**
 * Follows the audit log's chain from its first link to its head, and stops at
 * the first that is broken.
 *
 * The head is read first, and links after it are left alone: others may be
 * appending. An anchor is a head that was noted elsewhere at an earlier time; a
 * chain that was made anew as a whole is found by it, and by nothing else.
 */
import { Effect, Result } from "effect"
import { Digest } from "effect/crypto"
import { AuditLog } from "../adapters/AuditLog.ts"
import type { StorageUnavailable } from "../adapters/Storage.ts"
import type { Anchor, Broken } from "../domain/audit/AuditChain.ts"
import * as AuditChain from "../domain/audit/AuditChain.ts"

export interface Options {
  readonly anchor?: Anchor | undefined
  /** Told after every page. */
  readonly onProgress?: ((followed: number, all: number) => Effect.Effect<void>) | undefined
}

/** Half a megabyte of entries: few round trips, little memory. */
const pageSize = 1000

/** The head, when every link holds. */
export const verify = Effect.fn("AuditVerification.verify")(function* ({ anchor, onProgress }: Options = {}) {
  const log = yield* AuditLog
  const head = yield* log.head
  if (anchor !== undefined && anchor.sequence > head.sequence) {
    return Result.fail<Broken>({ sequence: head.sequence + 1, how: "Missing" })
  }
  let end: Anchor = AuditChain.genesis
  while (end.sequence < head.sequence) {
    const before = head.sequence + 1
    const links = yield* log.read({ order: "oldestFirst", after: end.sequence, before, limit: pageSize })
    for (const link of links) {
      const followed = AuditChain.follow(end, link, yield* sha256(link.text))
      if (Result.isFailure(followed)) return followed
      end = followed.success
      if (anchor?.sequence === end.sequence && anchor.hash !== end.hash) {
        return Result.fail<Broken>({ sequence: end.sequence, how: "Rewritten" })
      }
    }
    if (onProgress !== undefined) yield* onProgress(end.sequence, head.sequence)
    if (links.length === 0) break
  }
  return AuditChain.close(end, head)
}) satisfies (
  options?: Options
) => Effect.Effect<Result.Result<Anchor, Broken>, StorageUnavailable, AuditLog | Digest.Digest>

/** Of a text in UTF-8, as hexadecimal digits. */
export const sha256 = Effect.fnUntraced(function* (text: string) {
  const { digestHex } = yield* Digest.Digest
  return yield* digestHex(Digest.sha256, new TextEncoder().encode(text))
})
