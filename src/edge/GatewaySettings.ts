/**
 * The gateways that the service is told of: Stripe, Adyen and the sandbox, each
 * with its credentials, and the terms and rules by which one of them is chosen.
 *
 * A gateway is there when its key is. Without any there is the sandbox, which
 * charges nobody; beside a real one it is there only when it is asked for.
 *
 * Each takes its own tokens, which routing tells by their beginnings: `pm_`,
 * `card_` and `src_` are Stripe's, `adyen_` stands before Adyen's, and beside
 * them `tok_` are the sandbox's. `FLORIN_ROUTING` may say otherwise.
 */
import * as Config from "effect/Config"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { GatewayName } from "../domain/payment/Gateway.ts"
import * as Routing from "../domain/Routing.ts"
import * as AdyenSignature from "../infra/adyen/AdyenSignature.ts"
import { partsOf, setting, text } from "./Setting.ts"
import type { Setting } from "./Setting.ts"

// --- The table --------------------------------------------------------------

/** Where they are unless told otherwise: Adyen's live address has a prefix of the merchant's own. */
const defaults = {
  stripeUrl: "https://api.stripe.com",
  adyenUrl: "https://checkout-test.adyen.com/v72"
}

export const table = {
  stripeSecretKey: setting(
    "FLORIN_STRIPE_SECRET_KEY",
    "stripe-secret-key",
    "key",
    "no Stripe",
    "Stripe's secret or restricted key; with it there is the gateway `stripe`",
    true
  ),
  stripeWebhookSecrets: setting(
    "FLORIN_STRIPE_WEBHOOK_SECRETS",
    "stripe-webhook-secrets",
    "secrets",
    "none",
    "secrets of Stripe's webhook endpoint, `whsec_…`, between commas; without one its webhooks are refused",
    true
  ),
  stripeUrl: setting("FLORIN_STRIPE_URL", "stripe-url", "url", defaults.stripeUrl, "where Stripe is, or a simulator"),
  adyenApiKey: setting(
    "FLORIN_ADYEN_API_KEY",
    "adyen-api-key",
    "key",
    "no Adyen",
    "Adyen's API key; with it there is the gateway `adyen`",
    true
  ),
  adyenMerchantAccount: setting(
    "FLORIN_ADYEN_MERCHANT_ACCOUNT",
    "adyen-merchant-account",
    "name",
    "none",
    "the merchant account at Adyen; must be said when there is a key"
  ),
  adyenUrl: setting(
    "FLORIN_ADYEN_URL",
    "adyen-url",
    "url",
    defaults.adyenUrl,
    "where Adyen's Checkout API is, with its version"
  ),
  adyenHmacKeys: setting(
    "FLORIN_ADYEN_HMAC_KEYS",
    "adyen-hmac-keys",
    "keys",
    "none",
    "HMAC keys of Adyen's webhooks, hexadecimal, between commas; without one its webhooks are refused",
    true
  ),
  returnUrl: setting(
    "FLORIN_RETURN_URL",
    "return-url",
    "url",
    "none",
    "where customers come back from their bank, unless the payment says; must be said for Adyen"
  ),
  sandbox: setting(
    "FLORIN_SANDBOX",
    "sandbox",
    "word",
    "on without another gateway",
    "`on` or `off`: the gateways `sandbox` and `sandbox-backup`, which charge nobody"
  ),
  routing: setting(
    "FLORIN_ROUTING",
    "routing",
    "json",
    "by tokens and health",
    "terms of gateways and rules of preference as JSON"
  )
}

export type Name = keyof typeof table
export const names = Object.keys(table) as ReadonlyArray<Name>

// --- Reading ----------------------------------------------------------------

/** Between commas, each of a form that `expected` says; what came may be a secret. */
const secrets = (of: Setting, isOne: (part: string) => boolean, expected: string) =>
  text(of, (given) => (partsOf(given).every(isOne) ? undefined : `Expected ${expected}, between commas`)).pipe(
    Config.withDefault(""),
    Config.map((given) => partsOf(given).map((part) => Redacted.make(part)))
  )

const isLoopback = (hostname: string) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/** A key must not travel in the clear, but on this machine. */
const securely = (given: string): string | undefined => {
  const url = URL.canParse(given) ? new URL(given) : undefined
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname))
  return isSafe ? undefined : `Expected a URL with https, got ${JSON.stringify(given)}`
}

const endpoint = (of: Setting, byDefault: string, complaint = securely) =>
  text(of, complaint).pipe(
    Config.withDefault(byDefault),
    Config.map((url) => new URL(url))
  )

const versioned = (given: string): string | undefined =>
  securely(given) ??
  (/\/v\d+$/.test(given)
    ? undefined
    : `Expected a URL that ends with a version such as /v72, got ${JSON.stringify(given)}`)

