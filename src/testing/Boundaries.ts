/** Florin's adapters behind a process's boundary: every call is a crossing, and each adapter fails in its own words. */
import { Effect, Layer } from "effect"
import type { GatewayWebhook } from "../adapters/GatewayWebhooks.ts"
import { EventBus, PublishError } from "../adapters/EventBus.ts"
import { IdempotencyStore } from "../adapters/IdempotencyStore.ts"
import { Lock, LockError, Lost } from "../adapters/Lock.ts"
import { Outbox } from "../adapters/Outbox.ts"
import type { PaymentGateway } from "../adapters/PaymentGateway.ts"
import { GatewayError, InDoubt } from "../adapters/PaymentGateway.ts"
import { PaymentRepository, PaymentRepositoryError, VersionConflict } from "../adapters/PaymentRepository.ts"
import { RiskScreen, RiskScreenError } from "../adapters/RiskScreen.ts"
import { StorageUnavailable } from "../adapters/Storage.ts"
import { WebhookInbox } from "../adapters/WebhookInbox.ts"
import type { RunId } from "../domain/payment/Operation.ts"
import { idOf } from "../domain/payment/Operation.ts"
import { PaymentId } from "../domain/payment/PaymentEvent.ts"
import type { Call } from "../domain/payment/PaymentPlan.ts"
import type { Process } from "./Process.ts"

const unavailable = (operation: string) => new StorageUnavailable({ operation, cause: "the connection is gone" })

/** Calls of a store, which fails by not answering. */
const storing =
  (process: Process, store: string) =>
  <A, E>(operation: string, effect: Effect.Effect<A, E | StorageUnavailable>) =>
    process.cross(`${store}.${operation}`, effect, () => unavailable(operation))

const storingPayment =
  (process: Process) =>
  <A>(operation: string, payment: PaymentId, effect: Effect.Effect<A, PaymentRepositoryError>, expected = 0) =>
    process.cross<A, PaymentRepositoryError, never>(`PaymentRepository.${operation}`, effect, (how) => {
      const reason = how === "Fail" ? unavailable(operation) : new VersionConflict({ expected })
      return new PaymentRepositoryError({ payment, reason })
    })

const holding =
  (process: Process) =>
  <A>(operation: string, name: string, owner: RunId, effect: Effect.Effect<A, LockError>) =>
    process.cross<A, LockError, never>(`Lock.${operation}`, effect, (how) => {
      const reason = how === "Fail" ? unavailable(operation) : new Lost()
      return new LockError({ name, owner, reason })
    })

export const repository = (process: Process): Layer.Layer<PaymentRepository, never, PaymentRepository> =>
  Layer.effect(
    PaymentRepository,
    Effect.map(PaymentRepository, (inner) => {
      const stored = storing(process, "PaymentRepository")
      const ofPayment = storingPayment(process)
      return PaymentRepository.of({
        create: (creation) => ofPayment("create", creation.payment, inner.create(creation)),
        append: (append) => ofPayment("append", append.payment, inner.append(append), append.expected),
        load: (payment) => ofPayment("load", payment, inner.load(payment)),
        claim: (payment, lease, now) => ofPayment("claim", payment, inner.claim(payment, lease, now)),
        renew: (payment, token, until) => ofPayment("renew", payment, inner.renew(payment, token, until)),
        release: (payment, token) => ofPayment("release", payment, inner.release(payment, token)),
        find: (payment) => stored("find", inner.find(payment)),
        list: (filter, page) => stored("list", inner.list(filter, page)),
        overdue: (query) => stored("overdue", inner.overdue(query)),
        histories: (query) => stored("histories", inner.histories(query)),
        views: (query) => stored("views", inner.views(query)),
        count: stored("count", inner.count),
        dropViews: stored("dropViews", inner.dropViews),
        putViews: (views) => stored("putViews", inner.putViews(views))
      })
    })
  )

export const idempotencyStore = (process: Process): Layer.Layer<IdempotencyStore, never, IdempotencyStore> =>
  Layer.effect(
    IdempotencyStore,
    Effect.map(IdempotencyStore, (inner) => {
      const stored = storing(process, "IdempotencyStore")
      return IdempotencyStore.of({
        claim: (claim) => stored("claim", inner.claim(claim)),
        complete: (merchant, key, owner, answer) => stored("complete", inner.complete(merchant, key, owner, answer)),
        release: (merchant, key, owner) => stored("release", inner.release(merchant, key, owner))
      })
    })
  )

