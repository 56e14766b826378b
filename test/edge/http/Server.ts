/** The API over memory on a real socket, and a reader of its server-sent events. */
import { Effect, Layer, Logger, Scope } from "effect"
import { HttpServer } from "effect/http"
import { get } from "node:http"
import type { IncomingMessage } from "node:http"
import { EventBus } from "../../../src/adapters/EventBus.ts"
import * as AccountCore from "../../../src/edge/AccountCore.ts"
import * as HttpService from "../../../src/edge/http/HttpService.ts"
import { Merchant } from "../../../src/edge/http/Merchant.ts"
import * as Shop from "./Shop.ts"
import * as Workshop from "../../orchestration/Workshop.ts"

export interface Options extends Workshop.Options {
  readonly drainMillis?: number
  /** Instead of the bus of the workshop. */
  readonly bus?: EventBus["Service"] | undefined
}

/** Listens until the scope closes; says where. */
export const start = Effect.fnUntraced(function* ({ bus, drainMillis = 1000, ...options }: Options) {
  const workshop = Workshop.layer(options)
  const services = bus === undefined ? workshop : Layer.merge(workshop, Layer.succeed(EventBus, bus))
  const server = HttpService.layer({ host: "127.0.0.1", port: 0, drainMillis }).pipe(
    Layer.provide(Layer.succeed(Merchant, Workshop.shop)),
    Layer.provide(Shop.layer()),
    Layer.provide(Layer.orDie(AccountCore.accounts()).pipe(Layer.provide(AccountCore.memory))),
    Layer.provideMerge(services),
    Layer.provide(Logger.layer([]))
  )
  const context = yield* Layer.buildWithScope(server, yield* Effect.scope)
  const { address } = yield* Effect.provideContext(HttpServer.HttpServer, context)
  return { url: HttpServer.formatAddress(address), context }
})

/** The same, with a scope to end it before the test does. */
export const startIn = (scope: Scope.Closeable, options: Options) => Scope.provide(start(options), scope)

export interface Block {
  readonly id: string | undefined
  readonly data:
    | { readonly id: string; readonly event: { readonly _tag: string; readonly amount?: unknown } }
    | undefined
  readonly comment: boolean
}

/** Reads a stream of events; `next` waits for a block that `wanted` wants. */
export const read = async (url: string, headers: Record<string, string> = {}) => {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers }, resolve).on("error", reject)
  })
  const blocks: Array<Block> = []
  let text = ""
  let tell = () => {}
  let isEnded = false
  const ended = new Promise<"ended" | "broken">((resolve) => {
    response.on("close", () => {
      isEnded = true
      tell()
      resolve(response.complete ? "ended" : "broken")
    })
  })
  response.on("error", () => {})
  response.on("data", (chunk) => {
    text += String(chunk)
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      blocks.push(blockOf(text.slice(0, end)))
      text = text.slice(end + 2)
    }
    tell()
  })
  const next = async (wanted: (block: Block) => boolean): Promise<Block> => {
    for (;;) {
      const index = blocks.findIndex(wanted)
      if (index !== -1) return blocks.splice(0, index + 1).at(-1)!
      if (isEnded) throw new Error("the stream ended")
      await new Promise<void>((resolve) => (tell = resolve))
    }
  }
  const events = async (count: number) => {
    const found: Array<Block> = []
    while (found.length < count) found.push(await next(({ data }) => data !== undefined))
    return found
  }
  return { response, next, events, ended, close: () => response.destroy() }
}

const blockOf = (text: string): Block => {
  const field = (name: string) =>
    text
      .split("\n")
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2)
  const data = field("data")
  return { id: field("id"), data: data === undefined ? undefined : JSON.parse(data), comment: text.startsWith(":") }
}
