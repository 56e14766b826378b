/** `florin flows` in this process, on a real PostgreSQL. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { inject } from "vitest"
import * as FlowsCommand from "../../../src/edge/cli/FlowsCommand.ts"
import * as FlowCore from "../../../src/edge/flows/FlowCore.ts"
import * as StripeFlows from "../../../src/edge/flows/StripeFlows.ts"
import * as Flow from "../../../src/orchestration/Flow.ts"
import { Flows } from "../../../src/orchestration/Flows.ts"
import * as FlorinDatabase from "../../infra/sql/FlorinDatabase.ts"
import type { Seen } from "../../orchestration/FlowWorkshop.ts"
import { chain, makeBank, refused } from "../../orchestration/FlowWorkshop.ts"
import * as StripeSimulator from "../../simulators/stripe/StripeSimulator.ts"
import { spawnFlorin } from "../FlorinProcess.ts"
import { policy } from "../flows/FlowTimes.ts"
import * as Terminal from "./Terminal.ts"

const databaseSettings = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ name: string }>`select current_database() as name`
  const { socketDir, username } = inject("postgres")
  return { DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}` }
})

const florin = (...words: ReadonlyArray<string>) =>
  Effect.flatMap(databaseSettings, (settings) => Terminal.run(FlowsCommand.command, words, settings))

/** A flow that was handled, and one whose error handler was given up. */
const stage = Effect.gen(function* () {
  const bank = makeBank()
  const seen: Seen = []
  let isBroken = true
  const { coupon, product } = chain(seen, (name) =>
    name.endsWith("_error") && isBroken ? Effect.fail("the mailer is down") : Effect.void
  )
  const layer = FlowCore.layer([product, coupon], { policy }).pipe(
    Layer.provide(FlowCore.gateways(bank)),
    Layer.provideMerge(FlowCore.sql()),
    Layer.provide(Logger.layer([]))
  )
  const run = <A, E>(work: Effect.Effect<A, E, Flows>) => Effect.provide(work, Layer.fresh(layer))
  const drive = (id: Flow.Handling["flowId"]) => run(Effect.flatMap(Flows, (flows) => flows.run(id)))
  const dispatch = (key: string) =>
    run(Flow.dispatch(product, { name: "Gold `${x}`" }, { worker: "billing", context: `order-${key}`, key }))
  const good = yield* dispatch("good")
  yield* drive(good.flowId)
  bank.plan(refused(400, "invalid_request_error"))
  const bad = yield* dispatch("bad")
  yield* drive(bad.flowId)
  return { good: good.flowId, bad: bad.flowId, drive, bank, mend: () => (isBroken = false) }
})

