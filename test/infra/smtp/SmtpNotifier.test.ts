import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { readFileSync } from "node:fs"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import { inspect } from "node:util"
import type { SMTPServerOptions } from "smtp-server"
import type { Notice } from "../../../src/adapters/Notifier.ts"
import { Address, NoticeId, Notifier } from "../../../src/adapters/Notifier.ts"
import * as SmtpNotifier from "../../../src/infra/smtp/SmtpNotifier.ts"
import * as NotifierContract from "../../../src/testing/contract/NotifierContract.ts"
import * as SmtpCatcher from "./SmtpCatcher.ts"

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8")
const certificate = { key: fixture("server.key"), cert: fixture("server.crt") }

const from = Address.make("shop@example.org")
const password = "hunter2-secret"
const credentials = { user: "shop", password: Redacted.make(password) }
const plain = { host: "127.0.0.1", tls: "none", from } as const

const notice: Notice = {
  id: NoticeId.make("receipt/pay_1"),
  kind: "receipt",
  to: Address.make("ada@example.org"),
  subject: "Your receipt",
  text: "You paid 10.00 EUR."
}

/** Sends one notice to a server that is there for so long. */
const sending = (options: SmtpNotifier.Options, sent: Notice = notice) =>
  Effect.scoped(
    Effect.gen(function* () {
      const context = yield* Layer.build(SmtpNotifier.layer(options))
      yield* Context.get(context, Notifier).notify(sent)
    })
  )

const to = (server: SMTPServerOptions, options: Partial<SmtpNotifier.Options> = {}) =>
  Effect.gen(function* () {
    const { mails, port } = yield* SmtpCatcher.start(server)
    const exit = yield* Effect.result(sending({ ...plain, port, ...options }))
    return { mails, failure: exit._tag === "Failure" ? exit.failure : undefined }
  })

NotifierContract.suite(
  "SMTP",
  Layer.unwrap(
    Effect.map(SmtpCatcher.start(), ({ mails, port }) =>
      Layer.mergeAll(
        SmtpNotifier.layer({ ...plain, port }),
        Layer.succeed(
          NotifierContract.Arrived,
          Effect.sync(() =>
            mails.map(({ bodies, envelope, headers }) => {
              const html = bodies["text/html"]
              return {
                id: NoticeId.make(headers["x-notice-id"]!),
                kind: headers["x-notice-kind"]!,
                to: Address.make(envelope.to.join(", ")),
                subject: headers["subject"]!,
                text: bodies["text/plain"]!,
                ...(html === undefined ? {} : { html })
              }
            })
          )
        )
      )
    )
  )
)

/** A server that says these lines, each in answer to one of the client's, and then closes or keeps still. */
const scripted = (lines: ReadonlyArray<string>, end: "closes" | "is silent") =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer((socket) => {
        const rest = [...lines]
        const say = () => {
          const line = rest.shift()
          if (line !== undefined) socket.write(`${line}\r\n`)
          else if (end === "closes") socket.destroy()
        }
        socket.on("error", () => {})
        socket.on("data", say)
        say()
      }).listen(0, "127.0.0.1")
      await once(server, "listening")
      return server
    }),
    (server) => Effect.sync(() => server.close())
  )
const portOf = (server: ReturnType<typeof createServer>) => (server.address() as AddressInfo).port

