/**
 * The pure core: the five commands of one payment, each decided and its events
 * folded, from nothing to captured.
 *
 * The peer moves the same events and decides nothing: `JSON.parse` of
 * `JSON.stringify`, on their stored form, where amounts are text, because JSON
 * has no bigint. So the ratio says what the rules cost beside moving the data
 * that they are about.
 */
import type { Pace, Subject } from "./Contest.ts"
import { compute } from "./Contest.ts"
import * as SamplePayment from "./SamplePayment.ts"

const commands = SamplePayment.commands()
const decided = SamplePayment.decideAll(commands)
const stored = SamplePayment.encodeEvents(decided.events)

export const subject = ({ rounds, turnMillis }: Pace): Subject<never> => ({
  contests: [
    {
      name: "decider",
      unit: "perSecond",
      rounds,
      warmUp: true,
      florin: compute(turnMillis, () => SamplePayment.decideAll(commands)),
      peer: compute(turnMillis, () => JSON.parse(JSON.stringify(stored)))
    }
  ],
  notes: [
    `decider: a payment is ${commands.length} commands and ${decided.events.length} events; peer is a JSON round trip of those events`
  ]
})
