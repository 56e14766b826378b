/** `/v1/accounts` over `ClientAccounts`: the accounts of this service's merchant, whose ledger is another's to nobody. */
import { Effect, Option } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { ClientAccounts } from "../../orchestration/ClientAccounts.ts"
import * as AccountJson from "./AccountJson.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import * as Problem from "./Problem.ts"
import { refuse } from "./Refusal.ts"

export const accounts = HttpApiBuilder.group(
  PaymentsApi,
  "accounts",
  Effect.fn(function* (handlers) {
    const accounts = yield* ClientAccounts

    return handlers.handleAll({
      list: ({ query }) =>
        accounts.accounts(AccountJson.toPlace(query)).pipe(
          Effect.map((page) => ({
            accounts: page.accounts.map(AccountJson.fromAccount),
            ...AccountJson.next(page.accounts, page.isMore, ({ client }) => client)
          })),
          Effect.catch(refuse)
        ),

      get: ({ params: { client } }) =>
        accounts.balance(client).pipe(
          found,
          Effect.map((account) => AccountJson.fromAccount({ client, account })),
          Effect.catch(refuse)
        ),

      transactions: ({ params: { client }, query }) =>
        accounts.history(client, AccountJson.toPage(query)).pipe(
          found,
          Effect.map(({ events, isMore }) => ({
            transactions: events.map(AccountJson.fromHappening),
            ...AccountJson.next(events, isMore, ({ sequence }) => sequence)
          })),
          Effect.catch(refuse)
        ),

      transact: ({ headers, params: { client }, payload }) =>
        Effect.gen(function* () {
          const key = headers["idempotency-key"]
          if (key === undefined && AccountJson.needsKey(payload)) return yield* withoutKey(payload)
          const answer = yield* accounts.submit(AccountJson.toTransaction(client, payload), key)
          if (answer._tag === "Refused") {
            return yield* new Problem.TransactionRefused({ reason: answer.refusal, detail: said[answer.refusal] })
          }
          const response = HttpServerResponse.jsonUnsafe(AccountJson.fromRecorded(answer.event), { status: 201 })
          return answer.replayed ? HttpServerResponse.setHeader(response, "idempotent-replayed", "true") : response
        }).pipe(Effect.catch(refuse))
    })
  })
)

const found = <A, E, R>(effect: Effect.Effect<Option.Option<A>, E, R>) =>
  Effect.flatMap(
    effect,
    Option.match({ onNone: () => Effect.fail(new Problem.AccountNotFound()), onSome: (one: A) => Effect.succeed(one) })
  )

const withoutKey = ({ type }: AccountJson.NewTransaction) =>
  new Problem.InvalidRequest({
    errors: [
      {
        path: ["headers", "idempotency-key"],
        message: `Expected an idempotency key: without one, a ${type} that is sent twice cannot be told from two`
      }
    ]
  })

/** What each refusal means, for a person. */
const said: Record<Problem.TransactionRefused["reason"], string> = {
  DuplicateTx: "another deposit or withdrawal has this id",
  InsufficientFunds: "less than this is available",
  AccountFrozen: "the account was frozen by a chargeback",
  AmountOutOfRange: "a balance would leave the range of amounts",
  UnknownTx: "there is no transaction of this id",
  ClientMismatch: "the transaction is another client's",
  NotDisputable: "this kind of transaction cannot be disputed",
  AlreadyDisputed: "the transaction is disputed already, or was before",
  ChargedBack: "the transaction was charged back",
  NotDisputed: "no dispute of this transaction is open"
}
