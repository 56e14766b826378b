/**
 * What became of an operation, without making it.
 *
 * Sending again under the same key is the core's own first question, for as
 * long as Stripe keeps keys. When that is over, and where the key only repeats
 * a 5xx, these are asked in turn until one has found it:
 *
 * 1. the intent, by its id, for everything after the authorization;
 * 2. the customer's intents since then, by our metadata;
 * 3. the events since then, by the key of the request that caused them;
 * 4. search, by our metadata, which is minutes behind.
 *
 * None of them proves that nothing happened: lists are bounded, and search is
 * behind. So Stripe's lookup is declared `eventual`.
 */
import { Clock, Effect, Schema } from "effect"
import type { Found } from "../../adapters/PaymentGateway.ts"
import type { Answer } from "../../domain/payment/Gateway.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"
import type { StripeAmountError } from "./StripeAmount.ts"
import * as StripeAnswer from "./StripeAnswer.ts"
import type { StripeApi, StripeTrouble } from "./StripeApi.ts"
import { classify } from "./StripeClassification.ts"
import * as StripeObject from "./StripeObject.ts"
import type { Terms } from "./StripeRequest.ts"
import * as StripeRequest from "./StripeRequest.ts"

export type LookupError = StripeTrouble | StripeAmountError | Schema.SchemaError

/** Florin asks for some 26 hours about an operation; two days are more than that, and what a list has to go through. */
const lookBackSeconds = 2 * 24 * 60 * 60

/** A page is as long as Stripe allows. Ten of them bound what one question costs a busy account. */
const pageSize = 100
const maxPages = 10

/** Every event that tells of an intent that was created and confirmed in one request. */
const authorizationEvents = [
  "payment_intent.created",
  "payment_intent.succeeded",
  "payment_intent.amount_capturable_updated",
  "payment_intent.requires_action",
  "payment_intent.payment_failed",
  "payment_intent.processing"
] as const

export const find = (api: StripeApi, call: Call, terms: Terms): Effect.Effect<Found, LookupError> => {
  switch (call._tag) {
    case "Authorize":
      return Effect.map(authorization(api, call, terms), (intent) =>
        intent === undefined ? notFound : found(StripeAnswer.ofAuthorization(intent))
      )
    case "Confirm":
      return ofIntent(api, call.reference, (intent) => Effect.succeed(StripeAnswer.ofAuthorization(intent)))
    case "Capture":
      return ofIntent(api, call.reference, (intent) => {
        // Another capture than this one leaves open what became of this one.
        if (intent.status === "succeeded" && intent.metadata[StripeRequest.captureKey] === call.operation) {
          return Effect.fromResult(StripeAnswer.captured(intent))
        }
        if (intent.status !== "canceled") return Effect.succeed(undefined)
        return Effect.succeed(StripeAnswer.ofRefusedCapture(intent, "canceled"))
      })
    case "Void":
      return ofIntent(api, call.reference, (intent) => Effect.fromResult(StripeAnswer.ofVoid(intent)))
    case "Refund":
      return refund(api, call)
  }
}

const notFound: Found = { _tag: "NotFound" }
const found = (answer: Answer): Found => ({ _tag: "Found", answer })

// --- By id ------------------------------------------------------------------

const readIntent = Schema.decodeUnknownEffect(StripeObject.Intent)

/** The intent as it is now; `undefined` when there is none. */
const intentOf = (api: StripeApi, id: string) =>
  api.ask(StripeRequest.retrieve(id)).pipe(
    Effect.flatMap(readIntent),
    Effect.catchTag("StripeTrouble", (trouble) =>
      classify(trouble.seen)._tag === "Refused" ? Effect.succeed(undefined) : Effect.fail(trouble)
    )
  )

const ofIntent = (
  api: StripeApi,
  id: string,
  answerOf: (intent: StripeObject.Intent) => Effect.Effect<Answer | undefined, StripeAmountError>
): Effect.Effect<Found, LookupError> =>
  Effect.gen(function* () {
    const intent = yield* intentOf(api, id)
    const answer = intent === undefined ? undefined : yield* answerOf(intent)
    return answer === undefined ? notFound : found(answer)
  })

