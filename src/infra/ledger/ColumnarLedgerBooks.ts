/** `LedgerBooks` over typed arrays, for wide clients: `ColumnarBooks`, put away as `BooksSnapshot` says. */
import { Effect, Layer } from "effect"
import type { KeptBooks } from "../../adapters/LedgerBooks.ts"
import { LedgerBooks } from "../../adapters/LedgerBooks.ts"
import * as BooksSnapshot from "./BooksSnapshot.ts"
import { ColumnarBooks } from "./ColumnarBooks.ts"

/** `seed` gives the tables' hashes a number that nobody who names transactions can know: 32 bits, signed. */
export const layer = (seed: Effect.Effect<number>): Layer.Layer<LedgerBooks> =>
  Layer.succeed(
    LedgerBooks,
    LedgerBooks.of({
      open: (policy) => Effect.map(seed, (seed) => kept(new ColumnarBooks({ policy, wideClients: true, seed }))),
      restore: (policy) => {
        const restoration = new BooksSnapshot.Restoration(policy, { wideClients: true })
        return { take: (bytes) => restoration.take(bytes), end: () => kept(restoration.end()) }
      }
    })
  )

const kept = (books: ColumnarBooks): KeptBooks => ({
  apply: (transaction) => books.apply(transaction),
  replay: (event) => books.replay(event),
  account: (client) => books.account(client),
  entry: (tx) => books.entry(tx),
  accounts: () => books.accounts(),
  bytes: () => [...BooksSnapshot.parts(books)]
})
