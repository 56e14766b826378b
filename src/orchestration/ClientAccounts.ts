/**
 * Clients' accounts for a service: each command is answered when what it
 * recorded is durable, or when it is certain that it records nothing.
 *
 *     command -> mailbox of its client -> actor -> LedgerWriter -> journal
 *
 * - Commands of one client are taken in their order by that client's one actor,
 *   which has its mailbox's content decided before it takes more. A client with
 *   much to do fills its own mailbox and keeps nobody else waiting for more than
 *   one turn.
 * - A full mailbox makes its callers wait for room, and refuses with
 *   `Overloaded` when there is none in time. Whoever is refused, or is
 *   interrupted before the command was taken, knows that nothing was recorded.
 * - An actor that nobody needs any more ends after a while. It holds nothing:
 *   accounts are in the books, so that the next command begins a new one.
 * - What the rules refuse is an answer. An error means that nobody could decide,
 *   and says whether the command may have been recorded.
 *
 * Actors are an `RcMap` of bounded queues. The entities of effect/cluster do the
 * same across processes, for the price of a message between runners; here the
 * journal is the one place where processes meet, its append is conditional, and
 * more than one process may serve a ledger. So there is nothing to shard, and a
 * command costs a queue and a turn.
 *
 * A start reads the newest snapshot and the journal behind it; while commands are
 * answered, the next one is written (`ReplicaKeeping`).
 */
import { Context, Deferred, Duration, Effect, Exit, Layer, Option, Queue, RcMap } from "effect"
import type { SecureRandom } from "effect/crypto"
import type { LedgerBooks } from "../adapters/LedgerBooks.ts"
import type { LedgerJournalError } from "../adapters/LedgerJournal.ts"
import { LedgerJournal } from "../adapters/LedgerJournal.ts"
import type { LedgerSnapshots } from "../adapters/LedgerSnapshots.ts"
import type { IdempotencyKey } from "../domain/Idempotency.ts"
import type { Account } from "../domain/ledger/Ledger.ts"
import type { LedgerAmount } from "../domain/ledger/LedgerAmount.ts"
import * as LedgerPolicy from "../domain/ledger/LedgerPolicy.ts"
import type { ClientId, Transaction, TxId } from "../domain/ledger/Transaction.ts"
import type { ClientAccountsError } from "./ClientAccountsError.ts"
import * as Errors from "./ClientAccountsError.ts"
import type { History, Page } from "./ClientHistory.ts"
import * as ClientHistory from "./ClientHistory.ts"
import type { Answer } from "./LedgerDraft.ts"
import type { LedgerReplica } from "./LedgerReplica.ts"
import type { Order } from "./LedgerWriter.ts"
import * as LedgerWriter from "./LedgerWriter.ts"

// --- Service ----------------------------------------------------------------

export interface Posting {
  readonly client: ClientId
  /** Its own: a repeat of the same is answered as the first, another under it is `DuplicateTx`. */
  readonly tx: TxId
  readonly amount: LedgerAmount
  readonly key?: IdempotencyKey | undefined
}

/** About a transaction before. Without a key a repeat is one more, and the rules say what becomes of it. */
export interface Claim {
  readonly client: ClientId
  readonly tx: TxId
  readonly key?: IdempotencyKey | undefined
}

export interface ClientAccount {
  readonly client: ClientId
  readonly account: Account
}

export interface AccountPage {
  /** By client, ascending. */
  readonly accounts: ReadonlyArray<ClientAccount>
  readonly isMore: boolean
}

type Answering<A> = Effect.Effect<A, ClientAccountsError>

