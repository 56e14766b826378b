/**
 * Customers at Stripe, and the cards that they keep there: what a charge needs
 * that is made while nobody is there.
 *
 * Each is asked under a key of the merchant's own words, so that asking twice
 * makes one customer. Cards are named by token only (R10).
 *
 * Errors: `StripeTrouble`, whose `seen` says whether anything can have been done.
 */
import { Effect, Schema } from "effect"
import type { StripeApi, StripeTrouble } from "./StripeApi.ts"
import * as StripeObject from "./StripeObject.ts"

export interface NewCustomer {
  /** The merchant's own name for them: it is the key, and in the metadata. */
  readonly reference: string
  readonly email?: string
  readonly name?: string
}

export interface StripeCustomers {
  /** Stripe's id of the customer, such as `cus_…`. */
  readonly create: (customer: NewCustomer) => Effect.Effect<string, StripeTrouble | Schema.SchemaError>
  /** The card is the customer's from now on; its own id comes back, which is another than a test card's name. */
  readonly attach: (customer: string, method: string) => Effect.Effect<string, StripeTrouble | Schema.SchemaError>
}

const readCustomer = Schema.decodeUnknownEffect(StripeObject.Customer)
const readMethod = Schema.decodeUnknownEffect(StripeObject.Method)

export const make = (api: StripeApi): StripeCustomers => ({
  create: ({ email, name, reference }) => {
    const params = {
      metadata: { florin_customer: reference },
      ...(email !== undefined && { email }),
      ...(name !== undefined && { name })
    }
    const request = { _tag: "CreateCustomer", params, key: `florin/customer/${reference}` } as const
    return Effect.map(Effect.flatMap(api.ask(request), readCustomer), ({ id }) => id)
  },
  attach: (customer, method) => {
    const key = `florin/customer/${customer}/method/${method}`
    const request = { _tag: "AttachMethod", method, params: { customer }, key } as const
    return Effect.map(Effect.flatMap(api.ask(request), readMethod), ({ id }) => id)
  }
})
