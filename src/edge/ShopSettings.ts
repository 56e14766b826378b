/** What the service is told of the shop around it: its systems, its mail, its workers. */
import * as Config from "effect/Config"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Address } from "../adapters/Notifier.ts"
import { setting, text } from "./Setting.ts"
import type { Setting } from "./Setting.ts"

// --- The table --------------------------------------------------------------

/** How often workers look, in milliseconds: a run without a process, a renewal, a reservation that lapsed, a delivery. */
const defaults = { sagaMillis: 5000, billingMillis: 15_000, inventoryMillis: 60_000, deliveryMillis: 600_000 }

export const table = {
  sagaMillis: setting(
    "FLORIN_SAGA_MILLIS",
    "saga-millis",
    "number",
    defaults.sagaMillis,
    "how often runs of sagas without a process are looked for"
  ),
  billingMillis: setting(
    "FLORIN_BILLING_MILLIS",
    "billing-millis",
    "number",
    defaults.billingMillis,
    "how often subscriptions that owe something are looked for"
  ),
  inventoryMillis: setting(
    "FLORIN_INVENTORY_MILLIS",
    "inventory-millis",
    "number",
    defaults.inventoryMillis,
    "how often reservations that have lapsed, and stock that runs out, are looked for"
  ),
  deliveryMillis: setting(
    "FLORIN_DELIVERY_MILLIS",
    "delivery-millis",
    "number",
    defaults.deliveryMillis,
    "how often the supplier is asked for orders that should have come"
  ),
  supplierUrl: setting(
    "FLORIN_SUPPLIER_URL",
    "supplier-url",
    "url",
    "no supplier",
    "who is asked for quotes and deliveries; without it, nothing is ordered"
  ),
  supplierToken: setting(
    "FLORIN_SUPPLIER_TOKEN",
    "supplier-token",
    "token",
    "none",
    "goes to the supplier as `Authorization: Bearer`",
    true
  ),
  shopUrl: setting(
    "FLORIN_SHOP_URL",
    "shop-url",
    "url",
    "no shop to tell",
    "where the shop notes shipments and books sales; without it, shipments are noted by the order's number"
  ),
  shopToken: setting(
    "FLORIN_SHOP_TOKEN",
    "shop-token",
    "token",
    "none",
    "goes to the shop as `Authorization: Bearer`",
    true
  ),
  cardPage: setting(
    "FLORIN_CARD_PAGE",
    "card-page",
    "url",
    "none",
    "where customers give another card; without it, the saga `AlternativePayment` is not run"
  ),
  fraud: setting(
    "FLORIN_FRAUD",
    "fraud",
    "json",
    "what the screen blocks",
    "points of the risk rules and the threshold of sagas as JSON"
  ),
  smtpUrl: setting(
    "FLORIN_SMTP_URL",
    "smtp-url",
    "url",
    "no mail",
    "sends notices by mail: `smtps://user:password@host`, `smtp://…` with STARTTLS; in the clear to this machine only",
    true
  ),
  noticesFrom: setting(
    "FLORIN_NOTICES_FROM",
    "notices-from",
    "address",
    "none",
    "the sender of mails; must be said when there is an SMTP server"
  ),
  noticesUrl: setting(
    "FLORIN_NOTICES_URL",
    "notices-url",
    "url",
    "none",
    "posts notices there instead of sending mail",
    true
  ),
  noticesToken: setting(
    "FLORIN_NOTICES_TOKEN",
    "notices-token",
    "token",
    "none",
    "goes with each posted notice as `Authorization: Bearer`",
    true
  )
}

export type Name = keyof typeof table
export const names = Object.keys(table) as ReadonlyArray<Name>

// --- Reading ----------------------------------------------------------------

const maxMillis = 86_400_000

const millis = (of: Setting, byDefault: number) =>
  text(of, (given) =>
    /^\d{1,9}$/.test(given) && Number(given) >= 1 && Number(given) <= maxMillis
      ? undefined
      : `Expected a whole number from 1 to ${maxMillis}, got ${JSON.stringify(given)}`
  ).pipe(Config.map(Number), Config.withDefault(byDefault))

const webUrl = (of: Setting) =>
  text(of, (given) =>
    URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)
      ? undefined
      : `Expected a URL with http or https${of.secret ? "" : `, got ${JSON.stringify(given)}`}`
  ).pipe(
    Config.map((url) => new URL(url)),
    Config.option
  )

const secret = (of: Setting) =>
  Config.NonEmptyString(of.variable).pipe(
    Config.map((given) => Redacted.make(given)),
    Config.option
  )

/** `{ "threshold": 50, "points": { "velocity": 30 } }` */
const Fraud = Schema.fromJsonString(
  Schema.Struct({
    threshold: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)),
    points: Schema.optionalKey(Schema.Record(Schema.String, Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))))
  })
)

const isLoopback = (hostname: string) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/** May hold a password: what came is not repeated. */
const isSmtpUrl = (given: string) => {
  const url = URL.canParse(given) ? new URL(given) : undefined
  return url !== undefined && /^smtps?:$/.test(url.protocol) && url.hostname !== ""
}

const smtp = Config.option(
  text(table.smtpUrl, (given) =>
    isSmtpUrl(given) ? undefined : "Expected a URL such as smtps://user:password@mail.example"
  )
).pipe(
  Config.flatMap(
    Option.match({
      onNone: () => Config.succeed(undefined),
      onSome: (given) =>
        Config.schema(Address, table.noticesFrom.variable).pipe(Config.map((from) => serverOf(new URL(given), from)))
    })
  )
)

/** 465 is of TLS from the first byte, 587 of submission with STARTTLS (RFC 8314). */
const serverOf = ({ hostname, password, port, protocol, username }: URL, from: Address) => {
  const isImplicit = protocol === "smtps:"
  const tls = isImplicit ? ("implicit" as const) : isLoopback(hostname) ? ("none" as const) : ("required" as const)
  return {
    host: hostname,
    port: port === "" ? (isImplicit ? 465 : 587) : Number(port),
    tls,
    from,
    ...(username !== "" && {
      credentials: { user: decodeURIComponent(username), password: Redacted.make(decodeURIComponent(password)) }
    })
  }
}

export const shop = Config.all({
  sagaMillis: millis(table.sagaMillis, defaults.sagaMillis),
  billingMillis: millis(table.billingMillis, defaults.billingMillis),
  inventoryMillis: millis(table.inventoryMillis, defaults.inventoryMillis),
  deliveryMillis: millis(table.deliveryMillis, defaults.deliveryMillis),
  supplier: Config.all({ url: webUrl(table.supplierUrl), token: secret(table.supplierToken) }),
  url: webUrl(table.shopUrl),
  token: secret(table.shopToken),
  cardPage: Config.map(webUrl(table.cardPage), Option.getOrUndefined),
  fraud: Config.schema(Fraud, table.fraud.variable).pipe(
    Config.withDefault({ threshold: 0 } as typeof Fraud.Type),
    Config.map(({ points = {}, threshold }) => ({ points, threshold }))
  ),
  notices: Config.all({ smtp, url: webUrl(table.noticesUrl), token: secret(table.noticesToken) })
})

export type Shop = Config.Success<typeof shop>
