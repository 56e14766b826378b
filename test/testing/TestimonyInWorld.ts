/** `Testimony` beside the core's own fold, over every history of a small world. */
import { assert, describe, it } from "@effect/vitest"
import * as Payment from "../../src/domain/payment/Payment.ts"
import type { Event } from "../../src/domain/payment/PaymentEvent.ts"
import { hear, isOpen } from "../../src/testing/Testimony.ts"
import type { World } from "../domain/payment/World.ts"

/** Each state's first history, and every history that is one decision longer. */
const histories = ({ moves }: World) => {
  const before = new Map<Payment.State, ReadonlyArray<Event>>([[Payment.initial, []]])
  return moves.flatMap(({ events, from, to }) => {
    if (events.length === 0 || to._tag === "New") return []
    const history = [...before.get(from)!, ...events]
    before.set(to, history)
    return [{ history, state: to }]
  })
}

/** The gateway tells of a confirmation that it was never asked for: this world can, and no gateway does. */
const tellsOfUnasked = (history: ReadonlyArray<Event>) =>
  history.some(
    (event, index) =>
      (event._tag === "Authorized" || event._tag === "AuthorizationDeclined") &&
      event.operation.includes("/confirm/") &&
      !history.slice(0, index).some((one) => one._tag === "ActionCompleted" && one.operation === event.operation)
  )

export const describeTestimony = (name: string, world: World) =>
  describe(`Testimony of ${name}`, () => {
    const all = histories(world).filter(({ history }) => !tellsOfUnasked(history))

    it("objects to nothing that a decision recorded", () => {
      const objections = all.flatMap(({ history }) =>
        // All evidence in this world is of one gateway, whichever was asked.
        hear("pay_1", history).objections.filter(({ rule }) => rule !== "EvidenceTrue")
      )
      assert.isAbove(all.length, 1000)
      assert.deepStrictEqual(objections.slice(0, 5), [])
    })

    it("hears the same operations open and the same money as the fold", () => {
      const differences = all.filter(({ history, state }) => {
        const told = hear("pay_1", history)
        const open = Payment.openOperations(state).filter(
          ({ kind, standing }) => kind !== "authorize" || standing._tag !== "NotSent"
        )
        const [captured, refunded, disputed] =
          "captures" in state
            ? [Payment.captured(state).minor, Payment.refunded(state).minor, Payment.disputed(state).minor]
            : [0n, 0n, 0n]
        return (
          told.operations
            .filter(isOpen)
            .map(({ id }) => id)
            .toSorted()
            .join() !==
            open
              .map(({ id }) => id)
              .toSorted()
              .join() ||
          told.capturedMinor !== captured ||
          told.refundedMinor !== refunded ||
          told.disputedMinor !== disputed ||
          (state._tag === "Authorized" && told.heldMinor !== state.order.amount.minor) ||
          ((state._tag === "Voided" || state._tag === "Ready") && told.heldMinor !== 0n)
        )
      })
      assert.deepStrictEqual(differences.slice(0, 1), [])
    })
  })