const readRefunds = Schema.decodeUnknownEffect(StripeObject.listOf(StripeObject.Refund))

/** An intent has few refunds; the page holds all that there can be. */
const refund = (api: StripeApi, { operation, reference }: Extract<Call, { readonly _tag: "Refund" }>) =>
  api.ask({ _tag: "ListRefunds", params: { payment_intent: reference, limit: pageSize } }).pipe(
    Effect.flatMap(readRefunds),
    Effect.map(({ data }) => {
      const ours = data.find(({ metadata }) => metadata?.[StripeRequest.operationKey] === operation)
      return ours === undefined ? notFound : found(StripeAnswer.ofRefund(ours))
    })
  )

// --- By what is ours in it ----------------------------------------------------

type Authorize = Extract<Call, { readonly _tag: "Authorize" }>
type MaybeIntent = Effect.Effect<StripeObject.Intent | undefined, LookupError>

const authorization = (api: StripeApi, call: Authorize, terms: Terms): MaybeIntent =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const created = { gte: Math.floor(now / 1000) - lookBackSeconds }
    const customer = terms.customerOf(call.order)
    return (
      (customer === undefined ? undefined : yield* byCustomer(api, call, customer, created)) ??
      (yield* byEvents(api, call, created)) ??
      (yield* bySearch(api, call))
    )
  })

interface Since {
  readonly gte: number
}

const readIntents = Schema.decodeUnknownEffect(StripeObject.listOf(StripeObject.Intent))
const readEvents = Schema.decodeUnknownEffect(StripeObject.listOf(StripeObject.Event))

const isOurs =
  ({ operation }: Authorize) =>
  ({ metadata }: StripeObject.Intent) =>
    metadata[StripeRequest.operationKey] === operation

const byCustomer = (api: StripeApi, call: Authorize, customer: string, created: Since): MaybeIntent =>
  throughPages((after) => {
    const params = { customer, created, limit: pageSize, expand: ["data.latest_charge"], ...after }
    return Effect.flatMap(api.ask({ _tag: "ListIntents", params }), readIntents)
  }, isOurs(call))

const byEvents = (api: StripeApi, call: Authorize, created: Since): MaybeIntent =>
  Effect.gen(function* () {
    const event = yield* throughPages(
      (after) => {
        const params = { types: [...authorizationEvents], created, limit: pageSize, ...after }
        return Effect.flatMap(api.ask({ _tag: "ListEvents", params }), readEvents)
      },
      ({ request }) => request?.idempotency_key === call.operation
    )
    const id = event?.data.object.id
    const intent = id === undefined ? undefined : yield* intentOf(api, id)
    return intent !== undefined && isOurs(call)(intent) ? intent : undefined
  })

const bySearch = (api: StripeApi, call: Authorize): MaybeIntent => {
  const query = `metadata['${StripeRequest.operationKey}']:'${call.operation}'`
  return api.ask({ _tag: "SearchIntents", params: { query, limit: 1, expand: ["data.latest_charge"] } }).pipe(
    Effect.flatMap(readIntents),
    Effect.map(({ data }) => data.find(isOurs(call)))
  )
}

interface Page<A> {
  readonly data: ReadonlyArray<A>
  readonly has_more: boolean
}

/** The first that fits, newest first, in as many pages as are worth it. */
const throughPages = <A extends { readonly id: string }>(
  pageAfter: (after: { readonly starting_after?: string }) => Effect.Effect<Page<A>, LookupError>,
  fits: (item: A) => boolean
): Effect.Effect<A | undefined, LookupError> =>
  Effect.gen(function* () {
    let after: { readonly starting_after?: string } = {}
    for (let page = 0; page < maxPages; page++) {
      const { data, has_more } = yield* pageAfter(after)
      const fitting = data.find(fits)
      const last = data.at(-1)
      if (fitting !== undefined || !has_more || last === undefined) return fitting
      after = { starting_after: last.id }
    }
    return undefined
  })