export const outbox = (process: Process): Layer.Layer<Outbox, never, Outbox> =>
  Layer.effect(
    Outbox,
    Effect.map(Outbox, (inner) => {
      const stored = storing(process, "Outbox")
      return Outbox.of({
        claim: (request) => stored("claim", inner.claim(request)),
        published: (owner, ids) => stored("published", inner.published(owner, ids)),
        failed: (owner, id, retryAt) => stored("failed", inner.failed(owner, id, retryAt)),
        bury: (owner, id, error, at) => stored("bury", inner.bury(owner, id, error, at)),
        deadLetters: (limit) => stored("deadLetters", inner.deadLetters(limit)),
        deadLetter: (id) => stored("deadLetter", inner.deadLetter(id)),
        replay: (id, now) => stored("replay", inner.replay(id, now)),
        pending: stored("pending", inner.pending)
      })
    })
  )

export const webhookInbox = (process: Process): Layer.Layer<WebhookInbox, never, WebhookInbox> =>
  Layer.effect(
    WebhookInbox,
    Effect.map(WebhookInbox, (inner) => {
      const stored = storing(process, "WebhookInbox")
      return WebhookInbox.of({
        store: (arrival) => stored("store", inner.store(arrival)),
        claim: (request) => stored("claim", inner.claim(request)),
        applied: (owner, id) => stored("applied", inner.applied(owner, id)),
        failed: (owner, id, retryAt) => stored("failed", inner.failed(owner, id, retryAt)),
        bury: (owner, id, error, at) => stored("bury", inner.bury(owner, id, error, at)),
        deadLetters: (limit) => stored("deadLetters", inner.deadLetters(limit)),
        deadLetter: (id) => stored("deadLetter", inner.deadLetter(id)),
        replay: (id, now) => stored("replay", inner.replay(id, now)),
        forget: (before) => stored("forget", inner.forget(before)),
        pending: stored("pending", inner.pending)
      })
    })
  )

export const eventBus = (process: Process): Layer.Layer<EventBus, never, EventBus> =>
  Layer.effect(
    EventBus,
    Effect.map(EventBus, (inner) =>
      EventBus.of({
        ...inner,
        publish: (envelope) =>
          process.cross(
            "EventBus.publish",
            inner.publish(envelope),
            () => new PublishError({ event: envelope.id, handler: "bus", cause: "the connection is gone" })
          )
      })
    )
  )

export const lock = (process: Process): Layer.Layer<Lock, never, Lock> =>
  Layer.effect(
    Lock,
    Effect.map(Lock, (inner) => {
      const held = holding(process)
      return Lock.of({
        acquire: (name, owner, ttl) => held("acquire", name, owner, inner.acquire(name, owner, ttl)),
        extend: (lease, ttl) => held("extend", lease.name, lease.owner, inner.extend(lease, ttl)),
        release: (lease) => held("release", lease.name, lease.owner, inner.release(lease))
      })
    })
  )

export const riskScreen = (process: Process): Layer.Layer<RiskScreen, never, RiskScreen> =>
  Layer.effect(
    RiskScreen,
    Effect.map(RiskScreen, (inner) =>
      RiskScreen.of({
        screen: (request) =>
          process.cross(
            "RiskScreen.screen",
            inner.screen(request),
            () => new RiskScreenError({ payment: request.payment, cause: "the connection is gone" })
          )
      })
    )
  )

export const gateway = (process: Process, inner: PaymentGateway): PaymentGateway => {
  const called = <A>(operation: string, call: Call, effect: Effect.Effect<A, GatewayError>) =>
    process.cross(
      `PaymentGateway.${operation}`,
      effect,
      () =>
        new GatewayError({
          gateway: inner.name,
          operation: call.operation,
          reason: new InDoubt({ because: "ConnectionLost" })
        })
    )
  return {
    name: inner.name,
    capabilities: inner.capabilities,
    authorize: (call) => called("authorize", call, inner.authorize(call)),
    confirm: (call) => called("confirm", call, inner.confirm(call)),
    capture: (call) => called("capture", call, inner.capture(call)),
    void: (call) => called("void", call, inner.void(call)),
    refund: (call) => called("refund", call, inner.refund(call)),
    lookup: (call) => called("lookup", call, inner.lookup(call))
  }
}

/** Asking is no operation's, so the failure names one that nobody has. */
const asked = idOf(PaymentId.make("pay_0"), "authorize", 1)

/** Verifying is arithmetic; reading asks the gateway. */
export const gatewayWebhook = (process: Process, inner: GatewayWebhook): GatewayWebhook => ({
  ...inner,
  read: (body) =>
    process.cross(
      "GatewayWebhook.read",
      inner.read(body),
      () =>
        new GatewayError({
          gateway: inner.gateway,
          operation: asked,
          reason: new InDoubt({ because: "ConnectionLost" })
        })
    )
})
