/**
 * A transaction file made by a seed: the same seed, rows, clients and mix give
 * the same bytes on every machine.
 *
 * It is CSV as `TransactionRow` reads it, without white space and with an empty
 * last column where a row has no amount, so that any reader of CSV can read it.
 * Clients are 1 to `clients`, each as likely as the next; ids of transactions
 * are scattered over 32 bits; amounts are 0.0001 to 1500000.0000.
 *
 * The maker keeps what each client has and a sample of the deposits, so that
 * under the standard policy each row is applied or refused as its kind is
 * meant. A row whose kind has nothing to be about, such as a resolve before
 * the first dispute, is a deposit instead. Memory: 17 bytes a client and
 * about 9 MB.
 */
import * as Seed from "../Seed.ts"
import * as Mix from "./Mix.ts"
import * as Postings from "./Postings.ts"
import * as RowBytes from "./RowBytes.ts"
import * as ScatteredIds from "./ScatteredIds.ts"

export interface Options {
  /** Without the header; 0 to `maxRows`. */
  readonly rows: number
  /** 1 to `maxClients`; above 65,535 a reader has to allow wide clients. */
  readonly clients: number
  readonly seed: number
  readonly mix: Mix.Mix
}

/** Each row uses one id at most, and half of the ids stay for rows about transactions that nobody made. */
export const maxRows = 2 ** 31
/** What the maker keeps of so many fits 200 MB. */
export const maxClients = 10_000_000

/** How many rows of each kind there are. */
export type Counts = ReadonlyMap<Mix.Kind, number>

/** In 10^-4. With ids of ten digits it gives rows of 37 bytes on the average, as in the files that are compared with. */
const maxAmount = 15_000_000_000
/** Who paid in this much pays in little more, so that balances stay below 2^53 and exact. */
const muchPaidIn = 2 ** 52
const littleAmount = 10_000

/** As many deposits as may be disputed, and as many open disputes: 4 MB each. */
const manyPostings = 1 << 18
/** Enough to draw from where any will do. */
const fewPostings = 1 << 10
/** So many clients are tried for one that can withdraw. */
const maxTries = 16

const ends = ["resolve", "chargeback"] as const
const abouts = ["dispute", ...ends] as const

/** Rows that cannot be read; `C` stands for a client and `T` for an id. */
export const malformed = [
  "transfer,C,T,1.5",
  "deposit,-1,T,1.5",
  "deposit,C,4294967296,1.5",
  "deposit,C,T,",
  "deposit,C,T,1.23456",
  "deposit,C,T,1e3",
  "withdrawal,C,T,-5",
  "withdrawal,C,T,922337203685477.5808",
  "dispute,C,T,,"
] as const

/** A piece of up to a megabyte, and how many rows there are with it. */
export interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly rows: number
}

/** The file in pieces, and in the end what it holds. */
export function* make(options: Options): Generator<Piece, Counts> {
  const bytes = RowBytes.make()
  const { counts, next } = maker(options, bytes)
  bytes.text("type,client,tx,amount\n")
  for (let row = 0; row < options.rows; row++) {
    next()
    if (bytes.isFull()) yield { bytes: bytes.take(), rows: row + 1 }
  }
  yield { bytes: bytes.take(), rows: options.rows }
  return new Map(Mix.kinds.map((kind, index) => [kind, counts[index]!]))
}

