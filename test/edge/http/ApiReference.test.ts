import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as Server from "./Server.ts"

const page = Effect.flatMap(Server.start({ gateways: [] }), ({ url }) =>
  Effect.promise(async () => {
    const response = await fetch(`${url}/docs`)
    return { response, html: await response.text() }
  })
)

describe("GET /docs", () => {
  it.live("is one page that refers to no other file, of this host or another", () =>
    Effect.gen(function* () {
      const { html, response } = yield* page
      assert.strictEqual(response.status, 200)
      assert.match(response.headers.get("content-type")!, /^text\/html/)
      assert.include(html, "florin Documentation")
      // Markup without what is in scripts and styles, which the policy below holds.
      const markup = html.replaceAll(/<script[^>]*>.*?<\/script>/gs, "<script></script>")
      const styles = [...markup.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style]) => style!).join("\n")
      const tags = markup.replaceAll(/<style>.*?<\/style>/gs, "")
      assert.isAbove(styles.length, 10_000)
      assert.notMatch(tags, /\b(src|href|srcset|data|action)\s*=/)
      assert.notMatch(tags, /<(link|img|iframe|object|embed|base)\b/)
      assert.notMatch(html, /<script[^>]*\bsrc\s*=/)
      assert.notMatch(styles, /@import/)
      const loaded = [...styles.matchAll(/url\(\s*["']?([^"')]{1,12})/g)].map(([, target]) => target!)
      assert.deepStrictEqual(
        loaded.filter((target) => !target.startsWith("data:")),
        []
      )
      // The contract is in the page, and not fetched.
      const spec = JSON.parse(/<script id="swagger-spec" type="application\/json">(.*?)<\/script>/s.exec(html)![1]!)
      assert.include(Object.keys(spec.paths), "/v1/payments/{id}/decision")
      assert.notProperty(spec, "servers")
    }).pipe(Effect.scoped)
  )

  it.live("has a policy under which its own script runs, and nothing else runs or loads", () =>
    Effect.gen(function* () {
      const { html, response } = yield* page
      const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script]) => script!)
      assert.strictEqual(scripts.length, 1)
      const hash = createHash("sha256").update(scripts[0]!).digest("base64")
      assert.deepStrictEqual(response.headers.get("content-security-policy")!.split("; "), [
        "default-src 'none'",
        `script-src 'sha256-${hash}'`,
        "style-src 'unsafe-inline'",
        "img-src data:",
        "font-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'"
      ])
    }).pipe(Effect.scoped)
  )
})
