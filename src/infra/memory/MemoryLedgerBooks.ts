/** `LedgerBooks` as the specification keeps them: `LedgerBook`'s two maps. */
import { Effect, Layer } from "effect"
import type { Books } from "../../adapters/LedgerBooks.ts"
import { LedgerBooks } from "../../adapters/LedgerBooks.ts"
import * as LedgerBook from "../../domain/ledger/LedgerBook.ts"
import type { LedgerPolicy } from "../../domain/ledger/LedgerPolicy.ts"
import { ClientId } from "../../domain/ledger/Transaction.ts"

export const open = (policy: LedgerPolicy): Books => {
  const book = LedgerBook.make(policy)
  return {
    apply: (transaction) => LedgerBook.apply(book, transaction),
    replay: (event) => LedgerBook.replay(book, event),
    account: (client) => book.accounts.get(client),
    entry: (tx) => book.entries.get(tx),
    accounts: () =>
      [...book.accounts]
        .toSorted(([left], [right]) => left - right)
        .map(([client, account]) => [ClientId.make(client), account] as const)
  }
}

export const layer: Layer.Layer<LedgerBooks> = Layer.succeed(
  LedgerBooks,
  LedgerBooks.of({ open: (policy) => Effect.sync(() => open(policy)) })
)
