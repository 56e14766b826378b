import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { GatewayName, MethodToken } from "../../src/domain/payment/Gateway.ts"
import * as Routing from "../../src/domain/Routing.ts"

const capabilities = {
  idempotencyKey: { retentionMillis: 0, maxLength: 64, storesErrors: false },
  lookup: "none",
  autoCapture: false,
  partialCapture: false,
  multipleCaptures: false,
  partialRefund: false
} as const
const gateway = (name: string, more: Partial<Routing.Gateway> = {}): Routing.Gateway => ({
  name: GatewayName.make(name),
  capabilities,
  ...more
})
const costing = (name: string, costBasisPoints: number) => gateway(name, { costBasisPoints })
const rule = (name: string, more: Partial<Routing.Rule>): Routing.Rule => ({ name, when: {}, ...more })
const names = (...of: ReadonlyArray<string>) => of.map((name) => GatewayName.make(name))

const eur = (minor: bigint) => ({ currency: "EUR", minor }) as const
const request = (changes: Partial<Routing.Request> = {}): Routing.Request => ({
  amount: eur(100n),
  method: MethodToken.make("tok_visa_1"),
  tried: [],
  ...changes
})
const [a, b, c] = [gateway("a"), gateway("b"), gateway("c")]
const three = [a, b, c]

interface World {
  readonly gateways?: ReadonlyArray<Routing.Gateway>
  readonly rules?: ReadonlyArray<Routing.Rule>
  readonly health?: Record<string, Routing.Health>
  readonly request?: Routing.Request
}
const choose = (world: World) =>
  Routing.choose(
    world.request ?? request(),
    { gateways: world.gateways ?? three, rules: world.rules ?? [] },
    (name) => world.health?.[name] ?? "up"
  )
const order = (world: World) =>
  choose(world)
    .ordered.map(({ gateway }) => gateway.name)
    .join(" ")

describe("Routing.choose, the order", () => {
  const prefersC = rule("c first", { prefer: names("c") })
  const table: ReadonlyArray<readonly [behaviour: string, world: World, order: string]> = [
    ["keeps the order of the table when nothing else tells", {}, "a b c"],
    [
      "keeps the order of the table at the same cost",
      { gateways: [c, a, b].map((g) => ({ ...g, costBasisPoints: 5 })) },
      "c a b"
    ],
    ["puts what a rule prefers first", { rules: [prefersC] }, "c a b"],
    ["follows the order in which a rule prefers", { rules: [rule("r", { prefer: names("c", "b") })] }, "c b a"],
    ["puts down last", { health: { a: "down" } }, "b c a"],
    ["puts down last, whatever the rules say", { rules: [prefersC], health: { c: "down" } }, "a b c"],
    ["orders by rule among those that are down", { rules: [prefersC], health: { a: "down", c: "down" } }, "b c a"],
    ["puts probing after up and before down", { health: { a: "down", b: "probing" } }, "c b a"],
    ["lets a rule prefer what is probing", { rules: [prefersC], health: { c: "probing" } }, "c a b"],
    ["puts the cheaper first", { gateways: [costing("a", 30), costing("b", 10), costing("c", 20)] }, "b c a"],
    ["takes an unknown cost for the dearest", { gateways: [a, costing("b", 9_999), costing("c", 0)] }, "c b a"],
    ["puts health before cost", { gateways: [costing("a", 1), costing("b", 9)], health: { a: "probing" } }, "b a"],
    ["puts a rule before cost", { gateways: [costing("a", 1), costing("c", 9)], rules: [prefersC] }, "c a"],
    ["ignores names that the table does not hold", { rules: [rule("r", { prefer: names("x", "b") })] }, "b a c"],
    [
      "heeds only the first rule that prefers",
      { rules: [rule("r", { prefer: names("b") }), rule("s", { prefer: names("c") })] },
      "b a c"
    ],
    [
      "passes by rules that do not prefer, or do not apply",
      {
        rules: [
          rule("excludes", { exclude: names("a") }),
          rule("elsewhere", { when: { currencies: ["USD"] }, prefer: names("b") }),
          prefersC
        ]
      },
      "c b"
    ],
    [
      "ranks by what a rule says, cost alone",
      {
        gateways: [costing("a", 9), costing("b", 1)],
        health: { b: "probing" },
        rules: [rule("r", { rankBy: ["cost"] })]
      },
      "b a"
    ],
    [
      "ranks by what a rule says, health to tell those of one cost apart",
      {
        gateways: [costing("a", 1), costing("b", 1), costing("c", 9)],
        health: { a: "probing" },
        rules: [rule("r", { rankBy: ["cost", "health"] })]
      },
      "b a c"
    ],
    [
      "ranks by what a rule says, nothing: then the table's order",
      { gateways: [costing("a", 9), costing("b", 1)], rules: [rule("r", { rankBy: [] })] },
      "a b"
    ],
    [
      "puts a preference before a ranking, and down last whatever it costs",
      {
        gateways: [costing("a", 1), costing("b", 2), costing("c", 3)],
        health: { a: "down" },
        rules: [rule("r", { rankBy: ["cost"] }), prefersC]
      },
      "c b a"
    ],
    [
      "heeds only the first rule that applies and ranks",
      {
        gateways: [costing("a", 9), costing("b", 1)],
        health: { b: "probing" },
        rules: [
          rule("elsewhere", { when: { currencies: ["USD"] }, rankBy: ["cost"] }),
          rule("r", { rankBy: ["health"] }),
          rule("s", { rankBy: ["cost"] })
        ]
      },
      "a b"
    ],
    ["is empty without gateways", { gateways: [] }, ""]
  ]
  it.each(table)("%s", (_, world, expected) => assert.strictEqual(order(world), expected))
})