const maker = ({ clients, mix, rows, seed }: Options, bytes: RowBytes.RowBytes) => {
  const draw = Seed.make(seed)
  const idOf = ScatteredIds.make(seed)
  let used = 0
  let unused = rows
  const nextId = () => idOf(used++)

  // By client, from 0; in the file they are one more.
  const available = new Float64Array(clients)
  const paidIn = new Float64Array(clients)
  const isFrozen = new Uint8Array(clients)

  const posted = Postings.make(manyPostings, draw)
  const open = Postings.make(manyPostings, draw)
  const chargedBack = Postings.make(fewPostings, draw)
  const withdrawn = Postings.make(fewPostings, draw)

  const anyClient = () => draw.below(clients)
  const anyAmount = (client: number) => 1 + draw.below(paidIn[client]! < muchPaidIn ? maxAmount : littleAmount)
  const anyOf = <A>(list: ReadonlyArray<A>): A => list[draw.below(list.length)]!
  /** A client who passes, if a few tries find one. */
  const clientThat = (passes: (client: number) => boolean) => {
    for (let tries = 0; tries < maxTries; tries++) {
      const client = anyClient()
      if (passes(client)) return client
    }
    return undefined
  }
  const isLiquid = (client: number) => available[client]! > 0 && isFrozen[client] === 0
  const isUsable = (client: number) => isFrozen[client] === 0

  const line = (type: string, client: number, tx: number, amount?: number) => {
    bytes.text(type)
    bytes.text(",")
    bytes.integer(client + 1)
    bytes.text(",")
    bytes.integer(tx)
    bytes.text(",")
    if (amount !== undefined) bytes.amount(amount)
    bytes.text("\n")
  }

  /** Each writes one row, or answers `false` when there is nothing for it to be about. */
  const write: Record<Mix.Kind, () => boolean> = {
    deposit: () => {
      const client = anyClient()
      const amount = anyAmount(client)
      const tx = nextId()
      available[client]! += amount
      paidIn[client]! += amount
      posted.add(tx, client, amount)
      line("deposit", client, tx, amount)
      return true
    },
    withdrawal: () => {
      const client = clientThat(isLiquid)
      if (client === undefined) return false
      const amount = Math.min(anyAmount(client), available[client]!)
      const tx = nextId()
      available[client]! -= amount
      withdrawn.add(tx, client, amount)
      line("withdrawal", client, tx, amount)
      return true
    },
    dispute: () => {
      if (posted.size() === 0) return false
      const { amount, client, tx } = posted.take()
      available[client]! -= amount
      open.add(tx, client, amount)
      line("dispute", client, tx)
      return true
    },
    resolve: () => {
      if (open.size() === 0) return false
      const { amount, client, tx } = open.take()
      available[client]! += amount
      posted.add(tx, client, amount)
      line("resolve", client, tx)
      return true
    },
    chargeback: () => {
      if (open.size() === 0) return false
      const { amount, client, tx } = open.take()
      isFrozen[client] = 1
      chargedBack.add(tx, client, amount)
      line("chargeback", client, tx)
      return true
    },
    overdraft: () => {
      const client = clientThat(isUsable)
      if (client === undefined) return false
      line("withdrawal", client, nextId(), Math.max(available[client]!, 0) + anyAmount(client))
      return true
    },
    frozen: () => {
      if (chargedBack.size() === 0) return false
      const { client } = chargedBack.any()
      line("withdrawal", client, nextId(), anyAmount(client))
      return true
    },
    duplicate: () => {
      if (posted.size() === 0) return false
      const client = anyClient()
      line(anyOf(["deposit", "withdrawal"]), client, posted.any().tx, anyAmount(client))
      return true
    },
    unknown: () => {
      line(anyOf(abouts), anyClient(), idOf(unused++))
      return true
    },
    mismatch: () => {
      if (posted.size() === 0 || clients === 1) return false
      const { client, tx } = posted.any()
      line(anyOf(abouts), (client + 1 + draw.below(clients - 1)) % clients, tx)
      return true
    },
    undisputable: () => {
      if (withdrawn.size() === 0) return false
      const { client, tx } = withdrawn.any()
      line("dispute", client, tx)
      return true
    },
    undisputed: () => {
      if (posted.size() === 0) return false
      const { client, tx } = posted.any()
      line(anyOf(ends), client, tx)
      return true
    },
    disputed: () => {
      if (open.size() === 0) return false
      const { client, tx } = open.any()
      line("dispute", client, tx)
      return true
    },
    "charged-back": () => {
      if (chargedBack.size() === 0) return false
      const { client, tx } = chargedBack.any()
      line("dispute", client, tx)
      return true
    },
    malformed: () => {
      const row = malformed[counts[malformedIndex]! % malformed.length]!
      bytes.text(row.replace("C", String(anyClient() + 1)).replace("T", String(nextId())))
      bytes.text("\n")
      return true
    }
  }

  const counts = new Float64Array(Mix.kinds.length)
  const malformedIndex = Mix.kinds.indexOf("malformed")
  const writers = Mix.kinds.map((kind) => write[kind])
  // Up to where of the whole each kind reaches.
  let sum = 0
  const reaches = Float64Array.from(Mix.kinds, (kind) => (sum += mix.get(kind) ?? 0))

  const next = () => {
    const drawn = draw.unit() * sum
    let kind = 0
    while (reaches[kind]! <= drawn) kind++
    if (!writers[kind]!()) {
      // The first kind, which is always possible.
      kind = 0
      write.deposit()
    }
    counts[kind]! += 1
  }
  return { counts, next }
}
