/**
 * What to do when a card does not do: insufficient funds and other declines,
 * and gateways that do not answer.
 *
 * - A decline is an answer, and asking again would get the same one: one
 *   attempt. The customer is told, with the page where they can give another
 *   card, and the run waits for that card, for days if need be.
 * - A gateway that was not reached may be there in a moment: three attempts.
 *   Then the run has failed, nothing was charged, and the customer is told.
 * - A gateway that was reached and did not answer leaves doubt. It is asked
 *   again under the same key until it is known what happened; neither another
 *   attempt nor another card comes before that (R1, R5).
 *
 * A card that works at once halts the run: there is nothing more to do but the
 * receipt. `paidBy` reads the answer either way.
 */
import type { Duration } from "effect"
import { Effect, Schema } from "effect"
import { Notifier } from "../../adapters/Notifier.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import type { Payments } from "../Payments.ts"
import * as Saga from "../saga/Saga.ts"
import type { Answer } from "../saga/SagaAnswer.ts"
import type { StepContext } from "../saga/SagaStep.ts"
import * as CustomerNotice from "./CustomerNotice.ts"
import type { PaymentDeclined } from "./FollowedPayment.ts"
import { PaidBy } from "./FollowedPayment.ts"
import * as FollowedPayment from "./FollowedPayment.ts"
import type { InvalidOrder } from "./PaymentOrder.ts"
import { PaymentOrder } from "./PaymentOrder.ts"
import * as PaymentOrders from "./PaymentOrder.ts"
import { complain, keyOf, payBack, receipts, sendReceipt, shortly } from "./PaymentProcessing.ts"

export interface Options {
  /** Where the customer gives another card; `correlation` is what the shop answers the run with. */
  readonly page: (correlation: string) => string
  /** So long they have; three days when absent, as long as carts are commonly kept. */
  readonly patience?: Duration.Input
}

/** Another card, as the shop passes it on: `SagaRunner.answer("AlternativePayment", correlation, { method })`. */
export const AnotherCard = Schema.Struct({ method: MethodToken })
export type AnotherCard = typeof AnotherCard.Type

/** A third wrong answer is no typing error. */
const answers = 3

const First = Schema.TaggedUnion({ Paid: { paid: PaidBy }, Declined: { code: Schema.String } })

export const name = "AlternativePayment"

export const make = ({ page, patience = "3 days" }: Options): Saga.Saga<PaymentOrder, PaidBy, Payments | Notifier> =>
  Saga.make(name, { input: PaymentOrder, idempotencyKey: PaymentOrders.keyOf })
    .step("first", {
      takes: ({ input }) => ({ order: input }),
      gives: First,
      retry: shortly,
      run: ({ order }, context) =>
        pay(order, order.method, context).pipe(
          Effect.tap((paid) => CustomerNotice.tell(CustomerNotice.receipt(order, paid))),
          Effect.map((paid) => Saga.halt({ _tag: "Paid", paid } as const)),
          Effect.catchIf(isDeclined, ({ code }) => Effect.succeed({ _tag: "Declined", code } as const))
        ),
      compensate: (args, reason) =>
        Effect.andThen(CustomerNotice.tell(CustomerNotice.unreachable(args.order)), complain(args, reason))
    })
    .step("notice", {
      takes: ({ input, steps }) => ({ order: input, first: steps.first }),
      ...receipts,
      run: ({ first, order }) =>
        Effect.flatMap(Notifier, ({ notify }) =>
          notify(
            CustomerNotice.declined(
              order,
              first._tag === "Declined" ? first.code : "",
              page(PaymentOrders.keyOf(order))
            )
          )
        )
    })
    .interrupt("anotherCard", {
      takes: ({ input }) => ({ order: input }),
      waitFor: ["notice"],
      gives: AnotherCard,
      correlation: ({ order }) => PaymentOrders.keyOf(order),
      timeout: patience,
      attempts: answers,
      compensate: ({ order }) => CustomerNotice.tell(CustomerNotice.abandoned(order))
    })
    .step("second", {
      kind: "pivot",
      takes: ({ input, steps }) => ({ order: input, method: steps.anotherCard.method }),
      gives: PaidBy,
      retry: shortly,
      run: ({ method, order }, context) => pay(order, method, context),
      compensate: (args, reason) =>
        Effect.andThen(CustomerNotice.tell(CustomerNotice.abandoned(args.order)), complain(args, reason)),
      undo: payBack
    })
    .step("receipt", {
      takes: ({ input, steps }) => ({ order: input, paid: steps.second }),
      ...receipts,
      run: (args) => sendReceipt(args)
    })
    .returns("second")

/** How it was paid, with whichever card. */
export const paidBy = (answer: Answer<PaidBy>): PaidBy => {
  if (answer._tag === "Completed") return answer.value
  const first = decodeFirst(answer.value)
  if (first._tag === "Paid") return first.paid
  throw new Error(`a run of ${name} halted at ${answer.step} without a payment`)
}

const decodeFirst = Schema.decodeUnknownSync(Schema.toCodecJson(First))

/** `Notifier` is what the step's rollback needs. */
const pay = (
  order: PaymentOrder,
  method: MethodToken,
  context: StepContext
): Effect.Effect<PaidBy, InvalidOrder | FollowedPayment.BeginError, Payments | Notifier> =>
  Effect.flatMap(PaymentOrders.validate(order.amount, [method]), (payable) =>
    FollowedPayment.begin(order.merchant, keyOf(context), PaymentOrders.paymentOf(payable, order, "automatic"))
  )

/** An answer of a bank, and not a gateway that nobody reached. */
const isDeclined = (error: { readonly _tag: string }): error is PaymentDeclined =>
  error._tag === "PaymentDeclined" && !(error as PaymentDeclined).isRetryable
