/**
 * A snapshot's bytes in parts that a store can hold one at a time. Where they
 * are cut means nothing: who reads them reads one after the other.
 */

/** A database's driver holds a value a few times over, and larger writes are no faster. */
const maxBytes = 4 * 1024 * 1024

/** The same bytes, in parts that are not too long; none of them is copied. */
export function* bounded(parts: Iterable<Uint8Array>): Iterable<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += maxBytes) yield part.subarray(at, at + maxBytes)
  }
}
