/**
 * What has come of a run's attempts, waits and rollbacks, by their names, as it
 * is kept: enough to go on from, or to take all of it back, long after the run
 * has ended.
 */
import { Schema } from "effect"
import { StepOutcome, TakingBack, Wake } from "./StepOutcome.ts"

export const Entry = Schema.Union([
  Schema.Struct({ outcome: StepOutcome }),
  Schema.Struct({ takingBack: TakingBack }),
  Schema.Struct({ wake: Wake })
])
export type Entry = typeof Entry.Type

export const SagaJournal = Schema.Record(Schema.String, Entry)
export type SagaJournal = typeof SagaJournal.Type

/** To go on from where a run stalled: the steps that failed for good are tried anew, under the keys that they had. */
export const toResume = (journal: SagaJournal, unfinished: Iterable<string>): SagaJournal => {
  const failed = [...unfinished]
  return filter(journal, (name) => !failed.some((step) => name === step || name.startsWith(`${step}/`)))
}

/** To take it back: whatever failed to be taken back is tried again. */
export const toUndo = (journal: SagaJournal): SagaJournal =>
  filter(journal, (_, entry) => !("takingBack" in entry && entry.takingBack._tag === "Failed"))

const filter = (journal: SagaJournal, keep: (name: string, entry: Entry) => boolean): SagaJournal =>
  Object.fromEntries(Object.entries(journal).filter(([name, entry]) => keep(name, entry)))
