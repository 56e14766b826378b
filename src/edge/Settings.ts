/**
 * What florin can be told from outside: one table, by which each setting has an
 * environment variable and a flag of the command line. A flag wins.
 *
 * Whoever evaluates one of the configs below gets it checked: an error names
 * the variable, what was expected, and what came unless it may be a secret. The
 * table in the README is this one.
 */
import * as Config from "effect/Config"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as IpNetwork from "effect/net/IpNetwork"
import { MerchantId } from "../domain/payment/PaymentEvent.ts"
import * as Risk from "../domain/Risk.ts"
import * as RedisUrl from "../infra/redis/RedisUrl.ts"
import { Secret } from "../domain/webhook/StandardWebhooks.ts"
import * as StandardWebhooks from "../domain/webhook/StandardWebhooks.ts"
import type { TargetPolicy } from "../domain/webhook/WebhookTarget.ts"
import * as DatabaseUrl from "../infra/sql/DatabaseUrl.ts"
import * as GatewaySettings from "./GatewaySettings.ts"
import * as ShopSettings from "./ShopSettings.ts"
import type { Setting } from "./Setting.ts"
import { partsOf, setting, text } from "./Setting.ts"

// --- The table --------------------------------------------------------------

export type { Setting } from "./Setting.ts"

/** How long things wait, in milliseconds, and how many connections, where nothing else is said. */
const defaults = {
  port: 8080,
  sandboxPort: 8090,
  // Twice the cores that a small server has, and room for the listener.
  connections: 10,
  // Longer than nearly every gateway takes, and shorter than clients wait.
  answerMillis: 10_000,
  drainMillis: 10_000,
  // Three renewals may fail, and a garbage collector or a disk may pause.
  leaseMillis: 15_000,
  // A customer whose service was killed waits no longer than this and a lease.
  recoveryMillis: 2000,
  // Gateways give up on card issuers at about this.
  gatewayMillis: 30_000
}

export const table = {
  databaseUrl: setting(
    "DATABASE_URL",
    "database-url",
    "url",
    "the embedded database",
    "a PostgreSQL server, over TLS where the URL says `sslmode`",
    true
  ),
  dataDir: setting("FLORIN_DATA_DIR", "data-dir", "directory", ".florin", "where the embedded database is kept"),
  databaseConnections: setting(
    "FLORIN_DATABASE_CONNECTIONS",
    "database-connections",
    "number",
    defaults.connections,
    "the most connections at once"
  ),
  host: setting("FLORIN_HOST", "host", "address", "127.0.0.1", "the address to listen on"),
  port: setting(
    "PORT",
    "port",
    "number",
    `${defaults.port}; the sandbox ${defaults.sandboxPort}`,
    "the port; 0 for any that is free"
  ),
  merchant: setting("FLORIN_MERCHANT", "merchant", "id", "default", "whose payments these are"),
  answerMillis: setting(
    "FLORIN_ANSWER_MILLIS",
    "answer-millis",
    "number",
    defaults.answerMillis,
    "how long a request waits for its payment to rest"
  ),
  drainMillis: setting(
    "FLORIN_DRAIN_MILLIS",
    "drain-millis",
    "number",
    defaults.drainMillis,
    "how long the end of the service waits for what is on its way"
  ),
  leaseMillis: setting(
    "FLORIN_LEASE_MILLIS",
    "lease-millis",
    "number",
    defaults.leaseMillis,
    "how long a worker may be silent before another takes over"
  ),
  recoveryMillis: setting(
    "FLORIN_RECOVERY_MILLIS",
    "recovery-millis",
    "number",
    defaults.recoveryMillis,
    "how often payments without a worker are looked for"
  ),
  snapshotEvery: setting(
    "FLORIN_SNAPSHOT_EVERY",
    "snapshot-every",
    "number",
    "250000, and the more the larger a snapshot is",
    "events between two snapshots of clients' accounts, which a start begins with"
  ),
  gatewayMillis: setting(
    "FLORIN_GATEWAY_MILLIS",
    "gateway-millis",
    "number",
    defaults.gatewayMillis,
    "how long a gateway may take to answer"
  ),
  sandboxUrl: setting("FLORIN_SANDBOX_URL", "sandbox-url", "url", "in process", "a sandbox that runs elsewhere"),
  sandboxWebhookSecrets: setting(
    "FLORIN_SANDBOX_WEBHOOK_SECRETS",
    "sandbox-webhook-secrets",
    "secrets",
    "none",
    "secrets of the sandbox's webhooks, `whsec_` and base64, between commas; without one they are refused",
    true
  ),
  webhookNetworks: setting(
    "FLORIN_WEBHOOK_NETWORKS",
    "webhook-networks",
    "networks",
    "none",
    "networks that webhooks may be sent to besides the public internet, such as `127.0.0.0/8` in tests"
  ),
  webhookSchemes: setting(
    "FLORIN_WEBHOOK_SCHEMES",
    "webhook-schemes",
    "words",
    "https",
    "how webhooks are sent: `https`, or `https,http` for development"
  ),
  riskRules: setting(
    "FLORIN_RISK_RULES",
    "risk-rules",
    "json",
    "no screening",
    "rules as JSON: amount, velocity, blocked methods"
  ),
  riskUnavailable: setting(
    "FLORIN_RISK_UNAVAILABLE",
    "risk-unavailable",
    "word",
    "none",
    "`failClosed` or `failOpen`; must be said when there are rules"
  ),
  trustedProxies: setting(
    "FLORIN_TRUSTED_PROXIES",
    "trusted-proxies",
    "networks",
    "none",
    "networks of the proxies that are believed about who asks, such as `10.0.0.0/8`"
  ),
  redisUrl: setting(
    "FLORIN_REDIS_URL",
    "redis-url",
    "url",
    "locks in the database",
    "locks on this Redis, `redis://` or `rediss://`",
    true
  ),
  ...GatewaySettings.table,
  ...ShopSettings.table
} satisfies Record<string, Setting>