const page = text(table.returnUrl, (given) =>
  URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)
    ? undefined
    : `Expected a URL such as https://shop.example/back, got ${JSON.stringify(given)}`
)

/** What depends on a key, where there is one. */
const withKey = <A>(of: Setting, rest: (key: Redacted.Redacted) => Config.Config<A>) =>
  Config.option(Config.NonEmptyString(of.variable)).pipe(
    Config.flatMap(
      Option.match({
        onNone: () => Config.succeed(Option.none<A>()),
        onSome: (key) => Config.map(rest(Redacted.make(key)), Option.some)
      })
    )
  )

/** Stripe, where there is a key of it. */
export const stripe = withKey(table.stripeSecretKey, (secretKey) =>
  Config.all({
    secretKey: Config.succeed(secretKey),
    webhookSecrets: secrets(
      table.stripeWebhookSecrets,
      (part) => part.startsWith("whsec_"),
      "secrets that begin with whsec_"
    ),
    url: endpoint(table.stripeUrl, defaults.stripeUrl),
    returnUrl: Config.option(page)
  })
)

const adyen = withKey(table.adyenApiKey, (apiKey) =>
  Config.all({
    apiKey: Config.succeed(apiKey),
    merchantAccount: Config.schema(
      Schema.String.check(
        Schema.isPattern(/^[\w-]{1,80}$/, { expected: 'the name of a merchant account such as "ShopECOM"' })
      ),
      table.adyenMerchantAccount.variable
    ),
    url: endpoint(table.adyenUrl, defaults.adyenUrl, versioned),
    hmacKeys: secrets(table.adyenHmacKeys, AdyenSignature.isKey, "keys of 32 to 128 hexadecimal digits"),
    returnUrl: page
  })
)

// --- Routing ----------------------------------------------------------------

/** The beginnings of their tokens, by which an order may hold cards of several gateways. */
const tokens = {
  stripe: ["pm_", "card_", "src_"],
  adyen: ["adyen_"],
  sandbox: ["tok_"],
  "sandbox-backup": ["tok_"]
}

/** `{ "terms": { "adyen": { "costBasisPoints": 90 } }, "rules": [{ "name": "…", "when": {}, "prefer": ["adyen"] }] }` */
const RoutingJson = Schema.Struct({
  terms: Schema.optional(Schema.Record(GatewayName, Routing.Terms)),
  rules: Schema.optional(Schema.Array(Routing.Rule))
}).check(
  Schema.makeFilter(({ rules = [], terms = {} }) => {
    const named = [...Object.keys(terms), ...rules.flatMap(({ exclude = [], prefer = [] }) => [...prefer, ...exclude])]
    const stranger = named.find((name) => !Object.hasOwn(tokens, name))
    // A name that nobody has would be passed over without a word.
    return stranger === undefined || `Expected gateways among ${Object.keys(tokens).join(", ")}, got "${stranger}"`
  })
)

const noRouting: typeof RoutingJson.Type = {}

const routing = Config.schema(Schema.fromJsonString(Schema.toCodecJson(RoutingJson)), table.routing.variable).pipe(
  Config.withDefault(noRouting)
)

const sandbox = Config.option(Config.Literals(["on", "off"], table.sandbox.variable))

/** What the service is told of gateways. */
export const gateways = Config.all({ stripe, adyen, sandbox, routing }).pipe(
  Config.map(({ adyen, routing, sandbox, stripe }) => {
    const isAlone = Option.isNone(stripe) && Option.isNone(adyen)
    const terms: Record<string, Routing.Terms> = {}
    // The sandbox alone takes whatever it is given, and says what it makes of it.
    for (const [name, methods] of Object.entries(isAlone ? {} : tokens)) terms[name] = { methods }
    for (const [name, own] of Object.entries(routing.terms ?? {})) terms[name] = { ...terms[name], ...own }
    return {
      stripe,
      adyen,
      hasSandbox: Option.match(sandbox, { onNone: () => isAlone, onSome: (word) => word === "on" }),
      routing: { terms, rules: routing.rules ?? [] }
    }
  })
)

export type Stripe = Option.Option.Value<Config.Success<typeof stripe>>
export type Adyen = Option.Option.Value<Config.Success<typeof adyen>>

/** Where Stripe is, as its SDK is told. */
export const sdkOf = ({ secretKey, url }: Stripe) => ({
  secretKey,
  host: url.hostname,
  protocol: url.protocol === "http:" ? ("http" as const) : ("https" as const),
  port: Number(url.port === "" ? (url.protocol === "http:" ? 80 : 443) : url.port)
})
