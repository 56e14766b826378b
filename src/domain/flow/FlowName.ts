/**
 * What flows are called: the flow itself, its two handlers, its workers, its
 * context, and one request of it.
 *
 *     create_product -> new_create_product_response | new_create_product_error
 *
 * A flow's id is derived from its name and the caller's key, so that asking
 * again for the same thing names the same thing (R3).
 */
import { Schema } from "effect"
import type { IdempotencyKey } from "../Idempotency.ts"
import { Token } from "../Text.ts"

/** A kind of request; short enough that what is derived from it is a key as well. */
export const FlowName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9_]{0,63}$/, { expected: 'a flow\'s name such as "create_payment_intent"' })
).pipe(Schema.brand("FlowName"))
export type FlowName = typeof FlowName.Type

/** One request of a flow: `flow_` and 40 hexadecimal digits. */
export const FlowId = Schema.String.check(
  Schema.isPattern(/^flow_[0-9a-f]{40}$/, { expected: "a flow's id: flow_ and 40 hexadecimal digits" })
).pipe(Schema.brand("FlowId"))
export type FlowId = typeof FlowId.Type

/** Who performs it: several processes may work under one name. */
export const WorkerName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9-]{0,31}$/, { expected: 'a worker\'s name such as "billing"' })
).pipe(Schema.brand("WorkerName"))
export type WorkerName = typeof WorkerName.Type

/** Names the values that the handlers of a chain of flows share. */
export const ContextId = Token(128).pipe(Schema.brand("FlowContextId"))
export type ContextId = typeof ContextId.Type

/** The handler of the response. */
export const responseFlow = (name: FlowName): string => `new_${name}_response`

/** The handler of the error. */
export const errorFlow = (name: FlowName): string => `new_${name}_error`

/** What the caller is told at once: `create_product` answers `product_request_dispatched`. */
export const dispatched = (name: FlowName): string => `${name.replace(/^create_/, "")}_request_dispatched`

/** What an id is the SHA-256 of. No name holds a line break. */
export const identity = (name: FlowName, key: IdempotencyKey): string => `${name}\n${key}`

/** 40 of the 64 digits: 160 bits, as many as nobody will see meet. */
export const idOf = (sha256: string): FlowId => FlowId.make(`flow_${sha256.slice(0, 40)}`)

/**
 * The idempotency key at the gateway. It is the same over every resend, and
 * changes only when an operator asks anew after a definite failure.
 */
export const gatewayKey = (id: FlowId, round: number): string => `${id}/${round}`