export type Name = keyof typeof table

/** What a command about the database takes, what one about a ledger takes, what one that asks gateways takes too, and what each service takes. */
export const groups = {
  database: ["databaseUrl", "dataDir", "databaseConnections", "redisUrl"],
  ledger: ["databaseUrl", "dataDir", "databaseConnections"],
  subscriptions: ["databaseUrl", "dataDir", "databaseConnections", "redisUrl", "merchant"],
  gateways: [
    "databaseUrl",
    "dataDir",
    "databaseConnections",
    "leaseMillis",
    "gatewayMillis",
    "sandboxUrl",
    "riskRules",
    "riskUnavailable",
    "redisUrl",
    ...GatewaySettings.names
  ],
  sandbox: ["databaseUrl", "dataDir", "databaseConnections", "port"],
  flows: ["databaseUrl", "dataDir", "databaseConnections", "stripeSecretKey", "stripeUrl"],
  service: [
    "databaseUrl",
    "dataDir",
    "databaseConnections",
    "host",
    "port",
    "merchant",
    "answerMillis",
    "drainMillis",
    "leaseMillis",
    "recoveryMillis",
    "snapshotEvery",
    "gatewayMillis",
    "sandboxUrl",
    "sandboxWebhookSecrets",
    "webhookNetworks",
    "webhookSchemes",
    "riskRules",
    "riskUnavailable",
    "trustedProxies",
    "redisUrl",
    ...GatewaySettings.names,
    ...ShopSettings.names
  ]
} as const satisfies Record<string, ReadonlyArray<Name>>

// --- Reading ----------------------------------------------------------------

interface Bounds {
  readonly minimum: number
  readonly maximum: number
}

/** A whole number as text, within bounds that the complaint about it names. */
const number = (of: Setting, { maximum, minimum }: Bounds) =>
  text(of, (given) =>
    /^\d{1,9}$/.test(given) && Number(given) >= minimum && Number(given) <= maximum
      ? undefined
      : `Expected a whole number from ${minimum} to ${maximum}, got ${JSON.stringify(given)}`
  ).pipe(Config.map(Number))

const whole = (of: Setting, byDefault: number, bounds: Bounds) => number(of, bounds).pipe(Config.withDefault(byDefault))

const millis = (of: Setting, byDefault: number) => whole(of, byDefault, { minimum: 1, maximum: 86_400_000 })

/** 0 takes any free port; the service says which. */
const port = (byDefault: number) => whole(table.port, byDefault, { minimum: 0, maximum: 65_535 })

const isWebUrl = (given: string) => URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)

/** Where payments are kept. */
export const database = Config.all({
  /** A PostgreSQL server; without it, the embedded one. */
  url: text(table.databaseUrl, DatabaseUrl.complaint).pipe(
    Config.map((url) => Redacted.make(url)),
    Config.option
  ),
  dataDir: Config.NonEmptyString(table.dataDir.variable).pipe(Config.withDefault(table.dataDir.byDefault)),
  maxConnections: whole(table.databaseConnections, defaults.connections, { minimum: 2, maximum: 1000 })
})

