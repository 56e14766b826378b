/** A local server that notes what it is asked, for the adapters that ask over HTTP. */
import { Effect } from "effect"
import { once } from "node:events"
import type { IncomingHttpHeaders, ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Of JSON; absent where there is no body. */
  readonly body: unknown
  readonly key: string
}

export type Answer = (response: ServerResponse, asked: Asked) => void

export const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))

/** What goes wrong without an answer. */
export const hangUp: Answer = (response) => void response.destroy()
export const silence: Answer = () => {}

/** Listens until the scope closes. */
export const start = (answer: Answer) =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => void chunks.push(chunk))
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8")
        const { headers, method = "", url = "" } = request
        const body = text === "" ? undefined : JSON.parse(text)
        const one = { method, path: url, headers, body, key: String(headers["idempotency-key"]) }
        asked.push(one)
        answer(response, one)
      })
    }).listen(0, "127.0.0.1")
    yield* Effect.promise(() => once(server, "listening"))
    yield* Effect.addFinalizer(() =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
    )
    return { asked, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/systems/`) }
  })
