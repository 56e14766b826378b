/**
 * `npm run test:package`: florin as its users get it.
 *
 * Packs what `npm run build` made, installs it into an empty project, imports
 * each entry point, type-checks a consumer in strict mode, runs it, and runs
 * the command. It needs the registry that npm is set to.
 */
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import manifest from "../../package.json" with { type: "json" }
import { published } from "../../scripts/package.ts"

const { "@effect/vitest": effectVitest, "@types/node": nodeTypes, typescript, vitest } = manifest.devDependencies

const tsconfig = {
  compilerOptions: {
    target: "ES2024",
    // Effect's declarations name types of the browser.
    lib: ["ES2024", "ESNext.Iterator", "ESNext.Disposable", "DOM"],
    module: "NodeNext",
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    // florin's own declarations are checked too.
    skipLibCheck: false,
    noEmit: true
  },
  files: ["consumer.ts"]
}

const expected = [
  "refused: AboveCaptured",
  "paid by promise: succeeded 1099",
  "listed by effect: 0",
  "money: 1099",
  "stripe: stripe, captures once: true",
  "explored: 27 runs, 0 violations"
]

const project = realpathSync(mkdtempSync(join(tmpdir(), "florin-consumer-")))
/** What it said on standard output; what it complains about is ours to show. */
const run = (command: string, ...args: ReadonlyArray<string>): string => {
  process.stdout.write(`$ ${[command, ...args].join(" ")}\n`)
  const { status, stdout } = spawnSync(command, args, {
    cwd: project,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"]
  })
  verify(status === 0, `${command} ended with ${status}\n${stdout}`)
  return stdout
}
const verify = (isSo: boolean, what: string) => {
  if (!isSo) throw new Error(what)
}

try {
  const packed = run("npm", "pack", "--silent", fileURLToPath(new URL("../../dist", import.meta.url))).trim()
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "shop", private: true, type: "module" }))
  run(
    "npm",
    "install",
    "--silent",
    "--no-audit",
    "--no-fund",
    `./${packed}`,
    `effect@${manifest.dependencies.effect}`,
    `vitest@${vitest}`,
    `@effect/vitest@${effectVitest}`,
    `typescript@${typescript}`,
    `@types/node@${nodeTypes}`
  )

  for (const path of Object.keys(published.exports).filter((entry) => !entry.endsWith(".json"))) {
    const name = path.replace(/^\./, "florin")
    const count = `import("${name}").then((entry) => console.log(Object.keys(entry).length))`
    const exported = Number(run("node", "--input-type=module", "--eval", count))
    verify(exported > 0, `${name} exports nothing`)
    process.stdout.write(`${name}: ${exported} exports\n`)
  }

  copyFileSync(new URL("consumer.ts", import.meta.url), join(project, "consumer.ts"))
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(tsconfig))
  process.stdout.write(run("node_modules/.bin/tsc", "--project", "."))
  const said = run("node", "consumer.ts")
  process.stdout.write(said)
  for (const line of expected) verify(said.includes(line), `the consumer did not say: ${line}`)

  const version = run("node_modules/.bin/florin", "--version")
  verify(version.includes(manifest.version), `the command says it is ${version}`)
  process.stdout.write(run("node_modules/.bin/florin", "simulate", "explore", "--scenario", "void"))
} finally {
  rmSync(project, { recursive: true, force: true })
}
