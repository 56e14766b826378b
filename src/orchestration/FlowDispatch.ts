/** What whoever dispatches a flow is told: that it is kept, or why it is not. */
import { Schema } from "effect"
import { StorageUnavailable } from "../adapters/Storage.ts"
import { FlowId } from "../domain/flow/FlowName.ts"
import { IdempotencyKey } from "../domain/Idempotency.ts"
import * as SchemaProblems from "./SchemaProblems.ts"

/** The request is kept, and somebody will perform it. */
export interface Dispatched {
  readonly _tag: "Dispatched"
  readonly flowId: FlowId
  /** Such as `product_request_dispatched`. */
  readonly status: string
}

// --- Errors -----------------------------------------------------------------

/** Nobody here can perform it: flows were not set up, or the gateway has no key. Nothing was sent or stored. */
export class NotConfigured extends Schema.TaggedError<NotConfigured>()("NotConfigured", { detail: Schema.String }) {}

export class UnknownFlow extends Schema.TaggedError<UnknownFlow>()("UnknownFlow", {
  known: Schema.Array(Schema.String)
}) {}

export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  problems: Schema.Array(Schema.Struct({ field: Schema.String, problem: Schema.String }))
}) {}

/** Another request was dispatched under this key; `field` is the first that differs. */
export class KeyConflict extends Schema.TaggedError<KeyConflict>()("KeyConflict", {
  key: IdempotencyKey,
  flow: FlowId,
  field: Schema.String
}) {}

export class DispatchError extends Schema.TaggedError<DispatchError>()("DispatchError", {
  name: Schema.String,
  reason: Schema.Union([NotConfigured, UnknownFlow, InvalidRequest, KeyConflict, StorageUnavailable])
}) {
  override get message() {
    return `${this.name}: ${said(this.reason)}`
  }
}

const said = (reason: DispatchError["reason"]): string => {
  switch (reason._tag) {
    case "NotConfigured":
      return `not configured: ${reason.detail}`
    case "UnknownFlow":
      return `no such flow; there are ${reason.known.join(", ") || "none"}`
    case "InvalidRequest":
      return SchemaProblems.text(reason.problems)
    case "KeyConflict":
      return `the key ${JSON.stringify(reason.key)} was used for another request, which differs in ${reason.field}`
    case "StorageUnavailable":
      return reason.message
  }
}
