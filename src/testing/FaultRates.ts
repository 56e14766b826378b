/**
 * How often what goes wrong, in percent, as a person writes it:
 *
 *     lost=5%,timeout=10%,crash=1%,db=0.5%
 *
 * What is not named does not happen; `none` names nothing. A percentage is of
 * the calls that a gateway gets (each meets at most one mischief), of the
 * notifications that it sends (each meets at most one), or of the payments: of
 * every hundred payments as many meet it, wherever they are on their way.
 */
import { Data, Result } from "effect"

export const table = {
  lost: { of: "calls", usual: 5, about: "the gateway acts, and its answer is lost" },
  late: { of: "calls", usual: 2, about: "the gateway acts when florin has given up waiting" },
  timeout: { of: "calls", usual: 10, about: "the gateway never acts and never answers" },
  refused: { of: "calls", usual: 3, about: "the connection is refused" },
  error: { of: "calls", usual: 2, about: "a 5xx, before or after acting" },
  throttle: { of: "calls", usual: 2, about: "a 429 with Retry-After" },
  slow: { of: "calls", usual: 5, about: "the gateway acts at once and takes seconds to answer" },
  crash: { of: "payments", usual: 1, about: "florin's process dies, before or after a crossing" },
  stall: { of: "payments", usual: 0.5, about: "florin's process stands still for longer than its lease" },
  db: { of: "payments", usual: 1, about: "a statement is lost, or is committed and its answer lost" },
  conflict: { of: "payments", usual: 0.5, about: "an append meets a conflict of versions" },
  jump: { of: "payments", usual: 0.1, about: "the process's clock is set by seconds, either way" },
  "webhook-lost": { of: "notifications", usual: 2, about: "never arrives" },
  "webhook-twice": { of: "notifications", usual: 5, about: "arrives, and again later" },
  "webhook-late": { of: "notifications", usual: 5, about: "arrives minutes late, after those that were sent later" }
} as const satisfies Record<string, Row>

interface Row {
  readonly of: "calls" | "payments" | "notifications"
  /** In percent, where nobody says otherwise. */
  readonly usual: number
  readonly about: string
}

export type Name = keyof typeof table

/** In percent, 0 to 100. */
export type FaultRates = Readonly<Record<Name, number>>

const isName = (text: string): text is Name => Object.hasOwn(table, text)

/** In the order of the table, which is the order in which they are printed. */
export const names: ReadonlyArray<Name> = Object.keys(table).filter(isName)

export const make = (percent: (name: Name) => number): FaultRates => ({
  lost: percent("lost"),
  late: percent("late"),
  timeout: percent("timeout"),
  refused: percent("refused"),
  error: percent("error"),
  throttle: percent("throttle"),
  slow: percent("slow"),
  crash: percent("crash"),
  stall: percent("stall"),
  db: percent("db"),
  conflict: percent("conflict"),
  jump: percent("jump"),
  "webhook-lost": percent("webhook-lost"),
  "webhook-twice": percent("webhook-twice"),
  "webhook-late": percent("webhook-late")
})

/** Of a run that names none. */
export const usual: FaultRates = make((name) => table[name].usual)

export const none: FaultRates = make(() => 0)

export class InvalidFaultRates extends Data.TaggedError("InvalidFaultRates")<{ readonly message: string }> {}

// --- As text ----------------------------------------------------------------

/** A percentage with up to four decimals: one in a million is as rare as anything here can be seen. */
const percentage = /^\d{1,3}(\.\d{1,4})?%$/

export const parse = (text: string): Result.Result<FaultRates, InvalidFaultRates> => {
  const given = new Map<Name, number>()
  for (const part of text.trim() === "none" ? [] : text.split(",")) {
    const [name = "", value = "", ...rest] = part.split("=").map((side) => side.trim())
    if (!isName(name)) return invalid(`expected a fault, one of ${names.join(", ")}, or none; got "${name}"`)
    const percent = Number(value.slice(0, -1))
    if (rest.length > 0 || !percentage.test(value) || percent > 100) {
      return invalid(`expected ${name} to be from 0% to 100%, as in ${name}=0.5%; got "${part.trim()}"`)
    }
    if (given.has(name)) return invalid(`expected ${name} once; got it twice`)
    given.set(name, percent)
  }
  const rates = make((name) => given.get(name) ?? 0)
  for (const whole of ["calls", "notifications"] as const) {
    const sum = namesOf(whole).reduce((total, name) => total + rates[name], 0)
    if (sum > 100) {
      return invalid(`expected at most 100% of ${whole}, as each meets one fault at most; got ${sum}% altogether`)
    }
  }
  return Result.succeed(rates)
}

/** Reads back as the same rates. */
export const toText = (rates: FaultRates): string => {
  const named = names.filter((name) => rates[name] > 0)
  return named.length === 0 ? "none" : named.map((name) => `${name}=${rates[name]}%`).join(",")
}

export const namesOf = (of: Row["of"]): ReadonlyArray<Name> => names.filter((name) => table[name].of === of)

const invalid = (message: string) => Result.fail(new InvalidFaultRates({ message: `faults: ${message}` }))
