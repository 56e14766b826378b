/**
 * The same payment over the memory adapters: what the orchestration takes of
 * one core when nothing is stored anywhere. The peer is the decider alone,
 * which decides the same five commands and folds their events: the ratio says
 * what claims, timeouts, the breaker and fibers cost beside the rules.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import * as Checkout from "./Checkout.ts"
import type { Pace, Subject, Turn } from "./Contest.ts"
import { compute, perform } from "./Contest.ts"
import * as SamplePayment from "./SamplePayment.ts"

/** As many as keep a core busy; nothing here waits for anything else. */
const concurrency = 16

export const subject = ({ rounds, turnMillis }: Pace): Subject<never> => {
  // New tables for each turn: a payment is never forgotten, and what is held slows the collector.
  const florin: Turn<Scope.Scope> = Effect.flatMap(Checkout.buildInMemory, (payment) =>
    perform({ millis: turnMillis, concurrency }, payment)
  )
  const commands = SamplePayment.commands()
  return {
    contests: [
      {
        name: `in memory x${concurrency}`,
        unit: "perSecond",
        rounds,
        warmUp: true,
        florin: Effect.scoped(florin),
        peer: compute(turnMillis, () => SamplePayment.decideAll(commands))
      }
    ],
    notes: ["in memory: lifecycles on one core, nothing stored; peer is the decider alone on the same commands"]
  }
}
