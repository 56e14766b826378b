/**
 * The machine without a wire, for where no promise ever resolves: what the SDK
 * would send is encoded as it does, and what it would throw is made of the
 * reply. A fault of the machine's is what the SDK would have seen of it.
 */
import { Deferred, Duration, Effect } from "effect"
import type { StripeApi } from "../../../src/infra/stripe/StripeApi.ts"
import { StripeTrouble } from "../../../src/infra/stripe/StripeApi.ts"
import type { Reply as Seen } from "../../../src/infra/stripe/StripeClassification.ts"
import type { StripeRequest } from "../../../src/infra/stripe/StripeRequest.ts"
import type { Ending, StripeMachine } from "./StripeMachine.ts"
import type { Reply } from "./StripeReply.ts"

/** `background` starts what goes on whoever waits for it, as another machine does. */
export const make = (machine: StripeMachine, background: (effect: Effect.Effect<void>) => void): StripeApi => ({
  ask: (request) =>
    Effect.suspend(() => {
      const { method, params, path } = addressOf(request)
      const form = encode(params)
      const headers = {
        authorization: `Bearer ${machine.secretKey}`,
        ...("key" in request && { "idempotency-key": request.key })
      }
      const [query, body] = method === "GET" ? [form, ""] : ["", form]
      const { delayMillis, end } = machine.receive({ method, path, query, headers, body })
      if (delayMillis === 0) return seen(end())
      const ending = Deferred.makeUnsafe<Ending>()
      const work = Effect.flatMap(Effect.sync(end), (ended) => Deferred.succeed(ending, ended))
      background(Effect.asVoid(Effect.delay(work, Duration.millis(delayMillis))))
      return Effect.flatMap(Deferred.await(ending), seen)
    })
})

const intents = "/v1/payment_intents"

const addressOf = (
  request: StripeRequest
): { readonly method: "GET" | "POST"; readonly path: string; readonly params?: object } => {
  switch (request._tag) {
    case "CreateIntent":
      return { method: "POST", path: intents, params: request.params }
    case "RetrieveIntent":
      return { method: "GET", path: `${intents}/${request.intent}`, params: request.params }
    case "CaptureIntent":
      return { method: "POST", path: `${intents}/${request.intent}/capture`, params: request.params }
    case "CancelIntent":
      return { method: "POST", path: `${intents}/${request.intent}/cancel`, params: request.params }
    case "ListIntents":
      return { method: "GET", path: intents, params: request.params }
    case "SearchIntents":
      return { method: "GET", path: `${intents}/search`, params: request.params }
    case "CreateRefund":
      return { method: "POST", path: "/v1/refunds", params: request.params }
    case "ListRefunds":
      return { method: "GET", path: "/v1/refunds", params: request.params }
    case "RetrieveRefund":
      return { method: "GET", path: `/v1/refunds/${request.refund}` }
    case "RetrieveDispute":
      return { method: "GET", path: `/v1/disputes/${request.dispute}` }
    case "ListEvents":
      return { method: "GET", path: "/v1/events", params: request.params }
    case "CreateCustomer":
      return { method: "POST", path: "/v1/customers", params: request.params }
    case "AttachMethod":
      return { method: "POST", path: `/v1/payment_methods/${request.method}/attach`, params: request.params }
  }
}

/** `{ a: { b: ["c"] } }` is `a[b][0]=c`. */
const encode = (params: object = {}): string => {
  const form = new URLSearchParams()
  const add = (value: unknown, name: string): void => {
    if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) add(inner, `${name}[${key}]`)
    } else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      form.append(name, `${value}`)
    }
  }
  for (const [name, value] of Object.entries(params)) add(value, name)
  return form.toString()
}

const trouble = (seen: StripeTrouble["seen"]) => Effect.fail(new StripeTrouble({ seen }))

const seen = (ending: Ending): Effect.Effect<unknown, StripeTrouble> => {
  switch (ending._tag) {
    case "Replied":
      return read(ending.reply)
    case "Unreadable":
      return trouble({ _tag: "Unreadable" })
    case "Closed":
      return trouble({ _tag: "Broken" })
    case "Hung":
      return Effect.never
  }
}

const read = ({ body, headers, status }: Reply): Effect.Effect<unknown, StripeTrouble> => {
  if (status < 300) return Effect.succeed(structuredClone(body))
  const error = body["error"] as Readonly<Record<string, string | undefined>>
  const { advice_code, code, decline_code, param, payment_intent, type } = error
  const shouldRetry = headers["stripe-should-retry"]
  const retryAfter = headers["retry-after"]
  const reply: Seen = {
    status,
    type,
    code,
    declineCode: decline_code,
    adviceCode: advice_code,
    param,
    shouldRetry: shouldRetry === undefined ? undefined : shouldRetry === "true",
    replayed: headers["idempotent-replayed"] === "true",
    retryAfterMillis: retryAfter === undefined ? undefined : Number(retryAfter) * 1000
  }
  return Effect.fail(
    new StripeTrouble({
      seen: { _tag: "Replied", reply },
      ...(payment_intent !== undefined && { intent: structuredClone(payment_intent) })
    })
  )
}
