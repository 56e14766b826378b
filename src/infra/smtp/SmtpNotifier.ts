/**
 * `Notifier` by mail, through a server that speaks SMTP.
 *
 * The notice's id becomes the mail's `Message-ID`, by which mail programs tell
 * a repeat, and stands in `X-Notice-Id` as it is. SMTP knows no idempotency: a
 * mail whose answer was lost and that is sent again may arrive twice.
 *
 * | seen | meaning |
 * | --- | --- |
 * | no connection, no greeting, no TLS in time | not sent |
 * | a reply 4xx | not sent: come back later |
 * | a reply 5xx | refused |
 * | credentials or certificates that do not do | misconfigured |
 * | anything else, a connection that broke among it | in doubt |
 *
 * Nothing is logged. Errors carry the server's reply and never what was sent to it.
 *
 * Source: RFC 5321; `nodemailer` speaks it.
 */
import { Effect, Layer, Redacted } from "effect"
import type { Transporter } from "nodemailer"
import { createTransport } from "nodemailer"
import type { NodemailerError } from "nodemailer/lib/errors"
import { createHash } from "node:crypto"
import * as Notifiers from "../../adapters/Notifier.ts"
import type { Address, Notice, NotifierError } from "../../adapters/Notifier.ts"
import { InDoubt, Misconfigured, Notifier, NotSent, Refused } from "../../adapters/Notifier.ts"
import { wasConnecting } from "../http/ConnectionFailure.ts"

export interface Options {
  readonly host: string
  readonly port: number
  /**
   * `implicit`: TLS from the first byte (usually port 465). `required`: STARTTLS, or no mail (usually port 587).
   * `none`: in the clear, for a server on the same machine. There is no "if possible": whoever is in
   * between would make it impossible.
   */
  readonly tls: "implicit" | "required" | "none"
  /** Certificates of authorities in PEM, instead of the system's. */
  readonly certificateAuthority?: string | undefined
  readonly credentials?: { readonly user: string; readonly password: Redacted.Redacted } | undefined
  readonly from: Address
  /** For everything from the connection to the server's last reply; 30 s when absent. */
  readonly timeoutMillis?: number | undefined
}

/** A server that does not answer in half a minute serves nobody; RFC 5321's minutes are for relays with queues. */
const usualTimeoutMillis = 30_000

export const layer = (options: Options): Layer.Layer<Notifier> =>
  Layer.effect(
    Notifier,
    Effect.gen(function* () {
      const transporter = yield* Effect.acquireRelease(
        Effect.sync(() => transporterOf(options)),
        (open) => Effect.sync(() => open.close())
      )
      return yield* Notifiers.make("smtp", (notice) => send(transporter, options, notice))
    })
  )

const transporterOf = (options: Options): Transporter => {
  const { certificateAuthority: ca, credentials, host, port, tls, timeoutMillis = usualTimeoutMillis } = options
  return createTransport({
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "required",
    ignoreTLS: tls === "none",
    tls: { minVersion: "TLSv1.2", ...(ca === undefined ? {} : { ca }) },
    ...(credentials === undefined
      ? {}
      : { auth: { user: credentials.user, pass: Redacted.value(credentials.password) }, forceAuth: true }),
    connectionTimeout: timeoutMillis,
    greetingTimeout: timeoutMillis,
    socketTimeout: timeoutMillis,
    dnsTimeout: timeoutMillis,
    // A notice is text. Nothing in it may make this machine read a file or call a server.
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false
  })
}

const send = (
  transporter: Transporter,
  { from, timeoutMillis = usualTimeoutMillis }: Options,
  { html, id, kind, subject, text, to }: Notice
): Effect.Effect<void, NotifierError["reason"]> =>
  Effect.tryPromise({
    try: (signal) =>
      transporter.sendMail({
        from: { name: "", address: from },
        to: { name: "", address: to },
        subject,
        text,
        ...(html === undefined ? {} : { html }),
        messageId: messageIdOf(id, from),
        headers: { "X-Notice-Id": id, "X-Notice-Kind": kind, "Auto-Submitted": "auto-generated" },
        signal
      }),
    catch: reasonOf
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeoutMillis,
      orElse: () => Effect.fail(new InDoubt({ detail: `no answer within ${timeoutMillis} ms` }))
    }),
    Effect.asVoid
  )

/** An id may hold characters that a `Message-ID` may not, so its digest stands for it. */
const messageIdOf = (id: string, from: Address): string =>
  `<${createHash("sha256").update(id).digest("hex")}@${from.slice(from.lastIndexOf("@") + 1)}>`

// --- What a failure means ---------------------------------------------------

const reasonOf = (thrown: unknown): NotifierError["reason"] => {
  const error: Partial<NodemailerError> = thrown instanceof Error ? thrown : {}
  if (error.code === "EAUTH" || error.code === "ENOAUTH") {
    return new Misconfigured({ detail: `the server refused the credentials${replyOf(error)}` })
  }
  if (error.code === "ETLS" || isUntrusted(error)) {
    return new Misconfigured({ detail: `no TLS with a certificate that is known${replyOf(error)}` })
  }
  if (error.responseCode !== undefined) {
    return error.permanent === true
      ? new Refused({ detail: `the server refused it${replyOf(error)}` })
      : new NotSent({ detail: `the server put it off${replyOf(error)}` })
  }
  if (wasBeforeMail(error)) return new NotSent({ detail: "the server could not be reached" })
  return new InDoubt({ detail: "the connection was lost" })
}

const wasBeforeMail = (error: Partial<NodemailerError>): boolean =>
  error.code === "EDNS" ||
  (error.timeoutType !== undefined && error.timeoutType !== "SOCKET_TIMEOUT") ||
  wasConnecting(error)

/** Node's and OpenSSL's codes for a certificate that is not believed, or TLS that is not spoken. */
const isUntrusted = ({ code, originalCode = code }: Partial<NodemailerError>): boolean =>
  originalCode !== undefined && /CERT|ERR_TLS|ERR_SSL|UNABLE_TO_VERIFY/.test(originalCode)

/** Replies can be long and of many lines; their beginning says what is the matter. */
const shownReplyLength = 200

const replyOf = ({ response }: Partial<NodemailerError>): string =>
  response === undefined ? "" : `: ${response.slice(0, shownReplyLength).replaceAll(/[^\P{C}]+/gu, " ")}`
