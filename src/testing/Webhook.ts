/** The last step of a gateway's notification in a world: whichever process is there takes it. */
import { Effect } from "effect"
import { Instant } from "../domain/Instant.ts"
import * as Notification from "../domain/payment/Notification.ts"
import { secretOf } from "../domain/webhook/StandardWebhooks.ts"
import type { Tables } from "../infra/simulated/MemorySandboxBooks.ts"
import * as MemorySandboxBooks from "../infra/simulated/MemorySandboxBooks.ts"
import * as SandboxGateway from "../infra/simulated/SandboxGateway.ts"
import * as SandboxWebhook from "../infra/simulated/SandboxWebhook.ts"
import { GatewayName } from "../domain/payment/Gateway.ts"
import * as Notifications from "../orchestration/Notifications.ts"
import * as WebhookIntake from "../orchestration/WebhookIntake.ts"
import type { World } from "./World.ts"
import { Disconnected } from "./World.ts"

/** A failure has the gateway send it again. */
export const deliver = (world: World) => (notification: Notification.Json) =>
  Effect.gen(function* () {
    const florins = world.florins()
    const florin = florins[world.draw.below(florins.length)]
    if (florin === undefined) return yield* Effect.fail(new Disconnected())
    const outcome = yield* florin.request(Notifications.receive(notification))
    if (Notifications.isToBeSentAgain(outcome)) return yield* Effect.fail(outcome)
  })

/** One secret for every bank: here nobody listens. */
const secret = secretOf(new Uint8Array(32).fill(7))

/** The same as a signed webhook, whose sender is told no more than that it was stored. */
export const deliverSigned = (world: World) => (message: Notification.Json) =>
  Effect.gen(function* () {
    const florins = world.florins()
    const florin = florins[world.draw.below(florins.length)]
    if (florin === undefined) return yield* Effect.fail(new Disconnected())
    const notification = Notification.decode(message)
    const delivery = SandboxWebhook.deliveryOf(notification, secret, Instant.make(world.time.now()))
    yield* florin.request(WebhookIntake.receive(notification.gateway, delivery))
  })

/** How such webhooks are read: by the bank's own books, whatever its lookup would say of them. */
export const readBy = (name: string, tables: Tables) => {
  const books = SandboxGateway.make(name).pipe(Effect.provide(MemorySandboxBooks.layer(tables)))
  return SandboxWebhook.make(
    { name: GatewayName.make(name), find: (operation) => Effect.flatMap(books, ({ find }) => find(operation)) },
    { secrets: [secret] }
  )
}
