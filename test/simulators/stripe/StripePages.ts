/**
 * The bank's page for a customer with 3-D Secure.
 *
 *     GET  /3ds/{intent}           two buttons
 *     POST /3ds/{intent}/complete  the bank knows its customer
 *     POST /3ds/{intent}/fail      it does not
 *
 * Both send the customer back to the shop, as Stripe does.
 */
import * as PaymentIntents from "./PaymentIntents.ts"
import type { Tables } from "./StripeTables.ts"

export interface Page {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const isPage = (path: string): boolean => path.startsWith("/3ds/")

export const visit = (tables: Tables, method: string, path: string): Page => {
  const [, , id = "", button] = path.split("/")
  if (!tables.intents.has(id)) return { status: 404, headers: {}, body: "no such payment" }
  if (method === "GET" && button === undefined) {
    const form = (name: string) => `<form method="post" action="/3ds/${id}/${name}"><button>${name}</button></form>`
    const body = `<!doctype html><title>3-D Secure</title>${form("complete")}${form("fail")}`
    return { status: 200, headers: { "content-type": "text/html; charset=utf-8" }, body }
  }
  if (method !== "POST" || (button !== "complete" && button !== "fail")) {
    return { status: 404, headers: {}, body: "no such page" }
  }
  const intent = PaymentIntents.returned(tables, id, button === "complete")
  if (intent.return_url === undefined) return { status: 200, headers: {}, body: "you may close this page" }
  const back = new URL(intent.return_url)
  back.searchParams.set("payment_intent", id)
  back.searchParams.set("payment_intent_client_secret", `${id}_secret_test`)
  back.searchParams.set("redirect_status", button === "complete" ? "succeeded" : "failed")
  return { status: 303, headers: { location: back.href }, body: "" }
}