describe("florin flows", () => {
  it.live("lists them, shows one's story, and tries one again on record", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* florin("list")).stdout, "no flows\n")
      const { bad, bank, drive, good, mend } = yield* stage
      const listed = yield* florin("list")
      assert.match(listed.stdout, /^id +name +status +worker +dispatched +due\n/)
      assert.include(listed.stdout, `${good}  create_product            handled     billing`)
      const dead: { flows: ReadonlyArray<unknown> } = JSON.parse(
        (yield* florin("list", "--status", "dead", "--json")).stdout
      )
      assert.strictEqual(dead.flows.length, 1)
      assert.deepInclude(dead.flows[0], { id: bad, status: "dead", worker: "billing", due: null })
      const one = yield* florin("list", "--limit", "1")
      assert.include(one.stdout, "and more; --limit 10000")

      const shown = yield* florin("show", bad)
      assert.include(shown.stdout, "create_product, dead, of worker billing")
      assert.include(shown.stdout, "asked the gateway 1 times, began its handler 3 times")
      assert.include(shown.stdout, "failed: invalid_request_error under HTTP 400: no")
      assert.include(shown.stdout, "the handler failed: the mailer is down")
      assert.include(shown.stdout, 'request   {"name":"Gold `${x}`"}')
      const story: { attempts: unknown; context: unknown } = JSON.parse((yield* florin("show", good, "--json")).stdout)
      assert.deepStrictEqual(story.attempts, { sent: 1, handled: 1 })
      assert.deepInclude(story.context, { product_id: "create_product_1" })

      mend()
      const retried = yield* florin("retry", bad)
      assert.include(retried.stdout, `${bad} is due now: failed`)
      yield* drive(bad)
      const after = yield* florin("show", bad)
      assert.match(after.stdout, /retried by \S+/)
      assert.include(after.stdout, "create_product, handled")
      assert.strictEqual(bank.calls.length, 2)

      const again = yield* florin("retry", good)
      assert.include(again.complaint, "Retry refused in Handled: NothingToRetry")
      const sql = yield* SqlClient
      const audited = yield* sql<{ entry: string }>`select entry from florin.audit order by sequence`
      assert.include(audited.map(({ entry }) => entry).join("\n"), `retry ${bad}`)
    }).pipe(Effect.provide(Layer.fresh(FlorinDatabase.layer)))
  )

  it.live("says what is wrong with its words, and that there is no such flow", () =>
    Effect.gen(function* () {
      const unknown = `flow_${"0".repeat(40)}`
      assert.strictEqual((yield* florin("show", unknown)).complaint, `florin: there is no flow ${unknown}`)
      assert.include((yield* florin("retry", unknown)).complaint, "there is no flow")
      assert.include((yield* florin("show", "pay_1")).stderr, "flow_ and 40 hexadecimal digits")
      assert.include((yield* florin("list", "--limit", "0")).stderr, "from 1 to 10000")
      assert.include((yield* florin("list", "--status", "lost")).stderr, "in_doubt")
    }).pipe(Effect.provide(Layer.fresh(FlorinDatabase.layer)))
  )

  it.live("performs flows under the names that it is given", () =>
    Effect.gen(function* () {
      const stripe = yield* StripeSimulator.make()
      const settings = { ...(yield* databaseSettings), FLORIN_STRIPE_URL: stripe.url }
      const product = StripeFlows.createProduct()
      const dispatching = FlowCore.layer([product]).pipe(
        Layer.provide(StripeFlows.gateway({ secretKey: Redacted.make("never used") })),
        Layer.provide(FlowCore.sql()),
        Layer.provide(Logger.layer([]))
      )
      const { flowId } = yield* Effect.provide(
        Flow.dispatch(product, { name: "Gold" }, { worker: "billing", key: "gold" }),
        dispatching
      )
      const { child, ended, stdout } = yield* spawnFlorin(["flows", "work", "--worker", "billing"], {
        ...settings,
        FLORIN_STRIPE_SECRET_KEY: stripe.secretKey
      })
      yield* florin("show", flowId).pipe(
        Effect.repeat({
          until: (said) => said.stdout.includes("create_product, handled"),
          schedule: Schedule.spaced("200 millis")
        }),
        Effect.timeout("15 seconds")
      )
      assert.include(stdout(), "florin works on flows as billing")
      child.kill("SIGTERM")
      const { stderr } = yield* Effect.promise(() => ended)
      assert.notInclude(stderr, stripe.secretKey)
      assert.strictEqual([...stripe.books.tables.kept.values()].length, 1)
    }).pipe(Effect.scoped, Effect.provide(Layer.fresh(FlorinDatabase.layer)))
  )

  it.live("performs none without a key of Stripe, and without a name", () =>
    Effect.gen(function* () {
      const { complaint } = yield* florin("work", "--worker", "billing")
      assert.strictEqual(
        complaint,
        "florin: flows are performed by Stripe, and there is no key of it: set FLORIN_STRIPE_SECRET_KEY or --stripe-secret-key"
      )
      assert.include((yield* florin("work")).stderr, "worker")
      assert.include((yield* florin("work", "--worker", "No Name")).stderr, "a worker's name such as")
    }).pipe(Effect.provide(Layer.fresh(FlorinDatabase.layer)))
  )
})
