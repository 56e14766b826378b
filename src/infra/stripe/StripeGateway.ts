/**
 * Stripe as a payment gateway: PaymentIntents, created and confirmed in one
 * request under the operation's id.
 *
 * | call | asked of Stripe |
 * | --- | --- |
 * | authorize | create and confirm, capturing at once where the order says so |
 * | confirm | the intent, which Stripe itself goes on with when the customer is back |
 * | capture | the intent, whose currency a capture does not name, and then capture |
 * | void | cancel |
 * | refund | refund of the intent |
 * | lookup | see `StripeLookup` |
 *
 * A decline leaves an intent that could be confirmed with another card. It is
 * cancelled, not used again: florin's next attempt may be at another gateway,
 * and must not be one of two that live (R5). The cancelling is nobody's
 * answer: it runs beside, is given up after a moment, and whatever becomes of
 * it, a decline stays a decline. Left open it is harmless, because only who
 * holds the client secret could confirm it, and florin gives that to nobody.
 *
 * What no answer means is in `StripeClassification`.
 */
import { Duration, Effect, Result, Schema } from "effect"
import type { AuthorizationAnswer, PaymentGateway } from "../../adapters/PaymentGateway.ts"
import { GatewayError, InDoubt, Misconfigured, NotSent } from "../../adapters/PaymentGateway.ts"
import * as CardNumber from "../../domain/CardNumber.ts"
import type { Answer, Capabilities, Decline } from "../../domain/payment/Gateway.ts"
import { GatewayName } from "../../domain/payment/Gateway.ts"
import type { Order } from "../../domain/payment/PaymentEvent.ts"
import type { Call } from "../../domain/payment/PaymentPlan.ts"
import type { StripeAmountError } from "./StripeAmount.ts"
import * as StripeAnswer from "./StripeAnswer.ts"
import type { StripeApi } from "./StripeApi.ts"
import { StripeTrouble } from "./StripeApi.ts"
import type { Reply } from "./StripeClassification.ts"
import { classify, isKept } from "./StripeClassification.ts"
import * as StripeDecline from "./StripeDecline.ts"
import * as StripeLookup from "./StripeLookup.ts"
import * as StripeObject from "./StripeObject.ts"
import type { Terms } from "./StripeRequest.ts"
import * as StripeRequest from "./StripeRequest.ts"
import * as StripeSdk from "./StripeSdk.ts"

// --- Options ----------------------------------------------------------------

/** What Stripe lets stand behind a merchant's name: it needs a letter, and card networks mangle the rest. */
export const StatementDescriptor = Schema.String.check(
  Schema.isPattern(/^(?=.*[A-Za-z])[ -!#-&(-),-;=?-[\]-~]{2,22}$/, {
    expected: "a statement descriptor of 2 to 22 characters with a letter, and without < > \\ ' \" *"
  })
).pipe(Schema.brand("StatementDescriptor"))
export type StatementDescriptor = typeof StatementDescriptor.Type

/**
 * Functions of the order are asked again when it is sent again, and have to
 * say the same: a key stands for one request.
 */
export interface Settings {
  /** `stripe` unless told otherwise. */
  readonly name?: string
  /** Where a customer comes back to from their bank, when an order does not say. */
  readonly returnUrl?: string
  readonly statementDescriptor?: StatementDescriptor
  /** Stripe's id of an order's customer; the order's own `customer`, where it is one (`cus_…`), unless told otherwise. */
  readonly customerOf?: (order: Order) => string | undefined
  /** Whether nobody is there to authenticate; never unless told otherwise. */
  readonly isOffSession?: (order: Order) => boolean
  /** Whether the card is to be kept for later charges; never unless told otherwise. */
  readonly isToBeKept?: (order: Order) => boolean
}

export type Options = StripeSdk.Options & Settings

/**
 * Stripe keeps keys for at least 24 hours. It keeps 5xx as well, but a repeat
 * does more than to repeat that: what is kept so is looked up in its place. A
 * hold may be captured in part, and once: more than one capture is for accounts
 * that asked for it.
 */
