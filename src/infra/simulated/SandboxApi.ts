/**
 * The sandbox over HTTP: the contract that its server and its client share.
 *
 * A decline and a refusal are answers, so their status is 200. Amounts are
 * strings of minor units beside their currency, because a JSON number loses
 * above 2^53. `Idempotency-Key` is the operation's id, which is in the metadata
 * as well.
 *
 * Faults are no part of the contract: 429 with `Retry-After`, 500, and 503 with
 * `X-Sandbox-Not-Sent` (see `notSentHeader`) come from what a token says.
 */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Money } from "../../domain/Money.ts"
import { Answer, MethodToken, Reference } from "../../domain/payment/Gateway.ts"
import { OperationId } from "../../domain/payment/Operation.ts"
import { MerchantId, PaymentId } from "../../domain/payment/PaymentEvent.ts"
import { Text, Token } from "../../domain/Text.ts"
import { Charge } from "./SandboxCharge.ts"
import { AuthorizationAnswer, CaptureAnswer, RefundAnswer, VoidAnswer } from "./SandboxRequest.ts"

/**
 * Says `true` on a 503 that stands for "connection refused".
 *
 * A server that has read a request cannot refuse its connection any more, and
 * dropping it would tell the client nothing: a connection that breaks after the
 * request was sent is in doubt, whatever the server knows. So this one header
 * carries what a closed port would have proven: nothing has happened.
 */
export const notSentHeader = "x-sandbox-not-sent"

// --- Errors -----------------------------------------------------------------

/** The key stands for another request, or cannot be a key. */
export class KeyMisused extends Schema.TaggedError<KeyMisused>()(
  "KeyMisused",
  { detail: Schema.String },
  { httpApiStatus: 400 }
) {}

export class NoSuchCharge extends Schema.TaggedError<NoSuchCharge>()("NoSuchCharge", {}, { httpApiStatus: 404 }) {}

// --- Requests ---------------------------------------------------------------

const headers = { "idempotency-key": OperationId }
const params = { reference: Reference }
const metadata = Schema.Struct({ operation: OperationId })
const error = [KeyMisused, NoSuchCharge] as const

export const NewAuthorization = Schema.Struct({
  amount: Money,
  method: MethodToken,
  challenge: Schema.Boolean,
  capture: Schema.Literals(["automatic", "manual"]),
  returnUrl: Schema.optionalKey(Token(2048)),
  metadata: Schema.Struct({ operation: OperationId, payment: PaymentId, merchant: MerchantId })
})

/** As many charges as one answer may hold; some 400 bytes each. */
const maxLimit = 1000

// --- The API ----------------------------------------------------------------

class Payments extends HttpApiGroup.make("payments")
  .add(
    HttpApiEndpoint.post("authorize", "/v1/authorizations", {
      headers,
      payload: NewAuthorization,
      success: AuthorizationAnswer,
      error
    }),
    HttpApiEndpoint.post("confirm", "/v1/authorizations/:reference/confirm", {
      headers,
      params,
      payload: Schema.Struct({ result: Schema.optionalKey(Text(4096)), metadata }),
      success: AuthorizationAnswer,
      error
    }),
    HttpApiEndpoint.post("capture", "/v1/authorizations/:reference/captures", {
      headers,
      params,
      payload: Schema.Struct({ amount: Money, final: Schema.Boolean, metadata }),
      success: CaptureAnswer,
      error
    }),
    HttpApiEndpoint.post("void", "/v1/authorizations/:reference/void", {
      headers,
      params,
      payload: Schema.Struct({ metadata }),
      success: VoidAnswer,
      error
    }),
    HttpApiEndpoint.post("refund", "/v1/authorizations/:reference/refunds", {
      headers,
      params,
      payload: Schema.Struct({ amount: Money, metadata }),
      success: RefundAnswer,
      error
    })
  )
  .annotateMerge(OpenApi.annotations({ description: "What moves money; each under a key of its own" })) {}

/** A list, and not a 404: "nothing has happened" must never be what a wrong address says as well. */
export const Operations = Schema.Struct({
  operations: Schema.Array(Schema.Struct({ key: OperationId, answer: Answer }))
})

class Records extends HttpApiGroup.make("records")
  .add(
    HttpApiEndpoint.get("operations", "/v1/operations", { query: { key: OperationId }, success: Operations }),
    HttpApiEndpoint.get("charges", "/v1/charges", {
      query: {
        after: Schema.optionalKey(Reference),
        limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxLimit })))
      },
      success: Schema.Struct({ charges: Schema.Array(Charge) })
    })
  )
  .annotateMerge(OpenApi.annotations({ description: "What became of an operation, and the books for auditors" })) {}

class Pages extends HttpApiGroup.make("pages")
  .add(
    HttpApiEndpoint.get("health", "/healthz", { success: HttpApiSchema.NoContent }),
    /** Where a customer goes for 3-D Secure: a redirect back (303), or a page that they leave. */
    HttpApiEndpoint.get("challenge", "/3ds/:reference", {
      params,
      query: { return: Schema.optionalKey(Schema.String) },
      success: Schema.String.pipe(HttpApiSchema.asText()),
      error: NoSuchCharge
    })
  )
  .annotateMerge(OpenApi.annotations({ description: "What is not for programs" })) {}

export class SandboxApi extends HttpApi.make("sandbox")
  .add(Payments)
  .add(Records)
  .add(Pages)
  .annotateMerge(OpenApi.annotations({ title: "florin sandbox gateway" })) {}
