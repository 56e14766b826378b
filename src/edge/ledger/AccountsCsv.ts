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

const row = (client: number, account: Ledger.Account): string => {
  const available = LedgerAmount.format(account.available)
  const held = LedgerAmount.format(account.held)
  return `${client},${available},${held},${LedgerAmount.format(Ledger.total(account))},${account.locked}\n`
}
