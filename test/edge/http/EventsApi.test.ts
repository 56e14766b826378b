import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope, Stream } from "effect"
import type { Envelope } from "../../../src/adapters/EventBus.ts"
import { Cursor, EventBus, idOf } from "../../../src/adapters/EventBus.ts"
import { MerchantId } from "../../../src/domain/payment/PaymentEvent.ts"
import { HeartbeatMillis } from "../../../src/edge/http/EventsHandlers.ts"
import * as MemoryDatabase from "../../../src/infra/memory/MemoryDatabase.ts"
import * as ScriptedGateway from "../../../src/infra/memory/ScriptedGateway.ts"
import { Payments } from "../../../src/orchestration/Payments.ts"
import { historyOf, paymentId, shop } from "../../../src/testing/contract/Samples.ts"
import * as Workshop from "../../orchestration/Workshop.ts"
import * as Server from "./Server.ts"

const bank = ScriptedGateway.make("bank", Workshop.agreeable)
const within = Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die(new Error("waited in vain")) })
const opened = (...request: Parameters<typeof Server.read>) =>
  Effect.acquireRelease(within(Effect.promise(() => Server.read(...request))), ({ close }) => Effect.sync(close))
const events = (reader: Effect.Success<ReturnType<typeof opened>>, count: number) =>
  within(Effect.promise(() => reader.events(count)))

/** Five events: a payment that is captured at once. */
const pay = (key: string, merchant = Workshop.shop) =>
  Effect.flatMap(Payments, (payments) => payments.create(merchant, Workshop.key(key), Workshop.order()))

const five = ["Initiated", "AuthorizationBegun", "Authorized", "CaptureBegun", "Captured"]
const tags = (blocks: ReadonlyArray<Server.Block>) => blocks.map(({ data }) => data!.event._tag)

