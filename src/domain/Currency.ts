/** An ISO 4217 currency: its alphabetic code and the digits of its minor unit. Source: `CurrencyTable.ts`. */
import * as Schema from "effect/Schema"
import { minorUnitDigits } from "./CurrencyTable.ts"

export type Currency = keyof typeof minorUnitDigits

export const codes = Object.keys(minorUnitDigits) as ReadonlyArray<Currency>

export const Currency = Schema.Literals(codes).annotate({
  identifier: "Currency",
  description: "ISO 4217 alphabetic code, such as EUR",
  // Not `expected`: a schema with an identifier says only "Expected Currency".
  message: 'Expected an ISO 4217 currency code such as "EUR"'
})

/** How many decimal digits the minor unit has: 2 for EUR (cents), 0 for JPY, 3 for KWD, 4 for CLF. */
export const digits = (currency: Currency): number => minorUnitDigits[currency]
