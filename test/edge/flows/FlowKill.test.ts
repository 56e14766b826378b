/** Workers in processes of their own, on PostgreSQL, killed with SIGKILL; another takes their place. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import { inject } from "vitest"
import { FlowStore } from "../../../src/adapters/FlowStore.ts"
import * as FlowState from "../../../src/domain/flow/FlowState.ts"
import * as FlowCore from "../../../src/edge/flows/FlowCore.ts"
import * as StripeFlows from "../../../src/edge/flows/StripeFlows.ts"
import * as Flow from "../../../src/orchestration/Flow.ts"
import * as FlorinDatabase from "../../infra/sql/FlorinDatabase.ts"
import { policy, worker } from "./FlowTimes.ts"

const program = fileURLToPath(new URL("FlowWorkerProcess.ts", import.meta.url))

/** A Stripe with one product for each key; `onAnswered` runs when an answer has left. */
const stripe = (onAnswered: () => void) =>
  Effect.gen(function* () {
    const products = new Map<string, string>()
    const asked: Array<string> = []
    const server = createServer((request, response) => {
      request.resume().on("end", () => {
        const key = String(request.headers["idempotency-key"])
        asked.push(key)
        if (!products.has(key)) products.set(key, `prod_${products.size + 1}`)
        response.on("finish", onAnswered)
        response.writeHead(200, { "content-type": "application/json" })
        response.end(JSON.stringify({ id: products.get(key), name: "Gold" }))
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.sync(() => server.close().closeAllConnections())
    )
    const address = server.address()
    return { asked, products, port: typeof address === "object" && address !== null ? address.port : 0 }
  })

/** A worker's process, killed with the scope if nobody did before. */
const spawned = (port: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const [row] = yield* sql<{ name: string }>`select current_database() as name`
    const { socketDir, username } = inject("postgres")
    const env = {
      PATH: process.env.PATH,
      SOCKET_DIR: socketDir,
      USERNAME: username,
      DATABASE: row!.name,
      STRIPE_PORT: String(port)
    }
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "inherit"] })),
      (child) => Effect.promise(() => killed(child))
    )
    let said = ""
    child.stdout.on("data", (text) => (said += String(text)))
    const says = (word: string) =>
      Effect.sync(() => said.includes(word)).pipe(
        Effect.repeat({ until: (found) => found, schedule: Schedule.spaced("10 millis") })
      )
    return { child, says }
  })

const killed = async (child: ChildProcess) => {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill("SIGKILL")
  await once(child, "exit")
}

const scenario = (killWhen: "answered" | "handling") =>
  Effect.gen(function* () {
    let victim: ChildProcess | undefined
    const { asked, port, products } = yield* stripe(() => {
      if (killWhen === "answered") victim?.kill("SIGKILL")
    })
    const handled: Array<string> = []
    const product = StripeFlows.createProduct({
      onResponse: ({ id }) => Effect.sync(() => void handled.push(id))
    })
    const flows = (workers: ReadonlyArray<string>) =>
      FlowCore.layer([product], { workers, policy, worker }).pipe(
        Layer.provide(
          StripeFlows.gateway({ secretKey: Redacted.make("sk_test_x"), host: "127.0.0.1", port, protocol: "http" })
        ),
        Layer.provideMerge(FlowCore.sql({ pollMillis: 50, lockMillis: 1000 })),
        Layer.provide(Logger.layer([]))
      )
    const wish = Flow.dispatch(product, { name: "Gold" }, { worker: "billing", key: "gold" })

    const { child, says } = yield* spawned(port)
    yield* says("ready")
    victim = child
    const exited = once(child, "exit")
    const { flowId } = yield* Effect.provide(wish, Layer.fresh(flows([])))
    if (killWhen === "handling") {
      yield* says("handling")
      child.kill("SIGKILL")
    }
    const [, signal] = yield* Effect.promise(() => exited)
    assert.strictEqual(signal, "SIGKILL")
    victim = undefined
    assert.deepStrictEqual(handled, [])
    const askedBefore = asked.length

    yield* Effect.gen(function* () {
      const store = yield* FlowStore
      const state = yield* Effect.map(store.load(flowId), FlowState.fold).pipe(
        Effect.repeat({ until: ({ _tag }) => _tag === "Handled", schedule: Schedule.spaced("20 millis") })
      )
      assert.isTrue(state._tag === "Handled" && state.result._tag === "Answered")
      yield* wish
    }).pipe(Effect.provide(Layer.fresh(flows(["billing"]))))
    assert.deepStrictEqual(handled, ["prod_1"])
    assert.strictEqual(products.size, 1)
    return asked.length - askedBefore
  }).pipe(Effect.scoped, Effect.provide(Layer.fresh(FlorinDatabase.layer)), Effect.timeout("50 seconds"))

/** Two processes start, one after the other; on a busy machine that takes a while. */
const patience = { timeout: 60_000 }

describe("a worker that is killed", () => {
  it.live(
    "as soon as Stripe has answered: nothing is lost, and there is one object",
    () => scenario("answered"),
    patience
  )

  it.live(
    "while it handles the answer: that was kept, so Stripe is not asked again",
    () => Effect.map(scenario("handling"), (askedAgain) => assert.strictEqual(askedAgain, 0)),
    patience
  )
})
