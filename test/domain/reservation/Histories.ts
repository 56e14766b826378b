/** Stock that commands are put to one after another, as a repository would. */
import { Result } from "effect"
import * as Stock from "../../../src/domain/reservation/Stock.ts"
import type { Command } from "../../../src/domain/reservation/StockCommand.ts"
import type { Event } from "../../../src/domain/reservation/StockEvent.ts"
import { endingOf, reservationOf } from "../../../src/domain/reservation/StockEvent.ts"

export const pastOf = (history: ReadonlyArray<Event>, command: Command): Stock.Past => ({
  operation: "key" in command ? history.find(({ key }) => key === command.key) : undefined,
  ended:
    "reservation" in command
      ? history.find((event) => reservationOf(event) === command.reservation && endingOf(event) !== undefined)
      : undefined
})

export const decide = (history: ReadonlyArray<Event>, command: Command) =>
  Stock.decide(command, Stock.fold(history), pastOf(history, command))

/** The history after these commands, each of which has to be taken. */
export const after = (...commands: ReadonlyArray<Command>): ReadonlyArray<Event> =>
  commands.reduce<ReadonlyArray<Event>>(
    (history, command) => [...history, ...Result.getOrThrow(decide(history, command))],
    []
  )

/** The tags of the events that a command decides to, or the refusal's. */
export const answer = (history: ReadonlyArray<Event>, command: Command): string => {
  const decided = decide(history, command)
  return Result.isFailure(decided)
    ? `refused: ${decided.failure._tag}`
    : decided.success.map(({ _tag }) => _tag).join(", ")
}
