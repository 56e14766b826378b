/** What each policy changes, told by the files that show it, and what the ends of the range of amounts do. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Ledger from "../../../src/domain/ledger/Ledger.ts"
import { ClientId, TxId } from "../../../src/domain/ledger/Transaction.ts"
import * as LedgerBook from "../../../src/domain/ledger/LedgerBook.ts"
import * as LedgerPolicy from "../../../src/domain/ledger/LedgerPolicy.ts"
import * as TransactionText from "../../../src/domain/ledger/TransactionText.ts"

/** The accounts and the refusals of a file of `rows`, which have no header. */
const under = (policy: string, ...rows: ReadonlyArray<string>) => {
  const book = LedgerBook.make(Result.getOrThrow(LedgerPolicy.parse(policy)))
  const text = ["type,client,tx,amount", ...rows].join("\n")
  const { rejections } = TransactionText.process(book, text)
  const accounts = TransactionText.accounts(book).trimEnd().split("\n").slice(1)
  return { accounts, rejections: rejections.map(TransactionText.rejection) }
}

const freeze = ["deposit,1,1,100", "deposit,1,2,50", "dispute,1,1,", "chargeback,1,1,"]

interface Shown {
  readonly policy: string
  readonly rows: ReadonlyArray<string>
  readonly accounts: ReadonlyArray<string>
  readonly rejections: ReadonlyArray<string>
}

const table: ReadonlyArray<Shown> = [
  // Rows of `freeze` are lines 2 to 5.
  {
    policy: "frozen-deposits=accept",
    rows: [...freeze, "deposit,1,3,7"],
    accounts: ["1,57.0000,0.0000,57.0000,true"],
    rejections: []
  },
  {
    policy: "frozen-deposits=refuse",
    rows: [...freeze, "deposit,1,3,7", "deposit,1,2,7", "deposit,2,3,7"],
    accounts: ["1,50.0000,0.0000,50.0000,true", "2,7.0000,0.0000,7.0000,false"],
    // A used id is told before a frozen account, and a refused row uses none.
    rejections: ["6:AccountFrozen", "7:DuplicateTx"]
  },
  {
    policy: "frozen-withdrawals=refuse",
    rows: [...freeze, "withdrawal,1,3,7", "withdrawal,1,3,700"],
    accounts: ["1,50.0000,0.0000,50.0000,true"],
    rejections: ["6:AccountFrozen", "7:AccountFrozen"]
  },
  {
    policy: "frozen-withdrawals=accept",
    rows: [...freeze, "withdrawal,1,3,7", "withdrawal,1,4,700"],
    accounts: ["1,43.0000,0.0000,43.0000,true"],
    rejections: ["7:InsufficientFunds"]
  },
  {
    policy: "frozen-disputes=accept",
    rows: [...freeze, "dispute,1,2,", "resolve,1,2,", "dispute,1,2,", "chargeback,1,2,"],
    accounts: ["1,0.0000,0.0000,0.0000,true"],
    rejections: []
  },
  {
    policy: "frozen-disputes=refuse",
    rows: ["deposit,1,3,1", "dispute,1,3,", ...freeze, "dispute,1,2,", "resolve,1,3,", "chargeback,1,3,"],
    accounts: ["1,50.0000,1.0000,51.0000,true"],
    rejections: ["8:AccountFrozen", "9:AccountFrozen", "10:AccountFrozen"]
  },
  {
    policy: "disputable=deposits",
    rows: ["deposit,1,1,100", "withdrawal,1,2,30", "dispute,1,2,", "chargeback,1,2,"],
    accounts: ["1,70.0000,0.0000,70.0000,false"],
    rejections: ["4:NotDisputable", "5:NotDisputed"]
  },
  {
    policy: "disputable=all",
    rows: ["deposit,1,1,100", "withdrawal,1,2,30", "dispute,1,2,"],
    accounts: ["1,70.0000,30.0000,100.0000,false"],
    rejections: []
  },
  {
    policy: "disputable=all",
    rows: ["deposit,1,1,100", "withdrawal,1,2,30", "dispute,1,2,", "resolve,1,2,"],
    accounts: ["1,70.0000,0.0000,70.0000,false"],
    rejections: []
  },
  {
    policy: "disputable=all",
    rows: ["deposit,1,1,100", "withdrawal,1,2,30", "dispute,1,2,", "chargeback,1,2,", "dispute,1,2,"],
    accounts: ["1,100.0000,0.0000,100.0000,true"],
    rejections: ["6:ChargedBack"]
  },
  {
    policy: "disputable=all,spent-disputes=refuse",
    rows: ["deposit,1,1,100", "withdrawal,1,2,100", "dispute,1,2,"],
    accounts: ["1,0.0000,100.0000,100.0000,false"],
    rejections: []
  },
  {
    policy: "spent-disputes=accept",
    rows: ["deposit,1,1,100", "withdrawal,1,2,80", "dispute,1,1,", "chargeback,1,1,"],
    accounts: ["1,-80.0000,0.0000,-80.0000,true"],
    rejections: []
  },
  {
    policy: "spent-disputes=refuse",
    rows: ["deposit,1,1,100", "deposit,1,2,20", "withdrawal,1,3,100", "dispute,1,1,", "dispute,1,2,"],
    accounts: ["1,0.0000,20.0000,20.0000,false"],
    rejections: ["5:InsufficientFunds"]
  },
  {
    policy: "repeated-disputes=accept",
    rows: ["deposit,1,1,1", "dispute,1,1,", "resolve,1,1,", "dispute,1,1,"],
    accounts: ["1,0.0000,1.0000,1.0000,false"],
    rejections: []
  },
  {
    policy: "repeated-disputes=refuse",
    rows: ["deposit,1,1,1", "dispute,1,1,", "resolve,1,1,", "dispute,1,1,"],
    accounts: ["1,1.0000,0.0000,1.0000,false"],
    rejections: ["5:AlreadyDisputed"]
  },
  {
    policy: "unseen-withdrawals=open",
    rows: ["withdrawal,7,1,1", "dispute,8,1,", "deposit,9,2,-1"],
    accounts: ["7,0.0000,0.0000,0.0000,false"],
    rejections: ["2:InsufficientFunds", "3:UnknownTx", "4:NonPositiveAmount"]
  },
  {
    policy: "unseen-withdrawals=ignore",
    rows: ["withdrawal,7,1,1", "deposit,9,1,2", "withdrawal,9,2,3"],
    accounts: ["9,2.0000,0.0000,2.0000,false"],
    rejections: ["2:InsufficientFunds", "4:InsufficientFunds"]
  }
]

