/**
 * Search over PaymentIntents, which is behind: what changed a short while ago
 * may not be found yet, and what is not found proves nothing.
 */
import * as Objects from "./StripeObjects.ts"
import type { JsonObject } from "./StripeReply.ts"
import { invalidRequest, missing } from "./StripeReply.ts"
import type { Intent, Tables } from "./StripeTables.ts"

const clause = /^(?<field>[a-z_]+)(?:\[["'](?<key>[^"']+)["']\])?:["'](?<value>[^"']*)["']$/

type Test = (intent: Intent) => boolean

export const paymentIntents = (tables: Tables, query: string | undefined, lagMillis: number): JsonObject => {
  if (query === undefined) throw missing("query")
  const tests = query.split(/ AND /i).map((part) => testOf(part.trim()))
  const seen = [...tables.intents.values()].filter(({ changedMillis }) => changedMillis + lagMillis <= tables.now())
  return {
    object: "search_result",
    url: "/v1/payment_intents/search",
    has_more: false,
    next_page: null,
    data: seen
      .filter((intent) => tests.every((test) => test(intent)))
      .map(Objects.intent)
      .toReversed()
  }
}

const testOf = (part: string): Test => {
  const { field, key, value } = clause.exec(part)?.groups ?? {}
  switch (field) {
    case "metadata":
      return ({ metadata }) => key !== undefined && metadata[key] === value
    case "status":
      return ({ status }) => status === value
    case "customer":
      return ({ customer }) => customer === value
    case "currency":
      return ({ currency }) => currency === value
    case undefined:
    default:
      throw invalidRequest(
        `Field \`${field ?? part}\` is an unsupported search field for resource \`payment_intents\`.`
      )
  }
}
