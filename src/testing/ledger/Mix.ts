/**
 * Which rows a generated file is made of, as a person writes it:
 *
 *     deposit=60,withdrawal=34,overdraft=1,dispute=3,resolve=1.9,chargeback=0.1
 *
 * Shares are relative: they need not come to 100. What is not named does not
 * occur. Each kind but the first five is refused by the standard policy, for
 * the reason that stands beside it in the table.
 */
import { Data, Result } from "effect"
import type { Refusal } from "../../domain/ledger/LedgerRefusal.ts"

interface Row {
  readonly usual: number
  /** Why its rows are refused; `Unreadable` is one of the faults of a row. */
  readonly refusal: Refusal | "Unreadable" | undefined
  /** Without rows of this kind there is nothing for it to be about. */
  readonly needs: ReadonlyArray<string>
  readonly about: string
}

// The usual shares: most rows move money; one in a thousand is a chargeback, or a few millions would freeze everybody.
export const table = {
  deposit: { usual: 60, refusal: undefined, needs: [], about: "money in" },
  withdrawal: { usual: 34, refusal: undefined, needs: [], about: "money out, of what is available" },
  dispute: { usual: 3, refusal: undefined, needs: [], about: "of a deposit before it" },
  resolve: { usual: 1.9, refusal: undefined, needs: ["dispute"], about: "of an open dispute" },
  chargeback: { usual: 0.1, refusal: undefined, needs: ["dispute"], about: "of an open dispute" },
  overdraft: { usual: 1, refusal: "InsufficientFunds", needs: [], about: "a withdrawal of more than is available" },
  frozen: {
    usual: 0,
    refusal: "AccountFrozen",
    needs: ["chargeback"],
    about: "a withdrawal from an account that a chargeback froze"
  },
  duplicate: { usual: 0, refusal: "DuplicateTx", needs: [], about: "a deposit or a withdrawal of a used id" },
  unknown: { usual: 0, refusal: "UnknownTx", needs: [], about: "a dispute or its end, of an id that nobody used" },
  mismatch: {
    usual: 0,
    refusal: "ClientMismatch",
    needs: [],
    about: "a dispute or its end, of another client's deposit"
  },
  undisputable: { usual: 0, refusal: "NotDisputable", needs: ["withdrawal"], about: "a dispute of a withdrawal" },
  undisputed: { usual: 0, refusal: "NotDisputed", needs: [], about: "a resolve or chargeback without a dispute" },
  disputed: { usual: 0, refusal: "AlreadyDisputed", needs: ["dispute"], about: "a dispute where one is open" },
  "charged-back": {
    usual: 0,
    refusal: "ChargedBack",
    needs: ["chargeback"],
    about: "a dispute of what was charged back"
  },
  malformed: { usual: 0, refusal: "Unreadable", needs: [], about: "a row that cannot be read, in one of nine ways" }
} as const satisfies Record<string, Row>

export type Kind = keyof typeof table

const isKind = (text: string): text is Kind => Object.hasOwn(table, text)

export const kinds: ReadonlyArray<Kind> = Object.keys(table).filter(isKind)

/** Shares of the rows, 0 to 1,000,000 each, in no unit. */
export type Mix = ReadonlyMap<Kind, number>

/** Of a file that names none. */
export const usual: Mix = new Map(kinds.map((kind) => [kind, table[kind].usual]))

export class InvalidMix extends Data.TaggedError("InvalidMix")<{ readonly message: string }> {}

// --- As text ----------------------------------------------------------------

const maxShare = 1_000_000
const share = /^\d{1,7}(\.\d{1,4})?$/

export const parse = (text: string): Result.Result<Mix, InvalidMix> => {
  const given = new Map<Kind, number>()
  for (const part of text.split(",")) {
    const [kind = "", value = "", ...rest] = part.split("=").map((side) => side.trim())
    if (!isKind(kind)) return invalid(`expected a kind of row, one of ${kinds.join(", ")}; got "${kind}"`)
    if (rest.length > 0 || !share.test(value) || Number(value) > maxShare) {
      return invalid(`expected ${kind} to have a share of 0 to ${maxShare}, as in ${kind}=2.5; got "${part.trim()}"`)
    }
    if (given.has(kind)) return invalid(`expected ${kind} once; got it twice`)
    given.set(kind, Number(value))
  }
  return checked(new Map(kinds.map((kind) => [kind, given.get(kind) ?? 0])))
}

/** A mix whose shares can hold: everything is about deposits in the end, and a dispute ends once. */
const checked = (mix: Mix): Result.Result<Mix, InvalidMix> => {
  const of = (kind: Kind): number => mix.get(kind) ?? 0
  if (of("deposit") === 0) return invalid("expected deposit to have a share, as all else is about deposits; got none")
  for (const kind of kinds) {
    const missing = table[kind].needs.find((needed) => of(kind) > 0 && of(needed) === 0)
    if (missing !== undefined) return invalid(`expected ${missing} to have a share, as ${kind} has one; got none`)
  }
  const ends = of("resolve") + of("chargeback")
  if (ends > of("dispute")) {
    return invalid(
      `expected resolve and chargeback to come to at most ${of("dispute")}, the share of dispute; got ${ends}`
    )
  }
  return Result.succeed(mix)
}

/** Reads back as the same mix. */
export const toText = (mix: Mix): string =>
  [...mix].flatMap(([kind, share]) => (share > 0 ? [`${kind}=${share}`] : [])).join(",")

const invalid = (message: string) => Result.fail(new InvalidMix({ message: `mix: ${message}` }))
