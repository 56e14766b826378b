/** `florin flows`: which there are, the story of one, another try, and a worker. */
import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Event } from "../../domain/flow/FlowEvent.ts"
import { FlowId, FlowName, WorkerName } from "../../domain/flow/FlowName.ts"
import { statuses } from "../../domain/flow/FlowState.ts"
import * as FlowsWorkCommand from "./FlowsWorkCommand.ts"
import * as Operator from "./Operator.ts"
import * as SettingFlags from "./SettingFlags.ts"

const load = Effect.promise(() =>
  Promise.all([
    import("../../adapters/FlowStore.ts"),
    import("./FlowStory.ts"),
    import("../../orchestration/FlowProcess.ts")
  ])
)

const id = Argument.String("id").pipe(Argument.withSchema(FlowId), Argument.withDescription("As `list` prints it"))

// --- List -------------------------------------------------------------------

const maxListed = 10_000

const filters = {
  status: Flag.Literals("status", statuses).pipe(Flag.withDescription("Only these"), Flag.optional),
  name: Flag.String("name").pipe(
    Flag.withSchema(FlowName),
    Flag.withDescription("Of this name, such as create_product"),
    Flag.optional
  ),
  worker: Flag.String("worker").pipe(Flag.withSchema(WorkerName), Flag.withDescription("Of this worker"), Flag.optional)
}

type Filters = {
  readonly [Name in keyof typeof filters]: (typeof filters)[Name] extends Flag.Flag<infer A> ? A : never
}

const list = Effect.fnUntraced(function* ({ name, status, worker }: Filters, limit: number, isJson: boolean) {
  const [{ FlowStore }, FlowStory] = yield* load
  const store = yield* FlowStore
  const filter = {
    status: Option.getOrUndefined(status),
    name: Option.getOrUndefined(name),
    worker: Option.getOrUndefined(worker)
  }
  const found = yield* store.list(filter, limit + 1)
  const isMore = found.length > limit
  const listed = found.slice(0, limit)
  const widths = [45, 24, 10, 12, 24]
  yield* Operator.answer(isJson, { flows: listed.map(FlowStory.toJson), more: isMore }, () =>
    [
      ...(listed.length === 0
        ? ["no flows"]
        : [Operator.row(widths, ["id", "name", "status", "worker", "dispatched", "due"])]),
      ...listed.map(({ dispatchedAt, due, id, name, status, worker }) =>
        Operator.row(widths, [
          id,
          name,
          status,
          worker,
          FlowStory.iso(dispatchedAt),
          due === undefined ? "" : FlowStory.iso(due)
        ])
      ),
      ...(isMore ? [`and more; --limit ${maxListed} lists up to so many`] : [])
    ].join("\n")
  )
})

const listCommand = Command.make(
  "list",
  {
    ...filters,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription(`How many, from 1 to ${maxListed}`),
      Flag.withDefault(50),
      Flag.filter(
        (value) => value >= 1 && value <= maxListed,
        (value) => `Expected a whole number from 1 to ${maxListed}, got ${value}`
      )
    ),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ json, limit, settings, ...chosen }) => list(chosen, limit, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("List flows, the newest first, with where each stands and when it is due"),
  Command.withExamples([
    { command: "florin flows list --status dead", description: "Whose handler was given up" },
    { command: "florin flows list --status in_doubt --json", description: "What only the gateway's books can tell" }
  ])
)

// --- Show -------------------------------------------------------------------

const encodeEvent = Schema.encodeSync(Schema.toCodecJson(Event))

const show = Effect.fnUntraced(function* (id: FlowId, isJson: boolean) {
  const [{ FlowStore }, FlowStory, { FlowNotFound }] = yield* load
  const store = yield* FlowStore
  const summary = yield* store.find(id)
  if (Option.isNone(summary)) return yield* new FlowNotFound({ flow: id })
  const events = yield* store.load(id)
  const { entries } = yield* store.readContext(summary.value.context)
  const value = {
    flow: FlowStory.toJson(summary.value),
    attempts: FlowStory.attempts(events),
    events: events.map((event, index) => ({
      version: index + 1,
      at: FlowStory.iso(event.at),
      what: FlowStory.phrase(event),
      event: encodeEvent(event)
    })),
    context: entries
  }
  yield* Operator.answer(isJson, value, () => FlowStory.toText(summary.value, events, entries))
})

const showCommand = Command.make(
  "show",
  { id, json: Operator.json, settings: SettingFlags.of("database") },
  ({ id, json, settings }) => show(id, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("Show one flow: each attempt and error, its request and response, and its context"),
  Command.withExamples([
    { command: "florin flows show flow_3f5881374cf7b4807e598bfb7c0fb1dc9b9b250b", description: "For a person" },
    {
      command: "florin flows show flow_3f5881374cf7b4807e598bfb7c0fb1dc9b9b250b --json | jq .context",
      description: "For a program"
    }
  ])
)

// --- Retry ------------------------------------------------------------------

const retry = Effect.fnUntraced(function* (id: FlowId, isJson: boolean) {
  const [FlowRetry, OperatorCaller, { CurrentCaller }] = yield* Effect.promise(() =>
    Promise.all([
      import("../../orchestration/FlowRetry.ts"),
      import("./OperatorCaller.ts"),
      import("../../orchestration/AuditTrail.ts")
    ])
  )
  const trying = Effect.flatMap(CurrentCaller, ({ actor }) => FlowRetry.retry(id, actor))
  const status = yield* OperatorCaller.onRecord(`retry ${id}`, trying)
  yield* Operator.answer(isJson, { retried: id, status }, () => `${id} is due now: ${status}`)
  if (!isJson) yield* Console.log("a running worker of its name goes on with it")
})

const retryCommand = Command.make(
  "retry",
  { id, json: Operator.json, settings: SettingFlags.of("database") },
  ({ id, json, settings }) => retry(id, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription(
    "Try a flow again, on record with your name: a handler that was given up runs again; what failed is asked anew with another key; what is in doubt is asked again under the same key, so look at the gateway first, where the object's metadata has the flow's id"
  ),
  Command.withShortDescription("Try a flow again, on record with your name"),
  Command.withExamples([
    { command: "florin flows retry flow_3f5881374cf7b4807e598bfb7c0fb1dc9b9b250b", description: "One that is dead" }
  ])
)

export const command = Command.make("flows").pipe(
  Command.withDescription(
    "Gateway requests that nobody waits for: list them, look at one, try one again, perform them"
  ),
  Command.withExamples([{ command: "florin flows list", description: "The newest fifty" }]),
  Command.withSubcommands([listCommand, showCommand, retryCommand, FlowsWorkCommand.command])
)
