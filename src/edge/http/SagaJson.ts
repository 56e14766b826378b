/**
 * Orders, checkouts and runs of sagas in JSON. Amounts are integers of the
 * currency's minor unit; moments are ISO 8601 in UTC.
 */
import { DateTime, Option, Result, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { Address } from "../../adapters/Notifier.ts"
import type { OpenQuestion } from "../../adapters/SagaRuns.ts"
import * as SagaRuns from "../../adapters/SagaRuns.ts"
import type { MerchantId } from "../../domain/payment/PaymentEvent.ts"
import { LocationId, ProductId, Quantity } from "../../domain/reservation/StockEvent.ts"
import type { Entry, SagaJournal } from "../../domain/saga/SagaJournal.ts"
import { RollbackFailure } from "../../domain/saga/StepOutcome.ts"
import { MethodToken } from "../../domain/payment/Gateway.ts"
import { Currency } from "../../domain/Currency.ts"
import { Text, Token } from "../../domain/Text.ts"
import type { Cart } from "../../orchestration/paying/Checkout.ts"
import type { PaymentOrder } from "../../orchestration/paying/PaymentOrder.ts"
import * as PaymentJson from "./PaymentJson.ts"
import { Limit, usualLimit } from "./PaymentList.ts"

const optional = Schema.optionalKey

// --- Requests ---------------------------------------------------------------

const order = {
  reference: Token(100).annotate({ description: "The order's number: it is paid once, however often it is asked for" }),
  amount: PaymentJson.Amount,
  currency: Currency,
  paymentMethod: MethodToken,
  customer: optional(Text(255)),
  notify: Address.annotate({ description: "Who gets the receipt" })
}

const Order = Schema.Struct(order)

export const toOrder = (merchant: MerchantId, given: typeof Order.Type): PaymentOrder => {
  const { amount, currency, customer, notify, paymentMethod, reference } = given
  return {
    merchant,
    reference,
    amount: { currency, minor: BigInt(amount) },
    method: paymentMethod,
    ...(customer !== undefined && { customer }),
    notify
  }
}

const Line = Schema.Struct({ product: ProductId, location: LocationId, quantity: Quantity })

export const StartCheckout = Schema.Struct({
  ...order,
  lines: Schema.NonEmptyArray(Line).check(
    Schema.isMaxLength(100, { expected: "at most 100 lines" }),
    Schema.makeFilter(
      (lines) =>
        new Set(lines.map(({ location, product }) => `${product} ${location}`)).size === lines.length ||
        "Expected one line for each product at a location"
    )
  ),
  shipTo: Text(500)
}).annotate({ identifier: "StartCheckout" })

const lineOf = ({ location, product, quantity }: typeof Line.Type) => ({ stock: { product, location }, quantity })

export const toCart = (merchant: MerchantId, given: typeof StartCheckout.Type): Cart => {
  const [first, ...rest] = given.lines
  return { order: toOrder(merchant, given), lines: [lineOf(first), ...rest.map(lineOf)], shipTo: given.shipTo }
}

/** What can be begun by its name, beside checkouts and transfers of stock. */
export const StartSaga = Schema.Union([
  Schema.Struct({ saga: Schema.Literal("PaymentProcessing"), ...order }),
  Schema.Struct({
    saga: Schema.Literal("MultiAttempt"),
    ...order,
    backups: Schema.Array(MethodToken)
      .check(Schema.isMaxLength(9, { expected: "at most 9 backup cards" }))
      .annotate({ description: "Cards to try after a definite decline, in this order" })
  }),
  Schema.Struct({ saga: Schema.Literal("AlternativePayment"), ...order })
]).annotate({
  identifier: "StartSaga",
  message: "Expected a `saga` of PaymentProcessing, MultiAttempt, AlternativePayment"
})

// --- Pages ------------------------------------------------------------------

const cursorOf = ({ execution, startedAt }: SagaRuns.Place): string => Base64Url.encode(`${startedAt} ${execution}`)

const placeOf = (cursor: string): Option.Option<SagaRuns.Place> =>
  Option.flatMap(Result.getSuccess(Base64Url.decodeString(cursor)), (text) => {
    const [, startedAt, execution] = /^(\d{1,15}) ([!-~]{1,200})$/.exec(text) ?? []
    return startedAt === undefined || execution === undefined
      ? Option.none()
      : Option.some({ startedAt: Number(startedAt), execution })
  })

const Cursor = Schema.String.annotate({ description: "The `nextCursor` of the page before" }).check(
  Schema.makeFilter((text) => Option.isSome(placeOf(text)) || "Expected a cursor that a page gave as nextCursor")
)

export const Query = {
  saga: optional(Token(100).annotate({ description: "Runs of this saga" })),
  status: optional(SagaRuns.Status.annotate({ description: "Runs that stand so" })),
  limit: optional(Limit),
  cursor: optional(Cursor)
}
const AllOf = Schema.Struct(Query)

/** One more than a page holds, so that it is known whether there is another. */
export const toQuery = (merchant: MerchantId, asked: typeof AllOf.Type): SagaRuns.Query => ({
  saga: asked.saga,
  status: asked.status,
  merchant,
  limit: (asked.limit ?? usualLimit) + 1,
  after: asked.cursor === undefined ? undefined : Option.getOrUndefined(placeOf(asked.cursor))
})

export const Answer = Schema.Struct({
  saga: Token(100),
  correlation: Text(500).annotate({ description: "What the question was asked under" }),
  answer: Schema.Json
}).annotate({ identifier: "SagaAnswer" })

// --- Answers ----------------------------------------------------------------

const iso = (at: number) => DateTime.formatIso(DateTime.makeUnsafe(at))

const shown = {
  id: Schema.String,
  saga: Schema.String,
  status: SagaRuns.Status,
  /** 1 is what was asked for; each resume and each undo is another. */
  generation: Schema.Int,
  /** `undo`: it is taken back by hand. */
  purpose: SagaRuns.Purpose,
  startedAt: Schema.String,
  settledAt: optional(Schema.String),
  /** Without what its schema redacts. */
  input: Schema.Json,
  result: optional(Schema.Json),
  /** The step that failed it, or that ended it early. */
  step: optional(Schema.String),
  error: optional(Schema.Struct({ code: optional(Schema.String), message: Schema.String, retryable: Schema.Boolean })),
  /** What could not be taken back: somebody has to see to it. */
  rollbackFailures: Schema.Array(RollbackFailure)
}

export const Run = Schema.Struct(shown).annotate({ identifier: "SagaRun" })
export type Run = typeof Run.Type

const Step = Schema.Struct({
  /** The step and its attempt, `charge/1`; or what took it back, `charge/undo`. */
  name: Schema.String,
  outcome: Schema.String,
  at: optional(Schema.String),
  error: optional(Schema.String)
})

export const RunWithSteps = Schema.Struct({
  ...shown,
  /** What came of each attempt and each rollback; of a generation that goes on, what came before it. */
  steps: Schema.Array(Step),
  /** Steps that wait for an answer from outside. */
  questions: Schema.Array(Schema.Struct({ step: Schema.String, correlation: Schema.String }))
}).annotate({ identifier: "SagaRunWithSteps" })
export type RunWithSteps = typeof RunWithSteps.Type

export const Runs = Schema.Struct({
  runs: Schema.Array(Run),
  nextCursor: optional(Schema.String.annotate({ description: "Where the next page begins; absent on the last" }))
}).annotate({ identifier: "SagaRuns" })

export const fromFound = (
  found: ReadonlyArray<SagaRuns.SagaRun>,
  { limit = usualLimit }: Pick<typeof AllOf.Type, "limit">
): typeof Runs.Type => {
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return {
    runs: page.map(fromRun),
    ...(found.length > limit && last !== undefined && { nextCursor: cursorOf(last) })
  }
}

export const fromRun = (run: SagaRuns.SagaRun): Run => {
  const {
    error,
    execution,
    generation,
    input,
    purpose,
    result,
    rollbackFailures,
    saga,
    settledAt,
    startedAt,
    status,
    step
  } = run
  return {
    id: execution,
    saga,
    status,
    generation,
    purpose,
    startedAt: iso(startedAt),
    ...(settledAt !== undefined && { settledAt: iso(settledAt) }),
    input,
    ...(result !== undefined && { result }),
    ...(step !== undefined && { step }),
    ...(error !== undefined && {
      error: {
        ...(error.code !== undefined && { code: error.code }),
        message: error.message,
        retryable: error.isRetryable
      }
    }),
    rollbackFailures
  }
}

export const withSteps = (
  { run, sealed }: Pick<SagaRuns.Kept, "run"> & { readonly sealed: { readonly journal: SagaJournal } },
  questions: ReadonlyArray<OpenQuestion>
): RunWithSteps => ({
  ...fromRun(run),
  steps: Object.entries(sealed.journal).map(([name, entry]) => ({ name, ...told(entry) })),
  questions: questions.map(({ correlation, step }) => ({ step, correlation }))
})

/** Results are not shown: what a schema redacts may be in them. */
const told = (entry: Entry): Omit<typeof Step.Type, "name"> => {
  const came = "outcome" in entry ? entry.outcome : "wake" in entry ? entry.wake : entry.takingBack
  return {
    outcome: came._tag,
    ...("at" in came && { at: iso(came.at) }),
    ...("error" in came && { error: came.error.message }),
    ...("message" in came && { error: came.message })
  }
}
