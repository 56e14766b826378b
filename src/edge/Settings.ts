/**
 * What a service can be told from outside, by environment variables. The table
 * in the README is this file.
 */
import { Config, Option, Result, Schema } from "effect"
import { IpNetwork } from "effect/net"
import { MerchantId } from "../domain/payment/PaymentEvent.ts"
import * as Risk from "../domain/Risk.ts"

/** A whole number as text, within bounds that the complaint about it names. */
const whole = (name: string, { maximum, minimum }: { readonly minimum: number; readonly maximum: number }) =>
  Config.schema(
    Schema.String.pipe(
      Schema.check(
        Schema.makeFilter((text) => {
          const isWithin = /^\d{1,9}$/.test(text) && Number(text) >= minimum && Number(text) <= maximum
          return isWithin || `Expected a whole number from ${minimum} to ${maximum}, got ${JSON.stringify(text)}`
        })
      )
    ),
    name
  ).pipe(Config.map(Number))

const millis = (name: string, byDefault: number) =>
  whole(name, { minimum: 1, maximum: 86_400_000 }).pipe(Config.withDefault(byDefault))

/** 0 takes any free port; the service says which. */
const port = (byDefault: number) => whole("PORT", { minimum: 0, maximum: 65_535 }).pipe(Config.withDefault(byDefault))

/** Where payments are kept. */
export const database = Config.all({
  /** A PostgreSQL server; without it, the embedded one. */
  url: Config.option(Config.Redacted("DATABASE_URL")),
  dataDir: Config.NonEmptyString("FLORIN_DATA_DIR").pipe(Config.withDefault(".florin")),
  /** Twice the cores that a small server has, and room for the listener. */
  maxConnections: whole("FLORIN_DATABASE_CONNECTIONS", { minimum: 2, maximum: 1000 }).pipe(Config.withDefault(10))
})

export type Database = Config.Success<typeof database>

const RiskRules = Schema.fromJsonString(Schema.Array(Schema.toCodecJson(Risk.Rule)))

/**
 * Rules as JSON; without them, payments are not screened. With them somebody
 * has to decide what the screen's silence means: there is no default for that.
 */
const screening = Config.option(Config.schema(RiskRules, "FLORIN_RISK_RULES")).pipe(
  Config.flatMap(
    Option.match({
      onNone: () => Config.succeed(undefined),
      onSome: (rules) =>
        Config.Literals(["failClosed", "failOpen"], "FLORIN_RISK_UNAVAILABLE").pipe(
          Config.map((whenUnavailable) => ({ rules, whenUnavailable }))
        )
    })
  )
)

/** Networks such as `10.0.0.0/8`, between commas. */
const networks = (name: string) =>
  Config.schema(
    Schema.String.pipe(
      Schema.check(
        Schema.makeFilter((text) => {
          const wrong = split(text).find((part) => Result.isFailure(IpNetwork.fromString(part)))
          return wrong === undefined || `Expected networks such as 10.0.0.0/8, got ${JSON.stringify(wrong)}`
        })
      )
    ),
    name
  ).pipe(
    Config.withDefault(""),
    Config.map((text) => split(text).map(IpNetwork.fromStringUnsafe))
  )

const split = (text: string): ReadonlyArray<string> =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")

export const service = Config.all({
  host: Config.NonEmptyString("FLORIN_HOST").pipe(Config.withDefault("127.0.0.1")),
  port: port(8080),
  merchant: Config.schema(MerchantId, "FLORIN_MERCHANT").pipe(Config.withDefault(MerchantId.make("default"))),
  /** How long a request waits for its payment to come to rest before it answers 202. */
  answerMillis: millis("FLORIN_ANSWER_MILLIS", 10_000),
  /** How long the end of the service waits for what is on its way. */
  drainMillis: millis("FLORIN_DRAIN_MILLIS", 10_000),
  /** How long a worker may be silent before another takes its payment over. */
  leaseMillis: millis("FLORIN_LEASE_MILLIS", 15_000),
  recoveryMillis: millis("FLORIN_RECOVERY_MILLIS", 2000),
  /** How long a gateway may take to answer. */
  gatewayMillis: millis("FLORIN_GATEWAY_MILLIS", 30_000),
  /** A sandbox that runs elsewhere (`florin sandbox`); without it, one in this process and on this database. */
  sandboxUrl: Config.option(Config.URL("FLORIN_SANDBOX_URL")),
  screening,
  /** Proxies that say by header, and are believed, who asks and from where. */
  trustedProxies: networks("FLORIN_TRUSTED_PROXIES")
})

export type Service = Config.Success<typeof service>

export const sandbox = Config.all({
  port: port(8090)
})
