/** Customers, and the payment methods that they keep. */
import type { Params } from "./FormBody.ts"
import * as Form from "./FormBody.ts"
import { methodOf } from "./PaymentIntents.ts"
import * as Objects from "./StripeObjects.ts"
import type { JsonObject } from "./StripeReply.ts"
import { missing, noSuch } from "./StripeReply.ts"
import type { Kept, Tables } from "./StripeTables.ts"
import { emit } from "./StripeTables.ts"

export const create = (tables: Tables, params: Params): JsonObject => {
  const token = Form.text(params, "payment_method")
  const customer: Kept = {
    id: tables.id("cus"),
    object: "customer",
    created: tables.seconds(),
    description: Form.text(params, "description") ?? null,
    email: Form.text(params, "email") ?? null,
    invoice_settings: {
      default_payment_method: Form.text(Form.inner(params, "invoice_settings"), "default_payment_method") ?? null
    },
    livemode: false,
    metadata: Form.texts(params, "metadata"),
    name: Form.text(params, "name") ?? null
  }
  tables.kept.set(customer.id, customer)
  if (token !== undefined) methodOf(tables, token).customer = customer.id
  emit(tables, "customer.created", customer)
  return customer
}

/** A customer who was deleted is still there, and says so. */
export const retrieve = (tables: Tables, id: string): JsonObject => {
  const found = tables.kept.get(id)
  if (found?.object === "customer") return found
  if (tables.deleted.get(id) === "customer") return { id, object: "customer", deleted: true }
  throw noSuch("customer", id, "id")
}

export const remove = (tables: Tables, id: string): JsonObject => {
  const found = tables.kept.get(id)
  if (found?.object !== "customer") throw noSuch("customer", id, "id")
  tables.kept.delete(id)
  tables.deleted.set(id, "customer")
  emit(tables, "customer.deleted", found)
  return { id, object: "customer", deleted: true }
}

export const attach = (tables: Tables, id: string, params: Params): JsonObject => {
  const customer = Form.text(params, "customer")
  if (customer === undefined) throw missing("customer")
  if (tables.kept.get(customer)?.object !== "customer") throw noSuch("customer", customer, "customer")
  const method = methodOf(tables, id)
  method.customer = customer
  emit(tables, "payment_method.attached", Objects.method(method))
  return Objects.method(method)
}

export const detach = (tables: Tables, id: string): JsonObject => {
  const method = methodOf(tables, id)
  method.customer = null
  return Objects.method(method)
}