export const capabilities: Capabilities = {
  idempotencyKey: { retentionMillis: 24 * 60 * 60 * 1000, maxLength: 255, storesErrors: false },
  lookup: "eventual",
  autoCapture: true,
  partialCapture: true,
  multipleCaptures: false,
  partialRefund: true
}

export const make = (options: Options): PaymentGateway => over(StripeSdk.make(options), options)

const termsOf = ({ customerOf, isOffSession, isToBeKept, returnUrl, statementDescriptor }: Settings): Terms => ({
  returnUrl,
  statementDescriptor,
  customerOf: customerOf ?? (({ customer }) => (customer?.startsWith("cus_") === true ? customer : undefined)),
  isOffSession: isOffSession ?? (() => false),
  isToBeKept: isToBeKept ?? (() => false)
})

// --- The gateway ------------------------------------------------------------

type Reason = GatewayError["reason"]
type CallOf<Tag extends Call["_tag"]> = Extract<Call, { readonly _tag: Tag }>

/** The gateway over whatever answers for Stripe. */
export const over = (api: StripeApi, settings: Settings = {}): PaymentGateway => {
  const name = GatewayName.make(settings.name ?? "stripe")
  const terms = termsOf(settings)

  const about = <A>(call: Call, effect: Effect.Effect<A, Reason>) =>
    Effect.mapError(effect, (reason) => new GatewayError({ gateway: name, operation: call.operation, reason }))

  /** Beside the answer, so that it cannot change it. */
  const abandoning = (call: Call, answer: AuthorizationAnswer): Effect.Effect<AuthorizationAnswer> =>
    answer._tag === "Declined" && answer.reference !== undefined
      ? api
          .ask(StripeRequest.abandon(call, answer.reference))
          .pipe(Effect.timeout(Duration.millis(abandonMillis)), Effect.ignore, Effect.forkDetach, Effect.as(answer))
      : Effect.succeed(answer)

  const lookup = (call: Call) =>
    Effect.catchTags(StripeLookup.find(api, call, terms), {
      StripeTrouble: failing,
      StripeAmountError: unreadable,
      SchemaError: unreadable
    })

  /** A key that only repeats a 5xx has one way left to say what became of it. */
  const orLookedUp = <A extends Answer>(
    call: Call,
    fits: (answer: Answer) => answer is A,
    effect: Effect.Effect<A, Reason>
  ): Effect.Effect<A, Reason> =>
    Effect.catch(effect, (reason) => {
      if (!(reason.cause instanceof StripeTrouble) || !isKept(reason.cause.seen)) return Effect.fail(reason)
      return Effect.flatMap(lookup(call), (found) =>
        found._tag === "Found" && fits(found.answer) ? Effect.succeed(found.answer) : Effect.fail(reason)
      )
    })

  return {
    name,
    capabilities,
    authorize: (call) =>
      about(
        call,
        Effect.flatMap(orLookedUp(call, isAuthorization, authorize(api, call, terms)), (answer) =>
          abandoning(call, answer)
        )
      ),
    confirm: (call) =>
      about(
        call,
        api.ask(StripeRequest.retrieve(call.reference)).pipe(
          Effect.flatMap(readIntent),
          Effect.catchTags({ StripeTrouble: failing, SchemaError: unreadable }),
          Effect.map(StripeAnswer.ofAuthorization),
          Effect.flatMap((answer) => abandoning(call, answer))
        )
      ),
    capture: (call) => about(call, orLookedUp(call, isOneOf("Captured", "Refused", "Pending"), capture(api, call))),
    void: (call) =>
      about(call, orLookedUp(call, isOneOf("Voided", "Captured", "Refused", "Pending"), cancel(api, call))),
    refund: (call) => about(call, orLookedUp(call, isOneOf("Refunded", "Refused", "Pending"), refund(api, call))),
    lookup: (call) => about(call, lookup(call))
  }
}

const isOneOf =
  <Tag extends Answer["_tag"]>(...tags: ReadonlyArray<Tag>) =>
  (answer: Answer): answer is Extract<Answer, { readonly _tag: Tag }> =>
    tags.some((tag) => tag === answer._tag)

