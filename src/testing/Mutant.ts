/**
 * Bugs that have charged customers twice, or lost a charge, elsewhere; each
 * planted into a process by a small wrapper around what it is made of.
 *
 * An exploration that does not find one of them proves nothing about the code
 * without it.
 */
import { Effect, Result } from "effect"
import type { PaymentGateway } from "../adapters/PaymentGateway.ts"
import { GatewayError, NotSent } from "../adapters/PaymentGateway.ts"
import type { Append, PaymentRepository } from "../adapters/PaymentRepository.ts"
import { IdempotencyKey } from "../domain/Idempotency.ts"
import type { Answer, Capabilities } from "../domain/payment/Gateway.ts"
import { OperationId } from "../domain/payment/Operation.ts"
import type { Event, PaymentId } from "../domain/payment/PaymentEvent.ts"
import type { Call } from "../domain/payment/PaymentPlan.ts"
import { compound } from "../infra/memory/MemoryDatabase.ts"
import type { Alteration, World } from "./World.ts"

export interface Mutant {
  readonly name: string
  /** The bug, as it would be told in a post-mortem. */
  readonly about: string
  readonly alteration: Alteration
}

type Repository = PaymentRepository["Service"]

/** The outcome of every call to a gateway, seen differently. */
const answering = (
  change: (answer: Result.Result<Answer, GatewayError>, call: Call) => Result.Result<Answer, GatewayError>
): Alteration => ({
  calls: (inner) => ({
    ...inner,
    send: (call) => Effect.flatMap(Effect.result(inner.send(call)), (answer) => Effect.fromResult(change(answer, call)))
  })
})

/** Every call to a gateway, made differently. */
const calling = (change: (call: Call, sends: number) => Call): Alteration => ({
  gateway: (inner) => {
    const sends = new Map<string, number>()
    const changed = <C extends Call>(call: C): C => {
      const count = (sends.get(call.operation) ?? 0) + 1
      sends.set(call.operation, count)
      return { ...call, operation: change(call, count).operation }
    }
    return {
      ...inner,
      authorize: (call) => inner.authorize(changed(call)),
      confirm: (call) => inner.confirm(changed(call)),
      capture: (call) => inner.capture(changed(call)),
      void: (call) => inner.void(changed(call)),
      refund: (call) => inner.refund(changed(call))
    }
  }
})

const storing = (change: (inner: Repository, world: World) => Partial<Repository>): Alteration => ({
  repository: (inner, world) => ({ ...inner, ...change(inner, world) })
})

const promising = (change: (declared: Capabilities) => Partial<Capabilities>): Alteration => ({
  gateway: (inner): PaymentGateway => ({
    ...inner,
    capabilities: { ...inner.capabilities, ...change(inner.capabilities) }
  })
})

const isDoubt = (answer: Result.Result<Answer, GatewayError>): boolean =>
  Result.isFailure(answer) && answer.failure.reason._tag === "InDoubt"

const notSent = ({ gateway, operation }: Call) =>
  Result.fail(new GatewayError({ gateway, operation, reason: new NotSent({ because: "ConnectionRefused" }) }))

/** An operation's id with a number behind it: another key. */
const another = (operation: OperationId, number: number) => OperationId.make(`${operation}/again/${number}`)

const begins = ({ events }: Append): boolean => events.some(({ _tag }) => _tag.endsWith("Begun"))

/** The events of a stream behind a version, as a writer would see them who looks again. */
const since = ({ database }: World, payment: PaymentId, version: number): ReadonlyArray<Event> =>
  (database.streams.get(payment)?.events ?? []).slice(version).map(({ event }) => event)

const versionOf = ({ database }: World, payment: PaymentId) => database.streams.get(payment)?.version ?? 0
const tokenOf = ({ database }: World, payment: PaymentId) => database.streams.get(payment)?.token ?? 0

