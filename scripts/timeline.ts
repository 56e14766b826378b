/**
 * Draws `docs/timeline.svg`: one payment whose gateway acts and loses its
 * answer, and whose process dies. `npm run timeline` writes it, and
 * `test/docs.test.ts` fails when it is another than the simulation gives.
 */
import { writeFileSync } from "node:fs"
import { pathToFileURL } from "node:url"
import * as Batch from "../src/testing/Batch.ts"
import * as Disturbance from "../src/testing/Disturbance.ts"
import * as FaultRates from "../src/testing/FaultRates.ts"
import * as TimelinePicture from "../src/testing/TimelinePicture.ts"
import * as Workload from "../src/testing/Workload.ts"

const rates = FaultRates.make((name) => (name === "lost" ? 50 : name === "crash" ? 60 : 0))

/** Seeds are tried in order: the first run that shows what is to be shown is the picture. */
const maxSeeds = 2000
/** What fits a page. */
const maxEntries = 26

export const generate = (): string => {
  for (let seed = 1; seed <= maxSeeds; seed++) {
    const outcome = Batch.run(
      {
        seed,
        processes: 1,
        visits: Workload.make(seed, 1),
        disturbance: () => Disturbance.byChance(seed, rates, () => false)
      },
      { isTold: true }
    )
    const [fate, ...others] = outcome.fates
    if (fate === undefined || others.length > 0 || outcome.findings.length > 0 || outcome.deaths !== 1) continue
    const isLost = outcome.strikes.some(({ _tag }) => _tag === "Ask")
    const entries = outcome.timeline(fate.payment)
    const died = entries.findIndex(({ _tag }) => _tag === "Died")
    const isPaid = entries.some((entry) => entry._tag === "Recorded" && entry.event._tag === "Captured")
    if (isLost && isPaid && died > 2 && died < entries.length - 4 && entries.length <= maxEntries) {
      return TimelinePicture.toSvg("A lost answer, and a process that dies", entries)
    }
  }
  throw new Error("no seed shows what is to be shown")
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(new URL("../docs/timeline.svg", import.meta.url), generate())
}