export class ClientAccounts extends Context.Service<
  ClientAccounts,
  {
    readonly deposit: (posting: Posting) => Answering<Answer>
    readonly withdraw: (posting: Posting) => Answering<Answer>
    readonly dispute: (claim: Claim) => Answering<Answer>
    readonly resolve: (claim: Claim) => Answering<Answer>
    readonly chargeback: (claim: Claim) => Answering<Answer>
    /** What is asked as a value; the five above are made of it. */
    readonly submit: (transaction: Transaction, key?: IdempotencyKey) => Answering<Answer>
    /** Of a client that has no account: none. */
    readonly balance: (client: ClientId) => Answering<Option.Option<Account>>
    readonly history: (client: ClientId, page: Page) => Answering<Option.Option<History>>
    /** The accounts after a client, or from the first on. */
    readonly accounts: (page: {
      readonly after?: ClientId | undefined
      readonly limit: number
    }) => Answering<AccountPage>
    /** How many clients have an actor now. */
    readonly actors: Effect.Effect<number>
  }
>()("florin/orchestration/ClientAccounts") {}

// --- Settings ---------------------------------------------------------------

export interface Settings extends LedgerWriter.Settings {
  /** How many commands wait for one client at most. */
  readonly mailbox: number
  /** How long a caller waits for room in a full mailbox. */
  readonly patienceMillis: number
  /** How many commands and readings wait in all. */
  readonly maxWaiting: number
  /** How long an actor that nobody asks stays. */
  readonly idleMillis: number
  /** How long the end of the service waits for what is on its way. */
  readonly drainMillis: number
}

export const defaults: Settings = {
  policy: LedgerPolicy.standard,
  // As many as the journals' blocks hold at best; one takes some milliseconds to decide.
  maxGroup: 8192,
  appendMillis: 10_000,
  // Half a second of a store that fails over; longer is the caller's to wait.
  settling: { maxAttempts: 5, baseMillis: 50, factor: 2, capMillis: 1000 },
  // Four turns of an actor: at a few milliseconds an append, the last of them waits for less than a blink.
  mailbox: 256,
  // A burst is over by then; whoever still finds no room had better come later.
  patienceMillis: 100,
  // Some seconds of work for one process: who comes behind that would be answered later than callers wait.
  maxWaiting: 65_536,
  idleMillis: 60_000,
  drainMillis: 10_000
}

/** How many commands an actor has decided at a time. */
const maxTurn = 64

// --- Layer ------------------------------------------------------------------

export const layer = (
  settings: Partial<Settings> = {}
): Layer.Layer<
  ClientAccounts,
  LedgerJournalError,
  LedgerBooks | LedgerJournal | LedgerSnapshots | SecureRandom.SecureRandom
> => Layer.effect(ClientAccounts, make({ ...defaults, ...settings }))

