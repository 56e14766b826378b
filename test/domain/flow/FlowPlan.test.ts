import { assert, describe, it } from "@effect/vitest"
import { ContextId, FlowId, FlowName, WorkerName } from "../../../src/domain/flow/FlowName.ts"
import * as FlowPlan from "../../../src/domain/flow/FlowPlan.ts"
import type { State } from "../../../src/domain/flow/FlowState.ts"
import { IdempotencyKey } from "../../../src/domain/Idempotency.ts"
import { at, later, run } from "../../../src/testing/contract/Samples.ts"

const order = {
  id: FlowId.make(`flow_${"0".repeat(40)}`),
  name: FlowName.make("create_product"),
  worker: WorkerName.make("billing"),
  context: ContextId.make("order-1"),
  key: IdempotencyKey.make("key-1"),
  request: null
}
const error = { _tag: "Transport", detail: "refused" } as const
const policy: FlowPlan.Policy = {
  sending: { maxAttempts: 3, baseMillis: 1000, factor: 2, capMillis: 4000 },
  doubt: { maxAttempts: 4, baseMillis: 1000, factor: 10, capMillis: 60_000 },
  handling: { maxAttempts: 2, baseMillis: 500, factor: 2, capMillis: 4000 },
  keyRetentionMillis: 86_400_000,
  keyMarginMillis: 600_000
}
const common = { order, round: 1 }
const dispatched = (refusals: number, retryAfterMillis?: number): State => ({
  _tag: "Dispatched",
  ...common,
  refusals,
  refused: refusals === 0 ? undefined : { at, error, retryAfterMillis }
})
const performed = (changes: Partial<Extract<State, { _tag: "Performed" }>>): State => ({
  _tag: "Performed",
  ...common,
  since: at,
  refusals: 0,
  doubts: 0,
  holder: undefined,
  doubted: undefined,
  ...changes
})
const settled = (changes: Partial<Extract<State, { _tag: "Settled" }>>): State => ({
  _tag: "Settled",
  ...common,
  result: { _tag: "Answered", response: null },
  tries: 0,
  holder: undefined,
  failed: undefined,
  ...changes
})
const holder = { by: run("other"), until: later(45_000) }
const doubted = { at, error, retryAfterMillis: undefined, settled: false }
const failed = { at, detail: "it broke" }

const cases: ReadonlyArray<readonly [when: string, state: State, millis: number, step: FlowPlan.Step]> = [
  ["is sent at once", dispatched(0), 0, { _tag: "Send" }],
  ["waits a second after it was not sent", dispatched(1), 0, { _tag: "Wait", until: later(1000) }],
  ["is sent again after that", dispatched(1), 1000, { _tag: "Send" }],
  ["waits longer the second time", dispatched(2), 0, { _tag: "Wait", until: later(2000) }],
  ["waits as long as the gateway asks", dispatched(1, 9000), 5000, { _tag: "Wait", until: later(9000) }],
  ["is given up when it was never sent", dispatched(3), 0, { _tag: "GiveUp" }],
  ["is left to whoever asks", performed({ holder }), 44_999, { _tag: "Wait", until: later(45_000) }],
  ["is asked again when they are gone", performed({ holder }), 45_000, { _tag: "Send" }],
  [
    "is asked again about a doubt, after a while",
    performed({ doubts: 2, doubted }),
    9999,
    { _tag: "Wait", until: later(10_000) }
  ],
  ["then", performed({ doubts: 2, doubted }), 10_000, { _tag: "Send" }],
  [
    "waits as long as the gateway asks, in doubt as well",
    performed({ doubts: 1, doubted: { ...doubted, retryAfterMillis: 20_000 } }),
    1000,
    { _tag: "Wait", until: later(20_000) }
  ],
  ["is escalated when it was asked often enough", performed({ doubts: 4, doubted }), 0, { _tag: "Escalate" }],
  [
    "is escalated when asking brings nothing new",
    performed({ doubts: 1, doubted: { ...doubted, settled: true } }),
    0,
    { _tag: "Escalate" }
  ],
  [
    "is never asked again once the key may be forgotten",
    performed({ doubts: 1, doubted }),
    85_800_000,
    { _tag: "Escalate" }
  ],
  ["nor when the worker that asked was gone that long", performed({ holder }), 85_800_000, { _tag: "Escalate" }],
  ["and is asked until then", performed({ doubts: 1, doubted }), 85_799_999, { _tag: "Send" }],
  ["is handled at once", settled({}), 0, { _tag: "Handle" }],
  ["is left to whoever handles it", settled({ tries: 1, holder }), 0, { _tag: "Wait", until: later(45_000) }],
  [
    "waits after a handler took its worker with it",
    settled({ tries: 1, holder }),
    45_000,
    { _tag: "Wait", until: later(45_500) }
  ],
  ["waits after its handler failed", settled({ tries: 1, failed }), 0, { _tag: "Wait", until: later(500) }],
  ["is handled again", settled({ tries: 1, failed }), 500, { _tag: "Handle" }],
  ["is buried when its handler failed too often", settled({ tries: 2, failed }), 0, { _tag: "Bury" }],
  [
    "rests when it is handled",
    { _tag: "Handled", ...common, result: { _tag: "Answered", response: null } },
    0,
    { _tag: "Rest" }
  ],
  [
    "rests when it is dead",
    { _tag: "Dead", ...common, result: { _tag: "Failed", error }, detail: "x" },
    0,
    { _tag: "Rest" }
  ]
]

describe("FlowPlan.next", () => {
  it.each(cases)("a flow %s", (_, state, millis, step) => {
    assert.deepStrictEqual(FlowPlan.next(state, later(millis), policy), step)
  })

  it("says when somebody has to look", () => {
    assert.strictEqual(FlowPlan.due(dispatched(0), at, policy), at)
    assert.strictEqual(FlowPlan.due(dispatched(1), at, policy), later(1000))
    assert.isUndefined(FlowPlan.due({ _tag: "Handled", ...common, result: { _tag: "Failed", error } }, at, policy))
  })
})