describe("Each policy", () => {
  it("is shown under each of its choices", () => {
    const shown = new Set(table.flatMap(({ policy }) => policy.split(",")))
    const all = [...LedgerPolicy.choices].flatMap(([name, allowed]) => allowed.map((choice) => `${name}=${choice}`))
    assert.sameMembers([...shown], all)
  })

  for (const { accounts, policy, rejections, rows } of table) {
    it(`${policy}: ${rows.slice(-2).join(" ")}`, () => {
      assert.deepStrictEqual(under(policy, ...rows), { accounts, rejections })
    })
  }
})

const largest = "922337203685477.5807"

describe("The largest amount", () => {
  it("is a balance, and 0.0001 more is refused without using the id", () => {
    assert.deepStrictEqual(
      under("", `deposit,1,1,${largest}`, "deposit,1,2,0.0001", "withdrawal,1,2,0.0001", "deposit,1,3,0.0001"),
      { accounts: [`1,${largest},0.0000,${largest},false`], rejections: ["3:AmountOutOfRange"] }
    )
  })

  it("bounds what is held, and the total of what is available and held", () => {
    const spent = [`deposit,1,1,${largest}`, `withdrawal,1,2,${largest}`, "dispute,1,1,"]
    assert.deepStrictEqual(under("", ...spent, "deposit,1,3,0.0001", "dispute,1,3,"), {
      accounts: [`1,-922337203685477.5806,${largest},0.0001,false`],
      rejections: ["6:AmountOutOfRange"]
    })
    const held = [`deposit,1,1,${largest}`, "dispute,1,1,"]
    assert.deepStrictEqual(under("", ...held, "deposit,1,2,0.0001"), {
      accounts: [`1,0.0000,${largest},${largest},false`],
      rejections: ["4:AmountOutOfRange"]
    })
  })

  it("bounds what is available below zero too", () => {
    const twice = [`deposit,1,1,${largest}`, `withdrawal,1,2,${largest}`, `deposit,1,3,${largest}`]
    const rows = [...twice, `withdrawal,1,4,${largest}`, "dispute,1,1,", "chargeback,1,1,", "dispute,1,3,"]
    assert.deepStrictEqual(under("", ...rows), {
      accounts: [`1,-${largest},0.0000,-${largest},true`],
      rejections: ["8:AmountOutOfRange"]
    })
  })
})

describe("Ledger.evolve", () => {
  it("does not go on with a history that nobody can have written", () => {
    const event = { _tag: "Resolved", client: ClientId.make(1), tx: TxId.make(5), amount: 1n } as const
    assert.throws(
      () => Ledger.evolve({ account: undefined, entry: undefined }, event),
      "corrupt journal: Resolved of a transaction that it does not hold"
    )
  })

  it("takes in what happened, whatever the policy says of it today", () => {
    const book = LedgerBook.make({ ...LedgerPolicy.standard, frozenDeposits: "refuse" })
    const [client, tx, amount] = [ClientId.make(1), TxId.make(1), 5n]
    for (const _tag of ["Deposited", "Disputed", "ChargedBack"] as const)
      LedgerBook.replay(book, { _tag, client, tx, amount })
    LedgerBook.replay(book, { _tag: "Deposited", client, tx: TxId.make(2), amount })
    LedgerBook.replay(book, { _tag: "Opened", client: ClientId.make(2) })
    LedgerBook.replay(book, { _tag: "Opened", client })
    assert.deepStrictEqual(
      [...book.accounts.values()],
      [
        { available: 5n, held: 0n, locked: true },
        { available: 0n, held: 0n, locked: false }
      ]
    )
  })
})
