/**
 * The choices that the exercise leaves open, each by its name.
 *
 * A policy is data: `decide` reads it, the command line takes it as
 * `--policy NAME=CHOICE`, and the guide on the ledger has one row for each.
 * Ids of refused rows are no choice here: they stay free, or a row with a
 * mistyped amount could never be sent again.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

export const LedgerPolicy = Schema.Struct({
  /** Deposits into a frozen account. */
  frozenDeposits: Schema.Literals(["accept", "refuse"]),
  /** Withdrawals from a frozen account. */
  frozenWithdrawals: Schema.Literals(["refuse", "accept"]),
  /** Disputes, resolves and chargebacks of a frozen account. */
  frozenDisputes: Schema.Literals(["accept", "refuse"]),
  /**
   * What can be disputed. A disputed withdrawal is a claim to have it back: its amount is held in favour of the
   * client, a chargeback makes it available, a resolve drops it.
   */
  disputable: Schema.Literals(["deposits", "all"]),
  /** A dispute of more than is available, because the client has spent it: `accept` lets available go below zero. */
  spentDisputes: Schema.Literals(["accept", "refuse"]),
  /** Another dispute of a transaction whose dispute was resolved. */
  repeatedDisputes: Schema.Literals(["accept", "refuse"]),
  /** Whether a refused withdrawal of a client never seen opens an account. */
  unseenWithdrawals: Schema.Literals(["open", "ignore"])
})
export type LedgerPolicy = typeof LedgerPolicy.Type

export const standard: LedgerPolicy = {
  frozenDeposits: "accept",
  frozenWithdrawals: "refuse",
  frozenDisputes: "accept",
  disputable: "deposits",
  spentDisputes: "accept",
  repeatedDisputes: "accept",
  unseenWithdrawals: "open"
}

// --- As text ----------------------------------------------------------------

export class InvalidLedgerPolicy extends Data.TaggedError("InvalidLedgerPolicy")<{ readonly message: string }> {}

const nameOf = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** Each choice by the name that people write, `frozen-deposits`, and what may be chosen, the default first. */
export const choices: ReadonlyMap<string, ReadonlyArray<string>> = new Map(
  Object.entries(LedgerPolicy.fields).map(([key, { literals }]) => [nameOf(key), literals])
)

/** `frozen-deposits=refuse,disputable=all`; what is not named is as `standard` has it. */
export const parse = (text: string): Result.Result<LedgerPolicy, InvalidLedgerPolicy> => {
  const given = new Map<string, string>()
  for (const part of text.trim() === "" ? [] : text.split(",")) {
    const [name = "", choice = "", ...rest] = part.split("=").map((side) => side.trim())
    const allowed = choices.get(name)
    if (allowed === undefined) return invalid(`expected one of ${[...choices.keys()].join(", ")}; got "${name}"`)
    if (rest.length > 0 || !allowed.includes(choice)) {
      return invalid(`expected ${allowed.map((one) => `${name}=${one}`).join(" or ")}; got "${part.trim()}"`)
    }
    if (given.has(name)) return invalid(`expected ${name} once; got it twice`)
    given.set(name, choice)
  }
  return Result.succeed(
    decode(Object.fromEntries(Object.entries(standard).map(([key, usual]) => [key, given.get(nameOf(key)) ?? usual])))
  )
}

const decode = Schema.decodeUnknownSync(LedgerPolicy)

/** Every choice, and reads back as the same policy. */
export const toText = (policy: LedgerPolicy): string =>
  Object.entries(policy)
    .map(([key, choice]) => `${nameOf(key)}=${choice}`)
    .join(",")

const invalid = (message: string) => Result.fail(new InvalidLedgerPolicy({ message: `policy: ${message}` }))
