/**
 * What no request starts: recovery, the relay and the workers of webhooks of
 * a simulated process.
 *
 * A service looks every two seconds whether there is something to do. Here the
 * tables are at hand, so a worker sleeps until there is: idle looks would be
 * most of all crossings, and each the same.
 */
import { Clock, Effect } from "effect"
import { GatewayWebhooks } from "../adapters/GatewayWebhooks.ts"
import type { GatewayName } from "../domain/payment/Gateway.ts"
import type { Tables } from "../infra/memory/MemoryDatabase.ts"
import { newRun } from "../orchestration/Clocks.ts"
import * as Notifications from "../orchestration/Notifications.ts"
import * as OutboxRelay from "../orchestration/OutboxRelay.ts"
import * as PaymentRecovery from "../orchestration/PaymentRecovery.ts"
import * as WebhookWorker from "../orchestration/WebhookWorker.ts"
import type { Process } from "./Process.ts"

/** New work is seen after so long at the latest, where there was some just now; */
const soonMillis = 2000
/** and after so long where there has been none for a while. */
const lateMillis = 60_000
/** What could not be done just now is not tried again in the same moment. */
const leastMillis = 100

export const run = Effect.fnUntraced(function* (database: Tables, process: Process) {
  const webhooks = [...(yield* GatewayWebhooks).values()]
  return yield* Effect.all(
    [
      until(process, () => nextRecovery(database), PaymentRecovery.sweep()),
      Effect.flatMap(newRun, (owner) =>
        until(process, () => nextRelay(database), OutboxRelay.pass(OutboxRelay.defaults, owner))
      ),
      ...webhooks.map((webhook) =>
        Effect.flatMap(newRun, (owner) =>
          until(
            process,
            () => nextWebhook(database, webhook.gateway),
            Effect.flatMap(WebhookWorker.pass(WebhookWorker.defaults, webhook, owner), ({ recorded }) =>
              Effect.forEach(recorded, Notifications.goOn, { discard: true })
            )
          )
        )
      )
    ],
    { concurrency: "unbounded", discard: true }
  )
})

/** Does `work` whenever the moment that `next` names has come; what fails is tried again later. */
const until = <A, E, R>(process: Process, next: () => number, work: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    let mostMillis = soonMillis
    while (process.isAlive()) {
      const wait = next() - (yield* Clock.currentTimeMillis)
      if (wait <= 0) yield* Effect.ignore(work)
      mostMillis = wait <= 0 ? soonMillis : Math.min(mostMillis * 2, lateMillis)
      yield* Effect.sleep(Math.min(Math.max(wait, leastMillis), mostMillis))
    }
  })

/** When a payment that nobody holds owes something. */
export const nextRecovery = ({ streams }: Tables): number => {
  let first = Infinity
  for (const { due, until } of streams.values()) {
    if (due !== undefined) first = Math.min(first, Math.max(due, until ?? 0))
  }
  return first
}

/** When an entry can be published. */
export const nextRelay = ({ outbox }: Tables): number => {
  let first = Infinity
  for (const { retryAt, until } of outbox) first = Math.min(first, Math.max(retryAt ?? 0, until ?? 0))
  return first
}

/** When a delivery of that gateway can be applied. */
export const nextWebhook = ({ inbox }: Tables, gateway: GatewayName): number => {
  let first = Infinity
  for (const { received, retryAt, until } of inbox.values()) {
    if (received.gateway === gateway) first = Math.min(first, Math.max(retryAt, until ?? 0))
  }
  return first
}
