/**
 * Puts what many fibers want to write into few statements.
 *
 *     submit -> queue -> group, one statement -> to each waiter its own outcome
 *
 * 1. An item that comes while nothing is under way is sent at once, together
 *    with what other fibers submit in the same turn. Nothing waits for company.
 * 2. While as many groups are under way as may be, items gather, and the next
 *    group is all of them.
 * 3. Two items of one key are never under way at a time: the later goes in a
 *    later group, so items of one key take effect in the order of their coming.
 * 4. A group whose failure proves that nothing took effect, and which may be the
 *    fault of one item, is sent again in halves, until that one stands alone.
 *    Every other failure is every member's: it may have taken effect.
 * 5. Who is interrupted in the queue was never sent. Who is interrupted later
 *    ends when the group does, so that what it does next cannot overtake the
 *    group. A group that all have left is interrupted itself.
 * 6. When the scope closes, what is queued is still sent; what comes afterwards
 *    is interrupted.
 */
import { Cause, Deferred, Effect, Exit, FiberSet } from "effect"
import type { Fiber, Scope } from "effect"

export interface Options<A, B, E> {
  readonly keyOf: (item: A) => string
  /** Writes all items or none, and says what became of each, in their order. */
  readonly commit: (items: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E>
  /** Whether a failure proves that nothing took effect, and may be the fault of one item. */
  readonly isDivisible: (error: E) => boolean
  /** How many groups may be under way at a time. Each takes a connection for as long. */
  readonly maxGroups: number
  /** How many items a group holds at most. */
  readonly maxItems: number
}

/** Writes one item and answers what became of it. */
export type Submit<A, B, E> = (item: A) => Effect.Effect<B, E>

interface Waiter<A, B, E> {
  readonly item: A
  readonly key: string
  readonly resume: (outcome: Exit.Exit<B, E>) => void
  /** Once it is under way. */
  group: Group<A, B, E> | undefined
}

interface Group<A, B, E> {
  readonly waiters: ReadonlyArray<Waiter<A, B, E>>
  readonly fiber: Fiber.Fiber<void>
  readonly ended: Deferred.Deferred<void>
  /** Those that have not been interrupted. */
  waiting: number
}

export const make = Effect.fnUntraced(function* <A, B, E>(
  options: Options<A, B, E>
): Effect.fn.Return<Submit<A, B, E>, never, Scope.Scope> {
  const { keyOf, maxGroups, maxItems } = options
  const fork = yield* FiberSet.makeRuntime<never, void, never>()
  const commit = dividing(options)

  const queue = new Set<Waiter<A, B, E>>()
  const keysUnderWay = new Set<string>()
  const drained = Deferred.makeUnsafe<void>()
  let groupsUnderWay = 0
  /** A fiber will take a group when its turn comes. */
  let isTaking = false
  let isClosed = false

  const launch = (): void => {
    if (isTaking || groupsUnderWay >= maxGroups || queue.size === 0) return
    isTaking = true
    // Fibers that are ready have their turn first: what they submit is in the same group.
    const fiber: Fiber.Fiber<void> = fork(
      Effect.andThen(
        Effect.yieldNow,
        Effect.suspend(() => takeAndCommit(fiber))
      )
    )
  }

  const takeAndCommit = (fiber: Fiber.Fiber<void>): Effect.Effect<void> => {
    isTaking = false
    const group = take(fiber)
    if (group === undefined) return Effect.void
    groupsUnderWay += 1
    // What did not fit need not wait for this group to end.
    launch()
    return Effect.asVoid(
      Effect.exit(Effect.onExit(commit(group.waiters.map(({ item }) => item)), (exit) => end(group, exit)))
    )
  }

  const take = (fiber: Fiber.Fiber<void>): Group<A, B, E> | undefined => {
    const waiters: Array<Waiter<A, B, E>> = []
    for (const waiter of queue) {
      if (waiters.length === maxItems) break
      if (keysUnderWay.has(waiter.key)) continue
      keysUnderWay.add(waiter.key)
      queue.delete(waiter)
      waiters.push(waiter)
    }
    if (waiters.length === 0) return undefined
    const group = { waiters, fiber, ended: Deferred.makeUnsafe<void>(), waiting: waiters.length }
    for (const waiter of waiters) waiter.group = group
    return group
  }

  const end = ({ ended, waiters }: Group<A, B, E>, outcomes: Exit.Exit<ReadonlyArray<Exit.Exit<B, E>>>) =>
    Effect.sync(() => {
      groupsUnderWay -= 1
      for (const [index, waiter] of waiters.entries()) {
        keysUnderWay.delete(waiter.key)
        waiter.resume(Exit.isSuccess(outcomes) ? outcomes.value[index]! : Exit.failCause(outcomes.cause))
      }
      Deferred.doneUnsafe(ended, Exit.void)
      launch()
      if (isClosed && isDrained()) Deferred.doneUnsafe(drained, Exit.void)
    })

  const isDrained = () => groupsUnderWay === 0 && queue.size === 0

  const leave = (waiter: Waiter<A, B, E>): Effect.Effect<void> => {
    if (queue.delete(waiter)) return Effect.void
    const group = waiter.group!
    group.waiting -= 1
    if (group.waiting === 0) group.fiber.interruptUnsafe()
    return Deferred.await(group.ended)
  }

  // Registered after the set of fibers, so it comes first.
  yield* Effect.addFinalizer(() => {
    isClosed = true
    return isDrained() ? Effect.void : Deferred.await(drained)
  })

  return (item) =>
    Effect.callback<B, E>((resume) => {
      if (isClosed) return resume(Effect.interrupt)
      const waiter: Waiter<A, B, E> = { item, key: keyOf(item), resume, group: undefined }
      queue.add(waiter)
      launch()
      return Effect.suspend(() => leave(waiter))
    })
})

/** Commits items, in halves where the whole fails by the fault of one: what became of each, in their order. */
const dividing = <A, B, E>({ commit, isDivisible }: Options<A, B, E>) => {
  const attempt = (items: ReadonlyArray<A>): Effect.Effect<ReadonlyArray<Exit.Exit<B, E>>> =>
    Effect.matchCauseEffect(
      Effect.suspend(() => commit(items)),
      {
        onSuccess: (outcomes) =>
          outcomes.length === items.length
            ? Effect.succeed(outcomes.map((outcome) => Exit.succeed(outcome)))
            : Effect.die(new Error(`${outcomes.length} outcomes of ${items.length} items`)),
        onFailure: (cause) => {
          const error = Cause.findErrorOption(cause)
          if (items.length === 1 || error._tag === "None" || !isDivisible(error.value)) {
            return Effect.succeed(items.map(() => Exit.failCause(cause)))
          }
          const middle = Math.ceil(items.length / 2)
          return Effect.zipWith(attempt(items.slice(0, middle)), attempt(items.slice(middle)), (first, second) => [
            ...first,
            ...second
          ])
        }
      }
    )
  return attempt
}
