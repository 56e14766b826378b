/**
 * What may be recorded of a flow: command and state in, events out.
 *
 * A repeat records nothing (R9). A definite outcome is evidence (R4), so it is
 * accepted from whoever brings it, as long as there is none yet; what is not
 * definite counts only from the run that holds the flow.
 */
import { Result, Schema } from "effect"
import type { Instant } from "../Instant.ts"
import type { RunId } from "../payment/Operation.ts"
import type { Event, Order, Outcome } from "./FlowEvent.ts"
import type { Holder, State } from "./FlowState.ts"

export type Command =
  | { readonly _tag: "Dispatch"; readonly order: Order; readonly at: Instant }
  | { readonly _tag: "BeginSending"; readonly by: RunId; readonly until: Instant; readonly at: Instant }
  | { readonly _tag: "RecordOutcome"; readonly by: RunId; readonly outcome: Outcome; readonly at: Instant }
  | { readonly _tag: "GiveUp"; readonly at: Instant }
  | { readonly _tag: "Escalate"; readonly at: Instant }
  | { readonly _tag: "BeginHandling"; readonly by: RunId; readonly until: Instant; readonly at: Instant }
  | { readonly _tag: "RecordHandlingFailure"; readonly by: RunId; readonly detail: string; readonly at: Instant }
  | { readonly _tag: "RecordHandled"; readonly by: RunId; readonly at: Instant }
  | { readonly _tag: "Bury"; readonly at: Instant }
  | { readonly _tag: "Retry"; readonly who: string; readonly at: Instant }

/**
 * - `WrongState`: what is to be recorded does not follow from the state.
 * - `Held`: another run is at it.
 * - `NotHeld`: this run is not, or no longer.
 * - `ContradictsRecord`: there is a definite outcome, and another one.
 * - `NothingToRetry`: it was answered and handled.
 */
export const Rule = Schema.Literals(["WrongState", "Held", "NotHeld", "ContradictsRecord", "NothingToRetry"])
export type Rule = typeof Rule.Type

export class Rejected extends Schema.TaggedError<Rejected>()("Flow.Rejected", {
  command: Schema.String,
  state: Schema.String,
  rule: Rule
}) {
  override get message() {
    return `${this.command} refused in ${this.state}: ${this.rule}`
  }
}

export type Decision = Result.Result<ReadonlyArray<Event>, Rejected>

const accept = (event: Event): Decision => Result.succeed([event])

export const decide = (command: Command, state: State): Decision => {
  const reject = (rule: Rule): Decision => Result.fail(new Rejected({ command: command._tag, state: state._tag, rule }))
  const { at } = command

  switch (command._tag) {
    case "Dispatch":
      return state._tag === "New" ? accept({ _tag: "Dispatched", order: command.order, at }) : Result.succeed([])

    case "BeginSending": {
      if (state._tag !== "Dispatched" && state._tag !== "Performed") return reject("WrongState")
      const { by, until } = command
      if (state._tag === "Performed" && state.holder?.by === by) return Result.succeed([])
      if (state._tag === "Performed" && isHeld(state.holder, at)) return reject("Held")
      return accept({ _tag: "SendingBegun", by, until, at })
    }

    case "RecordOutcome":
      return outcome(command, state, reject)

    case "GiveUp":
      if (state._tag === "Settled" && state.result._tag === "Failed") return Result.succeed([])
      return state._tag === "Dispatched" && state.refused !== undefined
        ? accept({ _tag: "GivenUp", at })
        : reject("WrongState")

    case "Escalate":
      if (state._tag === "Settled" && state.result._tag === "InDoubt") return Result.succeed([])
      if (state._tag !== "Performed") return reject("WrongState")
      return isHeld(state.holder, at) ? reject("Held") : accept({ _tag: "Escalated", at })

    case "BeginHandling": {
      if (state._tag !== "Settled") return reject("WrongState")
      const { by, until } = command
      if (state.holder?.by === by) return Result.succeed([])
      return isHeld(state.holder, at) ? reject("Held") : accept({ _tag: "HandlingBegun", by, until, at })
    }

    case "RecordHandlingFailure": {
      if (state._tag !== "Settled") return reject("WrongState")
      const { by, detail } = command
      return state.holder?.by === by ? accept({ _tag: "HandlingFailed", by, detail, at }) : reject("NotHeld")
    }

    case "RecordHandled":
      if (state._tag === "Handled") return Result.succeed([])
      if (state._tag !== "Settled") return reject("WrongState")
      return state.holder?.by === command.by ? accept({ _tag: "Handled", by: command.by, at }) : reject("NotHeld")

    case "Bury":
      if (state._tag === "Dead") return Result.succeed([])
      if (state._tag !== "Settled") return reject("WrongState")
      return isHeld(state.holder, at) ? reject("Held") : accept({ _tag: "Buried", at })

    case "Retry": {
      if (state._tag === "New") return reject("WrongState")
      if (state._tag === "Handled" && state.result._tag === "Answered") return reject("NothingToRetry")
      if ((state._tag === "Performed" || state._tag === "Settled") && isHeld(state.holder, at)) return reject("Held")
      return accept({ _tag: "Retried", who: command.who, at })
    }
  }
}

const isHeld = (holder: Holder | undefined, at: Instant): boolean => holder !== undefined && holder.until > at

const outcome = (
  { at, by, outcome }: Extract<Command, { _tag: "RecordOutcome" }>,
  state: State,
  reject: (rule: Rule) => Decision
): Decision => {
  const event: Event = { _tag: "OutcomeRecorded", by, outcome, at }
  const isDefinite = outcome._tag === "Answered" || outcome._tag === "Failed"
  switch (state._tag) {
    case "New":
    case "Dispatched":
      return reject("WrongState")
    case "Performed":
      return isDefinite || state.holder?.by === by ? accept(event) : reject("NotHeld")
    case "Settled":
    case "Handled":
    case "Dead": {
      if (!isDefinite) return reject("NotHeld")
      // An answer that comes after all ends the doubt.
      if (state.result._tag === "InDoubt") return accept(event)
      return state.result._tag === outcome._tag ? Result.succeed([]) : reject("ContradictsRecord")
    }
  }
}