describe("Routing.choose, the conditions of a rule", () => {
  const table: ReadonlyArray<readonly [when: Routing.Rule["when"], applies: boolean]> = [
    [{}, true],
    [{ currencies: ["USD", "EUR"] }, true],
    [{ currencies: ["USD"] }, false],
    [{ currencies: [] }, false],
    [{ minMinor: 100n }, true],
    [{ minMinor: 101n }, false],
    [{ maxMinor: 100n }, true],
    [{ maxMinor: 99n }, false],
    [{ minMinor: 100n, maxMinor: 100n }, true],
    [{ methods: ["tok_visa"] }, true],
    [{ methods: ["tok_mc", "tok_visa_1"] }, true],
    [{ methods: ["tok_visa_12"] }, false],
    [{ methods: ["visa"] }, false],
    [{ currencies: ["EUR"], methods: ["tok_"], minMinor: 1n, maxMinor: 99n }, false],
    [{ currencies: ["EUR"], methods: ["tok_"], minMinor: 1n, maxMinor: 999n }, true]
  ]

  it("must all hold, bounds included", () => {
    for (const [when, applies] of table) {
      const expected = applies ? "c a b" : "a b c"
      assert.strictEqual(order({ rules: [rule("r", { when, prefer: names("c") })] }), expected)
    }
  })
})

describe("Routing.choose, the reasons", () => {
  it("says why each gateway was passed over", () => {
    const gateways = [
      gateway("tried", { currencies: ["USD"] }),
      gateway("dollars", { currencies: ["USD"], methods: ["sepa_"] }),
      gateway("debits", { methods: ["sepa_"] }),
      a,
      gateway("fits", { currencies: ["USD", "EUR"], methods: ["sepa_", "tok_"] })
    ]
    const rules = [rule("no a", { exclude: names("a", "debits") }), rule("nor here", { exclude: names("a") })]
    const choice = choose({ gateways, rules, request: request({ tried: names("tried") }) })
    assert.deepStrictEqual(choice.passedOver, [
      { gateway: GatewayName.make("tried"), reason: { _tag: "AlreadyTried" } },
      { gateway: GatewayName.make("dollars"), reason: { _tag: "CurrencyUnsupported" } },
      { gateway: GatewayName.make("debits"), reason: { _tag: "MethodUnsupported" } },
      { gateway: GatewayName.make("a"), reason: { _tag: "Excluded", rule: "no a" } }
    ])
    assert.deepStrictEqual(choice.ordered, [{ gateway: gateways[4]!, reasons: [] }])
  })

  it("says why each gateway stands where it stands", () => {
    const gateways = [costing("a", 10), b, c]
    const rules = [rule("r", { prefer: names("a", "c") }), rule("s", { prefer: names("b") })]
    const choice = choose({ gateways, rules, health: { a: "down", b: "probing" } })
    assert.deepStrictEqual(choice.ordered, [
      { gateway: c, reasons: [{ _tag: "Preferred", rule: "r" }] },
      { gateway: b, reasons: [{ _tag: "Probing" }] },
      {
        gateway: gateways[0]!,
        reasons: [{ _tag: "Preferred", rule: "r" }, { _tag: "Down" }, { _tag: "Cost", basisPoints: 10 }]
      }
    ])
  })
})

