/**
 * A payment's events beside the charges in the gateways' books: how many there
 * are, what they come to, who began them, and whether what was recorded as the
 * gateway's word is what its books show.
 *
 * The books keep sums a charge, not a row a capture or refund; so sums are what
 * is compared. Amounts are minor units.
 */
import type { Charge } from "../infra/simulated/SandboxCharge.ts"
import type { BookedCharge, Finding, Findings, Rule } from "./Auditor.ts"
import type { Claim, Testimony, ToldAttempt } from "./Testimony.ts"
import { isOpen } from "./Testimony.ts"

/** What the books show by themselves, whatever the events are. */
export const ofBooks = (charges: ReadonlyArray<BookedCharge>): Findings => [
  ...singleCharge(charges),
  ...chargeBounds(charges)
]

/** What the books and the events show beside each other. */
export const beside = (charges: ReadonlyArray<BookedCharge>, testimony: Testimony): Findings => [
  ...intents(charges, testimony),
  ...sums(charges, testimony),
  ...bookBounds(charges, testimony),
  ...falsehoods(charges, testimony)
]

// --- A charge --------------------------------------------------------------------

const heldOf = ({ amountMinor, capturedMinor, status }: Charge) =>
  status === "authorized" ? amountMinor - capturedMinor : 0n
const isLive = ({ capturedMinor, status }: Charge) => status === "authorized" || capturedMinor > 0n
const total = (charges: ReadonlyArray<BookedCharge>, amountOf: (charge: Charge) => bigint) =>
  charges.reduce((minor, { charge }) => minor + amountOf(charge), 0n)
const named = (charges: ReadonlyArray<BookedCharge>) =>
  charges.length === 0
    ? "no charge"
    : charges.map(({ charge, gateway }) => `${charge.reference} at ${gateway}, ${charge.status}`).join("; ")

/** Money that a gateway or a customer can still take when florin has stopped looking. */
const mayYetMove = ({ status }: Charge) => status === "pending" || status === "requires_action"

// --- Sums ------------------------------------------------------------------------

const singleCharge = (charges: ReadonlyArray<BookedCharge>): Findings => {
  const live = charges.filter(({ charge }) => isLive(charge))
  return live.length > 1 ? [["AtMostOneCharge", `expected at most one, actual: ${named(live)}`]] : []
}

const intents = (charges: ReadonlyArray<BookedCharge>, { attempts }: Testimony): Findings =>
  charges.flatMap(({ charge, gateway }): Findings => {
    const begun = attempts.filter(({ id }) => id === charge.operation).map((attempt) => attempt.gateway)
    return begun.includes(gateway)
      ? []
      : [
          [
            "IntentFirst",
            `${charge.reference} at ${gateway}: expected ${charge.operation} begun there, actual: ${begun.join(", ") || "not begun"}`
          ]
        ]
  })

/** Some operation waits for an operator: florin says that it does not know. */
const isEscalated = ({ operations }: Testimony): boolean =>
  operations.some((told) => isOpen(told) && told.standing === "Escalated")

/**
 * Where nothing is in doubt both sides are equal. A hold may lapse by itself,
 * and where an operation is escalated the books may show more than is recorded.
 */
const sums = (charges: ReadonlyArray<BookedCharge>, testimony: Testimony): Findings => {
  const isDoubtful = isEscalated(testimony)
  const lapsed = isDoubtful || charges.some(({ charge }) => charge.status === "expired")
  const compare = (what: string, recorded: bigint, booked: bigint, mayLack = false): Findings => {
    const detail = `expected ${recorded} ${what}, actual ${booked}: ${named(charges)}`
    if (booked > recorded && !isDoubtful) return [["EveryChargeKnown", detail]]
    return booked < recorded && !mayLack ? [["EverySuccessCharged", detail]] : []
  }
  const unsettled = isDoubtful ? [] : charges.filter(({ charge }) => mayYetMove(charge))
  const currency = testimony.order?.amount.currency
  const foreign = charges.filter(({ charge }) => isLive(charge) && charge.currency !== currency)
  return [
    ...compare("held", testimony.heldMinor, total(charges, heldOf), lapsed),
    ...compare(
      "captured",
      testimony.capturedMinor,
      total(charges, (charge) => charge.capturedMinor)
    ),
    ...compare(
      "refunded",
      testimony.refundedMinor,
      total(charges, (charge) => charge.refundedMinor)
    ),
    ...unsettled.map((one): Finding => ["EveryChargeKnown", `expected it settled, actual: ${named([one])}`]),
    ...foreign.map((one): Finding => [
      "EveryChargeKnown",
      `expected ${currency}, actual ${one.charge.currency}: ${named([one])}`
    ])
  ]
}

const chargeBounds = (charges: ReadonlyArray<BookedCharge>): Findings =>
  charges.flatMap((one): Findings => {
    const { amountMinor, capturedMinor, refundedMinor } = one.charge
    return [
      ...bound("CapturedWithinAuthorized", `captured of ${named([one])}`, capturedMinor, amountMinor),
      ...bound("ReturnedWithinCaptured", `refunded of ${named([one])}`, refundedMinor, capturedMinor)
    ]
  })

const bookBounds = (charges: ReadonlyArray<BookedCharge>, { disputedMinor, order }: Testimony): Findings => {
  const captured = total(charges, (charge) => charge.capturedMinor)
  const refunded = total(charges, (charge) => charge.refundedMinor)
  const asked = order?.amount.minor ?? 0n
  return [
    ...charges
      .filter(({ charge }) => isLive(charge))
      .flatMap((one) => bound("CapturedWithinAuthorized", `asked of ${named([one])}`, one.charge.amountMinor, asked)),
    ...bound("ReturnedWithinCaptured", "refunded by the books and disputed", refunded + disputedMinor, captured)
  ]
}

const bound = (rule: Rule, what: string, actual: bigint, most: bigint): Findings =>
  actual <= most ? [] : [[rule, `expected at most ${most} ${what}, actual ${actual}`]]

// --- Evidence beside the gateways' books -----------------------------------------

const falsehoods = (charges: ReadonlyArray<BookedCharge>, { attempts, claims }: Testimony): Findings => [
  ...charges.flatMap((one): Findings => {
    const attempt = attempts.findLast(({ id }) => id === one.charge.operation)
    if (attempt === undefined || !denies(attempt.outcome, one.charge)) return []
    const { id, outcome } = attempt
    return [["EvidenceTrue", `${id} is recorded as ${outcome}: expected no money there, actual: ${named([one])}`]]
  }),
  ...claims.flatMap((claim): Findings => {
    if (charges.some(({ charge }) => supports(claim, charge))) return []
    const what = `${claim.tag} of ${claim.operation}${claim.reference === undefined ? "" : ` as ${claim.reference}`}`
    return [["EvidenceTrue", `${what}: expected a charge that shows it, actual: ${named(charges)}`]]
  })
]

const denies = (outcome: ToldAttempt["outcome"], charge: Charge): boolean =>
  outcome === "Released"
    ? charge.status === "authorized"
    : (outcome === "Declined" || outcome === "Unsent") && isLive(charge)

/** What the charge shows now is what the gateway can have said once; of the rest the books keep nothing. */
const supports = ({ reference, tag }: Claim, charge: Charge): boolean => {
  switch (tag) {
    case "Authorized":
      return charge.reference === reference && !mayYetMove(charge) && charge.status !== "declined"
    case "Captured":
      return charge.capturedMinor > 0n
    case "Refunded":
      return charge.refundedMinor > 0n
  }
}
