/** What every `SagaRuns` must do. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Layer, Schema } from "effect"
import type { Beginning, OpenQuestion, Place, SagaRun, Settlement } from "../../adapters/SagaRuns.ts"
import { SagaRuns } from "../../adapters/SagaRuns.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { at, unique } from "./Samples.ts"

/**
 * Registers the suite in the test file that calls it.
 *
 * Needs: a layer of the store, which need not be empty.
 *
 * Checks: a run begins once by its id and once by its saga's key, and who
 * repeats it gets the first; runs are found page by page, and by their merchant; a generation is settled once, and only the one that
 * goes on; the next generation begins from what the last one left; a
 * cancellation is asked of running runs only; a question is opened once, counts
 * wrong answers, is closed by the first, and is gone with its generation.
 *
 *     SagaRunsContract.suite("acme", AcmeSagaRuns.layer.pipe(Layer.provide(database)))
 */
export const suite = <E>(name: string, implementation: Layer.Layer<SagaRuns, E>) =>
  layer(implementation)(`SagaRuns (${name})`, (it) => {
    const beginning = (more: Partial<Beginning> = {}): Beginning => ({
      execution: unique("run-"),
      saga: "Payment",
      key: undefined,
      at,
      input: { card: "<redacted>" },
      sealed: { card: "4111" },
      ...more
    })
    const settlement = (execution: string, more: Partial<Settlement> = {}): Settlement => ({
      execution,
      generation: 1,
      at: at + 5,
      ending: "stalled",
      result: undefined,
      step: "record",
      error: { message: "closed", isRetryable: true, isDefect: false },
      rollbackFailures: [{ step: "charge", kind: "undo", reason: "returned", message: "no" }],
      sealed: {
        journal: { "charge/1": { outcome: { _tag: "Succeeded", value: { reference: "r" }, at } } },
        unfinished: ["record"],
        result: undefined
      },
      ...more
    })
    const question = (execution: string, more: Partial<OpenQuestion> = {}): OpenQuestion => ({
      execution,
      saga: "Payment",
      generation: 1,
      name: "approve",
      step: "approve",
      correlation: unique("ticket-"),
      attemptsLeft: 2,
      ...more
    })

    it.effect("begins a run once by its id and once by its key, and answers a repeat with the first", () =>
      Effect.gen(function* () {
        const runs = yield* SagaRuns
        const key = unique("key-")
        const first = beginning({ key })
        const begun = yield* runs.begin(first)
        assert.isTrue(begun.isNew)
        assert.deepStrictEqual(begun.kept, {
          run: {
            execution: first.execution,
            saga: "Payment",
            key,
            status: "running",
            generation: 1,
            purpose: "run",
            startedAt: at,
            isCancelAsked: false,
            input: { card: "<redacted>" },
            rollbackFailures: []
          },
          sealed: { input: { card: "4111" }, journal: {}, unfinished: [] }
        })
        const again = yield* runs.begin({ ...first, sealed: "other", key: undefined })
        assert.deepStrictEqual(again, { isNew: false, kept: begun.kept })
        const sameKey = yield* runs.begin(beginning({ key }))
        assert.deepStrictEqual(sameKey, { isNew: false, kept: begun.kept })
        assert.isTrue((yield* runs.begin(beginning({ key, saga: "Billing" }))).isNew)
        assert.deepStrictEqual(Option.getOrThrow(yield* runs.get(first.execution)), begun.kept)
        assert.isTrue(Option.isNone(yield* runs.get(unique("run-"))))
      })
    )

    it.effect("knows a run by its saga's key, and by no other saga's", () =>
      Effect.gen(function* () {
        const runs = yield* SagaRuns
        const key = unique("key-")
        const first = beginning({ key })
        yield* runs.begin(first)
        const execution = (saga: string, key: string) =>
          Effect.map(
            runs.keyed(saga, key),
            Option.map(({ run }) => run.execution)
          )
        assert.deepStrictEqual(yield* execution("Payment", key), Option.some(first.execution))
        assert.deepStrictEqual(yield* execution("Other", key), Option.none())
        assert.deepStrictEqual(yield* execution("Payment", `${key}-2`), Option.none())
      })
    )

    it.effect("of many that begin with one key at once, one is new", () =>
      Effect.gen(function* () {
        const runs = yield* SagaRuns
        const key = unique("key-")
        const begun = yield* Effect.all(
          Array.from({ length: 8 }, () => runs.begin(beginning({ key }))),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(begun.filter(({ isNew }) => isNew).length, 1)
        assert.strictEqual(new Set(begun.map(({ kept }) => kept.run.execution)).size, 1)
      })
    )

    it.effect("settles the generation that goes on, once, and begins the next from what it left", () =>
      Effect.gen(function* () {
        const runs = yield* SagaRuns
        const { execution } = (yield* runs.begin(beginning())).kept.run
        assert.isFalse(yield* runs.goOn(execution, 1, "run"))
        yield* runs.answer(execution, 1, "shown", "sealed")
        assert.deepInclude(Option.getOrThrow(yield* runs.get(execution)).run, { status: "running", result: "shown" })
        assert.isFalse(yield* runs.settle(settlement(execution, { generation: 2 })))
        assert.isTrue(yield* runs.settle(settlement(execution)))
        assert.isFalse(yield* runs.settle(settlement(execution, { ending: "failed" })))
        const settled = Option.getOrThrow(yield* runs.get(execution))
        const { rollbackFailures, sealed } = settlement(execution)
        const error = { message: "closed", isRetryable: true, isDefect: false }
        assert.deepInclude(settled.run, {
          status: "stalled",
          settledAt: at + 5,
          error,
          rollbackFailures: [...rollbackFailures],
          step: "record"
        })
        assert.notProperty(settled.run, "result")
        assert.deepStrictEqual(settled.sealed.journal, sealed.journal)

        assert.isFalse(yield* runs.goOn(execution, 2, "undo"))
        assert.isTrue(yield* runs.goOn(execution, 1, "undo"))
        const next = Option.getOrThrow(yield* runs.get(execution))
        assert.deepInclude(next.run, { status: "running", generation: 2, purpose: "undo", rollbackFailures: [] })
        for (const name of ["step", "error", "settledAt", "result"]) assert.notProperty(next.run, name)
        assert.deepStrictEqual(next.sealed, {
          input: { card: "4111" },
          journal: sealed.journal,
          unfinished: ["record"]
        })
        assert.isFalse(yield* runs.settle(settlement(execution)))
      })
    )

    it.effect("finds by saga and status, the newest first", () =>
      Effect.gen(function* () {
        const runs = yield* SagaRuns
        const saga = unique("Saga")
        const executions: Array<string> = []
        for (const after of [0, 1, 2]) {
          executions.push((yield* runs.begin(beginning({ saga, at: at + after }))).kept.run.execution)
        }
        yield* runs.settle(settlement(executions[1]!))
        const found = (query: Parameters<typeof runs.find>[0]) =>
          Effect.map(runs.find(query), (all) => all.map(({ execution }) => execution))
        assert.deepStrictEqual(yield* found({ saga }), executions.toReversed())
        assert.deepStrictEqual(yield* found({ saga, status: "running" }), [executions[2], executions[0]])
        assert.deepStrictEqual(yield* found({ saga, limit: 1 }), [executions[2]])
        const running = (yield* runs.running).filter(({ run }) => run.saga === saga)
        assert.deepStrictEqual(
          running.map(({ run }) => run.execution),
          [executions[0], executions[2]]
        )
      })
    )

    it.effect("finds a page at a time, each run once, those of one moment by their ids", () =>
      Effect.gen(function* () {
        const runs = yield* SagaRuns
        const saga = unique("Saga")
        const begun: Array<string> = []
        // Not in the order of their ids, and three of one moment.
        for (const [name, after] of [
          ["c", 0],
          ["b", 1],
          ["d", 1],
          ["a", 1],
          ["e", 2]
        ] as const) {
          begun.push(
            (yield* runs.begin(beginning({ saga, execution: `${name}-${saga}`, at: at + after }))).kept.run.execution
          )
        }
        const [c, b, d, a, e] = begun
        for (const limit of [1, 2, 3, 5]) {
          const seen: Array<string> = []
          let after: Place | undefined
          while (true) {
            const page: ReadonlyArray<SagaRun> = yield* runs.find({ saga, limit, after })
            seen.push(...page.map(({ execution }) => execution))
            if (page.length < limit) break
            after = page.at(-1)
          }
          assert.deepStrictEqual(seen, [e, d, b, a, c], `pages of ${limit}`)
        }
      })
    )

    it.effect("finds a merchant's runs, and those that are nobody's, before it counts", () =>
      Effect.gen(function* () {
        const runs = yield* SagaRuns
        const saga = unique("Saga")
        const [ours, theirs] = [MerchantId.make("ours"), MerchantId.make("theirs")]
        const inputs: ReadonlyArray<Schema.Json> = [
          { merchant: ours },
          { order: { merchant: ours } },
          { merchant: theirs },
          { order: { merchant: theirs } },
          { transfer: "t-1" },
          { order: { merchant: theirs }, merchant: ours },
          { order: null, merchant: theirs },
          { note: 'zero \u0000, half a pair \ud800, \\u0000, "merchant":"theirs"' },
          "text",
          ["merchant", "theirs"],
          null
        ]
        const begun: Array<string> = []
        for (const [index, input] of inputs.entries()) {
          begun.push((yield* runs.begin(beginning({ saga, input, at: at + index }))).kept.run.execution)
        }
        const found = (query: Parameters<typeof runs.find>[0]) =>
          Effect.map(runs.find({ saga, ...query }), (all) =>
            all.map(({ execution }) => begun.indexOf(execution)).toReversed()
          )
        assert.deepStrictEqual(yield* found({ merchant: ours }), [0, 1, 4, 7, 8, 9, 10])
        assert.deepStrictEqual(yield* found({ merchant: theirs }), [2, 3, 4, 5, 6, 7, 8, 9, 10])
        assert.deepStrictEqual(
          yield* found({}),
          begun.map((_, index) => index)
        )
        assert.deepStrictEqual(yield* found({ merchant: ours, limit: 6 }), [1, 4, 7, 8, 9, 10])
      })
    )

    it.effect("asks a running run to end, and no other", () =>
      Effect.gen(function* () {
        const runs = yield* SagaRuns
        const { execution } = (yield* runs.begin(beginning())).kept.run
        assert.isFalse((yield* runs.cancelled).has(execution))
        assert.isTrue(yield* runs.askCancel(execution))
        assert.isTrue((yield* runs.cancelled).has(execution))
        yield* runs.settle(settlement(execution))
        assert.isFalse((yield* runs.cancelled).has(execution))
        assert.isFalse(yield* runs.askCancel(execution))
        yield* runs.goOn(execution, 1, "run")
        assert.isFalse((yield* runs.cancelled).has(execution))
      })
    )

    it.effect("opens a question once, counts wrong answers, and is closed by the first", () =>
      Effect.gen(function* () {
        const runs = yield* SagaRuns
        const { execution } = (yield* runs.begin(beginning())).kept.run
        const asked = question(execution)
        yield* runs.open(asked)
        const left = (attemptsLeft: number) => Option.some({ ...asked, attemptsLeft })
        assert.deepStrictEqual(yield* runs.refuse(asked), left(1))
        yield* runs.open(asked)
        assert.deepStrictEqual(yield* runs.questions({ execution }), [{ ...asked, attemptsLeft: 1 }])
        assert.deepStrictEqual(yield* runs.refuse(asked), left(0))
        assert.deepStrictEqual(yield* runs.questions({ saga: "Payment", correlation: asked.correlation }), [
          { ...asked, attemptsLeft: 0 }
        ])
        assert.deepStrictEqual(yield* runs.questions({ saga: "Billing", correlation: asked.correlation }), [])

        const wake = { _tag: "Answered", payload: { yes: true }, at } as const
        assert.isTrue(yield* runs.close(asked, wake))
        assert.isFalse(yield* runs.close(asked, { _tag: "Cancelled" }))
        assert.isTrue(Option.isNone(yield* runs.refuse(asked)))
        assert.deepStrictEqual(yield* runs.questions({ execution }), [])
        const said = (yield* runs.said).filter(({ question }) => question.execution === execution)
        assert.deepStrictEqual(said, [{ question: { ...asked, attemptsLeft: 0 }, wake }])
        yield* runs.settle(settlement(execution))
        assert.deepStrictEqual(
          (yield* runs.said).filter(({ question }) => question.execution === execution),
          []
        )
      })
    )
  })
