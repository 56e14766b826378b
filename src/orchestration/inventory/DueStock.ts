/**
 * Every stock that owes something now, or wants an order, page by page, each seen to once a pass:
 * what cannot be settled stays so, and must not keep a pass from the rest.
 */
import { Effect } from "effect"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import type { Due } from "../../adapters/StockRepository.ts"
import { StockRepository } from "../../adapters/StockRepository.ts"
import type { StockId } from "../../domain/reservation/StockEvent.ts"
import { now } from "../Clocks.ts"

/** So many stocks a query: enough to be quick, few enough that a page is no burden. */
const pageSize = 100

/** Stocks at once, so that a backlog does not starve the requests of the day. */
const concurrency = 8

/** What became of each, longest owed first. */
export const forEach = <A, E, R>(
  visit: (id: StockId) => Effect.Effect<A, E, R>,
  which: "due" | "wanting" = "due"
): Effect.Effect<ReadonlyArray<A>, E | StorageUnavailable, R | StockRepository> =>
  Effect.gen(function* () {
    const { [which]: those } = yield* StockRepository
    const at = yield* now
    const fates: Array<A> = []
    let after: Due | undefined
    while (true) {
      const page: ReadonlyArray<Due> = yield* those(at, pageSize, after)
      fates.push(...(yield* Effect.forEach(page, ({ id }) => visit(id), { concurrency })))
      if (page.length < pageSize) return fates
      after = page.at(-1)
    }
  })
