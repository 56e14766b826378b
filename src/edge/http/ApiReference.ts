/**
 * `GET /docs`: the API reference, a page that holds all it needs.
 *
 * Script and style are in the page, and its policy lets nothing else run or
 * load: the script by its hash, requests to this origin only, images that are
 * part of the page. Styles have to be allowed inline, because Swagger UI sets
 * them on elements.
 */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiSwagger } from "effect/http-api"
import { createHash } from "node:crypto"
import { PaymentsApi } from "./PaymentsApi.ts"

const policyFor = (html: string): string => {
  const hashes = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(
    ([, script]) => `'sha256-${createHash("sha256").update(script!).digest("base64")}'`
  )
  return [
    "default-src 'none'",
    `script-src ${hashes.join(" ")}`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "font-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")
}

/** The page is the same bytes every time, so its policy is made once. */
const policies = new WeakMap<object, string>()

const guarded = (response: HttpServerResponse.HttpServerResponse) => {
  const { body } = response
  if (body._tag !== "Uint8Array") return response
  const policy = policies.get(body) ?? policyFor(new TextDecoder().decode(body.body))
  policies.set(body, policy)
  return HttpServerResponse.setHeaders(response, {
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer"
  })
}

const withPolicy = HttpRouter.middleware((page) => Effect.map(page, guarded))

export const layer = HttpApiSwagger.layer(PaymentsApi, { path: "/docs" }).pipe(Layer.provide(withPolicy.layer))
