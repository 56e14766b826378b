/**
 * Clients' accounts in a program of your own: money in and out, a dispute, a
 * handler that hears of it, and repeats that move nothing.
 *
 *     npm exec -- node examples/accounts.ts
 */
import { Florin } from "florin/node"

export const day = async (options: Pick<Florin.Options, "database">) => {
  const heard: Array<string> = []
  const closed = Promise.withResolvers<void>()
  await using florin = await Florin.start({
    ...options,
    gateways: "sandbox",
    // Each event at least once and in order, from where this name was left.
    accountSubscribers: {
      bookkeeping: ({ event, sequence }) => {
        heard.push(`${sequence} ${event._tag}`)
        if (event._tag === "Resolved") closed.resolve()
      }
    }
  })
  const { accounts } = florin

  await accounts.deposit({ client: 7, tx: 1, amount: "100" })
  // Sent again because the answer was lost: it is the same deposit.
  await accounts.deposit({ client: 7, tx: 1, amount: "100" })
  await accounts.withdraw({ client: 7, tx: 2, amount: "30.25" })

  let refusal = "none"
  try {
    await accounts.withdraw({ client: 7, tx: 3, amount: "1000" })
  } catch (error) {
    if (!(error instanceof Florin.TransactionRefused)) throw error
    refusal = error.reason
  }

  await accounts.dispute({ client: 7, tx: 1, idempotencyKey: "case-1" })
  const { available, held } = await accounts.get(7)
  await accounts.resolve({ client: 7, tx: 1, idempotencyKey: "case-1-closed" })
  await closed.promise
  return [
    `refused: ${refusal}`,
    `disputed: ${available} available, ${held} held`,
    `then: ${(await accounts.get(7)).total}`,
    `heard: ${heard.join(", ")}`
  ]
}

if (import.meta.main) for (const line of await day({ database: "memory" })) console.log(line)
