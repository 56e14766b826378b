/**
 * Florin's payments beside the gateway's books.
 *
 * They agree when each payment has at most one charge that took money, when
 * what florin says of it is what the gateway took and gave back, and when
 * neither knows of a payment that the other does not. Of a payment in doubt
 * florin says that it does not know: that is no difference, and is counted.
 */
import type { Charge } from "../../infra/simulated/SandboxCharge.ts"
import type { Payment } from "../http/PaymentJson.ts"

export interface Difference {
  readonly payment: string
  readonly what: string
  readonly florin: string
  readonly gateway: string
}

export interface Sums {
  readonly payments: number
  readonly held: number
  /** Minor units, by currency. */
  readonly captured: ReadonlyMap<string, bigint>
  readonly refunded: ReadonlyMap<string, bigint>
}

export interface Reconciliation {
  readonly byStatus: ReadonlyArray<readonly [status: string, count: number]>
  readonly florin: Sums
  readonly gateway: Sums
  readonly inDoubt: number
  readonly differences: ReadonlyArray<Difference>
}

export const reconcile = (payments: ReadonlyArray<Payment>, charges: ReadonlyArray<Charge>): Reconciliation => {
  const chargesOf = Map.groupBy(charges, ({ payment }) => String(payment))
  const known = new Set(payments.map(({ id }) => id))
  const certain = payments.filter(({ status }) => status !== "in_doubt")
  const certainIds = new Set(certain.map(({ id }) => id))
  const ofCertain = charges.filter(({ payment }) => certainIds.has(payment))
  return {
    byStatus: [...Map.groupBy(payments, ({ status }) => status)].map(([status, all]) => [status, all.length] as const),
    florin: {
      payments: certain.filter(({ authorizedAmount }) => authorizedAmount > 0).length,
      captured: byCurrency(certain, ({ capturedAmount }) => BigInt(capturedAmount)),
      refunded: byCurrency(certain, ({ refundedAmount }) => BigInt(refundedAmount)),
      held: certain.filter(({ status }) => status === "authorized").length
    },
    gateway: {
      payments: new Set(ofCertain.filter(tookOrHolds).map(({ payment }) => payment)).size,
      captured: byCurrency(ofCertain, ({ capturedMinor }) => capturedMinor),
      refunded: byCurrency(ofCertain, ({ refundedMinor }) => refundedMinor),
      held: ofCertain.filter(isHeld).length
    },
    inDoubt: payments.length - certain.length,
    differences: [
      ...certain.flatMap((payment) => differencesOf(payment, chargesOf.get(payment.id) ?? [])),
      ...charges
        .filter(({ payment }) => !known.has(payment))
        .map(({ payment, reference }) => ({
          payment,
          what: "a charge of a payment that florin does not know",
          florin: "unknown",
          gateway: reference
        }))
    ]
  }
}

const sum = (amounts: ReadonlyArray<bigint>) => amounts.reduce((total, amount) => total + amount, 0n)
const byCurrency = <A extends { readonly currency: string }>(
  list: ReadonlyArray<A>,
  amountOf: (one: A) => bigint
): ReadonlyMap<string, bigint> =>
  new Map(
    [...Map.groupBy(list, ({ currency }) => currency)]
      .map(([currency, all]) => [currency, sum(all.map(amountOf))] as const)
      .filter(([, total]) => total > 0n)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  )
const tookMoney = ({ capturedMinor }: Charge) => capturedMinor > 0n
const isHeld = ({ status }: Charge) => status === "authorized"
const tookOrHolds = (charge: Charge) => tookMoney(charge) || isHeld(charge)

const differencesOf = (payment: Payment, charges: ReadonlyArray<Charge>): ReadonlyArray<Difference> => {
  const compare = (what: string, florin: bigint | number, gateway: bigint | number) =>
    BigInt(florin) === BigInt(gateway)
      ? []
      : [{ payment: payment.id, what, florin: String(florin), gateway: String(gateway) }]
  return [
    ...compare("charges that took money", payment.capturedAmount > 0 ? 1 : 0, charges.filter(tookMoney).length),
    ...compare("captured", payment.capturedAmount, sum(charges.map(({ capturedMinor }) => capturedMinor))),
    ...compare("refunded", payment.refundedAmount, sum(charges.map(({ refundedMinor }) => refundedMinor))),
    ...compare("holds", payment.status === "authorized" ? 1 : 0, charges.filter(isHeld).length)
  ]
}
