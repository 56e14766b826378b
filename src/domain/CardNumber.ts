/**
 * Recognises card numbers, so that none is taken, stored or logged (R10).
 *
 * A primary account number has 13 to 19 digits (ISO/IEC 7812-1) and ends in a
 * Luhn check digit. People group the digits with spaces or hyphens, so those
 * are looked through. A random number of that length passes Luhn one time in
 * ten: refusing such a reference is the cheaper mistake.
 */

/** Runs of digits that may be grouped by single spaces or hyphens. */
const digitRuns = /\d(?:[ -]?\d){12,}/g

const minDigits = 13
const maxDigits = 19

/** ISO/IEC 7812-1 annex B: from the right, every second digit doubled, the digit sum divisible by ten. */
export const passesLuhn = (digits: string): boolean => {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48
    const doubled = digit * 2
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

const isCardNumber = (digits: string): boolean =>
  digits.length >= minDigits && digits.length <= maxDigits && passesLuhn(digits)

interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Where card numbers stand in a run of digits. A number may be any neighbouring
 * groups of it: an expiry, a security code or another card often stands beside.
 * Numbers that overlap count as one, so that masking leaves nothing of either.
 */
const cardNumbersIn = (run: string): ReadonlyArray<Span> => {
  const groups = [...run.matchAll(/\d+/g)]
  const spans: Array<Span> = []
  for (const [first, { index: start }] of groups.entries()) {
    let digits = ""
    for (let last = first; last < groups.length && digits.length < maxDigits; last++) {
      const [group] = groups[last]!
      digits += group
      if (!isCardNumber(digits)) continue
      const end = groups[last]!.index + group.length
      const before = spans.at(-1)
      if (before === undefined || start >= before.end) spans.push({ start, end })
      else spans[spans.length - 1] = { start: before.start, end: Math.max(before.end, end) }
    }
  }
  return spans
}

/** `true` when `text` holds a run of digits that is a card number. */
export const isIn = (text: string): boolean =>
  (text.match(digitRuns) ?? []).some((run) => cardNumbersIn(run).length > 0)

/** `text` with every card number replaced by its last four digits, as receipts print them. */
export const mask = (text: string): string =>
  text.replaceAll(digitRuns, (run) =>
    cardNumbersIn(run).reduceRight((masked, { end, start }) => {
      const lastFour = run.slice(start, end).replaceAll(/[ -]/g, "").slice(-4)
      return `${masked.slice(0, start)}[card number ending ${lastFour}]${masked.slice(end)}`
    }, run)
  )

/**
 * Where in a JSON value a card number stands, as a path of keys, or `undefined`.
 *
 * Numbers are read as their digits, and keys are searched too: a card number
 * in a metadata key would be stored like any other. In the path it is masked.
 */
export const find = (json: unknown, path: ReadonlyArray<string | number> = []): typeof path | undefined => {
  if (typeof json === "string") return isIn(json) ? path : undefined
  if (typeof json === "number" || typeof json === "bigint") return isIn(String(json)) ? path : undefined
  if (typeof json !== "object" || json === null) return undefined
  for (const [key, value] of Object.entries(json)) {
    const here = [...path, Array.isArray(json) ? Number(key) : mask(key)]
    if (isIn(key)) return here
    const found = find(value, here)
    if (found !== undefined) return found
  }
  return undefined
}
