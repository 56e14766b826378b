/** What every `FlowQueue` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { Layer } from "effect"
import { FlowQueue } from "../../adapters/FlowQueue.ts"
import { FlowId, WorkerName } from "../../domain/flow/FlowName.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the queue, polled every few milliseconds. Time is real.
 *
 * Checks: a hint comes to a worker of its name, and to one of them; a second
 * hint of the same id is the first; one that failed comes again; one that is
 * delayed does not come at once; and one that was interrupted is not lost.
 *
 *     FlowQueueContract.suite("acme", AcmeFlowQueue.layer)
 */
export const suite = <E>(name: string, implementation: Layer.Layer<FlowQueue, E>) =>
  layer(implementation, { excludeTestServices: true })(`FlowQueue (${name})`, (it) => {
    let made = 0
    const flowId = () => FlowId.make(`flow_${String((made += 1)).padStart(40, "a")}`)
    const workerName = () => WorkerName.make(`w${(made += 1)}`)
    const hint = (worker: WorkerName, flow: FlowId, id: string = flow, delayMillis = 0) =>
      Effect.flatMap(FlowQueue, (queue) => queue.offer({ id, worker, flow, delayMillis }))
    const taken = (worker: WorkerName) => Effect.flatMap(FlowQueue, (queue) => queue.take(worker, Effect.succeed))

    it.effect("brings a hint to a worker of its name, and to no other", () =>
      Effect.gen(function* () {
        const [mine, other] = [workerName(), workerName()]
        const [one, two] = [flowId(), flowId()]
        yield* hint(other, two)
        yield* hint(mine, one)
        assert.strictEqual(yield* taken(mine), one)
        assert.strictEqual(yield* taken(other), two)
      })
    )

    it.effect("brings each hint to one of the workers of a name", () =>
      Effect.gen(function* () {
        const worker = workerName()
        const flows = [flowId(), flowId(), flowId(), flowId()]
        const workers = yield* Effect.forkChild(
          Effect.all([taken(worker), taken(worker), taken(worker), taken(worker)], { concurrency: "unbounded" })
        )
        yield* Effect.forEach(flows, (flow) => hint(worker, flow), { concurrency: "unbounded" })
        assert.sameMembers(yield* Fiber.join(workers), flows)
      })
    )

    it.effect("knows a repeated hint by its id", () =>
      Effect.gen(function* () {
        const worker = workerName()
        const [one, repeat, other] = [flowId(), flowId(), flowId()]
        yield* hint(worker, one, "same")
        yield* hint(worker, repeat, "same")
        yield* hint(worker, other, "other")
        assert.strictEqual(yield* taken(worker), one)
        assert.strictEqual(yield* taken(worker), other)
      })
    )

    it.effect("brings again what failed", () =>
      Effect.gen(function* () {
        const queue = yield* FlowQueue
        const worker = workerName()
        const one = flowId()
        yield* hint(worker, one)
        assert.strictEqual(yield* Effect.flip(queue.take(worker, () => Effect.fail("not now"))), "not now")
        assert.strictEqual(yield* taken(worker), one)
      })
    )

    it.effect("holds back what is delayed", () =>
      Effect.gen(function* () {
        const worker = workerName()
        const [now, then] = [flowId(), flowId()]
        yield* hint(worker, then, then, 900)
        yield* hint(worker, now)
        assert.strictEqual(yield* taken(worker), now)
        assert.strictEqual(yield* taken(worker), then)
      })
    )

    it.effect("brings again what a worker was interrupted at", () =>
      Effect.gen(function* () {
        const queue = yield* FlowQueue
        const worker = workerName()
        const one = flowId()
        yield* hint(worker, one)
        const working = yield* Effect.forkChild(queue.take(worker, () => Effect.never))
        yield* Effect.sleep("50 millis")
        yield* Fiber.interrupt(working)
        assert.strictEqual(yield* taken(worker), one)
      })
    )
  })