export const all: ReadonlyArray<Mutant> = [
  {
    name: "charge-before-intent",
    about: "The gateway is called before the intent is durable: it is written together with the answer.",
    alteration: storing((inner, world) => {
      const held = new Map<PaymentId, Append>()
      return {
        append: (append) => {
          const before = held.get(append.payment)
          held.delete(append.payment)
          const whole =
            before === undefined
              ? append
              : { ...append, expected: before.expected, events: [...before.events, ...append.events] }
          if (!begins(append)) return inner.append(whole)
          held.set(append.payment, { ...whole, expected: Math.min(whole.expected, versionOf(world, append.payment)) })
          return Effect.void
        }
      }
    })
  },
  {
    name: "new-key-on-resend",
    about: "Each resend has an idempotency key of its own.",
    alteration: calling((call, sends) => (sends === 1 ? call : { ...call, operation: another(call.operation, sends) }))
  },
  {
    name: "new-key-after-restart",
    about: "The idempotency key is made in memory, so that a new process has another.",
    alteration: {
      gateway: (inner, world) => {
        // None has been crossed when the first process starts, and some have for every later one.
        const life = world.crossings()
        return calling((call) => (life === 0 ? call : { ...call, operation: another(call.operation, life) })).gateway!(
          inner,
          world
        )
      }
    }
  },
  {
    name: "doubt-is-failure",
    about: "A call that was not answered counts as declined.",
    alteration: answering((answer, call) =>
      isDoubt(answer) && (call._tag === "Authorize" || call._tag === "Confirm")
        ? Result.succeed({ _tag: "Declined", decline: { code: "timeout", category: "final" } })
        : answer
    )
  },
  {
    name: "capture-doubt-is-refusal",
    about: "A capture that was not answered counts as refused.",
    alteration: answering((answer, call) =>
      isDoubt(answer) && call._tag === "Capture"
        ? Result.succeed({ _tag: "Refused", code: "timeout", authorizationGone: false })
        : answer
    )
  },
  {
    name: "doubt-is-success",
    about: "A call that was not answered counts as done: an outage is assumed to be on the gateway's way back.",
    alteration: answering((answer, call) =>
      isDoubt(answer) && call._tag === "Capture"
        ? Result.succeed({ _tag: "Captured", amount: call.amount })
        : isDoubt(answer) && call._tag === "Refund"
          ? Result.succeed({ _tag: "Refunded" })
          : answer
    )
  },
  {
    name: "fallback-in-doubt",
    about: "A timeout counts as not sent, and the next card or gateway is tried.",
    alteration: answering((answer, call) => (isDoubt(answer) && call._tag === "Authorize" ? notSent(call) : answer))
  },
  {
    name: "no-fencing",
    about: "Whoever once got the lock writes, without a fencing token and without a look at the version.",
    alteration: storing((inner, world) => ({
      append: (append) =>
        append.claim === undefined
          ? inner.append(append)
          : inner.append({
              ...append,
              expected: versionOf(world, append.payment),
              claim: { ...append.claim, token: tokenOf(world, append.payment) }
            }),
      renew: (payment, _, until) => inner.renew(payment, tokenOf(world, payment), until)
    }))
  },
  {
    name: "last-write-wins",
    about: "An append does not look whether somebody has written since: what it decided is added behind.",
    alteration: storing((inner, world) => ({
      append: (append) => {
        const missed = since(world, append.payment, append.expected)
        if (missed.length === 0) return inner.append(append)
        return inner.append({
          ...append,
          expected: versionOf(world, append.payment),
          claim: append.claim && { ...append.claim, token: tokenOf(world, append.payment) }
        })
      }
    }))
  },
  {
    name: "read-then-insert-key",
    about: "The idempotency key is looked up first and inserted later, in a statement of its own.",
    alteration: storing((inner, { database }) => ({
      create: (creation) =>
        Effect.gen(function* () {
          const named = compound(creation.merchant, creation.key)
          const isFree = !database.keys.has(named)
          yield* Effect.ignore(inner.load(creation.payment))
          if (!isFree) return yield* inner.create(creation)
          const before = database.keys.get(named)
          database.keys.delete(named)
          const created = yield* inner.create(creation)
          if (before !== undefined) database.keys.set(named, before)
          return created
        })
    }))
  },
  {
    name: "key-not-claimed",
    about: "A repeated request is a new payment, because the key is kept in the process's memory only.",
    alteration: storing((inner) => {
      const mine = new Set<string>()
      let repeats = 0
      return {
        create: (creation) => {
          if (mine.has(creation.key)) return inner.create(creation)
          mine.add(creation.key)
          return Effect.flatMap(inner.create(creation), (created) =>
            created._tag === "Created"
              ? Effect.succeed(created)
              : inner.create({
                  ...creation,
                  key: IdempotencyKey.make(`${creation.key}-${creation.payment}-${repeats++}`)
                })
          )
        }
      }
    })
  },
  {
    name: "outbox-marked-first",
    about: "An event is marked as published before it is.",
    alteration: {
      outbox: (inner) => ({
        ...inner,
        claim: (request) =>
          Effect.tap(inner.claim(request), (entries) =>
            entries.length === 0
              ? Effect.void
              : inner.published(
                  request.owner,
                  entries.map(({ envelope }) => envelope.id)
                )
          )
      })
    }
  },
  {
    name: "outbox-out-of-order",
    about: "The relay publishes a payment's events as they come to hand.",
    alteration: {
      outbox: (inner) => ({ ...inner, claim: (request) => Effect.map(inner.claim(request), (all) => all.toReversed()) })
    }
  },
  {
    name: "eventual-lookup-trusted",
    about: '"Not found" is taken for proof at a gateway whose lookup lags behind.',
    alteration: promising(() => ({ lookup: "authoritative" }))
  },
  {
    name: "key-retention-ignored",
    about: "The same key is sent again long after the gateway has forgotten it.",
    alteration: promising(({ idempotencyKey }) => ({
      idempotencyKey: { ...idempotencyKey, retentionMillis: 30 * 24 * 60 * 60 * 1000 }
    }))
  },
  {
    name: "recovery-charges-anew",
    about: "Recovery does not ask what became of a charge: it makes it again, under a new key.",
    alteration: {
      gateway: (inner, world) => {
        const seen = new Set<string>()
        return {
          ...inner,
          authorize: (call) => {
            const isMine = !(world.database.streams.get(call.order.payment)?.events ?? []).some(
              ({ event }) => event._tag === "OperationDoubted" && event.operation === call.operation
            )
            if (isMine) return inner.authorize(call)
            const count = seen.add(`${call.operation} ${seen.size}`).size
            return inner.authorize({ ...call, operation: another(call.operation, count) })
          }
        }
      }
    }
  },
  {
    name: "read-model-behind",
    about: "The read model is written on its own, after the events, and not at all when the process dies between.",
    alteration: storing((inner, { database }) => ({
      append: (append) =>
        Effect.gen(function* () {
          const before = database.views.get(append.payment)
          yield* inner.append({ ...append, view: before ?? append.view })
          yield* Effect.ignore(inner.find(append.payment))
          database.views.set(append.payment, append.view)
        })
    }))
  },
  {
    name: "refund-outside-transaction",
    about:
      "What is left to refund is read from the read model, and the refund is written without a look at the version.",
    alteration: storing((inner, world) => ({
      load: (payment) =>
        Effect.map(inner.load(payment), (stream) => ({
          ...stream,
          history: stream.history.filter(({ _tag }) => _tag !== "RefundBegun" && _tag !== "Refunded")
        })),
      append: (append) => inner.append({ ...append, expected: versionOf(world, append.payment) })
    }))
  },
  {
    name: "webhook-applied-twice",
    about: "A notification is not looked up among those that came before: its repeat is a second dispute.",
    alteration: storing((inner, world) => ({
      load: (payment) =>
        Effect.map(inner.load(payment), (stream) => ({
          ...stream,
          history: stream.history.filter(({ _tag }) => _tag !== "DisputeOpened")
        })),
      append: (append) =>
        append.claim === undefined
          ? inner.append({ ...append, expected: versionOf(world, append.payment) })
          : inner.append(append)
    }))
  },
  {
    name: "decline-trips-breaker",
    about: "A decline counts as a failure of the gateway.",
    alteration: {
      gateway: (inner) => ({
        ...inner,
        authorize: (call) =>
          Effect.flatMap(inner.authorize(call), (answer) =>
            answer._tag === "Declined" ? Effect.fromResult(notSent(call)) : Effect.succeed(answer)
          )
      })
    }
  }
]
