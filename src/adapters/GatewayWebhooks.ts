/**
 * How a gateway's webhooks are read: whether a delivery is the gateway's, and
 * what it tells.
 *
 * The two are apart, because a delivery is verified before it is stored and
 * answered, and read by a worker after that. Reading never trusts the body for
 * money that can be asked for: it fetches the object where the gateway allows.
 *
 * Errors: `Unverified`, which ends a delivery; `GatewayError`, after which the
 * worker reads it again later; `UnreadableWebhook`, which reading again cannot mend.
 */
import { Context, Schema } from "effect"
import type { Effect, Result } from "effect"
import type { Instant } from "../domain/Instant.ts"
import type { GatewayName } from "../domain/payment/Gateway.ts"
import type { Notification } from "../domain/payment/Notification.ts"
import type { GatewayError } from "./PaymentGateway.ts"

/** A request as it came: names of headers in lower case, the body byte for byte. */
export interface Delivery {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** It is not known to come from the gateway; `detail` says what is wrong with it, and never the signature it should have. */
export class Unverified extends Schema.TaggedError<Unverified>()("Unverified", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/** It comes from the gateway and says nothing that this version of florin can read. */
export class UnreadableWebhook extends Schema.TaggedError<UnreadableWebhook>()("UnreadableWebhook", {
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

/**
 * What makes two deliveries the same: the gateway's id of the event, and what
 * it is about. Gateways have been seen to send one change under two ids.
 */
export interface Verified {
  readonly id: string
  /** Object, type and state, as one text; `undefined` where the body does not say. */
  readonly about: string | undefined
}

export interface GatewayWebhook {
  readonly gateway: GatewayName
  /** By all secrets that are valid now: while one is rotated there are two. */
  readonly verify: (delivery: Delivery, now: Instant) => Result.Result<ReadonlyArray<Verified>, Unverified>
  /** What the stored body tells florin; nothing when it is about something else. */
  readonly read: (body: Uint8Array) => Effect.Effect<ReadonlyArray<Notification>, GatewayError | UnreadableWebhook>
  /** The body of the answer that this gateway wants to see; empty for most. */
  readonly acknowledgement: string
}

/** Those gateways that send webhooks, by name. */
export class GatewayWebhooks extends Context.Service<GatewayWebhooks, ReadonlyMap<GatewayName, GatewayWebhook>>()(
  "florin/adapters/GatewayWebhooks"
) {}
