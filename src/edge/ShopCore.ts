/**
 * Everything beside single payments: sagas, subscriptions and stock with their
 * workers, over any stores and payments, with the shop that they tell.
 */
import { Effect, Layer, Option, Redacted } from "effect"
import * as Notifiers from "../adapters/Notifier.ts"
import { Notifier } from "../adapters/Notifier.ts"
import type { Shop } from "../adapters/Shop.ts"
import type { Supplier } from "../adapters/Supplier.ts"
import * as OwnShop from "../infra/memory/OwnShop.ts"
import * as InventoryCore from "./InventoryCore.ts"
import * as ShopSagas from "./sagas/ShopSagas.ts"
import * as SagaCore from "./SagaCore.ts"
import type * as ShopSettings from "./ShopSettings.ts"
import * as SubscriptionCore from "./SubscriptionCore.ts"

export interface Options extends SagaCore.Options, SubscriptionCore.Options, InventoryCore.Options {
  /** Who delivers what is sold; without, nothing is ordered. */
  readonly supplier?: Layer.Layer<Supplier> | undefined
}

export const defaults: Options = { ...SagaCore.defaults, ...SubscriptionCore.defaults, ...InventoryCore.defaults }

/** With a supplier: what runs out is ordered, by runs that are run here, and deliveries are asked for. */
const supplied = ({ deliveryMillis, inventoryMillis, supplier }: Options) =>
  supplier === undefined
    ? Layer.empty
    : Layer.merge(
        InventoryCore.replenishment({ inventoryMillis }).pipe(Layer.provideMerge(ShopSagas.replenishing)),
        InventoryCore.deliveries({ deliveryMillis })
      ).pipe(Layer.provide(supplier))

export const layer = (options: Options) =>
  Layer.mergeAll(SubscriptionCore.layer(options), InventoryCore.layer(options), supplied(options)).pipe(
    Layer.provideMerge(SagaCore.layer(options))
  )

// --- Whom they tell -----------------------------------------------------------

/** Nobody sends them: the log says that there was something to tell, and not to whom. */
export const unsent: Layer.Layer<Notifier> = Layer.effect(
  Notifier,
  Notifiers.make("log", ({ id, kind }) => Effect.logInfo("a notice that nobody sends", { id, kind }))
)

const httpClient = Layer.unwrap(
  Effect.map(
    Effect.promise(() => import("@effect/platform-node/NodeHttpClient")),
    ({ layerUndici }) => layerUndici
  )
)

/** By mail or by webhook, as the settings say. What sends them is loaded only then. */
export const notifier = ({ smtp, token, url }: ShopSettings.Shop["notices"]): Layer.Layer<Notifier> => {
  if (Option.isSome(url)) {
    return Layer.unwrap(
      Effect.map(
        Effect.promise(() => import("../infra/http/WebhookNotifier.ts")),
        (WebhookNotifier) =>
          WebhookNotifier.layer({ url: Redacted.make(url.value.href), token: Option.getOrUndefined(token) })
      )
    ).pipe(Layer.provide(httpClient))
  }
  if (smtp === undefined) return unsent
  return Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("../infra/smtp/SmtpNotifier.ts")),
      (SmtpNotifier) => SmtpNotifier.layer(smtp)
    )
  )
}

/** The supplier where one is named; what asks him is loaded only then. */
export const supplier = ({ token, url }: ShopSettings.Shop["supplier"]): Layer.Layer<Supplier> | undefined =>
  Option.isNone(url)
    ? undefined
    : Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("../infra/http/HttpSupplier.ts")),
          (HttpSupplier) => HttpSupplier.layer({ url: url.value, token: Option.getOrUndefined(token) })
        )
      ).pipe(Layer.provide(httpClient))

/** The shop's systems where they are named; without, there is nobody to tell. */
export const shop = ({ token, url }: Pick<ShopSettings.Shop, "url" | "token">): Layer.Layer<Shop> =>
  Option.match(url, {
    onNone: () => OwnShop.layer,
    onSome: (at) =>
      Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("../infra/http/HttpShop.ts")),
          (HttpShop) => HttpShop.layer({ url: at, token: Option.getOrUndefined(token) })
        )
      ).pipe(Layer.provide(httpClient))
  })