const isAuthorization = isOneOf("Approved", "Declined", "ActionRequired", "Pending")

/** Nobody waits for it, and a Stripe that is slower than this has something else to do. */
const abandonMillis = 5000

const readIntent = Schema.decodeUnknownEffect(StripeObject.Intent)
const readRefund = Schema.decodeUnknownEffect(StripeObject.Refund)

// --- Authorize --------------------------------------------------------------

const authorize = (
  api: StripeApi,
  call: CallOf<"Authorize">,
  terms: Terms
): Effect.Effect<AuthorizationAnswer, Reason> => {
  // A token is all that may leave (R10); Stripe would refuse a number as well, having read it.
  if (CardNumber.isIn(call.method)) return refusing("the payment method is a card number, not a token")
  const asked = StripeRequest.authorize(call, terms)
  if (Result.isFailure(asked)) return refusing(asked.failure.message)
  return api.ask(asked.success).pipe(
    Effect.flatMap(readIntent),
    Effect.map(StripeAnswer.ofAuthorization),
    Effect.catchTags({
      SchemaError: unreadable,
      StripeTrouble: (trouble) => {
        const { intent, seen } = trouble
        if (seen._tag !== "Replied") return failing(trouble)
        const { _tag } = classify(seen)
        // A card that Stripe does not know, or may not use here, is no more than one that was declined.
        const isAboutMethod = _tag === "Refused" && seen.reply.param?.startsWith("payment_method") === true
        if (_tag !== "Declined" && !isAboutMethod) return failing(trouble)
        const decline: Decline = isAboutMethod
          ? { code: StripeAnswer.codeOf(seen.reply.code), category: "otherInstrument" }
          : StripeDecline.of(seen.reply)
        return Effect.succeed(declined(decline, intent))
      }
    })
  )
}

const declined = (decline: Decline, intent: unknown): AuthorizationAnswer => {
  const open = readOpen(intent)
  return open._tag === "Some" ? { _tag: "Declined", decline, reference: open.value.id } : { _tag: "Declined", decline }
}

/** The intent of an error, where it has one that can be read. */
const readOpen = Schema.decodeUnknownOption(StripeObject.Intent)

// --- Capture, void, refund --------------------------------------------------

/** Codes that say that the issuer has let go of the hold. */
const expiredCodes: ReadonlySet<string | undefined> = new Set([
  "charge_expired_for_capture",
  "capture_charge_authorization_expired"
])

const capture = Effect.fnUntraced(function* (api: StripeApi, call: CallOf<"Capture">) {
  const asked = StripeRequest.capture(call)
  if (Result.isFailure(asked)) return yield* refusedAmount(asked.failure)
  const { currency } = yield* api
    .ask(StripeRequest.retrieve(call.reference))
    .pipe(
      Effect.flatMap(readIntent),
      Effect.catchTags({ StripeTrouble: beforehand, SchemaError: () => Effect.fail(nothingSent) })
    )
  if (currency !== call.amount.currency) return refused("currency_mismatch")
  return yield* api.ask(asked.success).pipe(
    Effect.flatMap(readIntent),
    Effect.flatMap((intent) => Effect.fromResult(StripeAnswer.captured(intent))),
    Effect.catchTags({
      SchemaError: unreadable,
      StripeAmountError: unreadable,
      StripeTrouble: (trouble) =>
        orRefused(trouble, ({ code }, intent) => {
          const named = StripeAnswer.codeOf(code)
          if (expiredCodes.has(code)) return Effect.succeed({ ...refused(named), authorizationGone: true })
          return Effect.succeed(intent === undefined ? refused(named) : StripeAnswer.ofRefusedCapture(intent, named))
        })
    })
  )
})

const cancel = (api: StripeApi, call: CallOf<"Void">) =>
  api.ask(StripeRequest.cancel(call)).pipe(
    Effect.flatMap(readIntent),
    Effect.flatMap(voided),
    Effect.catchTags({
      SchemaError: unreadable,
      StripeAmountError: unreadable,
      StripeTrouble: (trouble) =>
        orRefused(trouble, ({ code }, intent) => {
          const named = StripeAnswer.codeOf(code)
          if (intent === undefined) return Effect.succeed(refused(named))
          return Effect.catchTag(
            Effect.map(Effect.fromResult(StripeAnswer.ofVoid(intent)), (answer) => answer ?? refused(named)),
            "StripeAmountError",
            unreadable
          )
        })
    })
  )

