/**
 * Whether an HTTP client failed before there was a connection: the one failure
 * of a transport that proves that nothing was sent. A reset can come after the
 * request as well.
 */
import { Schema } from "effect"

/** Undici's own code for a connection that took too long to make; Node's errors name the system call instead. */
const connectTimeout = "UND_ERR_CONNECT_TIMEOUT"

const NodeError = Schema.Struct({
  syscall: Schema.optional(Schema.Unknown),
  code: Schema.optional(Schema.Unknown),
  errors: Schema.optional(Schema.Array(Schema.Unknown)),
  cause: Schema.optional(Schema.Unknown)
})
const isNodeError = Schema.is(NodeError)

/** By the innermost cause. Of several addresses, every one must have failed so. */
export const wasConnecting = (cause: unknown): boolean => {
  if (!isNodeError(cause)) return false
  if (cause.syscall === "connect" || cause.syscall === "getaddrinfo" || cause.code === connectTimeout) return true
  if (cause.errors !== undefined && cause.errors.length > 0) return cause.errors.every(wasConnecting)
  return wasConnecting(cause.cause)
}