const make = Effect.fnUntraced(function* (settings: Settings) {
  const journal = yield* LedgerJournal
  const writer = yield* LedgerWriter.make(settings)
  const { replica } = writer

  const mailboxes = yield* RcMap.make({
    lookup: (_client: ClientId) =>
      Effect.gen(function* () {
        const mailbox = yield* Queue.bounded<Order & Awaited>(settings.mailbox)
        yield* Effect.forkScoped(act(mailbox, writer))
        return mailbox
      }),
    idleTimeToLive: Duration.millis(settings.idleMillis)
  })

  // Registered last, so it comes first: everybody who waits is answered while there is somebody to answer.
  let waiting = 0
  let isClosed = false
  const drained = Deferred.makeUnsafe<void>()
  yield* Effect.addFinalizer(() => {
    isClosed = true
    const isIdle = waiting === 0
    return isIdle
      ? Effect.void
      : Effect.asVoid(Effect.timeoutOption(Deferred.await(drained), Duration.millis(settings.drainMillis)))
  })

  /** Within the bound of all that wait. */
  const admitted = <A>(effect: Effect.Effect<A, ClientAccountsError>): Answering<A> =>
    Effect.suspend(() => {
      if (isClosed) return Effect.fail(Errors.unavailable(false, new Error("the accounts have been closed")))
      if (waiting >= settings.maxWaiting) return Effect.fail(Errors.overloaded())
      waiting += 1
      return Effect.ensuring(
        effect,
        Effect.sync(() => {
          waiting -= 1
          if (isClosed && waiting === 0) Deferred.doneUnsafe(drained, Exit.void)
        })
      )
    })

  const submit = (transaction: Transaction, key?: IdempotencyKey): Answering<Answer> =>
    admitted(
      Effect.scoped(
        Effect.gen(function* () {
          const mailbox = yield* RcMap.get(mailboxes, transaction.client)
          const order = orderOf({ transaction, key })
          const leave = Effect.sync(() => void (order.isLeft ||= !order.isTaken))
          return yield* Effect.gen(function* () {
            if (!Queue.offerUnsafe(mailbox, order)) {
              const isIn = yield* Effect.timeoutOption(
                Queue.offer(mailbox, order),
                Duration.millis(settings.patienceMillis)
              )
              // It may have got in at the last moment, and have been taken: then there is an answer to wait for.
              if (Option.isNone(isIn)) yield* leave
              if (order.isLeft) return yield* Errors.overloaded(transaction.client)
            }
            return yield* Deferred.await(order.answer)
          }).pipe(Effect.onInterrupt(() => leave))
        })
      )
    )

  const read = <A>(look: (replica: LedgerReplica) => A): Answering<A> =>
    admitted(
      Effect.suspend(() => {
        const confirmed = Deferred.makeUnsafe<void, ClientAccountsError>()
        writer.submit({ _tag: "Reading", done: (exit) => Deferred.doneUnsafe(confirmed, exit) })
        return Effect.map(Deferred.await(confirmed), () => look(replica))
      })
    )

  return ClientAccounts.of({
    submit,
    deposit: ({ key, ...posting }) => submit({ _tag: "Deposit", ...posting }, key),
    withdraw: ({ key, ...posting }) => submit({ _tag: "Withdrawal", ...posting }, key),
    dispute: ({ key, ...claim }) => submit({ _tag: "Dispute", ...claim }, key),
    resolve: ({ key, ...claim }) => submit({ _tag: "Resolve", ...claim }, key),
    chargeback: ({ key, ...claim }) => submit({ _tag: "Chargeback", ...claim }, key),
    balance: (client) => read(({ books }) => Option.fromUndefinedOr(books.account(client))),
    history: (client, page) =>
      Effect.flatMap(
        read(({ span }) => Option.fromUndefinedOr(span(client))),
        Option.match({
          onNone: () => Effect.succeedNone,
          onSome: (span) =>
            ClientHistory.read(client, span, page).pipe(
              Effect.provideService(LedgerJournal, journal),
              Effect.mapError((error) => Errors.ofJournal(error, false)),
              Effect.asSome
            )
        })
      ),
    actors: Effect.map(RcMap.keys(mailboxes), (clients) => [...clients].length),
    accounts: ({ after = -1, limit }) =>
      read(({ books }) => {
        const accounts: Array<ClientAccount> = []
        for (const [client, account] of books.accounts()) {
          if (client <= after) continue
          if (accounts.length === limit) return { accounts, isMore: true }
          accounts.push({ client, account })
        }
        return { accounts, isMore: false }
      })
  })
})

// --- Actors -----------------------------------------------------------------

interface Awaited {
  readonly answer: Deferred.Deferred<Answer, ClientAccountsError>
}

const orderOf = (command: Order["command"]): Order & Awaited => {
  const answer = Deferred.makeUnsafe<Answer, ClientAccountsError>()
  const done: Order["done"] = (exit) => void Deferred.doneUnsafe(answer, exit)
  return { _tag: "Order", command, answer, done, isTaken: false, isLeft: false }
}

/** Takes what waits, has it decided in its order, and then takes more. */
const act = (mailbox: Queue.Queue<Order & Awaited>, writer: LedgerWriter.LedgerWriter): Effect.Effect<never> =>
  Effect.forever(
    Effect.flatMap(Queue.takeBetween(mailbox, 1, maxTurn), (taken) => {
      const orders = taken.filter(({ isLeft }) => !isLeft)
      for (const order of orders) writer.submit(order)
      return Effect.forEach(orders, ({ answer }) => Effect.exit(Deferred.await(answer)), { discard: true })
    })
  )
