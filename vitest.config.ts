import { configDefaults, defineConfig } from "vitest/config"
import * as Peers from "./test/peers/Peers.ts"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...Peers.excluded(process.env)],
    globalSetup: ["test/postgres/TestServer.ts", "test/peers/PeerCheck.ts"],
    // Files share one PostgreSQL server and two cores; more workers only wait for each other.
    maxWorkers: 2,
    isolate: false,
    testTimeout: 20_000
  }
})
