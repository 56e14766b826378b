/**
 * `Money` against dinero.js with bigint amounts: a library for money alone, in
 * its variant that, like florin, is exact beyond 2^53.
 *
 * - `add`: two amounts of one currency. Both check that it is one; florin also
 *   that the sum fits 64 bits.
 * - `split`: 10.00 in three. Dinero gives what is left over to the first
 *   shares, florin to those with the largest remainders.
 * - `parse`: dinero.js has no parser, so the peer is the recipe of its guide
 *   ("Creating from floats"), which goes through a double. Florin's is exact.
 * - `print`: the amount in major units, as text.
 */
import { add, allocate, dinero, EUR, toDecimal } from "dinero.js/bigint"
import * as Money from "../src/domain/Money.ts"
import type { Pace, Subject } from "./Contest.ts"
import { compute } from "./Contest.ts"

/** 1,234,567.89 and 10.99. */
const large = { florin: Money.of("EUR", 123_456_789n), peer: dinero({ amount: 123_456_789n, currency: EUR }) }
const small = { florin: Money.of("EUR", 10_99n), peer: dinero({ amount: 10_99n, currency: EUR }) }
const ten = { florin: Money.of("EUR", 10_00n), peer: dinero({ amount: 10_00n, currency: EUR }) }
const thirds = [1n, 1n, 1n]
const text = "1234567.89"

const recipe = (decimal: string) => {
  const factor = Number(EUR.base) ** Number(EUR.exponent)
  return dinero({ amount: BigInt(Math.round(Number(decimal) * factor)), currency: EUR })
}

export const subject = ({ rounds, turnMillis }: Pace): Subject<never> => {
  const contest = (name: string, florin: () => unknown, peer: () => unknown) => ({
    name,
    unit: "perSecond" as const,
    rounds,
    warmUp: true,
    florin: compute(turnMillis, florin),
    peer: compute(turnMillis, peer)
  })
  return {
    contests: [
      contest(
        "money add",
        () => Money.add(large.florin, small.florin),
        () => add(large.peer, small.peer)
      ),
      contest(
        "money split",
        () => Money.split(ten.florin, thirds),
        () => allocate(ten.peer, thirds)
      ),
      contest(
        "money parse",
        () => Money.parse(text, "EUR"),
        () => recipe(text)
      ),
      contest(
        "money print",
        () => Money.format(large.florin),
        () => toDecimal(large.peer)
      )
    ],
    notes: ["money: peer is dinero.js with bigint amounts; its parse is the guide's recipe through a double, not exact"]
  }
}
