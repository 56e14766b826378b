/** Clients' accounts by promises, over the HTTP API as a function. */
import type { IdempotencyKey } from "../../domain/Idempotency.ts"
import * as AccountJson from "../http/AccountJson.ts"
import type { Handle } from "./Asked.ts"
import { asked, queryOf } from "./Asked.ts"

/** Amounts are decimal text with four decimals. */
export type Account = AccountJson.Account
/** A transaction as it was applied. */
export type AccountTransaction = AccountJson.Transaction
export type AccountHistory = typeof AccountJson.Transactions.Type

type Key = IdempotencyKey | (string & {})

/** A repeat of the same `tx` is answered as the first and moves nothing; another one under that id is refused. */
export interface AccountPosting {
  /** 0 to 4294967295. */
  readonly client: number
  readonly tx: number
  /** `"10.99"`: at most four decimals. */
  readonly amount: string
  readonly idempotencyKey?: Key
}

/** About a deposit before, by its `tx`; a repeat is known by its key. */
export interface AccountClaim {
  readonly client: number
  readonly tx: number
  readonly idempotencyKey: Key
}

export interface AccountPageQuery {
  /** 1 to 100; 25 when it is not said. */
  readonly limit?: number
  /** The `nextCursor` of the page before. */
  readonly cursor?: string
}

/**
 * Each comes back when what it did is durable, and rejects with one of the
 * problems: `InvalidRequest`, `TransactionRefused` with its `reason`,
 * `KeyReused`, `AccountNotFound`, `Overloaded`, `LedgerStopped`, `Unavailable`,
 * `InternalError`. After `Unavailable` the same command, sent again, is done
 * once.
 */
export interface PromisedAccounts {
  readonly deposit: (posting: AccountPosting) => Promise<AccountTransaction>
  readonly withdraw: (posting: AccountPosting) => Promise<AccountTransaction>
  readonly dispute: (claim: AccountClaim) => Promise<AccountTransaction>
  readonly resolve: (claim: AccountClaim) => Promise<AccountTransaction>
  readonly chargeback: (claim: AccountClaim) => Promise<AccountTransaction>
  readonly get: (client: number) => Promise<Account>
  /** All that was applied, the first one first. */
  readonly transactions: (client: number, page?: AccountPageQuery) => Promise<AccountHistory>
  /** By client. */
  readonly list: (page?: AccountPageQuery) => Promise<typeof AccountJson.Accounts.Type>
}

export { AccountNotFound, LedgerStopped, Overloaded, TransactionRefused } from "../http/Problem.ts"

export const make = (handle: Handle): PromisedAccounts => {
  const apply =
    (type: AccountTransaction["type"]) =>
    ({ client, ...rest }: AccountPosting | AccountClaim) =>
      asked(handle, AccountJson.Transaction, `${at(client)}/transactions`, { type, ...rest })
  return {
    deposit: apply("deposit"),
    withdraw: apply("withdrawal"),
    dispute: apply("dispute"),
    resolve: apply("resolve"),
    chargeback: apply("chargeback"),
    get: (client) => asked(handle, AccountJson.Account, at(client)),
    transactions: (client, page = {}) =>
      asked(handle, AccountJson.Transactions, `${at(client)}/transactions${queryOf(page)}`),
    list: (page = {}) => asked(handle, AccountJson.Accounts, `/v1/accounts${queryOf(page)}`)
  }
}

const at = (client: number) => `/v1/accounts/${encodeURIComponent(client)}`
