/**
 * Makes `dist`, where `tsc` has put florin's modules, a package: its manifest,
 * the command, and what a user of it reads.
 *
 * The manifest is not the repository's. Node itself, pinned for npm scripts
 * here, is left out, as is all that only florin's own tests need; and `effect`
 * is a peer, because two copies of it would not know each other's services.
 */
import { chmodSync, cpSync, rmSync, writeFileSync } from "node:fs"
import manifest from "../package.json" with { type: "json" }

const dist = new URL("../dist/", import.meta.url)

/** Here they are TypeScript, there what was made of it. */
const exported = Object.fromEntries(
  Object.entries(manifest.exports).map(([path, source]) => [
    path,
    { types: source.replace(/ts$/, "d.ts"), default: source.replace(/ts$/, "js") }
  ])
)

const { "@effect/vitest": effectVitest, vitest } = manifest.devDependencies
const { effect, ...dependencies } = manifest.dependencies
const optional = Object.entries(manifest.optionalDependencies).filter(([name]) => !name.startsWith("node-"))

export const published = {
  name: manifest.name,
  version: manifest.version,
  description: manifest.description,
  license: manifest.license,
  type: manifest.type,
  engines: manifest.engines,
  sideEffects: ["./src/edge/cli/*.js"],
  exports: { ...exported, "./package.json": "./package.json" },
  bin: { florin: "./src/edge/cli/main.js" },
  dependencies,
  optionalDependencies: Object.fromEntries(optional),
  peerDependencies: { effect: `^${effect}`, vitest: `^${vitest}`, "@effect/vitest": `^${effectVitest}` },
  // Only for the contract suites in `florin/testing`.
  peerDependenciesMeta: { vitest: { optional: true }, "@effect/vitest": { optional: true } }
}

if (import.meta.main) {
  writeFileSync(new URL("package.json", dist), `${JSON.stringify(published, null, 2)}\n`)
  chmodSync(new URL("src/edge/cli/main.js", dist), 0o755)
  for (const path of ["README.md", "CHANGELOG.md", "LICENSE", "docs"]) {
    cpSync(new URL(`../${path}`, import.meta.url), new URL(path, dist), { recursive: true })
  }
  // What `florin demo` orders.
  cpSync(new URL("../examples/payments.ndjson", import.meta.url), new URL("examples/payments.ndjson", dist))
  rmSync(new URL("tsconfig.tsbuildinfo", dist), { force: true })
}
