/** `LedgerBooks` as the specification keeps them: `LedgerBook`'s two maps, put away as JSON. */
import { Effect, Layer, Schema } from "effect"
import type { KeptBooks } from "../../adapters/LedgerBooks.ts"
import { LedgerBooks, SnapshotUnreadable } from "../../adapters/LedgerBooks.ts"
import * as LedgerBook from "../../domain/ledger/LedgerBook.ts"
import type { LedgerPolicy } from "../../domain/ledger/LedgerPolicy.ts"
import { ClientId } from "../../domain/ledger/Transaction.ts"

export const open = (policy: LedgerPolicy): KeptBooks => kept(LedgerBook.make(policy))

const kept = (book: LedgerBook.LedgerBook): KeptBooks => ({
  apply: (transaction) => LedgerBook.apply(book, transaction),
  replay: (event) => LedgerBook.replay(book, event),
  account: (client) => book.accounts.get(client),
  entry: (tx) => book.entries.get(tx),
  accounts: () =>
    [...book.accounts]
      .toSorted(([left], [right]) => left - right)
      .map(([client, account]) => [ClientId.make(client), account] as const),
  bytes: () => [new TextEncoder().encode(encode({ accounts: [...book.accounts], entries: [...book.entries] }))]
})

const amount = Schema.BigIntFromString

const Stored = Schema.fromJsonString(
  Schema.Struct({
    accounts: Schema.Array(
      Schema.Tuple([Schema.Int, Schema.Struct({ available: amount, held: amount, locked: Schema.Boolean })])
    ),
    entries: Schema.Array(
      Schema.Tuple([
        Schema.Int,
        Schema.Struct({
          kind: Schema.Literals(["deposit", "withdrawal"]),
          client: Schema.Int,
          amount,
          dispute: Schema.Literals(["none", "open", "resolved", "chargedBack"])
        })
      ])
    )
  })
)
const encode = Schema.encodeSync(Stored)
const decode = Schema.decodeUnknownOption(Stored)

const restore = (policy: LedgerPolicy) => {
  const decoder = new TextDecoder()
  let text = ""
  return {
    take: (bytes: Uint8Array) => void (text += decoder.decode(bytes, { stream: true })),
    end: () => {
      const stored = decode(text + decoder.decode())
      if (stored._tag === "None") throw new SnapshotUnreadable({ detail: "these are no books" })
      const { accounts, entries } = stored.value
      return kept({ policy, accounts: new Map(accounts), entries: new Map(entries) })
    }
  }
}

export const layer: Layer.Layer<LedgerBooks> = Layer.succeed(
  LedgerBooks,
  LedgerBooks.of({ open: (policy) => Effect.sync(() => open(policy)), restore })
)