describe("SmtpNotifier", () => {
  it.live("names the sender, the kind and the id, and gives a repeat the same Message-ID", () =>
    Effect.gen(function* () {
      const { mails, port } = yield* SmtpCatcher.start()
      yield* sending({ ...plain, port })
      yield* sending({ ...plain, port })
      yield* sending({ ...plain, port }, { ...notice, id: NoticeId.make("receipt/pay_2") })
      const [one, again, other] = mails.map(({ headers }) => headers["message-id"])
      assert.match(one!, /^<[0-9a-f]{64}@example\.org>$/)
      assert.strictEqual(again, one)
      assert.notStrictEqual(other, one)
      assert.deepInclude(mails[0]!.headers, {
        from: "shop@example.org",
        to: "ada@example.org",
        "x-notice-id": "receipt/pay_1",
        "x-notice-kind": "receipt",
        "auto-submitted": "auto-generated"
      })
      assert.deepStrictEqual(mails[0]!.envelope, { from: "shop@example.org", to: ["ada@example.org"] })
    })
  )

  it.live("is one mail, whatever its text says of an end and of commands after it", () =>
    Effect.gen(function* () {
      const { mails, port } = yield* SmtpCatcher.start()
      const forged = "MAIL FROM:<eve@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nforged"
      for (const end of ["\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r"]) {
        const before = mails.length
        yield* sending({ ...plain, port }, { ...notice, text: `begins${end}${forged}${end}` })
        const [mail, ...others] = mails.slice(before)
        assert.deepStrictEqual(others, [], JSON.stringify(end))
        assert.deepStrictEqual(mail!.envelope.to, ["ada@example.org"])
        assert.include(mail!.bodies["text/plain"], "forged")
        // Lines end in one way only, so that no server on the way takes another for the end.
        assert.notMatch(mail!.raw, /\r(?!\n)|(?<!\r)\n/, JSON.stringify(end))
      }
    })
  )

  it.live("speaks TLS from the first byte, or by STARTTLS, and believes only authorities that it is given", () =>
    Effect.gen(function* () {
      const ca = { host: "localhost", certificateAuthority: certificate.cert }
      const implicit = yield* to({ ...certificate, secure: true }, { ...ca, tls: "implicit" })
      assert.deepStrictEqual([implicit.failure, implicit.mails[0]?.isSecure], [undefined, true])
      const upgraded = yield* to({ ...certificate, disabledCommands: [] }, { ...ca, tls: "required" })
      assert.deepStrictEqual([upgraded.failure, upgraded.mails[0]?.isSecure], [undefined, true])
      const servers: ReadonlyArray<readonly [SMTPServerOptions, "implicit" | "required"]> = [
        [{ ...certificate, secure: true }, "implicit"],
        [{ ...certificate, disabledCommands: [] }, "required"]
      ]
      for (const [server, tls] of servers) {
        const stranger = yield* to(server, { host: "localhost", tls })
        assert.deepStrictEqual([stranger.failure?.reason._tag, stranger.mails], ["Misconfigured", []], tls)
        assert.isFalse(stranger.failure?.isRetryable)
      }
    })
  )

  it.live("sends nothing in the clear where TLS is required and the server has none", () =>
    Effect.gen(function* () {
      const { failure, mails } = yield* to({}, { tls: "required", host: "localhost" })
      assert.strictEqual(failure?.reason._tag, "Misconfigured")
      assert.deepStrictEqual(mails, [])
    })
  )

  it.live("logs in, and names no password when that fails", () =>
    Effect.gen(function* () {
      const server: SMTPServerOptions = {
        allowInsecureAuth: true,
        onAuth: ({ password: said, username }, _, done) =>
          said === password ? done(null, { user: username }) : done(new Error("no such user"))
      }
      const known = yield* to(server, { credentials })
      assert.strictEqual(known.mails[0]?.user, "shop")
      const wrong = { user: "shop", password: Redacted.make("another-secret") }
      const { failure } = yield* to(server, { credentials: wrong })
      assert.strictEqual(failure?.reason._tag, "Misconfigured")
      assert.match(failure!.message, /refused the credentials/)
      const shown = inspect(failure, { depth: 10, showHidden: true }) + JSON.stringify(failure)
      assert.notInclude(shown, "another-secret")
      assert.notInclude(shown, Buffer.from("\0shop\0another-secret").toString("base64"))
      const without = yield* to({}, { credentials })
      assert.strictEqual(without.failure?.reason._tag, "Misconfigured")
    })
  )

  const refusing = (responseCode: number): SMTPServerOptions => ({
    onRcptTo: (_, __, done) => done(Object.assign(new Error("says the server"), { responseCode }))
  })
  const replies: ReadonlyArray<readonly [number, string, boolean]> = [
    [550, "Refused", false],
    [552, "Refused", false],
    [421, "NotSent", true],
    [450, "NotSent", true]
  ]
  for (const [code, tag, isRetryable] of replies) {
    it.live(`takes a reply of ${code} for ${tag}`, () =>
      Effect.gen(function* () {
        const { failure, mails } = yield* to(refusing(code))
        assert.deepStrictEqual([failure?.reason._tag, failure?.isRetryable], [tag, isRetryable])
        assert.include(failure?.message, `${code} says the server`)
        assert.deepStrictEqual(mails, [])
      })
    )
  }

  it.live("knows that nothing was sent where nobody was there", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { port } = yield* Scope.provide(SmtpCatcher.start(), scope)
      yield* Scope.close(scope, Exit.void)
      const { reason } = yield* Effect.flip(sending({ ...plain, port }))
      assert.strictEqual(reason._tag, "NotSent")
    })
  )

  const accepted = ["220 hello", "250 hello", "250 from", "250 to", "354 go on"]
  it.live("is in doubt where the connection breaks, or nothing more comes, after the mail was sent", () =>
    Effect.gen(function* () {
      const broken = yield* scripted(accepted, "closes")
      const lost = yield* Effect.flip(sending({ ...plain, port: portOf(broken) }))
      assert.deepStrictEqual([lost.reason._tag, lost.isRetryable], ["InDoubt", true])
      const silent = yield* scripted(accepted, "is silent")
      const late = yield* Effect.flip(sending({ ...plain, port: portOf(silent), timeoutMillis: 200 }))
      assert.deepStrictEqual([late.reason._tag, late.isRetryable], ["InDoubt", true])
    })
  )

  it.live("does not wait for a greeting for ever", () =>
    Effect.gen(function* () {
      const silent = yield* scripted([], "is silent")
      const { isRetryable } = yield* Effect.flip(sending({ ...plain, port: portOf(silent), timeoutMillis: 100 }))
      assert.isTrue(isRetryable)
    })
  )
})
