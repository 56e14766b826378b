import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schedule, Scope } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { chmodSync, chownSync, copyFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { inject } from "vitest"
import * as EmbeddedPostgres from "../../../src/infra/embedded/EmbeddedPostgres.ts"
import * as PostgresBinaries from "../../../src/infra/embedded/PostgresBinaries.ts"
import * as PostgresProcess from "../../../src/infra/embedded/PostgresProcess.ts"
import * as SqlDatabase from "../../../src/infra/sql/SqlDatabase.ts"
import * as Scratch from "../../postgres/Scratch.ts"

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url))

const freePort = Effect.promise(
  () =>
    new Promise<number>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        server.close(() => resolve(port))
      })
    })
)

/** A PostgreSQL on a loopback port that talks to nobody without TLS. */
const tlsServer = Effect.gen(function* () {
  const dataDir = yield* Effect.acquireRelease(
    Effect.sync(() => Scratch.makeDirectory()),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  yield* Effect.scoped(EmbeddedPostgres.start({ dataDir, durable: false }))
  const cluster = join(dataDir, "cluster")
  writeFileSync(join(cluster, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n")
  const user = yield* PostgresProcess.user
  for (const name of ["server.key", "server.crt"]) {
    copyFileSync(fixture(name), join(cluster, name))
    chmodSync(join(cluster, name), 0o600)
    if (user !== undefined) chownSync(join(cluster, name), user.uid, user.gid)
  }
  const { postgres } = yield* PostgresBinaries.find(user)
  const port = yield* freePort
  const settings = { port, listen_addresses: "127.0.0.1", unix_socket_directories: "", ssl: "on", fsync: "off" }
  yield* PostgresProcess.serve({
    program: postgres,
    args: ["-D", cluster, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    log: join(dataDir, "tls.log"),
    user
  })
  return port
})

const using = (url: string) =>
  Effect.provide(Layer.fresh(SqlDatabase.layer({ url: Redacted.make(url), maxConnections: 1 })))

const encryption = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ ssl: boolean }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`
  return row!.ssl
})

describe("SqlDatabase", () => {
  it.live("connects over TLS where the URL says so, and believes only authorities that it knows", () =>
    Effect.gen(function* () {
      const port = yield* Scope.provide(tlsServer, yield* Effect.scope)
      const url = (host: string, query: string) => `postgres://postgres@${host}:${port}/postgres?${query}`
      const ca = `sslrootcert=${encodeURIComponent(fixture("server.crt"))}`
      const isEncrypted = yield* encryption.pipe(
        using(url("localhost", `sslmode=require&${ca}`)),
        // The server needs a moment to be there.
        Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo({ duration: "10 seconds" })))
      )
      assert.isTrue(isEncrypted)
      const stranger = yield* Effect.flip(encryption.pipe(using(url("localhost", "sslmode=require"))))
      assert.match(String(Reflect.get(stranger, "reason")?.cause), /self-signed certificate/)
      const plain = yield* Effect.flip(encryption.pipe(using(url("127.0.0.1", `sslmode=disable&${ca}`))))
      assert.match(String(Reflect.get(plain, "reason")?.cause), /no pg_hba.conf entry/)
    })
  )

  it.live("gives no statement for ever, and says who asks", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const [row] = yield* sql<{ timeout: string; name: string }>`
        select current_setting('statement_timeout') as timeout, current_setting('application_name') as name`
      assert.deepStrictEqual(row, { timeout: "30s", name: "florin" })
    }).pipe(using(`postgres:///postgres?host=${inject("postgres").socketDir}&user=postgres`))
  )

  it.live("says what is wrong with a URL without repeating it", () =>
    Effect.gen(function* () {
      for (const [url, detail] of [
        ["db.example/hunter2", /expected a URL such as/],
        ["mysql://root:hunter2@db/florin", /expected postgres:\/\/ or postgresql:\/\/, got mysql:\/\//],
        ["postgres://florin:hunter2@db/florin?sslrootcert=/nowhere.crt", /sslrootcert .* cannot be read: \/nowhere.crt/]
      ] as const) {
        const error = yield* Effect.flip(encryption.pipe(using(url)))
        assert.match(String(error), detail)
        assert.notMatch(String(error), /hunter2/)
      }
    })
  )
})
