/**
 * An adapter for Acme (`AcmeAcquirer.ts` beside this file): a `PaymentGateway`
 * in the terms of its HTTP API.
 *
 * | seen | said |
 * | --- | --- |
 * | no connection, a broken one | in doubt: which of them it was only the transport's own codes could tell |
 * | 404 | not sent: `Refused`, Acme looks for the charge before it does anything |
 * | 422 | misconfigured: the key stands for another request |
 * | 429 | not sent: `Throttled` |
 * | 5xx | in doubt: `ServerError` |
 * | any other status, a body that cannot be read | in doubt: `Unreadable` |
 *
 * There is no timeout and no retry in here: florin brings both, and only it
 * knows what may be sent again.
 */
import { Effect, Schema } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import type { HttpClientError } from "effect/http/HttpClientError"
import { Currency, Gateway, Money, PaymentGateway } from "florin"
import type { PaymentPlan } from "florin"

/** What Acme's manual promises. */
export const capabilities: Gateway.Capabilities = {
  idempotencyKey: { retentionMillis: 86_400_000, maxLength: 255, storesErrors: false },
  lookup: "authoritative",
  autoCapture: true,
  partialCapture: true,
  multipleCaptures: true,
  partialRefund: true
}

/** The gateway `acme` at `url`, such as `https://api.acme.example`. */
export const make = Effect.fnUntraced(function* (
  url: string
): Effect.fn.Return<PaymentGateway.PaymentGateway, never, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const name = Gateway.GatewayName.make("acme")

  /** Every error leaves with the operation that it is about. */
  const about = <A>({ operation }: PaymentPlan.Call, effect: Effect.Effect<A, Reason>) =>
    Effect.mapError(effect, (reason) => new PaymentGateway.GatewayError({ gateway: name, operation, reason }))

  /** The operation's id is the key, so that sending it twice can act only once. */
  const send = <A extends Gateway.Answer>(
    call: PaymentPlan.Call,
    path: string,
    body: Schema.Json,
    fits: (answer: Gateway.Answer) => answer is A
  ) =>
    HttpClientRequest.post(`${url}/charges${path}`).pipe(
      HttpClientRequest.setHeader("idempotency-key", call.operation),
      HttpClientRequest.bodyJsonUnsafe(body),
      client.execute,
      read(Reply),
      Effect.map(answerOf),
      Effect.filterOrFail(fits, () => new PaymentGateway.InDoubt({ because: "Unreadable" })),
      (sent) => about(call, sent)
    )

  return {
    name,
    capabilities,
    authorize: (call) => {
      const { amount, capture, payment } = call.order
      // Acme cannot ask for 3-D Secure, and a charge without it is not what was asked for.
      if (call.challenge) return about(call, new PaymentGateway.NotSent({ because: "Refused" }))
      const body = { ...json(amount), card: call.method, capture: capture === "automatic", order: payment }
      return send(call, "", body, isOneOf("Approved", "Declined"))
    },
    confirm: (call) => about(call, new PaymentGateway.Misconfigured({ detail: "acme sends no customer away" })),
    capture: (call) => {
      const body = { ...json(call.amount), last: call.final }
      return send(call, `/${call.reference}/captures`, body, isOneOf("Captured", "Refused"))
    },
    void: (call) => send(call, `/${call.reference}/void`, {}, isOneOf("Voided", "Captured", "Refused")),
    refund: (call) => send(call, `/${call.reference}/refunds`, json(call.amount), isOneOf("Refunded", "Refused")),
    lookup: (call) =>
      client.get(`${url}/requests`, { urlParams: { key: call.operation } }).pipe(
        read(Schema.Struct({ replies: Schema.Array(Reply) })),
        Effect.map(({ replies: [reply] }) =>
          reply === undefined ? ({ _tag: "NotFound" } as const) : ({ _tag: "Found", answer: answerOf(reply) } as const)
        ),
        (found) => about(call, found)
      )
  }
})

/** Amounts go as text: a JSON number loses above 2^53. */
const json = ({ currency, minor }: Money.Money) => ({ currency, amount: String(minor) })

// --- What Acme says ---------------------------------------------------------

const code = Schema.String
const Reply = Schema.Union([
  Schema.Struct({ status: Schema.Literals(["authorized", "paid"]), id: Gateway.Reference }),
  Schema.Struct({ status: Schema.Literal("declined"), code }),
  Schema.Struct({ status: Schema.Literal("captured"), amount: Money.Minor, currency: Currency.Currency }),
  Schema.Struct({ status: Schema.Literal("refused"), code, gone: Schema.Boolean }),
  Schema.Struct({ status: Schema.Literals(["voided", "refunded"]) })
])

/** From Acme's manual. A code that is not in it is final: to stop asking is the answer that cannot do harm. */
const categories: Readonly<Record<string, Gateway.DeclineCategory>> = { "51": "otherInstrument", "91": "retryLater" }

const answerOf = (reply: typeof Reply.Type): Gateway.Answer => {
  switch (reply.status) {
    case "authorized":
    case "paid":
      return { _tag: "Approved", reference: reply.id, captured: reply.status === "paid" }
    case "declined":
      return { _tag: "Declined", decline: { code: reply.code, category: categories[reply.code] ?? "final" } }
    case "captured":
      return { _tag: "Captured", amount: { currency: reply.currency, minor: reply.amount } }
    case "refused":
      return { _tag: "Refused", code: reply.code, authorizationGone: reply.gone }
    case "voided":
      return { _tag: "Voided" }
    case "refunded":
      return { _tag: "Refunded" }
  }
}

const isOneOf =
  <Tag extends Gateway.Answer["_tag"]>(...tags: ReadonlyArray<Tag>) =>
  (answer: Gateway.Answer): answer is Extract<Gateway.Answer, { readonly _tag: Tag }> =>
    tags.some((tag) => tag === answer._tag)

// --- What it means when Acme says nothing -----------------------------------

type Reason = PaymentGateway.GatewayError["reason"]

const read =
  <A, I>(schema: Schema.Codec<A, I>) =>
  (sent: Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError>): Effect.Effect<A, Reason> =>
    sent.pipe(
      Effect.mapError((cause) => new PaymentGateway.InDoubt({ because: "ConnectionLost", cause })),
      Effect.tap(({ status }) => (status === 200 ? Effect.void : Effect.fail(reasonOf(status)))),
      Effect.flatMap((response) =>
        Effect.mapError(
          HttpClientResponse.schemaBodyJson(Schema.toCodecJson(schema))(response),
          (cause) => new PaymentGateway.InDoubt({ because: "Unreadable", cause })
        )
      )
    )

const reasonOf = (status: number): Reason => {
  if (status === 404) return new PaymentGateway.NotSent({ because: "Refused" })
  if (status === 422) return new PaymentGateway.Misconfigured({ detail: "the key stands for another request" })
  if (status === 429) return new PaymentGateway.NotSent({ because: "Throttled" })
  return new PaymentGateway.InDoubt({ because: status >= 500 ? "ServerError" : "Unreadable" })
}
