/** `florin inventory`: stocks, and one product's with who reserved it. */
import { Clock, Effect, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ProductId } from "../../domain/reservation/StockEvent.ts"
import * as Operator from "./Operator.ts"
import * as SettingFlags from "./SettingFlags.ts"

const load = Effect.promise(() =>
  Promise.all([import("../../adapters/StockRepository.ts"), import("../http/InventoryJson.ts")])
)

const maxListed = 10_000

const widths = [24, 16, -10, -10, -10, -10]
const heading = Operator.row(widths, ["product", "location", "on hand", "reserved", "available", "on order"])

const list = Effect.fnUntraced(function* (limit: number, isJson: boolean) {
  const [{ StockRepository }, InventoryJson] = yield* load
  const repository = yield* StockRepository
  const now = yield* Clock.currentTimeMillis
  const stocks = (yield* repository.list({ limit })).map(({ id, stock }) => InventoryJson.fromStock(id, stock, now))
  yield* Operator.answer(isJson, { stocks }, () =>
    stocks.length === 0 ? "no stock" : [heading, ...stocks.map(line)].join("\n")
  )
})

const line = (level: Parameters<typeof cells>[0]) => Operator.row(widths, cells(level))

const cells = (level: {
  readonly product: string
  readonly location: string
  readonly onHand: number
  readonly reserved: number
  readonly available: number
  readonly onOrder: number
}) => {
  const { available, location, onHand, onOrder, product, reserved } = level
  return [product, location, ...[onHand, reserved, available, onOrder].map(String)]
}

const show = Effect.fnUntraced(function* (product: ProductId, isJson: boolean) {
  const [{ StockRepository }, InventoryJson] = yield* load
  const repository = yield* StockRepository
  const now = yield* Clock.currentTimeMillis
  const stocks = (yield* repository.levels(product)).map(({ location, stock }) =>
    InventoryJson.toDetail({ product, location }, stock, now)
  )
  yield* Operator.answer(isJson, { stocks }, () =>
    stocks.length === 0
      ? `there is no stock of ${product}`
      : [
          heading,
          ...stocks.flatMap((stock) => [
            line(stock),
            ...stock.reservations.map(
              ({ quantity, reservation, until }) =>
                `  ${quantity} reserved by ${reservation}${until === undefined ? "" : ` until ${until}`}`
            ),
            ...stock.orders.map(({ askAt, order, quantity }) => `  ${quantity} ordered as ${order}, due ${askAt}`)
          ])
        ].join("\n")
  )
})

const listCommand = Command.make(
  "list",
  {
    limit: Flag.Int("limit").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxListed }))),
      Flag.withDescription(`How many, from 1 to ${maxListed}; by product and location`),
      Flag.withDefault(100)
    ),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ json, limit, settings }) => list(limit, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("List stocks by product and location"),
  Command.withExamples([{ command: "florin inventory list", description: "What there is" }])
)

const showCommand = Command.make(
  "show",
  {
    product: Argument.String("product").pipe(
      Argument.withSchema(ProductId),
      Argument.withDescription("As `inventory list` prints it")
    ),
    json: Operator.json,
    settings: SettingFlags.of("database")
  },
  ({ json, product, settings }) => show(product, json).pipe(Operator.overStores(settings))
).pipe(
  Command.withDescription("Show a product's stock at each location, with its reservations and orders"),
  Command.withExamples([{ command: "florin inventory show espresso-1kg", description: "One product" }])
)

export const command = Command.make("inventory").pipe(
  Command.withDescription("Stock: list it, look at one product"),
  Command.withExamples([{ command: "florin inventory list", description: "What there is" }]),
  Command.withSubcommands([listCommand, showCommand])
)
