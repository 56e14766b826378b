import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/postgres/TestServer.ts"],
    // Files share one PostgreSQL server and two cores; more workers only wait for each other.
    maxWorkers: 2,
    testTimeout: 20_000
  }
})
