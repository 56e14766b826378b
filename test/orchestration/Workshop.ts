/**
 * Everything a payment needs to run, in memory: scripted gateways, a database
 * that outlives its layers, seeded ids, and the defaults of the policy.
 */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import type { GatewayError } from "../../src/adapters/PaymentGateway.ts"
import { InDoubt, NotSent } from "../../src/adapters/PaymentGateway.ts"
import type { GatewayWebhook } from "../../src/adapters/GatewayWebhooks.ts"
import { GatewayWebhooks } from "../../src/adapters/GatewayWebhooks.ts"
import { PaymentRepository } from "../../src/adapters/PaymentRepository.ts"
import type { RiskScreen } from "../../src/adapters/RiskScreen.ts"
import { StorageUnavailable } from "../../src/adapters/Storage.ts"
import { WebhookInbox } from "../../src/adapters/WebhookInbox.ts"
import { SendError, WebhookSender } from "../../src/adapters/WebhookSender.ts"
import * as Idempotency from "../../src/domain/Idempotency.ts"
import type * as Gateway from "../../src/domain/payment/Gateway.ts"
import { MethodToken, Reference } from "../../src/domain/payment/Gateway.ts"
import { MerchantId, RequestId } from "../../src/domain/payment/PaymentEvent.ts"
import type * as Risk from "../../src/domain/Risk.ts"
import * as MemoryAuditLog from "../../src/infra/memory/MemoryAuditLog.ts"
import * as MemoryDatabase from "../../src/infra/memory/MemoryDatabase.ts"
import * as MemoryEventBus from "../../src/infra/memory/MemoryEventBus.ts"
import * as MemoryIdempotencyStore from "../../src/infra/memory/MemoryIdempotencyStore.ts"
import * as MemoryLock from "../../src/infra/memory/MemoryLock.ts"
import * as MemoryOutbox from "../../src/infra/memory/MemoryOutbox.ts"
import * as MemoryPaymentRepository from "../../src/infra/memory/MemoryPaymentRepository.ts"
import * as MemoryRiskScreen from "../../src/infra/memory/MemoryRiskScreen.ts"
import * as MemoryWebhookDeliveries from "../../src/infra/memory/MemoryWebhookDeliveries.ts"
import * as MemoryWebhookEndpoints from "../../src/infra/memory/MemoryWebhookEndpoints.ts"
import * as MemoryWebhookInbox from "../../src/infra/memory/MemoryWebhookInbox.ts"
import * as ScriptedGateway from "../../src/infra/memory/ScriptedGateway.ts"
import * as AuditTrail from "../../src/orchestration/AuditTrail.ts"
import * as GatewayCall from "../../src/orchestration/GatewayCall.ts"
import * as PaymentPolicy from "../../src/orchestration/PaymentPolicy.ts"
import * as Payments from "../../src/orchestration/Payments.ts"
import * as WebhookSubscriptions from "../../src/orchestration/WebhookSubscriptions.ts"

export const shop = MerchantId.make("shop")
export const key = (text: string) => Idempotency.IdempotencyKey.make(text)
export const request = (text: string) => RequestId.make(text)
export const eur = (minor: bigint) => ({ currency: "EUR", minor }) as const

export const order = (changes: Partial<Payments.NewPayment> = {}): Payments.NewPayment => ({
  amount: eur(10_99n),
  capture: "automatic",
  methods: [MethodToken.make("tok_visa")],
  ...changes
})

// --- What gateways say ------------------------------------------------------

export const approved: Gateway.Answer = {
  _tag: "Approved",
  reference: Reference.make("ch_1"),
  captured: false
}
export const declined = (category: Gateway.DeclineCategory): Gateway.Answer => ({
  _tag: "Declined",
  decline: { code: "51", category }
})

/** The obvious good answer to each call. */
export const agreeable: ScriptedGateway.Script = ({ call }) => {
  switch (call._tag) {
    case "Authorize":
    case "Confirm":
      return Effect.succeed(approved)
    case "Capture":
      return Effect.succeed({ _tag: "Captured", amount: call.amount })
    case "Void":
      return Effect.succeed({ _tag: "Voided" })
    case "Refund":
      return Effect.succeed({ _tag: "Refunded" })
  }
}

/** Fails the first `times` asks of an operation with `reason`, then agrees. */
export const failing =
  (times: number, reason: GatewayError["reason"]): ScriptedGateway.Script =>
  (asked) =>
    asked.before < times ? Effect.fail(reason) : agreeable(asked)

export const lost = new InDoubt({ because: "ConnectionLost" })
export const unreachable = new NotSent({ because: "ConnectionRefused" })

