/** `/v1/subscriptions` over `Subscriptions`, for the merchant whose service this is. */
import { Effect, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { createHash } from "node:crypto"
import type { IdempotencyKey } from "../../domain/Idempotency.ts"
import type { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { RequestId } from "../../domain/payment/PaymentEvent.ts"
import { SubscriptionId } from "../../domain/subscription/Invoice.ts"
import type { SubscriptionView } from "../../domain/subscription/SubscriptionView.ts"
import { Subscriptions } from "../../orchestration/subscription/Subscriptions.ts"
import { Merchant } from "./Merchant.ts"
import * as OnRecord from "./OnRecord.ts"
import { PaymentsApi } from "./PaymentsApi.ts"
import * as Problem from "./Problem.ts"
import type { Refusal } from "./Refusal.ts"
import { refuse } from "./Refusal.ts"
import * as SubscriptionJson from "./SubscriptionJson.ts"

export const subscriptions = HttpApiBuilder.group(
  PaymentsApi,
  "subscriptions",
  Effect.fn(function* (handlers) {
    const subscriptions = yield* Subscriptions
    const merchant = yield* Merchant
    const random = yield* SecureRandom.SecureRandom

    const onRecord = yield* OnRecord.recording

    const own = (text: string) =>
      Effect.gen(function* () {
        const id = decodeId(text)
        if (Option.isNone(id)) return yield* new Problem.SubscriptionNotFound()
        const view = yield* subscriptions.get(id.value)
        // Of another merchant's not even its being there is told.
        return view.merchant === merchant ? id.value : yield* new Problem.SubscriptionNotFound()
      })

    /** Once for its key, where there is one; without, each request is one of its own. */
    const change = (
      what: string,
      text: string,
      key: IdempotencyKey | undefined,
      make: (id: SubscriptionId, request: RequestId) => Effect.Effect<SubscriptionView, Refusal>
    ) =>
      Effect.gen(function* () {
        const id = yield* own(text)
        const request = RequestId.make(key ?? `request-${yield* random.ulid}`)
        return SubscriptionJson.fromView(yield* onRecord(`${what} subscription ${id}`, make(id, request)))
      }).pipe(Effect.catch(refuse))

    return handlers.handleAll({
      create: ({ headers, payload }) => {
        const terms = SubscriptionJson.toTerms(merchant, idFor(merchant, headers["idempotency-key"]), payload)
        return onRecord(`begin subscription ${terms.subscription}`, subscriptions.subscribe(terms)).pipe(
          Effect.map((view) => HttpServerResponse.jsonUnsafe(SubscriptionJson.fromView(view), { status: 201 })),
          Effect.catch((error) =>
            error._tag === "Subscription.Rejected" && error.rule === "TermsDiffer"
              ? refuse(new Problem.KeyReused({ field: "payload", detail: "the first request differs" }))
              : refuse(error)
          )
        )
      },
      list: ({ query }) =>
        subscriptions.list({ merchant, ...SubscriptionJson.toPage(query) }).pipe(
          Effect.map((found) => {
            const { next, page } = SubscriptionJson.paged(found, query, ({ id }) => id)
            return { subscriptions: page.map(SubscriptionJson.fromView), ...next }
          }),
          Effect.catch(refuse)
        ),
      get: ({ params }) =>
        own(params.id).pipe(
          Effect.flatMap((id) => subscriptions.get(id)),
          Effect.map(SubscriptionJson.fromView),
          Effect.catch(refuse)
        ),
      invoices: ({ params, query }) =>
        own(params.id).pipe(
          Effect.flatMap((subscription) =>
            subscriptions.invoices({ merchant, subscription, ...SubscriptionJson.toInvoicePage(query) })
          ),
          Effect.map((found) => {
            const { next, page } = SubscriptionJson.paged(found, query, ({ number }) => number)
            return { invoices: page.map(SubscriptionJson.fromInvoice), ...next }
          }),
          Effect.catch(refuse)
        ),
      changePlan: ({ headers, params, payload }) =>
        change("change the plan of", params.id, headers["idempotency-key"], (id, request) =>
          subscriptions.changePlan(id, request, SubscriptionJson.toPlan(payload.plan))
        ),
      applyCoupon: ({ headers, params, payload }) =>
        change("apply a coupon to", params.id, headers["idempotency-key"], (id, request) =>
          subscriptions.applyCoupon(id, request, SubscriptionJson.toCoupon(payload.coupon))
        ),
      updateMethod: ({ headers, params, payload }) =>
        change("change the payment method of", params.id, headers["idempotency-key"], (id, request) =>
          subscriptions.updateMethod(id, request, payload.paymentMethod)
        ),
      cancel: ({ headers, params, payload }) =>
        change("cancel", params.id, headers["idempotency-key"], (id, request) =>
          subscriptions.cancel(id, request, payload?.when ?? "periodEnd")
        ),
      pause: ({ headers, params }) =>
        change("pause", params.id, headers["idempotency-key"], (id, request) => subscriptions.pause(id, request)),
      resume: ({ headers, params }) =>
        change("resume", params.id, headers["idempotency-key"], (id, request) => subscriptions.resume(id, request))
    })
  })
)

const decodeId = Schema.decodeUnknownOption(SubscriptionId)

/** The same key is the same subscription, whoever answers it: 160 bits of SHA-256, so that no two keys meet. */
const idFor = (merchant: MerchantId, key: IdempotencyKey): SubscriptionId =>
  SubscriptionId.make(`sub_${createHash("sha256").update(`${merchant}\n${key}`).digest("hex").slice(0, 40)}`)
