/**
 * Payments over any stores and any gateways, with the two workers that no
 * request starts: recovery and the outbox relay.
 *
 * It ends in the order in which it can: the workers, then the runs that are on
 * their way, then whatever it was built on.
 */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { CircuitBreaker, RateLimiter } from "effect/persistence"
import type { PaymentGateway } from "../adapters/PaymentGateway.ts"
import { PaymentGateways } from "../adapters/PaymentGateway.ts"
import type { UnavailablePolicy } from "../domain/Risk.ts"
import type * as Routing from "../domain/Routing.ts"
import * as AuditTrail from "../orchestration/AuditTrail.ts"
import * as AuditedPayments from "../orchestration/AuditedPayments.ts"
import * as GatewayCall from "../orchestration/GatewayCall.ts"
import * as OutboxRelay from "../orchestration/OutboxRelay.ts"
import * as PaymentPolicy from "../orchestration/PaymentPolicy.ts"
import * as PaymentRecovery from "../orchestration/PaymentRecovery.ts"
import * as Payments from "../orchestration/Payments.ts"
import type { Stores } from "./Stores.ts"

export interface Options extends Payments.Waits {
  /** How long a worker may be silent before another takes its payment over. */
  readonly leaseMillis: number
  /** How often payments without a worker are looked for. */
  readonly recoveryMillis: number
  /** How long a gateway may take to answer. */
  readonly gatewayMillis: number
  /** What the screen's silence means; `undefined`: payments are not screened. */
  readonly screening: { readonly whenUnavailable: UnavailablePolicy } | undefined
  /** Rules of preference, and each gateway's terms by its name. */
  readonly routing?: {
    readonly rules?: ReadonlyArray<Routing.Rule> | undefined
    readonly terms?: Readonly<Record<string, Routing.Terms>> | undefined
  }
}

/** As `npm start` has them: README's table of settings. */
export const defaults: Options = {
  answerMillis: 10_000,
  drainMillis: 10_000,
  leaseMillis: 15_000,
  recoveryMillis: 2000,
  gatewayMillis: 30_000,
  screening: undefined
}

/** Each by its own name. */
export const gateways = (...all: ReadonlyArray<PaymentGateway>): Layer.Layer<PaymentGateways> =>
  Layer.succeed(PaymentGateways, new Map(all.map((gateway) => [gateway.name, gateway])))

/** A rule of risk is arithmetic over one count: what takes this long does not answer. */
const screeningMillis = 5000

const policy = ({ leaseMillis, routing = {}, screening }: Options) =>
  Layer.effect(
    PaymentPolicy.PaymentPolicy,
    Effect.map(PaymentGateways, (gateways) => ({
      ...PaymentPolicy.defaults,
      routing: {
        gateways: [...gateways.values()].map(({ capabilities, name }) => ({
          ...routing.terms?.[name],
          name,
          capabilities
        })),
        rules: routing.rules ?? []
      },
      screening: screening && { whenUnavailable: screening.whenUnavailable, timeoutMillis: screeningMillis },
      leaseMillis
    }))
  )

const callPolicies = ({ gatewayMillis }: Options) =>
  Layer.effect(
    GatewayCall.CallPolicies,
    Effect.map(
      PaymentGateways,
      (gateways) =>
        new Map(
          [...gateways.keys()].map((name) => [name, { ...GatewayCall.defaultPolicy, timeoutMillis: gatewayMillis }])
        )
    )
  )

/** Without the workers: whoever asks is served, and nothing else happens. */
export const payments = (options: Options) => {
  const calls = GatewayCall.layer.pipe(
    Layer.provide(callPolicies(options)),
    Layer.provide([
      CircuitBreaker.layerStoreMemory(),
      RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))
    ])
  )
  return AuditedPayments.layer.pipe(
    Layer.provide(Payments.layer(options)),
    Layer.provideMerge(AuditTrail.layer),
    Layer.provideMerge(calls),
    Layer.provideMerge(policy(options)),
    Layer.provideMerge(SecureRandom.layerWebCrypto)
  )
}

const workers = ({ recoveryMillis }: Options) =>
  Layer.mergeAll(
    Layer.effectDiscard(Effect.forkScoped(PaymentRecovery.daemon(recoveryMillis))),
    Layer.effectDiscard(Effect.forkScoped(OutboxRelay.daemon(OutboxRelay.defaults)))
  )

export type PaymentCore =
  | Payments.Payments
  | AuditTrail.AuditTrail
  | GatewayCall.GatewayCall
  | PaymentPolicy.PaymentPolicy
  | SecureRandom.SecureRandom

export const layer = (options: Options): Layer.Layer<PaymentCore, never, Stores | PaymentGateways> =>
  Layer.provideMerge(workers(options), payments(options))
