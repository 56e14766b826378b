/**
 * Sends a signed message to a merchant's endpoint, and only to where florin may
 * send it: a merchant's URL must never reach what only florin can reach.
 *
 * An answer is an answer, whatever its status; redirects are not followed.
 * Sending ends when it is interrupted: how long it may take is its caller's.
 */
import { Context, Schema } from "effect"
import type { Effect } from "effect"
import type { Instant } from "../domain/Instant.ts"
import type { Secret } from "../domain/webhook/StandardWebhooks.ts"

/**
 * - `TargetRefused`: the URL, or an address that it resolves to, is not one to be called.
 * - `Unresolvable`: its name has no address.
 * - `ConnectionFailed`: no connection, no TLS, or it broke before there was an answer.
 */
export class SendError extends Schema.TaggedError<SendError>()("SendError", {
  because: Schema.Literals(["TargetRefused", "Unresolvable", "ConnectionFailed"]),
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

export interface Outgoing {
  readonly url: string
  readonly id: string
  /** JSON. */
  readonly body: Uint8Array
  readonly at: Instant
  /** It is signed by each of them. */
  readonly secrets: ReadonlyArray<Secret>
}

export interface Sent {
  readonly status: number
  /** What the receiver asked for, if it did. */
  readonly retryAfterMillis: number | undefined
}

export class WebhookSender extends Context.Service<
  WebhookSender,
  {
    /** Whether a message would be sent there, as far as that can be told now. */
    readonly check: (url: string) => Effect.Effect<void, SendError>
    readonly send: (outgoing: Outgoing) => Effect.Effect<Sent, SendError>
  }
>()("florin/adapters/WebhookSender") {}
