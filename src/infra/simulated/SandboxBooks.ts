/**
 * Where the sandbox keeps its books, and its two questions asked over them.
 *
 * `transact` is one step for everybody: it reads the entry, applies a pure
 * function and writes what that returned, and no other process comes between,
 * neither under the same key nor on the same charge. So however often and from
 * wherever a request comes, it acts once.
 */
import { Clock, Context, Effect } from "effect"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import { Instant } from "../../domain/Instant.ts"
import type { Capabilities, Reference } from "../../domain/payment/Gateway.ts"
import type { OperationId } from "../../domain/payment/Operation.ts"
import * as Sandbox from "./Sandbox.ts"
import type { Charge } from "./SandboxCharge.ts"
import type { SandboxRequest } from "./SandboxRequest.ts"

/** Names an entry: its key, and its charge where that is not the key's own. */
export interface Address {
  readonly key: OperationId
  readonly reference: Reference | undefined
}

export class SandboxBooks extends Context.Service<
  SandboxBooks,
  {
    /** `change` may return its entry unchanged, or with a charge under a new reference, which leaves the old one as it is. */
    readonly transact: <A>(
      address: Address,
      change: (entry: Sandbox.Entry) => readonly [A, Sandbox.Entry]
    ) => Effect.Effect<A, StorageUnavailable>
    readonly charge: (reference: Reference) => Effect.Effect<Charge | undefined, StorageUnavailable>
    /** At most `limit` charges in the order of their references, from the first one behind `after`. */
    readonly charges: (
      after: Reference | undefined,
      limit: number
    ) => Effect.Effect<ReadonlyArray<Charge>, StorageUnavailable>
  }
>()("florin/infra/simulated/SandboxBooks") {}

const now = Effect.map(Clock.currentTimeMillis, (millis) => Instant.make(millis))

export const send = Effect.fnUntraced(function* (
  request: SandboxRequest,
  rules: Capabilities
): Effect.fn.Return<Sandbox.Reply, StorageUnavailable, SandboxBooks> {
  const books = yield* SandboxBooks
  const at = yield* now
  const reference = request.kind === "authorize" ? undefined : request.reference
  return yield* books.transact({ key: request.key, reference }, (entry) => Sandbox.send(entry, request, rules, at))
})

export const lookup = Effect.fnUntraced(function* (
  key: OperationId,
  rules: Capabilities
): Effect.fn.Return<Sandbox.Looked, StorageUnavailable, SandboxBooks> {
  const books = yield* SandboxBooks
  const at = yield* now
  return yield* books.transact({ key, reference: undefined }, (entry) => Sandbox.lookup(entry, rules, at))
})
