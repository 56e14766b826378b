/**
 * A driver that remembers: it answers from the journal of the generation before
 * what has happened already, and writes down what happens now.
 *
 * Undoing, it begins nothing: an attempt that is not in the journal is left.
 */
import { Effect } from "effect"
import type * as SagaJournal from "../../domain/saga/SagaJournal.ts"
import type { Purpose } from "../../adapters/SagaRuns.ts"
import type { SagaDriver } from "./SagaDriver.ts"

export interface Journaled {
  readonly driver: SagaDriver
  /** What was there and what has happened since. */
  readonly journal: () => SagaJournal.SagaJournal
}

export const journaled = (driver: SagaDriver, before: SagaJournal.SagaJournal, purpose: Purpose): Journaled => {
  const journal = new Map<string, SagaJournal.Entry>(Object.entries(before))
  return {
    journal: () => Object.fromEntries(journal),
    driver: {
      ...driver,
      attempt: (name, effect) => {
        const entry = journal.get(name)
        if (entry !== undefined && "outcome" in entry) return Effect.succeed(entry.outcome)
        if (purpose === "undo") return Effect.succeed({ _tag: "Left" })
        return Effect.map(driver.attempt(name, effect), (outcome) => {
          journal.set(name, { outcome })
          return outcome
        })
      },
      takeBack: (name, effect) => {
        const entry = journal.get(name)
        if (entry !== undefined && "takingBack" in entry) return Effect.succeed(entry.takingBack)
        return Effect.map(driver.takeBack(name, effect), (takingBack) => {
          journal.set(name, { takingBack })
          return takingBack
        })
      },
      // The attempt after it says whether it is worth a wait: undoing, there is none.
      sleep: (name, millis) =>
        purpose === "undo" || journal.has(nextAttempt(name)) ? Effect.void : driver.sleep(name, millis),
      hear: (name, millis) => {
        const entry = journal.get(name)
        if (entry !== undefined && "wake" in entry) return Effect.succeed(entry.wake)
        if (purpose === "undo") return Effect.succeed({ _tag: "Cancelled" })
        return Effect.map(driver.hear(name, millis), (wake) => {
          journal.set(name, { wake })
          return wake
        })
      }
    }
  }
}

/** A sleep is named after the attempt before it: "charge/1/wait" comes before "charge/2". */
const nextAttempt = (sleep: string): string => {
  const [, step = "", attempt = "0"] = /^(.*)\/(\d+)(?:\.\d+)?\/wait$/.exec(sleep) ?? []
  return `${step}/${Number(attempt) + 1}`
}
