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
}

const count = new Intl.NumberFormat("en")
const bytesPerMegabyte = 1_000_000

export const toText = (summary: RunSummary): string => {
  const refused = summary.rows - summary.applied
  const told = summary.firstRefused.map(({ file, line, reason }) => `${file}:${line}: ${reason}`)
  const reasons = Object.entries(summary.refused).map(([reason, times]) => `${reason} ${count.format(times)}`)
  return [
    ...told,
    ...(refused > told.length ? [`and ${count.format(refused - told.length)} more; --rejects FILE names all`] : []),
    `rows ${count.format(summary.rows)}, applied ${count.format(summary.applied)}, refused ${count.format(refused)}${refused === 0 ? "" : ` (${reasons.join(", ")})`}, accounts ${count.format(summary.accounts)}`,
    `${summary.seconds.toFixed(2)} s, ${count.format(Math.round(summary.rowsPerSecond))} rows a second, peak memory ${count.format(Math.round(summary.peakBytes / bytesPerMegabyte))} MB`
  ].join("\n")
}

export const toJson = (summary: RunSummary): string => JSON.stringify(summary)
