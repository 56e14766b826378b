/** What a run over transaction files came to: for a person, and as one line of JSON. */

export interface Refused {
  readonly file: string
  readonly line: number
  /** As in `LedgerRefusal.text`. */
  readonly reason: string
}

export interface RunSummary {
  readonly files: number
  readonly rows: number
  readonly applied: number
  /** How many rows each reason refused; only reasons that did. */
  readonly refused: Readonly<Record<string, number>>
  readonly accounts: number
  /** From opening the first file to the output's last byte. */
  readonly seconds: number
  readonly rowsPerSecond: number
  /** The most memory that the process has held at a time. */
  readonly peakBytes: number
  /** The first of the refused rows. */
  readonly firstRefused: ReadonlyArray<Refused>
  /** Where there is a journal: how it was found, and how it was left. */
  readonly journal?: JournalSummary | undefined
}

export interface JournalSummary {
  /** The last event that was in it before, and the last of the snapshot that it was restored from. */
  readonly restored: number
  readonly snapshot: number
  readonly sequence: number
  /** Bytes that had been torn off its end and were cut: nobody had been told of them. */
  readonly cutBytes: number
}

const bytesPerMegabyte = 1_000_000

export const toText = (summary: RunSummary): string => {
  // Loading a language takes milliseconds, which whoever asks for JSON need not wait for.
  const count = new Intl.NumberFormat("en")
  const refused = summary.rows - summary.applied
  const told = summary.firstRefused.map(({ file, line, reason }) => `${file}:${line}: ${reason}`)
  const reasons = Object.entries(summary.refused).map(([reason, times]) => `${reason} ${count.format(times)}`)
  return [
    ...told,
    ...(refused > told.length ? [`and ${count.format(refused - told.length)} more; --rejects FILE names all`] : []),
    `rows ${count.format(summary.rows)}, applied ${count.format(summary.applied)}, refused ${count.format(refused)}${refused === 0 ? "" : ` (${reasons.join(", ")})`}, accounts ${count.format(summary.accounts)}`,
    ...journalLines(summary.journal, count),
    `${summary.seconds.toFixed(2)} s, ${count.format(Math.round(summary.rowsPerSecond))} rows a second, peak memory ${count.format(Math.round(summary.peakBytes / bytesPerMegabyte))} MB`
  ].join("\n")
}

export const toJson = (summary: RunSummary): string => JSON.stringify(summary)

const journalLines = (journal: JournalSummary | undefined, count: Intl.NumberFormat): ReadonlyArray<string> => {
  if (journal === undefined) return []
  const { cutBytes, restored, sequence, snapshot } = journal
  return [
    ...(cutBytes === 0 ? [] : [`the journal's end was torn: ${count.format(cutBytes)} bytes were cut`]),
    `journal: restored up to event ${restored}${snapshot === 0 ? "" : ` from a snapshot after ${snapshot}`}, ends at event ${sequence}`
  ]
}