export type Database = Config.Success<typeof database>

const RiskRules = Schema.fromJsonString(Schema.Array(Schema.toCodecJson(Risk.Rule)))

/**
 * Rules as JSON; without them, payments are not screened. With them somebody
 * has to decide what the screen's silence means: there is no default for that.
 */
const screening = Config.option(Config.schema(RiskRules, table.riskRules.variable)).pipe(
  Config.flatMap(
    Option.match({
      onNone: () => Config.succeed(undefined),
      onSome: (rules) =>
        Config.Literals(["failClosed", "failOpen"], table.riskUnavailable.variable).pipe(
          Config.map((whenUnavailable) => ({ rules, whenUnavailable }))
        )
    })
  )
)

/** Networks such as `10.0.0.0/8`, between commas. */
const networks = (of: Setting) =>
  text(of, (given) => {
    const wrong = partsOf(given).find((part) => Result.isFailure(IpNetwork.fromString(part)))
    return wrong === undefined ? undefined : `Expected networks such as 10.0.0.0/8, got ${JSON.stringify(wrong)}`
  }).pipe(
    Config.withDefault(""),
    Config.map((given) => partsOf(given).map(IpNetwork.fromStringUnsafe))
  )

const isSecret = Schema.is(Secret)

/** What came is a secret, or nearly one: it is not repeated. */
const secrets = (of: Setting) =>
  text(of, (given) =>
    partsOf(given).every((part) => isSecret(part)) ? undefined : StandardWebhooks.expectedSecret
  ).pipe(
    Config.withDefault(""),
    Config.map((given) => partsOf(given).map((part) => Secret.make(part)))
  )

/** Where merchants may have webhooks sent. */
const webhookTargets = Config.all({
  allowedNetworks: networks(table.webhookNetworks),
  plainHttp: Config.Literals(["https", "https,http"], table.webhookSchemes.variable).pipe(
    Config.withDefault("https" as const),
    Config.map((schemes) => schemes !== "https")
  )
}) satisfies Config.Config<TargetPolicy>

/** Where locks are kept; without it, in the database. */
export const redisUrl = Config.option(
  text(table.redisUrl, RedisUrl.complaint).pipe(Config.map((url) => Redacted.make(url)))
)

/** Whose service it is. */
export const merchant = Config.schema(MerchantId, table.merchant.variable).pipe(
  Config.withDefault(MerchantId.make(table.merchant.byDefault))
)

export const service = Config.all({
  host: Config.NonEmptyString(table.host.variable).pipe(Config.withDefault(table.host.byDefault)),
  port: port(defaults.port),
  merchant,
  /** How long a request waits for its payment to come to rest before it answers 202. */
  answerMillis: millis(table.answerMillis, defaults.answerMillis),
  /** How long the end of the service waits for what is on its way. */
  drainMillis: millis(table.drainMillis, defaults.drainMillis),
  /** How long a worker may be silent before another takes its payment over. */
  leaseMillis: millis(table.leaseMillis, defaults.leaseMillis),
  recoveryMillis: millis(table.recoveryMillis, defaults.recoveryMillis),
  /** Events between two snapshots of clients' accounts; without it, as `ReplicaKeeping` says. */
  snapshotEvery: Config.option(number(table.snapshotEvery, { minimum: 1, maximum: 999_999_999 })),
  /** How long a gateway may take to answer. */
  gatewayMillis: millis(table.gatewayMillis, defaults.gatewayMillis),
  /** A sandbox that runs elsewhere (`florin sandbox`); without it, one in this process and on this database. */
  sandboxUrl: text(table.sandboxUrl, (given) =>
    isWebUrl(given) ? undefined : `Expected a URL such as http://127.0.0.1:8090, got ${JSON.stringify(given)}`
  ).pipe(
    Config.map((url) => new URL(url)),
    Config.option
  ),
  /** Stripe, Adyen and whether there is a sandbox; how one of them is chosen. */
  gateways: GatewaySettings.gateways,
  /** Those that sign the sandbox's webhooks now: none, or more than one while they are rotated. */
  sandboxWebhookSecrets: secrets(table.sandboxWebhookSecrets),
  webhookTargets,
  screening,
  /** Proxies that say by header, and are believed, who asks and from where. */
  trustedProxies: networks(table.trustedProxies),
  redisUrl,
  /** Its systems, its mail and its workers. */
  shop: ShopSettings.shop
})

export type Service = Config.Success<typeof service>

export const sandbox = Config.all({
  port: port(defaults.sandboxPort)
})
