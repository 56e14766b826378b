/**
 * An operation's id as Adyen's idempotency key: at most 64 characters.
 *
 * An id that fits goes as it is (R3). A longer one goes as its SHA-256 under a
 * prefix that no id begins with, so that the two forms never meet, and two ids
 * share a key only if SHA-256 collides. The same id has the same key for ever.
 *
 * Source: https://docs.adyen.com/development-resources/api-idempotency
 */
import { createHash } from "node:crypto"
import type { OperationId } from "../../domain/payment/Operation.ts"

export const maxLength = 64

/** Ids begin with `pay_`. */
const prefix = "sha256-"

/** 43 characters of base64url after the prefix. */
export const of = (operation: OperationId): string =>
  operation.length <= maxLength ? operation : `${prefix}${createHash("sha256").update(operation).digest("base64url")}`
