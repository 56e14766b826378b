/** Accounts as CSV: `client,available,held,total,locked`, by client, with four decimals. In parts of some 64 KiB. */
import * as Ledger from "../../domain/ledger/Ledger.ts"
import * as LedgerAmount from "../../domain/ledger/LedgerAmount.ts"

export const header = "client,available,held,total,locked\n"

/** A thousand rows have some 50 bytes each. */
const rowsAtATime = 1024

export function* parts(accounts: Iterable<readonly [number, Ledger.Account]>): Generator<Uint8Array> {
  let text = header
  let rows = 0
  for (const [client, account] of accounts) {
    text += row(client, account)
    rows += 1
    if (rows % rowsAtATime !== 0) continue
    yield Buffer.from(text)
    text = ""
  }
  yield Buffer.from(text)
}

const none = LedgerAmount.format(0n)

const row = (client: number, account: Ledger.Account): string => {
  const available = LedgerAmount.format(account.available)
  // Most accounts hold nothing, and then their total is what is available.
  const isFree = account.held === 0n
  const held = isFree ? none : LedgerAmount.format(account.held)
  const total = isFree ? available : LedgerAmount.format(Ledger.total(account))
  return `${client},${available},${held},${total},${account.locked}\n`
}
