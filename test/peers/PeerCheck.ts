/** vitest's global setup: refuses to begin where every suite has to run, and says at the end which did not. */
import * as Peers from "./Peers.ts"

export const setup = () => {
  const report = Peers.report(Peers.missing(process.env))
  if (report === undefined) return
  if (Peers.isStrict(process.env)) throw new Error(`CI_NO_SKIP=1, but a program is missing.\n${report}`)
  return () => void process.stderr.write(`\n${report}\n`)
}
