/** The last step of a gateway's notification in a world: whichever process is there takes it. */
import { Effect } from "effect"
import type * as Notification from "../domain/payment/Notification.ts"
import * as Notifications from "../orchestration/Notifications.ts"
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
