/** A mail server on a loopback port that keeps what it is sent. */
import { Effect } from "effect"
import type { Scope } from "effect"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import type { SMTPServerOptions } from "smtp-server"
import { SMTPServer } from "smtp-server"

export interface Mail {
  /** By their names in lower case, unfolded and decoded. */
  readonly headers: Readonly<Record<string, string>>
  /** Bodies by their media types, decoded. */
  readonly bodies: Readonly<Record<string, string>>
  readonly raw: string
  readonly envelope: { readonly from: string; readonly to: ReadonlyArray<string> }
  readonly isSecure: boolean
  readonly user: string | undefined
}

export interface Catcher {
  readonly port: number
  readonly mails: ReadonlyArray<Mail>
}

export const start = (options: SMTPServerOptions = {}): Effect.Effect<Catcher, never, Scope.Scope> =>
  Effect.gen(function* () {
    const mails: Array<Mail> = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      logger: false,
      onData: (stream, { envelope, secure, user }, done) => {
        const chunks: Array<Buffer> = []
        stream.on("data", (chunk: Buffer) => void chunks.push(chunk))
        stream.on("end", () => {
          const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address
          const to = envelope.rcptTo.map(({ address }) => address)
          mails.push({ ...parse(Buffer.concat(chunks)), envelope: { from, to }, isSecure: secure, user })
          done()
        })
      },
      ...options
    })
    // A client that hangs up in the middle is what some tests are about.
    server.on("error", () => {})
    server.listen(0, "127.0.0.1")
    yield* Effect.promise(() => once(server.server, "listening"))
    yield* Effect.addFinalizer(() => Effect.callback<void>((resume) => server.close(() => resume(Effect.void))))
    return { port: (server.server.address() as AddressInfo).port, mails }
  })

// --- MIME, as far as mails of one text and its HTML go ------------------------

const parse = (raw: Buffer) => {
  const text = raw.toString("latin1")
  const { headers, body } = entity(text)
  return { headers, raw: text, bodies: Object.fromEntries(bodiesOf(headers, body)) }
}

const entity = (text: string) => {
  const end = text.indexOf("\r\n\r\n")
  const lines = text
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, " ")
    .split("\r\n")
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon).toLowerCase(), unencoded(line.slice(colon + 1).trim())]
    })
  )
  return { headers, body: text.slice(end + 4) }
}

const bodiesOf = (headers: Record<string, string>, body: string): ReadonlyArray<readonly [string, string]> => {
  const type = headers["content-type"] ?? "text/plain"
  const boundary = /boundary="([^"]+)"/.exec(type)?.[1]
  if (boundary === undefined) {
    const decoded = decode(headers["content-transfer-encoding"], body)
    return [[type.split(";")[0]!, decoded.toString("utf8").replaceAll("\r\n", "\n").replace(/\n$/, "")]]
  }
  const parts = body.split(`--${boundary}`).slice(1, -1)
  return parts.flatMap((part) => {
    const inner = entity(part.replace(/^\r\n/, "").replace(/\r\n$/, ""))
    return bodiesOf(inner.headers, inner.body)
  })
}

const decode = (encoding: string | undefined, text: string): Buffer => {
  if (encoding === "base64") return Buffer.from(text, "base64")
  return encoding === "quoted-printable" ? quoted(text.replaceAll("=\r\n", "")) : Buffer.from(text, "latin1")
}

const quoted = (text: string) =>
  Buffer.from(
    text.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    "latin1"
  )

/** RFC 2047; the space between two encoded words is no space. */
const unencoded = (value: string) =>
  value
    .replaceAll(/(=\?[^?]+\?[QB]\?[^?]*\?=)\s+(?==\?)/gi, "$1")
    .replaceAll(/=\?utf-8\?([QB])\?([^?]*)\?=/gi, (_, encoding: string, text: string) =>
      (encoding.toUpperCase() === "B" ? Buffer.from(text, "base64") : quoted(text.replaceAll("_", " "))).toString(
        "utf8"
      )
    )
