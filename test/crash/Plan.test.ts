import { assert, describe, it } from "@effect/vitest"
import * as Orders from "./Orders.ts"
import * as Plan from "./Plan.ts"

const seeds = [0, 1, 2, 3, 42, 999_999_999]

const counted = (plan: ReadonlyArray<Plan.Planned>) =>
  Object.fromEntries([...Map.groupBy(plan, ({ blow }) => blow._tag)].map(([tag, all]) => [tag, all.length]))

describe("the plan of a run", () => {
  it("strikes 50 times at services, 5 at PostgreSQL, and stalls 5 times; in short 5, 1 and 1", () => {
    for (const seed of seeds) {
      assert.deepStrictEqual(counted(Plan.make(seed, Plan.sizes.long)), { Kill: 50, KillPostgres: 5, Stall: 5 })
      assert.deepStrictEqual(counted(Plan.make(seed, Plan.sizes.short)), { Kill: 5, KillPostgres: 1, Stall: 1 })
    }
  })

  it("is the same for the same seed, and another for another", () => {
    assert.deepStrictEqual(Plan.make(7, Plan.sizes.long), Plan.make(7, Plan.sizes.long))
    assert.notDeepEqual(Plan.make(7, Plan.sizes.long), Plan.make(8, Plan.sizes.long))
  })

  it("kills both services, and comes early as well as late", () => {
    for (const seed of seeds) {
      const plan = Plan.make(seed, Plan.sizes.long)
      const killed = new Set(plan.flatMap(({ blow }) => (blow._tag === "Kill" ? [blow.name] : [])))
      assert.deepStrictEqual([...killed].toSorted(), ["one", "two"])
      assert.isTrue(plan.some(({ afterMillis }) => afterMillis < 1000))
      assert.isTrue(plan.some(({ afterMillis }) => afterMillis > 4000))
    }
  })

  it("stalls for longer than a lease, so that somebody else takes over", () => {
    for (const seed of seeds) {
      const stalls = Plan.make(seed, Plan.sizes.long).flatMap(({ blow }) =>
        blow._tag === "Stall" ? [blow.stallMillis] : []
      )
      assert.isAbove(Math.min(...stalls), 2000)
    }
  })

  it("takes less than ten minutes, and in short less than a minute", () => {
    const lasts = ({ afterMillis, blow }: Plan.Planned) => {
      if (blow._tag === "Kill") return afterMillis
      return afterMillis + (blow._tag === "Stall" ? blow.stallMillis : blow.downMillis)
    }
    const total = (plan: ReadonlyArray<Plan.Planned>) => plan.map(lasts).reduce((sum, millis) => sum + millis, 0)
    for (const seed of seeds) {
      assert.isBelow(total(Plan.make(seed, Plan.sizes.long)), 600_000)
      assert.isBelow(total(Plan.make(seed, Plan.sizes.short)), 60_000)
    }
  })
})

describe("the orders of a run", () => {
  const first = (seed: number, count: number) => Array.from({ length: count }, (_, index) => Orders.at(seed, index))

  it("are the same for the same seed, each under a key of its own that is its reference", () => {
    assert.deepStrictEqual(first(7, 50), first(7, 50))
    assert.notDeepEqual(first(7, 50), first(8, 50))
    assert.strictEqual(new Set(first(7, 500).map(({ key }) => key)).size, 500)
    assert.isTrue(first(7, 500).every(({ key, order }) => order.reference === key))
  })

  it("pay with every token of the sandbox but the two whose doubts may take 26 hours", () => {
    for (const seed of seeds) {
      const used = new Set<string>(first(seed, 1000).flatMap(({ order }) => order.paymentMethods))
      assert.deepStrictEqual([...used].toSorted(), [...Orders.tokens].toSorted())
      assert.isTrue(used.has("tok_lost_answer"))
      assert.isFalse(used.has("tok_never_answers"))
      assert.isFalse(used.has("tok_unreachable"))
    }
  })

  it("capture, cancel, refund and complete, and some are sent twice", () => {
    const orders = first(1, 500)
    const steps = new Set(orders.flatMap(({ steps = [] }) => steps.flatMap((step) => Object.keys(step))))
    assert.deepStrictEqual([...steps].toSorted(), ["cancel", "capture", "complete", "refund"])
    const twice = orders.filter((order) => order.twice === true).length
    assert.isAbove(twice, 50)
    assert.isBelow(twice, 250)
  })
})
