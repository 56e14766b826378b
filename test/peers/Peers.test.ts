import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import * as Peers from "./Peers.ts"

describe("Peers", () => {
  const absent = { ...Peers.redis, program: "no-such-server" }

  it("looks on the PATH, and where packages put servers", () => {
    const node = { ...absent, program: "node" }
    assert.strictEqual(
      Peers.find(node, { PATH: `/nowhere:${process.execPath.replace(/\/node$/, "")}` }),
      process.execPath
    )
    assert.strictEqual(Peers.find({ ...absent, program: "env" }, {}), "/usr/bin/env")
    assert.isUndefined(Peers.find(absent, { PATH: process.env.PATH }))
  })

  it("uses what the setting names, and nothing else", () => {
    assert.strictEqual(Peers.find(absent, { FLORIN_REDIS_SERVER: process.execPath }), process.execPath)
    assert.isUndefined(Peers.find({ ...absent, program: "env" }, { FLORIN_REDIS_SERVER: "/nowhere/redis-server" }))
  })

  it("names suites that are there", () => {
    const suites = Peers.all.flatMap((peer) => peer.suites)
    assert.isAbove(suites.length, 0)
    assert.deepStrictEqual(
      suites.filter((suite) => !existsSync(suite)),
      []
    )
  })

  it("says nothing when nothing is missing", () => {
    assert.isUndefined(Peers.report([]))
  })

  // A vitest of its own: what is said comes after its summary.
  const vitest = (environment: Record<string, string>) => {
    const env = { ...process.env, ...environment, FLORIN_REDIS_SERVER: "/nowhere/redis-server" }
    const args = ["node_modules/vitest/vitest.mjs", "run", "test/domain/Text.test.ts", "test/infra/redis"]
    try {
      const out = execFileSync("sh", ["-c", '"$0" "$@" 2>&1', process.execPath, ...args], { env, encoding: "utf8" })
      return { out, failed: false }
    } catch (error) {
      return { out: String((error as { readonly stdout: unknown }).stdout), failed: true }
    }
  }

  it("a run without redis-server passes, and ends by naming the suite and why", { timeout: 60_000 }, () => {
    const { failed, out } = vitest({ CI_NO_SKIP: "" })
    assert.isFalse(failed, out)
    const line =
      "test/infra/redis/RedisLock.test.ts: needs redis-server (apt-get install redis-server, or its path in FLORIN_REDIS_SERVER)"
    assert.isAbove(out.indexOf(line), out.indexOf("Test Files"))
    assert.notInclude(out, "RedisLock.test.ts (")
  })

  it("where every suite has to run, it fails", { timeout: 60_000 }, () => {
    const { failed, out } = vitest({ CI_NO_SKIP: "1" })
    assert.isTrue(failed)
    assert.include(out, "test/infra/redis/RedisLock.test.ts: needs redis-server")
  })
})
