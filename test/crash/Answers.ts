/**
 * The client's own notes: what it was told under each key, held together (R9).
 *
 * However often and wherever a key was asked, its answers name one payment, an
 * answer that stands is the same every time, and a request that was refused was
 * not also carried out. And what was never a right answer to a right request is
 * noted as well: a bug's 500, a payment that is suddenly unknown.
 */
import type { Payment } from "../../src/edge/http/PaymentJson.ts"

export type Answer =
  /** 200 or 201: it stands. */
  | { readonly _tag: "Settled"; readonly payment: Payment }
  /** 202, or a 409 that names the payment: it is on its way. */
  | { readonly _tag: "Underway"; readonly id: string }
  /** The payment's state forbids it. */
  | { readonly _tag: "Refused"; readonly rule: string }
  /** What no request of ours should be answered. */
  | { readonly _tag: "Wrong"; readonly detail: string }

export interface Contradiction {
  readonly key: string
  readonly detail: string
}

export interface Answers {
  readonly note: (key: string, answer: Answer) => void
  /** The payments that were named under each key; only creations name new ones. */
  readonly payments: () => ReadonlyMap<string, ReadonlySet<string>>
  readonly contradictions: () => ReadonlyArray<Contradiction>
}

export const make = (): Answers => {
  const notes = new Map<string, Array<Answer>>()
  return {
    note: (key, answer) => {
      notes.set(key, [...(notes.get(key) ?? []), answer])
    },
    payments: () => new Map([...notes].map(([key, answers]) => [key, new Set(answers.flatMap(idsOf))])),
    contradictions: () =>
      [...notes].flatMap(([key, answers]) => contradictionsOf(answers).map((detail) => ({ key, detail })))
  }
}

const idsOf = (answer: Answer): ReadonlyArray<string> => {
  switch (answer._tag) {
    case "Settled":
      return [answer.payment.id]
    case "Underway":
      return [answer.id]
    case "Refused":
    case "Wrong":
      return []
  }
}

const contradictionsOf = (answers: ReadonlyArray<Answer>): ReadonlyArray<string> => {
  const ids = new Set(answers.flatMap(idsOf))
  const settled = new Set(
    answers.flatMap((answer) => (answer._tag === "Settled" ? [JSON.stringify(answer.payment)] : []))
  )
  const refused = new Set(answers.flatMap((answer) => (answer._tag === "Refused" ? [answer.rule] : [])))
  return [
    ...(ids.size > 1 ? [`expected one payment, actual: ${[...ids].join(", ")}`] : []),
    ...(settled.size > 1 ? [`expected one answer that stands, actual: ${[...settled].join(" and ")}`] : []),
    ...(settled.size > 0 && refused.size > 0
      ? [`expected an answer or a refusal, actual: both ${[...settled].join()} and ${[...refused].join()}`]
      : []),
    ...answers.flatMap((answer) => (answer._tag === "Wrong" ? [answer.detail] : []))
  ]
}
