/**
 * florin inside a Node program, without Effect: promises, classes of errors,
 * async iteration.
 *
 *     const florin = await Florin.start({ database: { url }, gateways: [gateway] })
 *     const payment = await florin.payments.create({ idempotencyKey, amount: 1099, currency: "EUR", paymentMethods: [token] })
 *     await florin.stop()
 *
 * It is the HTTP API without a network: the same contract checks what comes in,
 * and the same problems say what was refused, as classes. `handle` is the whole
 * API as one function of the web, for a server of your own.
 */
import { Context, Effect, Exit, Formatter, Layer, ManagedRuntime, Option, Redacted, Result, Schema } from "effect"
import { HttpServerResponse } from "effect/http"
import { IpNetwork } from "effect/net"
import { setTimeout } from "node:timers/promises"
import type { Envelope } from "../../adapters/EventBus.ts"
import { EventBus } from "../../adapters/EventBus.ts"
import { HandlerName, handlerNames } from "../../adapters/LedgerSubscriptions.ts"
import type { GatewayWebhook } from "../../adapters/GatewayWebhooks.ts"
import type { PaymentGateway } from "../../adapters/PaymentGateway.ts"
import { Capabilities, GatewayName } from "../../domain/payment/Gateway.ts"
import { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import type { Rule, UnavailablePolicy } from "../../domain/Risk.ts"
import type { TargetPolicy } from "../../domain/webhook/WebhookTarget.ts"
import * as MemorySandboxBooks from "../../infra/simulated/MemorySandboxBooks.ts"
import type { SandboxBooks } from "../../infra/simulated/SandboxBooks.ts"
import * as SqlSandboxBooks from "../../infra/simulated/SqlSandboxBooks.ts"
import type { Handler, Recorded } from "../../orchestration/LedgerHandlers.ts"
import * as RedactingLogger from "../../infra/telemetry/RedactingLogger.ts"
import * as AccountCore from "../AccountCore.ts"
import * as Complaint from "../cli/Complaint.ts"
import * as Database from "../Database.ts"
import * as HttpService from "../http/HttpService.ts"
import { Merchant } from "../http/Merchant.ts"
import * as Problem from "../http/Problem.ts"
import * as ProblemResponse from "../http/ProblemResponse.ts"
import * as PaymentCore from "../PaymentCore.ts"
import * as SagaCore from "../SagaCore.ts"
import * as Sandbox from "../Sandbox.ts"
import * as Service from "../Service.ts"
import * as ShopCore from "../ShopCore.ts"
import * as Stores from "../Stores.ts"
import * as WebhookCore from "../WebhookCore.ts"
import * as EventReaders from "./EventReaders.ts"
import * as PromiseShop from "./PromiseShop.ts"
import * as PromisedAccounts from "./PromisedAccounts.ts"
import * as PromisedInventory from "./PromisedInventory.ts"
import * as PromisedPayments from "./PromisedPayments.ts"
import * as PromisedSagas from "./PromisedSagas.ts"
import * as PromisedSubscriptions from "./PromisedSubscriptions.ts"

export { AccountNotFound, LedgerStopped, Overloaded, TransactionRefused } from "./PromisedAccounts.ts"
export type {
  Account,
  AccountClaim,
  AccountHistory,
  AccountPageQuery,
  AccountPosting,
  AccountTransaction,
  PromisedAccounts
} from "./PromisedAccounts.ts"
export { StockRefused, StockStopped } from "./PromisedInventory.ts"
export { QuestionNotFound, SagaNotOffered, SagaRunNotFound, SagaRunRefused } from "./PromisedSagas.ts"
export { SubscriptionNotFound, SubscriptionRefused, SubscriptionStopped } from "./PromisedSubscriptions.ts"
export type { PromisedInventory, StockLevel } from "./PromisedInventory.ts"
export * from "./PromisedPayments.ts"
export type { PromisedCheckouts, PromisedSagas, SagaRun } from "./PromisedSagas.ts"
export type { PromisedShop } from "./PromiseShop.ts"
export type { PromisedSubscriptions, Subscription } from "./PromisedSubscriptions.ts"
export type { Reading } from "./EventReaders.ts"
export { make as gateway, reference } from "./PromiseGateway.ts"

// --- Options ----------------------------------------------------------------

export interface Options extends Partial<Omit<PaymentCore.Options, "screening">> {
  /** Where payments are kept: a PostgreSQL server, the directory of an embedded one, or, for tests, this process. */
  readonly database: { readonly url: string } | { readonly dataDir: string } | "memory"
  /** At least one, each with a name of its own; or the sandbox, which charges nobody. */
  readonly gateways: ReadonlyArray<PaymentGateway> | "sandbox"
  /** How those gateways' webhooks are verified and read, for those that send some to `/v1/webhooks/{gateway}`. */
  readonly webhooks?: ReadonlyArray<GatewayWebhook>
  /** Where webhooks to merchants may be sent besides the public internet, such as `127.0.0.0/8`, and whether without TLS. */
  readonly webhookTargets?: { readonly networks?: ReadonlyArray<string>; readonly plainHttp?: boolean }
  /** Whose payments these are; `default` unless told otherwise. */
  readonly merchant?: string
  /** Rules that look at a payment before it is authorized, and what their silence means. */
  readonly screening?: { readonly rules: ReadonlyArray<Rule>; readonly whenUnavailable: UnavailablePolicy }
  /** Locks on this Redis, `redis://` or `rediss://`; without it they are in the database. */
  readonly redisUrl?: string
  /**
   * Hear every event at least once, in the order of its payment, by names that
   * stay the same. A rejection is a failure: the event comes again, for some
   * twenty minutes, and goes to the dead letters then.
   */
  readonly subscribers?: Readonly<Record<string, (event: Envelope) => unknown>>
  /**
   * Hear every event of clients' accounts at least once, in its order, by names that stay the same, from the first
   * that there ever was. A rejection is a failure, as of a subscriber.
   */
  readonly accountSubscribers?: Readonly<Record<string, (event: Recorded) => unknown>>
  /** What sagas ask of the shop around them: shipments, books, notices; how often the workers look. */
  readonly shop?: PromiseShop.PromisedShop
  /** Takes log entries, free of secrets; without it they go to standard error as JSON. */
  readonly log?: (entry: unknown) => void
}

/** florin could not start: what was wrong, in one line. */
export class StartError extends Schema.TaggedError<StartError>()("StartError", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

export interface Florin {
  readonly payments: PromisedPayments.PromisedPayments
  /** Clients' accounts: deposits, withdrawals, disputes and what became of them. */
  readonly accounts: PromisedAccounts.PromisedAccounts
  /** Orders in several steps: stock, payment and shipment, all of it or none; and every run of a saga. */
  readonly checkouts: PromisedSagas.PromisedCheckouts
  readonly sagas: PromisedSagas.PromisedSagas
  readonly subscriptions: PromisedSubscriptions.PromisedSubscriptions
  readonly inventory: PromisedInventory.PromisedInventory
  /** Events as they are recorded, each once and in the order of its payment. It ends when florin stops. */
  readonly events: EventReaders.EventReaders["read"]
  /** The HTTP API, `/v1/payments` and all the rest, for a server of your own. */
  readonly handle: (request: Request) => Promise<Response>
  /** Waits for what is on its way, at most `drainMillis`. What it leaves unfinished, the next start recovers. */
  readonly stop: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

// --- Start ------------------------------------------------------------------

/** Rejects with `StartError`. */
export const start = async (options: Options): Promise<Florin> => {
  const runtime = ManagedRuntime.make(Layer.unwrap(Effect.map(decode(options), () => layer(options))))
  const built = await runtime.runPromiseExit(
    Effect.gen(function* () {
      return { bus: yield* EventBus, answer: yield* WebHandler, merchant: yield* Merchant }
    })
  )
  if (Exit.isFailure(built)) {
    await runtime.dispose()
    throw new StartError({ detail: Complaint.reason(built.cause) })
  }
  const { answer, bus, merchant } = built.value

  const { drainMillis = PaymentCore.defaults.drainMillis } = options
  const underway = new Set<Promise<unknown>>()
  const readers = EventReaders.make(bus, merchant)
  let ended: Promise<void> | undefined
  const handle = (request: Request): Promise<Response> => {
    if (ended !== undefined) return Effect.runPromise(refused)
    const response = answer(request)
    underway.add(response)
    return response.finally(() => underway.delete(response))
  }
  const end = async () => {
    await readers.close()
    await Promise.race([Promise.allSettled(underway), setTimeout(drainMillis, undefined, { ref: false })])
    await runtime.dispose()
  }
  const stop = () => (ended ??= end())
  return {
    payments: PromisedPayments.make(handle),
    accounts: PromisedAccounts.make(handle),
    checkouts: PromisedSagas.checkouts(handle),
    sagas: PromisedSagas.make(handle),
    subscriptions: PromisedSubscriptions.make(handle),
    inventory: PromisedInventory.make(handle),
    events: readers.read,
    handle,
    stop,
    [Symbol.asyncDispose]: stop
  }
}

/** What a request hears that comes after the end. */
const refused = Effect.map(
  ProblemResponse.of(new Problem.Unavailable({ detail: "florin has been stopped" })),
  HttpServerResponse.toWeb
)

/** Connections to the database: as `FLORIN_DATABASE_CONNECTIONS`. */
const maxConnections = 10

// --- Layers -----------------------------------------------------------------

class WebHandler extends Context.Service<WebHandler, (request: Request) => Promise<Response>>()(
  "florin/edge/embed/Florin/WebHandler"
) {}

const layer = (options: Options) => {
  const { accountSubscribers = {}, log, merchant = "default", screening, subscribers = {}, webhookTargets } = options
  const { shop = {} } = options
  const rules = screening?.rules ?? []
  const core = PaymentCore.layer({ ...PaymentCore.defaults, ...options, screening })
  return Layer.effect(WebHandler, HttpService.webHandler).pipe(
    Layer.provideMerge(Layer.succeed(Merchant, MerchantId.make(merchant))),
    Layer.provide(WebhookCore.layer(policyOf(webhookTargets))),
    Layer.provide(
      ShopCore.layer({ ...ShopCore.defaults, ...options, ...shop }).pipe(
        Layer.provide([PromiseShop.notifier(shop.notify), PromiseShop.layer(shop)])
      )
    ),
    Layer.provide(core),
    Layer.provide(AccountCore.accounts({ drainMillis: options.drainMillis ?? PaymentCore.defaults.drainMillis })),
    Layer.provide(AccountCore.handlers(merchant, hearing(accountSubscribers))),
    Layer.provide(heard(subscribers)),
    // First, so that a subscriber that refuses an event keeps it from no merchant.
    Layer.provide(WebhookCore.queueing),
    Layer.provideMerge(
      options.database === "memory"
        ? Layer.mergeAll(
            Stores.memory(rules),
            SagaCore.memory,
            AccountCore.memory,
            gatewaysOf(options, MemorySandboxBooks.layer())
          )
        : Layer.mergeAll(
            Stores.sql({
              rules,
              redisUrl: Option.map(Option.fromNullishOr(options.redisUrl), (url) => Redacted.make(url))
            }),
            SagaCore.sql({ drainMillis: options.drainMillis ?? PaymentCore.defaults.drainMillis }),
            AccountCore.sql(merchant),
            gatewaysOf(options, SqlSandboxBooks.layer)
          ).pipe(Layer.provide(databaseOf(options.database)))
    ),
    Layer.provide(log === undefined ? RedactingLogger.layer : RedactingLogger.layerTo(log))
  )
}

/** What a program without Effect hears with, as a handler of Effect's. */
const hearing = (subscribers: NonNullable<Options["accountSubscribers"]>): Record<string, Handler> =>
  Object.fromEntries(
    Object.entries(subscribers).map(([name, hear]): [string, Handler] => [
      name,
      (recorded) => Effect.tryPromise(async () => hear(recorded))
    ])
  )

/** Before the relay begins, so that no event passes a subscriber by. */
const heard = (subscribers: NonNullable<Options["subscribers"]>) =>
  Layer.effectDiscard(
    Effect.flatMap(EventBus, (bus) =>
      Effect.forEach(
        Object.entries(subscribers),
        ([name, hear]) => bus.handle(name, (event) => Effect.tryPromise(async () => hear(event))),
        { discard: true }
      )
    )
  )

const gatewaysOf = <E, R>({ gateways, webhooks = [] }: Options, books: Layer.Layer<SandboxBooks, E, R>) =>
  gateways === "sandbox"
    ? Sandbox.layer(Option.none()).pipe(Layer.provide(books))
    : Layer.merge(PaymentCore.gateways(...gateways), WebhookCore.webhooks(...webhooks))

/** What is no network was refused when florin started. */
const policyOf = ({ networks = [], plainHttp = false }: NonNullable<Options["webhookTargets"]> = {}): TargetPolicy => ({
  allowedNetworks: networks.map((network) => IpNetwork.fromStringUnsafe(network)),
  plainHttp
})

const databaseOf = (database: { readonly url: string } | { readonly dataDir: string }) => {
  const url = "url" in database ? Option.some(Redacted.make(database.url)) : Option.none()
  const dataDir = "dataDir" in database ? database.dataDir : ""
  return Database.layer({ url, dataDir, maxConnections }, Service.migrate)
}

// --- What came in -----------------------------------------------------------

/** A day: whoever means more has mistaken the unit. */
const maxMillis = 86_400_000

const millis = Schema.optional(
  Schema.Unknown.check(
    Schema.makeFilter(
      (value) =>
        (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= maxMillis) ||
        `Expected a whole number of milliseconds from 1 to ${maxMillis}, got ${Formatter.format(value)}`
    )
  )
)

const isText = (value: unknown) => typeof value === "string" && value !== ""

/** Where it is may hold a password: what came is not repeated. */
const database = Schema.Unknown.check(
  Schema.makeFilter(
    (value) =>
      value === "memory" ||
      isText(Object(value).url) ||
      isText(Object(value).dataDir) ||
      'Expected "memory", { url: "postgres://..." } or { dataDir: "..." }'
  )
)

const network = Schema.String.check(
  Schema.makeFilter(
    (text) =>
      Result.isSuccess(IpNetwork.fromString(text)) ||
      `Expected a network such as 10.0.0.0/8, got ${JSON.stringify(text)}`
  )
)

const gateway = Schema.Struct({ name: GatewayName, capabilities: Capabilities })

const isHandlerName = Schema.is(HandlerName)

/** What TypeScript cannot promise to a caller in JavaScript, and what its types do not say. */
const decode = Schema.decodeUnknownEffect(
  Schema.Struct({
    database,
    gateways: Schema.Union([
      Schema.Literal("sandbox"),
      Schema.NonEmptyArray(gateway).check(
        Schema.makeFilter((gateways) => {
          const names = gateways.map(({ name }) => name)
          return new Set(names).size === names.length || `Expected gateways of different names, got ${names.join(", ")}`
        })
      )
    ]),
    merchant: Schema.optional(MerchantId),
    accountSubscribers: Schema.optional(
      Schema.Record(Schema.String, Schema.Unknown).check(
        Schema.makeFilter((all) => {
          const wrong = Object.keys(all).find((name) => !isHandlerName(name))
          return wrong === undefined || `Expected ${handlerNames}, got ${JSON.stringify(wrong)}`
        })
      )
    ),
    webhookTargets: Schema.optional(
      Schema.Struct({ networks: Schema.optional(Schema.Array(network)), plainHttp: Schema.optional(Schema.Boolean) })
    ),
    redisUrl: Schema.optional(Schema.NonEmptyString),
    answerMillis: millis,
    drainMillis: millis,
    leaseMillis: millis,
    recoveryMillis: millis,
    gatewayMillis: millis,
    shop: Schema.optional(
      Schema.Struct({
        fraud: Schema.optional(
          Schema.Struct({ points: Schema.Record(Schema.String, Schema.Finite), threshold: Schema.Finite })
        ),
        cardPage: Schema.optional(Schema.instanceOf(URL, { expected: "a URL" })),
        sagaMillis: millis,
        billingMillis: millis,
        inventoryMillis: millis
      })
    )
  }),
  { errors: "all" }
)
