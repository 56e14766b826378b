/**
 * Runs the Effect diagnostics and fails when they found something, or nothing to check.
 *
 * `effect-tsgo` exits 0 after "Checked 0 files" when its plugin entry is missing
 * from tsconfig.json, so the count is part of the check.
 */
import { spawnSync } from "node:child_process"

const { status, stderr, stdout } = spawnSync(
  "effect-tsgo",
  ["diagnostics", "--project", "tsconfig.json", "--strict", "--severity", "error,warning"],
  { encoding: "utf8" }
)
process.stdout.write(stdout)
process.stderr.write(stderr)
const checked = Number(/Checked (\d+) files/.exec(stdout)?.[1] ?? 0)
if (checked === 0) process.stderr.write("effect-tsgo checked no files: is the plugin entry in tsconfig.json?\n")
process.exit(status === 0 && checked > 0 ? 0 : 1)
