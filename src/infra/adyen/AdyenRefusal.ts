/**
 * Why Adyen refused an authorization, and what that leaves open.
 *
 * A reply has the reason's code; a notification has only its name, so both are
 * read. What is not in the table is final.
 *
 * Source: https://docs.adyen.com/development-resources/refusal-reasons
 */
import type { Decline, DeclineCategory } from "../../domain/payment/Gateway.ts"
import { Text } from "../../domain/Text.ts"
import { Option, Schema } from "effect"

// --- The table --------------------------------------------------------------

interface Row {
  readonly reason: string
  readonly category: DeclineCategory
}

const retryLater = (reason: string): Row => ({ reason, category: "retryLater" })
const otherInstrument = (reason: string): Row => ({ reason, category: "otherInstrument" })
const final = (reason: string): Row => ({ reason, category: "final" })

/** By `refusalReasonCode`. Fraud, and whatever the customer or the merchant called off, is final. */
export const table: Readonly<Record<string, Row>> = {
  2: otherInstrument("Refused"),
  3: otherInstrument("Referral"),
  4: retryLater("Acquirer Error"),
  // Lost and stolen cards are told this way, too.
  5: final("Blocked Card"),
  6: otherInstrument("Expired Card"),
  7: final("Invalid Amount"),
  8: otherInstrument("Invalid Card Number"),
  9: retryLater("Issuer Unavailable"),
  10: otherInstrument("Not supported"),
  11: otherInstrument("3D Not Authenticated"),
  12: otherInstrument("Not enough balance"),
  14: final("Acquirer Fraud"),
  15: final("Cancelled"),
  16: final("Shopper Cancelled"),
  17: otherInstrument("Invalid Pin"),
  18: otherInstrument("Pin tries exceeded"),
  19: otherInstrument("Pin validation not possible"),
  20: final("FRAUD"),
  // It never got as far as the issuer.
  21: retryLater("Not Submitted"),
  22: final("FRAUD-CANCELLED"),
  23: otherInstrument("Transaction Not Permitted"),
  24: otherInstrument("CVC Declined"),
  25: otherInstrument("Restricted Card"),
  26: final("Revocation Of Auth"),
  27: otherInstrument("Declined Non Generic"),
  28: otherInstrument("Withdrawal amount exceeded"),
  29: otherInstrument("Withdrawal count exceeded"),
  31: final("Issuer Suspected Fraud"),
  32: otherInstrument("AVS Declined"),
  33: otherInstrument("Card requires online pin"),
  34: otherInstrument("No checking account available on Card"),
  35: otherInstrument("No savings account available on Card"),
  36: otherInstrument("Mobile pin required"),
  38: otherInstrument("Authentication required"),
  39: retryLater("RReq not received from DS"),
  42: otherInstrument("3DS Authentication Error"),
  // The schemes fine whoever goes on.
  46: final("Transaction blocked by Adyen to prevent excessive retry fees")
}

const rowOf = (code: string): Row | undefined => (Object.hasOwn(table, code) ? table[code] : undefined)

/** Mastercard's advice codes that say never to try again, whatever the reason was. */
const neverAgain = new Set(["03", "21"])

// --- Declines ---------------------------------------------------------------

export interface Refusal {
  /** Adyen's code, where it is said. */
  readonly code: string | undefined
  /** Adyen's words. */
  readonly reason: string | undefined
  /** `merchantAdviceCode`, such as `03: Do not try again`. */
  readonly advice: string | undefined
}

const asText = Schema.decodeUnknownOption(Text(200))

export const declineOf = ({ advice, code, reason = "" }: Refusal): Decline => {
  const known = code ?? Object.keys(table).find((one) => table[one]?.reason.toLowerCase() === reason.toLowerCase())
  const mustStop = neverAgain.has(advice?.slice(0, 2) ?? "")
  const words = asText([reason, advice].filter((part) => part !== undefined && part !== "").join("; "))
  return {
    code: known === undefined ? codeOf(reason) : codeOf(known),
    category: mustStop || known === undefined ? "final" : (rowOf(known)?.category ?? "final"),
    ...(Option.isSome(words) && { advice: words.value })
  }
}

/** A code is at most this long. */
const maxCodeLength = 64

/** Adyen's words as a code: `Insufficient balance on payment` is `insufficient_balance_on_payment`. */
export const codeOf = (reason: string): string => {
  const code = reason
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_|_$/g, "")
    .slice(0, maxCodeLength)
  return code === "" ? "refused" : code
}
