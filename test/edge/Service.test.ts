/** Real processes on real databases. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { inject } from "vitest"
import * as Scratch from "../postgres/Scratch.ts"
import * as TestDatabase from "../postgres/TestDatabase.ts"
import type { Service } from "./FlorinProcess.ts"
import { call, eventually, kill, npmStart, order, pay, spawnFlorin, start, tryCall } from "./FlorinProcess.ts"

const dataDir = Effect.acquireRelease(
  Effect.sync(() => Scratch.makeDirectory()),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Settings for a database of its own on the tests' server, and a way to look into it. */
const ownDatabase = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ name: string }>`select current_database() as name`
  const { socketDir, username } = inject("postgres")
  return { DATABASE_URL: `postgres:///${row!.name}?host=${socketDir}&user=${username}` }
})

interface Charge {
  readonly payment: string
  readonly status: string
  readonly capturedMinor: string
}

/** The sandbox's books, from the origin that the service printed. */
const charges = async (service: Service) => {
  const origin = /curl -s (http:\S+)\/v1\/charges/.exec(service.stdout())![1]!
  const response = await fetch(`${origin}/v1/charges?limit=1000`)
  return ((await response.json()) as { charges: ReadonlyArray<Charge> }).charges
}

describe("florin serve", () => {
  it.live("takes payments on the embedded database, is killed, and goes on where it was", () =>
    Effect.gen(function* () {
      const settings = { FLORIN_DATA_DIR: yield* dataDir }
      const first = yield* start("serve", settings)
      const done = yield* pay(() => first, "done", "tok_visa")
      assert.deepInclude(done.body, { status: "succeeded", capturedAmount: 1099 })
      // The gateway takes two seconds for it; the process does not live to hear the answer.
      const slow = tryCall(first, "POST", "/v1/payments", { key: "slow", body: order("tok_slow") })
      yield* eventually("the charge at the gateway", async () =>
        (await charges(first)).length === 2 ? true : undefined
      )
      yield* kill(first, "SIGKILL")
      assert.isUndefined(yield* Effect.promise(() => slow))

      const second = yield* start("serve", settings)
      const again = yield* pay(() => second, "done", "tok_visa")
      assert.deepStrictEqual(again.body, done.body)
      assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
      const recovered = yield* pay(() => second, "slow", "tok_slow")
      assert.deepInclude(recovered.body, { status: "succeeded", capturedAmount: 1099 })
      const books = yield* Effect.promise(() => charges(second))
      assert.deepStrictEqual(
        books.map(({ capturedMinor, payment, status }) => [payment, status, capturedMinor]),
        [done, recovered].map(({ body }) => [body.id, "captured", "1099"])
      )
    })
  )

  it.live("prints three requests that work as printed", () =>
    Effect.gen(function* () {
      const service = yield* start("serve", { FLORIN_DATA_DIR: yield* dataDir })
      const lines = service.stdout().trim().split("\n").slice(-3)
      const replies: Array<Record<string, unknown>> = []
      for (const line of lines) {
        const [, url, rest] = /^curl -s (\S+)(.*)$/.exec(line)!
        const headers = [...rest!.matchAll(/-H '([^:']+): ([^']+)'/g)].map(
          ([, name, value]) => [name!, value!] as const
        )
        const body = /-d '([^']+)'/.exec(rest!)?.[1]
        const response = yield* Effect.promise(() =>
          fetch(url!, { headers: Object.fromEntries(headers), ...(body !== undefined && { method: "POST", body }) })
        )
        assert.include([200, 201], response.status)
        replies.push((yield* Effect.promise(() => response.json())) as Record<string, unknown>)
      }
      assert.deepStrictEqual(
        replies.slice(0, 2).map(({ status }) => status),
        ["succeeded", "succeeded"]
      )
      assert.strictEqual((replies[2]!.charges as ReadonlyArray<Charge>).length, 2)
    })
  )

  it.live("ends when it is told to: finishes what it answers, takes nothing new, exits with 0", () =>
    Effect.gen(function* () {
      const service = yield* start("serve", yield* ownDatabase)
      const slow = tryCall(service, "POST", "/v1/payments", { key: "slow", body: order("tok_slow") })
      yield* eventually("the charge at the gateway", async () =>
        (await charges(service)).length > 0 ? true : undefined
      )
      const ended = kill(service, "SIGTERM")
      const fiber = yield* Effect.forkChild(ended, { startImmediately: true })
      yield* eventually("a closed door", async () => ((await tryCall(service, "GET", "/healthz")) ? undefined : true))
      const reply = yield* Effect.promise(() => slow)
      assert.deepInclude(reply?.body, { status: "succeeded" })
      const { code, stderr } = yield* eventually("its end", () => {
        const exit = fiber.pollUnsafe()
        return exit?._tag === "Success" ? exit.value : undefined
      })
      assert.strictEqual(code, 0)
      assert.strictEqual(stderr, "")
    }).pipe(Effect.provide(TestDatabase.layer()))
  )

  it.live("ends with the npm that started it", () =>
    Effect.gen(function* () {
      const service = yield* npmStart(yield* ownDatabase)
      assert.strictEqual((yield* call(service, "GET", "/healthz")).status, 200)
      // It has ended when nobody holds npm's output open any more.
      yield* kill(service, "SIGTERM")
      assert.isUndefined(yield* Effect.promise(() => tryCall(service, "GET", "/healthz")))
    }).pipe(Effect.provide(TestDatabase.layer()))
  )

  it.live("says 503 while its database is away, loses nothing, and goes on by itself", () =>
    Effect.gen(function* () {
      const directory = yield* dataDir
      const service = yield* start("serve", { FLORIN_DATA_DIR: directory })
      const before = yield* pay(() => service, "before", "tok_visa")
      const postmaster = Number(readFileSync(join(directory, "cluster", "postmaster.pid"), "utf8").split("\n")[0])
      const slow = tryCall(service, "POST", "/v1/payments", { key: "slow", body: order("tok_slow") })
      yield* eventually("the charge at the gateway", async () =>
        (await charges(service)).length > 1 ? true : undefined
      )
      process.kill(postmaster, "SIGKILL")
      const down = yield* eventually("503", async () => {
        const reply = await tryCall(service, "GET", "/readyz")
        return reply?.status === 503 ? reply : undefined
      })
      assert.strictEqual(down.body.type, "urn:florin:problem:unavailable")
      assert.strictEqual(down.headers.get("retry-after"), "1")
      yield* eventually("ready again", async () =>
        (await tryCall(service, "GET", "/readyz"))?.status === 200 ? true : undefined
      )
      yield* Effect.promise(() => slow)
      assert.deepStrictEqual((yield* pay(() => service, "before", "tok_visa")).body, before.body)
      assert.deepInclude((yield* pay(() => service, "slow", "tok_slow")).body, { status: "succeeded" })
      assert.deepInclude((yield* pay(() => service, "after", "tok_visa")).body, { status: "succeeded" })
      assert.strictEqual((yield* Effect.promise(() => charges(service))).length, 3)
    })
  )

  it.live("cannot start without its database, and says so in one line", () =>
    Effect.gen(function* () {
      const refused = yield* spawnFlorin(["serve"], { DATABASE_URL: "postgres://florin:hunter2@127.0.0.1:1/florin" })
      const { code, stderr, stdout } = yield* Effect.promise(() => refused.ended)
      assert.strictEqual(code, 1)
      assert.strictEqual(stderr, "florin: the database cannot be used: connect ECONNREFUSED 127.0.0.1:1\n")
      assert.strictEqual(stdout, "")
    })
  )

  it.live("names a setting that is wrong, and what was expected", () =>
    Effect.gen(function* () {
      for (const [settings, expected] of [
        [{ PORT: "http" }, /^florin: PORT: Expected a whole number from 0 to 65535, got "http"\n$/],
        [{ DATABASE_URL: "mysql://db/florin" }, /^florin: DATABASE_URL: expected postgres:\/\/.*, got mysql:\/\/\n$/],
        [
          { FLORIN_RISK_RULES: "[]" },
          /^florin: FLORIN_RISK_UNAVAILABLE: Expected "failClosed" \| "failOpen", got nothing\n$/
        ],
        [{ FLORIN_DATA_DIR: "/etc/passwd/florin" }, /^florin: cannot keep a database in \/etc\/passwd\/florin: .*\n$/]
      ] as const) {
        const florin = yield* spawnFlorin(["serve"], settings)
        const { code, stderr } = yield* Effect.promise(() => florin.ended)
        assert.strictEqual(code, 1)
        assert.match(stderr, expected)
      }
    })
  )
})

