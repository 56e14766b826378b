import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Latch, Scope } from "effect"
import * as GroupCommit from "../../../src/infra/sql/GroupCommit.ts"

/** An item is its key and its number: `a1` comes before `a2` and may not be beside it. */
const keyOf = (item: string) => item.slice(0, 1)

const outcomeOf = (item: string) => `${item} done`

/** A commit that waits for `gate`, remembers its groups, and fails as `fail` says. */
const writing = Effect.fnUntraced(function* (
  changes: {
    readonly maxGroups?: number
    readonly maxItems?: number
    readonly fail?: (items: ReadonlyArray<string>) => string | undefined
  } = {}
) {
  const groups: Array<string> = []
  const interrupted: Array<string> = []
  const gate = yield* Latch.make(true)
  let atATime = 0
  let most = 0
  const submit = yield* GroupCommit.make<string, string, string>({
    keyOf,
    maxGroups: changes.maxGroups ?? 1,
    maxItems: changes.maxItems ?? 100,
    isDivisible: (error) => error === "refused",
    commit: (items) =>
      Effect.suspend(() => {
        groups.push(items.join(" "))
        atATime += 1
        most = Math.max(most, atATime)
        return gate.whenOpen(
          Effect.suspend(() => {
            const error = changes.fail?.(items)
            return error === undefined ? Effect.succeed(items.map(outcomeOf)) : Effect.fail(error)
          })
        )
      }).pipe(
        Effect.onInterrupt(() => Effect.sync(() => interrupted.push(items.join(" ")))),
        Effect.ensuring(Effect.sync(() => (atATime -= 1)))
      )
  })
  /** Submits each in a fiber of its own, in this order, and lets them get as far as they can. */
  const begin = (...items: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const fibers = yield* Effect.forEach(items, (item) => Effect.forkChild(submit(item)))
      yield* settled
      return fibers
    })
  return { submit, begin, gate, groups, interrupted, most: () => most }
})

/** Everything that is ready has had its turn, several times over. */
const settled = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true })

const outcomes = <A, E>(fibers: ReadonlyArray<Fiber.Fiber<A, E>>) => Effect.forEach(fibers, Fiber.join)

const ended = (fiber: Fiber.Fiber<unknown, unknown>) => fiber.pollUnsafe() !== undefined

