/** Checkout: goods, money and a shipment, all of them or none. */
import { Effect, Layer } from "effect"
import type { Lock } from "../../adapters/Lock.ts"
import type { Notice, Notifier } from "../../adapters/Notifier.ts"
import type { StockRepository } from "../../adapters/StockRepository.ts"
import { LocationId, OperationKey, ProductId } from "../../domain/reservation/StockEvent.ts"
import * as Inventory from "../../orchestration/inventory/Inventory.ts"
import type { Cart } from "../../orchestration/paying/Checkout.ts"
import * as Checkout from "../../orchestration/paying/Checkout.ts"
import type { PaidBy } from "../../orchestration/paying/FollowedPayment.ts"
import * as FakeStep from "./FakeStep.ts"
import { forgetting, fraud, keeping, ofNotices, ofPayments, order } from "./PayingStories.ts"
import * as SagaBoundaries from "./SagaBoundaries.ts"
import type { Plot, Story } from "./SagaStory.ts"
import * as SagaStory from "./SagaStory.ts"
import * as StoryShelf from "./StoryShelf.ts"

type Outside = Notifier | StockRepository | Lock

const beans = { product: ProductId.make("beans"), location: LocationId.make("north") }
const stocked = 10
const wanted = 4

const plot = (carrier: "takes it" | "refuses") => (): Plot<Cart, PaidBy, Outside> => {
  const sent: Array<Notice> = []
  const notes = new Map<string, string>()
  const shelf = StoryShelf.make()
  const isShipped = carrier === "takes it"
  return {
    saga: Checkout.make({
      fraud,
      record: () => Effect.void,
      shipment: {
        write: (_, key) => Effect.sync(() => (notes.set(key, "written"), { shipment: "sh-1" })),
        withdraw: (_, key) => Effect.sync(() => void notes.set(key, "withdrawn"))
      }
    }),
    input: { order: order(), lines: [{ stock: beans, quantity: wanted }], shipTo: "Ada" },
    begin: StoryShelf.receive(shelf, beans, stocked),
    outside: (process, world) =>
      Layer.mergeAll(
        SagaBoundaries.stock(process, shelf),
        StoryShelf.locks(process, world),
        SagaBoundaries.notifier(process, sent)
      ),
    judge: (_, payments) =>
      Effect.map(StoryShelf.level(shelf, beans), ({ onHand, reserved }) => {
        const left = isShipped ? stocked - wanted : stocked
        return [
          ...ofPayments(isShipped ? 1 : 0, payments),
          ...ofNotices(isShipped ? ["receipt"] : [], sent),
          ...(onHand === left ? [] : [`expected ${left} on hand, actual ${onHand}`]),
          ...(reserved === 0 ? [] : [`${reserved} are reserved for nobody`]),
          ...(isShipped === [...notes.values()].includes("written") ? [] : ["the shipment is not what it should be"])
        ]
      })
  }
}

/** Goods that are counted down, and not handed over once. */
const uncounted = (told: Plot<Cart, PaidBy, Outside>): Plot<Cart, PaidBy, Outside> => {
  let times = 0
  const run = () =>
    Inventory.perform(beans, {
      _tag: "AdjustStock",
      key: OperationKey.make(`by-hand-${++times}`),
      by: -1,
      reason: "handed over"
    })
  return {
    ...told,
    saga: FakeStep.altered(told.saga, "consume", (real) => ({
      ...real,
      run: (args, context) => Effect.andThen(run(), real.run(args, context))
    }))
  }
}

const taken = SagaStory.make({
  name: "checkout",
  ending: "completed",
  plot: plot("takes it"),
  bugs: {
    "a hold under another key": forgetting("payment/preauthorize"),
    "goods that are counted without a key": uncounted
  }
})

/** Nobody takes the parcel. */
const withoutCarrier = (told: Plot<Cart, PaidBy, Outside>): Plot<Cart, PaidBy, Outside> => ({
  ...told,
  saga: FakeStep.failing(told.saga, "shipment", { error: { message: "no carrier goes there", isRetryable: false } })
})

const refused = SagaStory.make({
  name: "checkout-refused",
  ending: "failed",
  plot: () => withoutCarrier(plot("refuses")()),
  bugs: {
    "a hold that is not voided": keeping("payment/preauthorize"),
    "goods that are not released": keeping("reserve")
  }
})

/** The carrier takes the parcel, and no answer of his arrives. */
const unheard = (told: Plot<Cart, PaidBy, Outside>): Plot<Cart, PaidBy, Outside> => ({
  ...told,
  saga: FakeStep.failing(told.saga, "shipment", { error: { message: "the answer was lost" }, when: "after" })
})

const unanswered = SagaStory.make({
  name: "checkout-unanswered",
  ending: "failed",
  plot: () => unheard(plot("refuses")()),
  bugs: { "a shipment that nobody withdraws": keeping("shipment") }
})

export const all: ReadonlyArray<Story> = [taken, refused, unanswered]
