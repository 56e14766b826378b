/**
 * `florin process` as one would first write it in Node: a stream, `csv-parse`,
 * an object a row, a `Map` of accounts and a `Map` of transactions, amounts as
 * numbers. It does what a file made by `florin generate` needs, and prints the
 * same accounts.
 *
 *     node bench/NaiveLedger.ts <file>
 *
 * Its last line on standard error is what it measured, as JSON.
 */
import { parse } from "csv-parse"
import { createReadStream } from "node:fs"

const started = performance.now()
const [file = ""] = process.argv.slice(2)

interface Account {
  available: number
  held: number
  locked: boolean
}

interface Entry {
  readonly client: number
  readonly amount: number
  readonly isDeposit: boolean
  dispute: "none" | "open" | "resolved" | "chargedBack"
}

const accounts = new Map<number, Account>()
const entries = new Map<number, Entry>()
const refused = new Map<string, number>()
let rows = 0

const accountOf = (client: number): Account => {
  const known = accounts.get(client)
  if (known !== undefined) return known
  const opened = { available: 0, held: 0, locked: false }
  accounts.set(client, opened)
  return opened
}

/** Why not, or nothing. */
const apply = (type: string, client: number, tx: number, amount: number): string | undefined => {
  const entry = entries.get(tx)
  if (type === "deposit" || type === "withdrawal") {
    if (entry !== undefined) return "DuplicateTx"
    const account = accountOf(client)
    if (type === "withdrawal" && account.locked) return "AccountFrozen"
    if (type === "withdrawal" && account.available < amount) return "InsufficientFunds"
    account.available += type === "deposit" ? amount : -amount
    entries.set(tx, { client, amount, isDeposit: type === "deposit", dispute: "none" })
    return undefined
  }
  if (entry === undefined) return "UnknownTx"
  if (entry.client !== client) return "ClientMismatch"
  const account = accountOf(client)
  if (type === "dispute") {
    if (!entry.isDeposit) return "NotDisputable"
    if (entry.dispute === "open") return "AlreadyDisputed"
    if (entry.dispute === "chargedBack") return "ChargedBack"
    account.available -= entry.amount
    account.held += entry.amount
    entry.dispute = "open"
    return undefined
  }
  if (entry.dispute !== "open") return "NotDisputed"
  account.held -= entry.amount
  if (type === "resolve") account.available += entry.amount
  else account.locked = true
  entry.dispute = type === "resolve" ? "resolved" : "chargedBack"
  return undefined
}

const unit = 10_000
const parser = createReadStream(file).pipe(
  parse({ columns: true, trim: true, bom: true, relax_column_count: true, skip_empty_lines: true })
)
for await (const row of parser) {
  rows += 1
  const reason = apply(row.type, Number(row.client), Number(row.tx), Math.round(Number(row.amount) * unit))
  if (reason !== undefined) refused.set(reason, (refused.get(reason) ?? 0) + 1)
}

const text = (amount: number) => (amount / unit).toFixed(4)
const lines = [...accounts]
  .toSorted(([a], [b]) => a - b)
  .map(
    ([client, { available, held, locked }]) =>
      `${client},${text(available)},${text(held)},${text(available + held)},${locked}\n`
  )
process.stdout.write(`client,available,held,total,locked\n${lines.join("")}`, () => {
  const applied = rows - [...refused.values()].reduce((sum, times) => sum + times, 0)
  const seconds = (performance.now() - started) / 1000
  const peakBytes = process.resourceUsage().maxRSS * 1024
  process.stderr.write(`${JSON.stringify({ rows, applied, seconds, peakBytes })}\n`)
})