describe("GroupCommit", () => {
  it.effect("sends an item that is alone at once, without waiting for any time to pass", () =>
    Effect.gen(function* () {
      const { groups, submit } = yield* writing()
      assert.strictEqual(yield* submit("a"), "a done")
      assert.strictEqual(yield* submit("b"), "b done")
      assert.deepStrictEqual(groups, ["a", "b"])
    })
  )

  it.effect("puts into one group what gathered while another was under way, to each its own outcome", () =>
    Effect.gen(function* () {
      const { begin, gate, groups } = yield* writing()
      yield* gate.close
      const first = yield* begin("a")
      const others = yield* begin("b", "c", "d")
      assert.deepStrictEqual(groups, ["a"])
      yield* gate.open
      assert.deepStrictEqual(yield* outcomes([...first, ...others]), ["a done", "b done", "c done", "d done"])
      assert.deepStrictEqual(groups, ["a", "b c d"])
    })
  )

  it.effect("puts into one group what is submitted in the same turn", () =>
    Effect.gen(function* () {
      const { groups, submit } = yield* writing({ maxGroups: 2 })
      yield* Effect.forEach(["a", "b", "c"], submit, { concurrency: "unbounded" })
      assert.deepStrictEqual(groups, ["a b c"])
    })
  )

  it.effect("never has two items of one key under way, and keeps their order", () =>
    Effect.gen(function* () {
      const { begin, gate, groups } = yield* writing({ maxGroups: 3 })
      yield* gate.close
      const first = yield* begin("a1", "a2", "b1")
      const second = yield* begin("a3", "c1", "b2")
      assert.deepStrictEqual(groups, ["a1 b1", "c1"])
      yield* gate.open
      yield* outcomes([...first, ...second])
      assert.deepStrictEqual(groups.slice(2).join(" ").split(" ").toSorted(), ["a2", "a3", "b2"])
      assert.isBelow(groups.indexOf("a2 b2"), groups.indexOf("a3"))
    })
  )

  it.effect("has no more groups under way, and no more items in one, than it may", () =>
    Effect.gen(function* () {
      const { begin, gate, groups, most } = yield* writing({ maxGroups: 2, maxItems: 3 })
      yield* gate.close
      const fibers = yield* begin(..."abcdefghij".split(""))
      assert.deepStrictEqual(groups, ["a b c", "d e f"])
      yield* gate.open
      yield* outcomes(fibers)
      assert.deepStrictEqual(groups, ["a b c", "d e f", "g h i", "j"])
      assert.strictEqual(most(), 2)
    })
  )

  it.effect("a member that is refused fails alone; the others are written", () =>
    Effect.gen(function* () {
      const { begin, groups } = yield* writing({ fail: (items) => (items.includes("c") ? "refused" : undefined) })
      const fibers = yield* begin(..."abcdefgh".split(""))
      const exits = yield* Effect.forEach(fibers, Fiber.await)
      assert.deepStrictEqual(
        exits.map((exit) => (Exit.isSuccess(exit) ? exit.value : Cause.squash(exit.cause))),
        ["a done", "b done", "refused", "d done", "e done", "f done", "g done", "h done"]
      )
      assert.deepStrictEqual(groups, ["a b c d e f g h", "a b c d", "a b", "c d", "c", "d", "e f g h"])
    })
  )

  it.effect("a failure that may have taken effect is every member's, and nothing is sent again", () =>
    Effect.gen(function* () {
      const { begin, groups } = yield* writing({ fail: () => "lost" })
      const exits = yield* Effect.forEach(yield* begin("a", "b", "c"), Fiber.await)
      assert.deepStrictEqual(exits, [Exit.fail("lost"), Exit.fail("lost"), Exit.fail("lost")])
      assert.deepStrictEqual(groups, ["a b c"])
    })
  )

  it.effect("a loss while a group is being divided is that half's alone", () =>
    Effect.gen(function* () {
      const fail = (items: ReadonlyArray<string>) =>
        items.length === 4 ? "refused" : items.includes("d") ? "lost" : undefined
      const { begin, groups } = yield* writing({ fail })
      const exits = yield* Effect.forEach(yield* begin(..."abcd".split("")), Fiber.await)
      assert.deepStrictEqual(exits, [
        Exit.succeed("a done"),
        Exit.succeed("b done"),
        Exit.fail("lost"),
        Exit.fail("lost")
      ])
      assert.deepStrictEqual(groups, ["a b c d", "a b", "c d"])
    })
  )

  it.effect("a commit that throws or miscounts ends its waiters, and nobody after them", () =>
    Effect.gen(function* () {
      let calls = 0
      const submit = yield* GroupCommit.make<string, string, string>({
        keyOf,
        maxGroups: 1,
        maxItems: 10,
        isDivisible: () => true,
        commit: (items) => {
          calls += 1
          if (calls === 1) throw new Error("a bug")
          return Effect.succeed(calls === 2 ? [] : items.map(outcomeOf))
        }
      })
      assert.isTrue(Exit.hasDies(yield* Effect.exit(submit("a"))))
      assert.isTrue(Exit.hasDies(yield* Effect.exit(submit("a"))))
      assert.strictEqual(yield* submit("a"), "a done")
    })
  )

  it.effect("who is interrupted in the queue is never sent", () =>
    Effect.gen(function* () {
      const { begin, gate, groups } = yield* writing()
      yield* gate.close
      const first = yield* begin("a")
      const [gone, stays] = yield* begin("b", "c")
      yield* Fiber.interrupt(gone!)
      yield* gate.open
      yield* outcomes([...first, stays!])
      assert.deepStrictEqual(groups, ["a", "c"])
    })
  )

  it.effect("who is interrupted under way ends with the group, which goes on for the others", () =>
    Effect.gen(function* () {
      const { begin, gate, groups, interrupted } = yield* writing()
      yield* gate.close
      const [leaves, stays] = yield* begin("a", "b")
      const leaving = yield* Effect.forkChild(Fiber.interrupt(leaves!))
      yield* settled
      assert.isFalse(ended(leaving))
      yield* gate.open
      yield* Fiber.join(leaving)
      assert.strictEqual(yield* Fiber.join(stays!), "b done")
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(leaves!)))
      assert.deepStrictEqual([groups, interrupted], [["a b"], []])
    })
  )

  it.effect("a group that all have left is interrupted, and the next goes on", () =>
    Effect.gen(function* () {
      const { begin, gate, groups, interrupted } = yield* writing()
      yield* gate.close
      const leaving = yield* begin("a", "b")
      const next = yield* begin("a", "c")
      yield* Fiber.interruptAll(leaving)
      assert.deepStrictEqual(interrupted, ["a b"])
      yield* gate.open
      assert.deepStrictEqual(yield* outcomes(next), ["a done", "c done"])
      assert.deepStrictEqual(groups, ["a b", "a c"])
    })
  )

  it.effect("sends what is queued when the scope closes, and nothing that comes later", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { begin, gate, groups, submit } = yield* Scope.provide(writing(), scope)
      yield* gate.close
      const fibers = yield* begin("a", "b1")
      const queued = yield* begin("b2", "c")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settled
      assert.isFalse(ended(closing))
      assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(submit("d"))))
      yield* gate.open
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* outcomes([...fibers, ...queued]), ["a done", "b1 done", "b2 done", "c done"])
      assert.deepStrictEqual(groups, ["a b1", "b2 c"])
    })
  )

  it.effect("closes at once when nothing is queued", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { submit } = yield* Scope.provide(writing(), scope)
      assert.strictEqual(yield* submit("a"), "a done")
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(submit("b"))))
    })
  )
})