describe("two services on one database", () => {
  it.live("answer for each other's payments, and make one payment of one key sent to both at once", () =>
    Effect.gen(function* () {
      const settings = yield* ownDatabase
      const [one, two] = yield* Effect.all([start("serve", settings), start("serve", settings)], { concurrency: 2 })
      const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)
      // Few enough that fail at first: no breaker opens, whichever service gets which.
      const tokens = ["tok_visa", "tok_lost_answer", "tok_visa", "tok_declined_stolen", "tok_500_after"]
      yield* Effect.forEach(
        keys.entries(),
        ([index, key]) =>
          Effect.gen(function* () {
            const token = tokens[index % tokens.length]!
            const replies = yield* Effect.all([pay(() => one, key, token), pay(() => two, key, token)], {
              concurrency: 2
            })
            assert.deepStrictEqual(replies[0].body, replies[1].body)
            const { id } = replies[0].body
            const [seen, events] = [
              yield* call(two, "GET", `/v1/payments/${String(id)}`),
              yield* call(one, "GET", `/v1/payments/${String(id)}/events`)
            ]
            assert.deepStrictEqual(seen.body, replies[0].body)
            const kinds = (events.body.events as ReadonlyArray<{ event: { _tag: string } }>).map(
              ({ event }) => event._tag
            )
            assert.strictEqual(kinds.filter((kind) => kind === "Initiated").length, 1)
            assert.strictEqual(kinds.filter((kind) => kind === "AuthorizationBegun").length, 1)
          }),
        { concurrency: 3, discard: true }
      )
      const books = yield* Effect.promise(() => charges(two))
      assert.strictEqual(books.length, keys.length)
      // Both relays have been at it: everything is published, nothing is left over.
      const sql = yield* SqlClient
      yield* Effect.gen(function* () {
        const [{ count }] = (yield* sql`select count(*) as count from florin.outbox`) as [{ count: bigint }]
        return count === 0n ? true : undefined
      }).pipe(
        Effect.repeat({ until: (done) => done !== undefined }),
        Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die(new Error("not all was published")) })
      )
      assert.deepStrictEqual([...(yield* sql`select * from florin.dead_letters`)], [])
    }).pipe(Effect.provide(TestDatabase.layer()))
  )

  it.live("one takes over what the other was killed over, once", () =>
    Effect.gen(function* () {
      const settings = yield* ownDatabase
      const [doomed, other] = yield* Effect.all([start("serve", settings), start("serve", settings)], {
        concurrency: 2
      })
      const keys = Array.from({ length: 8 }, (_, index) => `slow-${index}`)
      for (const key of keys) void tryCall(doomed, "POST", "/v1/payments", { key, body: order("tok_slow") })
      yield* eventually("the charges at the gateway", async () =>
        (await charges(other)).length === keys.length ? true : undefined
      )
      yield* kill(doomed, "SIGKILL")
      for (const key of keys) {
        const { body } = yield* pay(() => other, key, "tok_slow")
        assert.deepInclude(body, { status: "succeeded" })
        const events = yield* call(other, "GET", `/v1/payments/${String(body.id)}/events`)
        const kinds = (events.body.events as ReadonlyArray<{ event: { _tag: string } }>).map(({ event }) => event._tag)
        assert.deepStrictEqual(kinds, [
          "Initiated",
          "AuthorizationBegun",
          "OperationDoubted",
          "Authorized",
          "CaptureBegun",
          "Captured"
        ])
      }
      const books = yield* Effect.promise(() => charges(other))
      assert.strictEqual(books.length, keys.length)
      assert.isTrue(books.every(({ capturedMinor }) => capturedMinor === "1099"))
    }).pipe(Effect.provide(TestDatabase.layer()))
  )
})