/** An intent that was cancelled and says otherwise has yet to be. */
const voided = (intent: StripeObject.Intent) =>
  Effect.map(
    Effect.fromResult(StripeAnswer.ofVoid(intent)),
    (answer) => answer ?? ({ _tag: "Pending", reference: intent.id } as const)
  )

const refund = (api: StripeApi, call: CallOf<"Refund">) => {
  const asked = StripeRequest.refund(call)
  if (Result.isFailure(asked)) return refusedAmount(asked.failure)
  return api.ask(asked.success).pipe(
    Effect.flatMap(readRefund),
    Effect.map(StripeAnswer.ofRefund),
    Effect.catchTags({
      SchemaError: unreadable,
      StripeTrouble: (trouble) => orRefused(trouble, ({ code }) => Effect.succeed(refused(StripeAnswer.codeOf(code))))
    })
  )
}

const refused = (code: string) => ({ _tag: "Refused", code, authorizationGone: false }) as const

/** Nothing was sent, and nothing of it ever can be: the hold, or the money, stays where it is. */
const refusedAmount = (error: StripeAmountError) =>
  Effect.as(Effect.logWarning(error.message), refused("amount_not_representable"))

// --- No answer --------------------------------------------------------------

const reasonOf = (trouble: StripeTrouble): Reason => {
  const { seen } = trouble
  const meaning = classify(seen)
  switch (meaning._tag) {
    case "NotSent": {
      const { because, retryAfterMillis } = meaning
      const cause = trouble
      return new NotSent({ because, cause, ...(retryAfterMillis !== undefined && { retryAfterMillis }) })
    }
    case "InDoubt":
      return new InDoubt({ because: meaning.because, cause: trouble })
    case "Misconfigured":
      return new Misconfigured({ detail: "Stripe knows the key from another request", cause: trouble })
    case "Declined":
    case "Refused":
      return new NotSent({ because: "Refused", cause: trouble })
  }
}

const failing = (trouble: StripeTrouble): Effect.Effect<never, Reason> => {
  const { seen } = trouble
  const isOurFault = seen._tag === "Replied" && classify(seen)._tag !== "InDoubt" && seen.reply.status !== 429
  const failure = Effect.fail(reasonOf(trouble))
  return isOurFault ? Effect.andThen(Effect.logWarning(trouble.message), failure) : failure
}

const unreadable = (cause: Schema.SchemaError | StripeAmountError): Effect.Effect<never, Reason> =>
  Effect.fail(new InDoubt({ because: "Unreadable", cause }))

const refusing = (why: string): Effect.Effect<never, Reason> =>
  Effect.andThen(Effect.logWarning(why), Effect.fail(new NotSent({ because: "Refused", cause: new Error(why) })))

/** Of a question before the request itself: whatever became of it, the request was not sent. */
const nothingSent: Reason = new NotSent({ because: "ConnectionRefused" })

const beforehand = (trouble: StripeTrouble): Effect.Effect<never, Reason> => {
  const reason = reasonOf(trouble)
  return Effect.fail(reason._tag === "NotSent" ? reason : nothingSent)
}

/**
 * A request about an object that Stripe refuses for what it says or for the
 * object's state is answered; one about an object that is not there was not sent.
 */
const orRefused = <A>(
  trouble: StripeTrouble,
  answer: (reply: Reply, intent: StripeObject.Intent | undefined) => Effect.Effect<A, Reason>
): Effect.Effect<A, Reason> => {
  const { intent, seen } = trouble
  if (seen._tag !== "Replied") return failing(trouble)
  const { _tag } = classify(seen)
  if ((_tag !== "Refused" && _tag !== "Declined") || seen.reply.status === 404) return failing(trouble)
  const named = readOpen(intent)
  return answer(seen.reply, named._tag === "Some" ? named.value : undefined)
}
