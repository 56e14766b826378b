/** The shop around florin, by promises: what its sagas ask of it, and who tells its customers. */
import { Effect, Layer } from "effect"
import type { Notice } from "../../adapters/Notifier.ts"
import * as Notifiers from "../../adapters/Notifier.ts"
import { Notifier } from "../../adapters/Notifier.ts"
import type { Note, Sale, Shipment } from "../../adapters/Shop.ts"
import { Shop, ShopError, ShopInDoubt, ShopRefused } from "../../adapters/Shop.ts"
import type { FraudPolicy } from "../../orchestration/paying/FraudCheck.ts"
import * as ShopCore from "../ShopCore.ts"

/**
 * Each function may be asked again with the same key, and does the same thing
 * once. A rejection is tried again, unless it has `retryable: false`.
 */
export interface PromisedShop {
  readonly ship?: (shipment: Shipment, key: string) => Promise<Note> | Note
  readonly withdraw?: (note: Note, key: string) => unknown
  readonly record?: (sale: Sale, key: string) => unknown
  /** Sends a notice to a customer; without it, nobody does. */
  readonly notify?: (notice: Notice) => unknown
  /** Points of the risk rules, and the most that is still taken. */
  readonly fraud?: FraudPolicy
  /** Where customers give another card; without it, no alternative payment is taken. */
  readonly cardPage?: URL
  readonly sagaMillis?: number
  readonly billingMillis?: number
  readonly inventoryMillis?: number
}

const asked = <A>(about: string, ask: () => Promise<A> | A): Effect.Effect<A, ShopError> =>
  Effect.tryPromise({
    try: async () => ask(),
    catch: (thrown) => {
      const detail = thrown instanceof Error ? thrown.message : String(thrown)
      const isFinal = Object(thrown).retryable === false
      return new ShopError({ about, reason: isFinal ? new ShopRefused({ detail }) : new ShopInDoubt({ detail }) })
    }
  })

export const layer = ({
  record = () => undefined,
  ship = ({ merchant, reference }) => ({ shipment: `${merchant}/${reference}` }),
  withdraw = () => undefined
}: PromisedShop): Layer.Layer<Shop> =>
  Layer.succeed(Shop, {
    ship: (shipment, key) => asked("shipment", () => ship(shipment, key)),
    withdraw: (note, key) => Effect.asVoid(asked("withdrawal", () => withdraw(note, key))),
    record: (sale, key) => Effect.asVoid(asked("sale", () => record(sale, key)))
  })

export const notifier = (notify: PromisedShop["notify"]): Layer.Layer<Notifier> =>
  notify === undefined
    ? ShopCore.unsent
    : Layer.effect(
        Notifier,
        Notifiers.make("program", (notice) =>
          Effect.asVoid(
            Effect.tryPromise({
              try: async () => notify(notice),
              catch: (thrown) =>
                new Notifiers.InDoubt({ detail: thrown instanceof Error ? thrown.message : String(thrown) })
            })
          )
        )
      )
