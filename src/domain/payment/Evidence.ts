/**
 * How florin knows what it records (R4).
 *
 * A payment becomes captured, declined, failed or refunded only by an event
 * that carries one of these. Time is not among them.
 */
import * as Schema from "effect/Schema"
import { Text, Token } from "../Text.ts"
import { GatewayName } from "./Gateway.ts"

export const Evidence = Schema.TaggedUnion({
  /** The gateway answered the call itself, the first time or under the same key again. */
  GatewayAnswer: { gateway: GatewayName },
  /** The gateway was asked what became of the operation. */
  Lookup: { gateway: GatewayName },
  /** The gateway told by itself; `notification` is its id of the message. */
  Webhook: { gateway: GatewayName, notification: Token(255) },
  /** A person decided, and says why. */
  Operator: { name: Text(100), reason: Text(500) }
})
export type Evidence = typeof Evidence.Type
