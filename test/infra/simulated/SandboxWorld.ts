/**
 * A sandbox small enough to visit all of it: one payment of two units, a few
 * operations on it, two amounts, and one card. `explore` asks every request and
 * every lookup in every state of the books that can be reached.
 */
import * as MemorySandboxBooks from "../../../src/infra/simulated/MemorySandboxBooks.ts"
import { Instant } from "../../../src/domain/Instant.ts"
import type { Capabilities } from "../../../src/domain/payment/Gateway.ts"
import { MethodToken, Reference } from "../../../src/domain/payment/Gateway.ts"
import { OperationId } from "../../../src/domain/payment/Operation.ts"
import { MerchantId, PaymentId } from "../../../src/domain/payment/PaymentEvent.ts"
import * as Sandbox from "../../../src/infra/simulated/Sandbox.ts"
import type { SandboxRequest } from "../../../src/infra/simulated/SandboxRequest.ts"
import * as SandboxToken from "../../../src/infra/simulated/SandboxToken.ts"

export const at = Instant.make(1_700_000_000_000)
export const eur = (minor: bigint) => ({ currency: "EUR", minor }) as const
export const key = (path: string) => OperationId.make(`pay_1/${path}`)
export const reference = Reference.make("ch_1_auth_1")

// --- Requests ---------------------------------------------------------------

type RequestOf<Kind extends SandboxRequest["kind"]> = Extract<SandboxRequest, { readonly kind: Kind }>

export const authorize = (method: string, changes: Partial<RequestOf<"authorize">> = {}): RequestOf<"authorize"> => ({
  kind: "authorize",
  key: key("auth/1"),
  payment: PaymentId.make("pay_1"),
  merchant: MerchantId.make("shop"),
  amount: eur(2n),
  method: MethodToken.make(method),
  challenge: false,
  capture: "manual",
  returnUrl: undefined,
  ...changes
})
export const confirm = (ordinal = 1): SandboxRequest => ({
  kind: "confirm",
  key: key(`auth/1/confirm/${ordinal}`),
  reference,
  result: undefined
})
export const capture = (minor: bigint, ordinal = 1, final = false): SandboxRequest => ({
  kind: "capture",
  key: key(`capture/${ordinal}`),
  reference,
  amount: eur(minor),
  final
})
export const release = (ordinal = 1): SandboxRequest => ({ kind: "void", key: key(`void/${ordinal}`), reference })
export const refund = (minor: bigint, ordinal = 1): SandboxRequest => ({
  kind: "refund",
  key: key(`refund/${ordinal}`),
  reference,
  amount: eur(minor)
})

/** What is asked: one operation of each kind, and some keys with other parameters. */
const few = (method: string, challenge: boolean): ReadonlyArray<SandboxRequest> => [
  authorize(method, { challenge }),
  authorize(method, { challenge, amount: eur(1n) }),
  confirm(1),
  capture(2n, 1),
  capture(3n, 2),
  release(1),
  refund(1n, 1)
]

/** Two of what moves money as well, so that sums can be exceeded. */
const many = (method: string, challenge: boolean): ReadonlyArray<SandboxRequest> => [
  ...few(method, challenge),
  capture(1n, 1),
  capture(1n, 2),
  refund(1n, 2),
  refund(2n, 2)
]

// --- Books ------------------------------------------------------------------

export type Books = MemorySandboxBooks.Tables

export const empty: Books = MemorySandboxBooks.make()

const entryOf = (books: Books, key: OperationId, of: Reference | undefined): Sandbox.Entry => {
  const operation = books.operations.get(key)
  const reference = of ?? operation?.reference
  return { operation, charge: reference === undefined ? undefined : books.charges.get(reference) }
}

const written = (books: Books, { charge, operation }: Sandbox.Entry): Books => ({
  charges: charge === undefined ? books.charges : new Map(books.charges).set(charge.reference, charge),
  operations: operation === undefined ? books.operations : new Map(books.operations).set(operation.key, operation)
})

export const send = (books: Books, request: SandboxRequest, rules: Capabilities, now = at) => {
  const entry = entryOf(books, request.key, request.kind === "authorize" ? undefined : request.reference)
  const [reply, after] = Sandbox.send(entry, request, rules, now)
  return { reply, books: written(books, after) }
}

export const lookup = (books: Books, operation: OperationId, rules: Capabilities, now = at) => {
  const [looked, after] = Sandbox.lookup(entryOf(books, operation, undefined), rules, now)
  return { looked, books: written(books, after) }
}

// --- Searching it -----------------------------------------------------------

export interface Move {
  readonly from: Books
  readonly to: Books
  readonly request: SandboxRequest
  readonly reply: Sandbox.Reply
}

export interface Look {
  readonly from: Books
  readonly to: Books
  readonly key: OperationId
  readonly looked: Sandbox.Looked
}

export interface World {
  readonly states: ReadonlyArray<Books>
  readonly moves: ReadonlyArray<Move>
  readonly looks: ReadonlyArray<Look>
}

/** Beyond the last send that a fault strikes, and the lookup that settles, counting changes nothing. */
const keyOf = ({ charges, operations }: Books, method: string) => {
  const { faults, outcome } = SandboxToken.of(MethodToken.make(method))
  const rows = [...operations.values()].map((operation) => {
    const struck = faults?.[operation.kind]?.sends ?? 0
    const pending = outcome._tag === "Pend" ? outcome.lookups : 0
    return {
      ...operation,
      sends: Number.isFinite(struck) ? Math.min(operation.sends, struck) : 0,
      lookups: Math.min(operation.lookups, pending)
    }
  })
  return JSON.stringify(
    [[...charges.values()], rows.toSorted((one, other) => (one.key < other.key ? -1 : 1))],
    (_, value) => (typeof value === "bigint" ? String(value) : value)
  )
}

/** Every state of the books that this card can lead to, and every answer in each of them. */
export const explore = (
  method: string,
  rules: Capabilities,
  { challenge = false, size = "few" }: { readonly challenge?: boolean; readonly size?: "few" | "many" } = {}
): World => {
  const states = new Map<string, Books>([[keyOf(empty, method), empty]])
  const moves: Array<Move> = []
  const looks: Array<Look> = []
  const pool = (size === "few" ? few : many)(method, challenge)
  const keys = new Set(pool.map((request) => request.key))
  const visit = (books: Books) => {
    const name = keyOf(books, method)
    if (!states.has(name)) states.set(name, books)
  }
  // A map is iterated in the order of insertion, so it is its own frontier.
  for (const from of states.values()) {
    for (const request of pool) {
      const { books, reply } = send(from, request, rules)
      moves.push({ from, to: books, request, reply })
      visit(books)
    }
    for (const key of keys) {
      const { books, looked } = lookup(from, key, rules)
      looks.push({ from, to: books, key, looked })
      visit(books)
    }
  }
  return { states: [...states.values()], moves, looks }
}