/** With a record of its own, so that a test of the audit log sees its own alone. */
const subscriptions = WebhookSubscriptions.layer.pipe(
  Layer.provide(Layer.fresh(AuditTrail.layer)),
  Layer.provide(Layer.fresh(MemoryAuditLog.layer))
)

// --- The workshop -----------------------------------------------------------

export interface Options {
  readonly gateways: ReadonlyArray<ScriptedGateway.ScriptedGateway>
  readonly database?: MemoryDatabase.Tables | undefined
  readonly settings?: Partial<PaymentPolicy.Settings> | undefined
  readonly waits?: Partial<Payments.Waits> | undefined
  /** Screens by these rules; without, nothing is screened. */
  readonly rules?: ReadonlyArray<Risk.Rule> | undefined
  /** Screens instead of the rules. */
  readonly screen?: Layer.Layer<RiskScreen> | undefined
  /** Stands between the code and its store: to fail on the way there, or on the way back. */
  readonly between?: ((repository: PaymentRepository["Service"]) => Partial<PaymentRepository["Service"]>) | undefined
  /** Gateways' webhooks; without, none are taken. */
  readonly webhooks?: ReadonlyArray<GatewayWebhook> | undefined
  /** `down`: nothing can be stored in the inbox. */
  readonly inbox?: "down" | undefined
  /** Where merchants' webhooks go; without, nowhere. */
  readonly sender?: WebhookSender["Service"] | undefined
  /** A second process has a seed of its own. */
  readonly seed?: number | undefined
}

const nowhere = Effect.fail(new SendError({ because: "TargetRefused", detail: "Expected a test that gives a sender" }))
const noSender: WebhookSender["Service"] = { check: () => nowhere, send: () => nowhere }

const downInbox = Layer.effect(
  WebhookInbox,
  Effect.map(WebhookInbox, (inner) => ({
    ...inner,
    store: () => Effect.fail(new StorageUnavailable({ operation: "store a webhook", cause: "down" }))
  }))
).pipe(Layer.provide(MemoryWebhookInbox.layer))

/** Bytes from a linear congruential generator: enough to tell ids apart, the same every time. */
const seeded = (seed: number) => {
  let state = seed
  return SecureRandom.make((size) =>
    Uint8Array.from({ length: size }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state >>> 24
    })
  )
}

export const layer = ({
  between,
  database = MemoryDatabase.make(),
  gateways,
  inbox,
  rules,
  screen,
  seed = 1,
  sender = noSender,
  settings,
  waits,
  webhooks = []
}: Options) => {
  const policy: PaymentPolicy.Settings = {
    ...PaymentPolicy.defaults,
    routing: { gateways: gateways.map(({ gateway: { capabilities, name } }) => ({ name, capabilities })), rules: [] },
    screening: rules === undefined ? undefined : { whenUnavailable: "failClosed", timeoutMillis: 5000 },
    ...settings
  }
  const stores = Layer.mergeAll(
    between === undefined
      ? MemoryPaymentRepository.layer
      : Layer.effect(
          PaymentRepository,
          Effect.map(PaymentRepository, (repository) => ({ ...repository, ...between(repository) }))
        ).pipe(Layer.provide(MemoryPaymentRepository.layer)),
    MemoryIdempotencyStore.layer,
    MemoryOutbox.layer,
    MemoryEventBus.layer,
    MemoryLock.layer,
    inbox === undefined ? MemoryWebhookInbox.layer : downInbox,
    MemoryWebhookEndpoints.layer,
    MemoryWebhookDeliveries.layer,
    screen ?? MemoryRiskScreen.layer(rules ?? [])
  ).pipe(Layer.provideMerge(Layer.succeed(MemoryDatabase.MemoryDatabase, database)))
  const world = Layer.mergeAll(
    stores,
    Layer.succeed(PaymentPolicy.PaymentPolicy, policy),
    Layer.succeed(SecureRandom.SecureRandom, seeded(seed)),
    ScriptedGateway.layer(...gateways),
    Layer.succeed(GatewayWebhooks, new Map(webhooks.map((webhook) => [webhook.gateway, webhook]))),
    Layer.succeed(WebhookSender, sender),
    CircuitBreaker.layerStoreMemory(),
    RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))
  )
  return Payments.layer({ answerMillis: 10_000, drainMillis: 1000, ...waits }).pipe(
    Layer.provideMerge(GatewayCall.layer),
    Layer.provideMerge(subscriptions),
    Layer.provideMerge(world)
  )
}

/** What a test in the workshop may ask for. */
export type Services = Layer.Success<ReturnType<typeof layer>>
