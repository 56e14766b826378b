/** `florin demo`: the main job to its end, and what came of it beside the gateway's own books. */
import { Console, Effect, Schema } from "effect"
import { Argument, Command } from "effect/cli"
import { fileURLToPath } from "node:url"
import type { Currency } from "../../domain/Currency.ts"
import * as Money from "../../domain/Money.ts"
import type * as Demo from "../demo/Demo.ts"
import type { Sums } from "../demo/Reconciliation.ts"

const load = Effect.promise(() =>
  Promise.all([import("effect/http/FetchHttpClient"), import("../demo/Demo.ts"), import("../demo/DemoOrder.ts")])
)

const example = fileURLToPath(new URL("../../../examples/payments.ndjson", import.meta.url))

/** Florin and the gateway disagree about money. */
export class BooksDiffer extends Schema.TaggedError<BooksDiffer>()("BooksDiffer", { count: Schema.Int }) {
  override get message() {
    return `florin's payments and the gateway's books differ, differences: ${this.count}`
  }
}

const row = (...cells: ReadonlyArray<string | number>) =>
  cells.map((cell, index) => (index === 0 ? String(cell).padEnd(26) : String(cell).padStart(14))).join("")

const currenciesOf = (...sums: ReadonlyArray<ReadonlyMap<string, bigint>>) =>
  [...new Set(sums.flatMap((sum) => [...sum.keys()]))].toSorted()

/** Minor units as the currency is written; florin's sums and the gateway's side by side. */
const amounts = (what: "captured" | "refunded", florin: Sums, gateway: Sums) =>
  currenciesOf(florin[what], gateway[what]).map((currency) => {
    const written = (sums: Sums) => Money.format(Money.of(currency as Currency, sums[what].get(currency) ?? 0n))
    return row(`${what}, ${currency}`, written(florin), written(gateway))
  })

const report = ({ byStatus, differences, florin, gateway, inDoubt, sent }: Demo.Outcome) =>
  [
    "",
    `${sent} requests to pay, one kill -9 in the middle:`,
    ...byStatus.toSorted(([, a], [, b]) => b - a).map(([status, count]) => row(`  ${status}`, count)),
    "",
    row("", "florin", "gateway"),
    row("payments with money", florin.payments, gateway.payments),
    row("holds that stand", florin.held, gateway.held),
    ...amounts("captured", florin, gateway),
    ...amounts("refunded", florin, gateway),
    "",
    ...differences.map(({ florin, gateway, payment, what }) => `${payment}: ${what}: ${florin} here, ${gateway} there`),
    `${differences.length} differences, ${inDoubt} in doubt and known to be`
  ].join("\n")

/** Prints what happened; fails when the books differ by one payment. */
export const conclude = Effect.fnUntraced(function* (outcome: Demo.Outcome) {
  yield* Console.log(report(outcome))
  if (outcome.differences.length > 0) return yield* new BooksDiffer({ count: outcome.differences.length })
})

export const command = Command.make(
  "demo",
  {
    orders: Argument.File("orders", { mustExist: true }).pipe(
      Argument.withDescription("A file of orders, one JSON object a line"),
      Argument.withDefault(example)
    )
  },
  Effect.fn(function* ({ orders }) {
    const [{ layer }, Demo, DemoOrder] = yield* load
    const outcome = Effect.scoped(Effect.flatMap(DemoOrder.read(orders), Demo.run))
    yield* conclude(yield* Effect.provide(outcome, layer))
  })
).pipe(
  Command.withDescription("Pay a file of orders through a service that is killed in the middle, and compare the books"),
  Command.withExamples([{ command: "florin demo", description: "The orders in examples/payments.ndjson" }])
)