describe("Routing.explain", () => {
  it("says of the choice why it stands first, and how the others stood", () => {
    const gateways = [costing("a", 10), costing("b", 5), gateway("c", { currencies: ["USD"] })]
    const rules = [rule("cheap", { rankBy: ["cost"] })]
    const rankedBy = { _tag: "RankedBy", rule: "cheap", criteria: ["cost"] } as const
    const choice = choose({ gateways, rules, health: { b: "probing" } })
    const explanation = Routing.explain(choice)
    assert.deepStrictEqual(explanation, {
      reasons: [rankedBy, { _tag: "Probing" }, { _tag: "Cost", basisPoints: 5 }],
      passedOver: [{ gateway: GatewayName.make("c"), reason: { _tag: "CurrencyUnsupported" } }],
      outranked: [{ gateway: GatewayName.make("a"), reasons: [rankedBy, { _tag: "Cost", basisPoints: 10 }] }]
    })
    const Json = Schema.fromJsonString(Routing.Explanation)
    assert.deepStrictEqual(Schema.decodeSync(Json)(Schema.encodeSync(Json)(explanation)), explanation)
  })

  it("says nothing of others where there are none, and reads what was stored before it could", () => {
    assert.deepStrictEqual(Routing.explain(choose({ gateways: [a] })), { reasons: [], passedOver: [] })
    const stored = { reasons: [{ _tag: "Cost", basisPoints: 7 }], passedOver: [] }
    assert.deepStrictEqual<unknown>(Schema.decodeUnknownSync(Routing.Explanation)(stored), stored)
  })
})

describe("Routing.choose, in every small world", () => {
  const healths = ["up", "probing", "down"] as const
  const ruleSets: ReadonlyArray<ReadonlyArray<Routing.Rule>> = [
    [],
    [rule("c b", { prefer: names("c", "b") })],
    [rule("not a", { exclude: names("a") }), rule("b", { prefer: names("b") }), rule("c", { prefer: names("c") })],
    [rule("none", { exclude: names("a", "b", "c") })]
  ]
  const tables = [[a], [a, b], three, [costing("a", 3), costing("b", 2), costing("c", 1)]]
  const worlds = tables.flatMap((gateways) =>
    ruleSets.flatMap((rules) =>
      [names(), names("b")].flatMap((tried) =>
        healths.flatMap((a) =>
          healths.flatMap((b) =>
            healths.map((c) => ({ gateways, rules, health: { a, b, c }, request: request({ tried }) }))
          )
        )
      )
    )
  )

  it("orders or passes over every gateway, exactly once, and the same way again", () => {
    const seen = new Set<string>()
    for (const world of worlds) {
      const choice = choose(world)
      const ordered = choice.ordered.map(({ gateway }) => gateway.name)
      const all = [...ordered, ...choice.passedOver.map(({ gateway }) => gateway)]
      assert.deepStrictEqual(
        all.toSorted(),
        world.gateways.map(({ name }) => name)
      )
      assert.deepStrictEqual(choose(world), choice)
      seen.add(ordered.join(" "))
    }
    // Nothing above is vacuous: every order of every choice of three is seen.
    assert.strictEqual(seen.size, 16)
  })

  it("does not depend on the order of the table when no two gateways cost the same", () => {
    for (const world of worlds.filter(({ gateways }) => gateways === tables[3])) {
      const [x, y, z] = world.gateways as [Routing.Gateway, Routing.Gateway, Routing.Gateway]
      for (const gateways of [
        [x, z, y],
        [y, x, z],
        [y, z, x],
        [z, x, y],
        [z, y, x]
      ]) {
        assert.strictEqual(order({ ...world, gateways }), order(world))
      }
    }
  })

  it("puts no gateway that is down before one that is not", () => {
    for (const world of worlds) {
      const down = choose(world).ordered.map(({ gateway }) => world.health[gateway.name as "a" | "b" | "c"] === "down")
      assert.deepStrictEqual(down, [...down.filter((is) => !is), ...down.filter((is) => is)])
    }
  })
})