describe("GET /v1/events", () => {
  it.live("tells what happens from now on, in order, as an event stream that nobody keeps or holds back", () =>
    Effect.gen(function* () {
      const { context, url } = yield* Server.start({ gateways: [yield* bank] })
      yield* Effect.provideContext(pay("before"), context)
      const reader = yield* opened(`${url}/v1/events`)
      assert.strictEqual(reader.response.statusCode, 200)
      assert.deepInclude(reader.response.headers, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no"
      })
      const { view } = yield* Effect.provideContext(pay("after"), context)
      const seen = yield* events(reader, 5)
      assert.deepStrictEqual(tags(seen), five)
      assert.deepStrictEqual(
        seen.map(({ data }) => data!.id),
        [1, 2, 3, 4, 5].map((version) => `${view.id}/${version}`)
      )
      assert.deepInclude(seen[4]!.data!.event, { amount: { currency: "EUR", minor: "1099" } })
    }).pipe(Effect.scoped)
  )

  it.live("loses no event and repeats none over a restart of the service, wherever the reader was cut off", () =>
    Effect.gen(function* () {
      const options = { gateways: [yield* bank], database: MemoryDatabase.make() }
      const first = yield* Scope.make()
      const one = yield* Server.startIn(first, options)
      const early = yield* opened(`${one.url}/v1/events`)
      const quiet = yield* opened(`${one.url}/v1/events`)
      const { id: place } = yield* within(Effect.promise(() => quiet.next(({ id }) => id !== undefined)))
      const paid = yield* Effect.provideContext(pay("one"), one.context)
      const before = yield* events(early, 3)
      yield* Scope.close(first, Exit.void)
      // Recorded while nobody serves: by another process on the same database.
      const meanwhile = yield* Effect.scoped(
        Effect.flatMap(Layer.build(Workshop.layer({ ...options, seed: 2 })), (context) =>
          Effect.provideContext(pay("two"), context)
        )
      )
      const two = yield* Server.start({ ...options, seed: 3 })
      const later = yield* opened(`${two.url}/v1/events`, { "last-event-id": before.at(-1)!.id! })
      const after = yield* events(later, 7)
      const all = [paid, meanwhile].flatMap(({ view }) => [1, 2, 3, 4, 5].map((version) => `${view.id}/${version}`))
      assert.deepStrictEqual(
        [...before, ...after].map(({ data }) => data!.id),
        all
      )
      // Who was cut off before the first event has missed none either.
      const again = yield* opened(`${two.url}/v1/events`, { "last-event-id": place! })
      assert.deepStrictEqual(
        (yield* events(again, 10)).map(({ data }) => data!.id),
        all
      )
    }).pipe(Effect.scoped)
  )

  it.live("begins behind `after` for who cannot set headers; the header wins", () =>
    Effect.gen(function* () {
      const { context, url } = yield* Server.start({ gateways: [yield* bank] })
      yield* Effect.provideContext(pay("one"), context)
      const all = yield* events(yield* opened(`${url}/v1/events?after=beginning`), 5)
      assert.deepStrictEqual(tags(all), five)
      const behind = yield* opened(`${url}/v1/events?after=${all[2]!.id}`)
      assert.deepStrictEqual(tags(yield* events(behind, 2)), five.slice(3))
      const both = yield* opened(`${url}/v1/events?after=beginning`, { "last-event-id": all[3]!.id! })
      assert.deepStrictEqual(tags(yield* events(both, 1)), ["Captured"])
    }).pipe(Effect.scoped)
  )

  it.live("tells of one payment, or of some kinds of events, and never of another merchant's", () =>
    Effect.gen(function* () {
      const { context, url } = yield* Server.start({ gateways: [yield* bank] })
      const foreign = yield* Effect.provideContext(pay("foreign", MerchantId.make("other")), context)
      const one = yield* Effect.provideContext(pay("one"), context)
      const two = yield* Effect.provideContext(pay("two"), context)
      const ids = (blocks: ReadonlyArray<Server.Block>) => blocks.map(({ data }) => data!.id)
      const path = `${url}/v1/events?after=beginning`
      const all = yield* events(yield* opened(path), 10)
      assert.isFalse(ids(all).some((id) => id.startsWith(foreign.view.id)))
      const ofTwo = yield* events(yield* opened(`${path}&payment=${two.view.id}`), 5)
      assert.deepStrictEqual(
        ids(ofTwo),
        [1, 2, 3, 4, 5].map((version) => `${two.view.id}/${version}`)
      )
      const some = yield* events(yield* opened(`${path}&type=Captured&type=Authorized`), 4)
      assert.deepStrictEqual(
        ids(some),
        [one, two].flatMap(({ view }) => [`${view.id}/3`, `${view.id}/5`])
      )
    }).pipe(Effect.scoped)
  )

  it.live("refuses a cursor that it never gave out, and says which", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.start({ gateways: [] })
      const said = (path: string, headers: Record<string, string>) =>
        Effect.promise(async () => {
          const response = await fetch(`${url}${path}`, { headers })
          return { status: response.status, body: await response.json() }
        })
      for (const [path, headers, at] of [
        ["/v1/events", { "last-event-id": "bogus" }, ["headers", "last-event-id"]],
        ["/v1/events?after=bogus", {}, ["query", "after"]]
      ] as const) {
        assert.deepStrictEqual(yield* said(path, headers), {
          status: 400,
          body: {
            type: "urn:florin:problem:invalid-request",
            title: "The request is not valid",
            status: 400,
            errors: [{ path: at, message: 'Expected "beginning" or the cursor of an event, got "bogus"' }]
          }
        })
      }
    }).pipe(Effect.scoped)
  )

  it.live("comments on silence, so that no proxy takes it for death", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.start({ gateways: [] })
      const reader = yield* opened(`${url}/v1/events`)
      yield* within(Effect.promise(() => reader.next(({ comment }) => comment)))
      yield* within(Effect.promise(() => reader.next(({ comment }) => comment)))
    }).pipe(Effect.scoped, Effect.provideService(HeartbeatMillis, 20))
  )

  it.live("ends as a whole answer when the service ends, and does not keep it waiting", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      // A drain that would outlast the test.
      const { url } = yield* Server.startIn(scope, { gateways: [], drainMillis: 60_000 })
      const reader = yield* opened(`${url}/v1/events`)
      yield* within(Effect.promise(() => reader.next(({ id }) => id !== undefined)))
      yield* within(Scope.close(scope, Exit.void))
      assert.strictEqual(yield* within(Effect.promise(() => reader.ended)), "ended")
    }).pipe(Effect.scoped)
  )

  it.live("a reader that does not read holds the bus up, and takes no memory", () =>
    Effect.gen(function* () {
      let pulled = 0
      const payment = paymentId()
      const [event] = historyOf(payment, { metadata: { note: "x".repeat(400) } })
      const envelope: Envelope = { id: idOf(payment, 1), payment, merchant: shop, version: 1, event: event! }
      const endless = Stream.fromEffectRepeat(
        Effect.map(Effect.yieldNow, () => ({ cursor: Cursor.make(String(++pulled)), envelope }))
      )
      const bus = EventBus.of({
        publish: () => Effect.void,
        handle: () => Effect.void,
        follow: () => Effect.succeed({ from: Cursor.make("0"), deliveries: endless }),
        events: Stream.empty
      })
      const { url } = yield* Server.start({ gateways: [], bus })
      const reader = yield* opened(`${url}/v1/events`)
      reader.response.pause()
      const settled = Effect.gen(function* () {
        for (let last = -1; last !== pulled;) {
          last = pulled
          yield* Effect.sleep("200 millis")
        }
        return pulled
      })
      // What two sockets hold is some megabytes; the bus has no end.
      const held = yield* within(settled)
      assert.isBelow(held, 20_000)
      reader.response.resume()
      yield* within(Effect.promise(() => reader.next(({ id }) => Number(id) > held)))
    }).pipe(Effect.scoped)
  )
})