describe("florin sandbox", () => {
  it.live("is a gateway of its own, whose books survive its kill", () =>
    Effect.gen(function* () {
      const directory = yield* dataDir
      const database = yield* ownDatabase
      let sandbox = yield* start("sandbox", { FLORIN_DATA_DIR: directory })
      const { port } = new URL(sandbox.url)
      const service = yield* start("serve", { ...database, FLORIN_SANDBOX_URL: sandbox.url })
      const before = yield* pay(() => service, "before", "tok_visa")
      assert.isTrue(existsSync(join(directory, "sandbox", "cluster")))
      const slow = tryCall(service, "POST", "/v1/payments", { key: "slow", body: order("tok_slow") })
      yield* eventually("the charge at the gateway", async () =>
        (await charges(service)).length === 2 ? true : undefined
      )
      yield* kill(sandbox, "SIGKILL")
      sandbox = yield* start("sandbox", { FLORIN_DATA_DIR: directory, PORT: port })
      yield* Effect.promise(() => slow)
      assert.deepInclude((yield* pay(() => service, "slow", "tok_slow")).body, { status: "succeeded" })
      const books = yield* Effect.promise(() => charges(service))
      assert.strictEqual(books.length, 2)
      assert.strictEqual(books[0]!.payment, before.body.id)
      assert.isTrue(books.every(({ status }) => status === "captured"))
    }).pipe(Effect.provide(TestDatabase.layer()))
  )
})
