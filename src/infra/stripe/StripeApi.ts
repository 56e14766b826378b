/**
 * Stripe, as its adapter needs it: a request goes in, and an object that is
 * still to be decoded comes out, or what was seen instead.
 *
 * `StripeSdk` is Stripe itself. That it is apart from what is decided about
 * its answers lets a simulation take its place where no promise ever resolves.
 */
import { Schema } from "effect"
import type { Effect } from "effect"
import type { Reply, Seen } from "./StripeClassification.ts"
import type { StripeRequest } from "./StripeRequest.ts"

/** A request that did not get its object. */
export class StripeTrouble extends Schema.TaggedError<StripeTrouble>()("StripeTrouble", {
  seen: Schema.declare((value: unknown): value is Seen => typeof value === "object" && value !== null),
  /** The intent that the error names, as it came. */
  intent: Schema.optionalKey(Schema.Unknown),
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return this.seen._tag === "Replied" ? `Stripe answered ${describe(this.seen.reply)}` : this.seen._tag
  }
}

const describe = ({ code, status, type }: Reply) => [status, type, code].filter((part) => part !== undefined).join(" ")

export interface StripeApi {
  readonly ask: (request: StripeRequest) => Effect.Effect<unknown, StripeTrouble>
}
