/**
 * Tells a person something: a receipt, a notice of a failed renewal, a warning
 * about stock.
 *
 * A notice is data, made by whoever has something to tell. It is delivered at
 * least once, and always under the same id: a notifier that hears an id again
 * may deliver it again, so that the receiver can tell a repeat. Telling is
 * never worth money: whoever notifies does so as a best effort, after what it
 * tells of is recorded.
 *
 * What would forge a header (a line break in a subject, a second address in
 * the receiver's place) is refused by the schema, before anything is sent, by
 * every notifier. Errors say whether another attempt is of use, and carry
 * neither passwords nor addresses of servers.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Mailbox } from "../domain/Mailbox.ts"
import { Text, Token } from "../domain/Text.ts"

/** Two UUIDs and a prefix; short enough for a header and for every index. */
const maxIdLength = 200

/** The same notice, however often it is sent: derived from what it tells of, as `receipt/pay_1`. */
export const NoticeId = Token(maxIdLength).pipe(Schema.brand("NoticeId"))
export type NoticeId = typeof NoticeId.Type

export const Address = Mailbox.pipe(Schema.brand("Address"))
export type Address = typeof Address.Type

/** Tabs and line breaks may stand in a text; no other control characters, and nothing that no store can hold. */
const printableLines = /^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u

/** A letter and not a file: mail servers commonly refuse above some megabytes, and webhooks long before. */
const maxBodyLength = 100_000

const Body = Schema.String.check(
  Schema.isMinLength(1, { expected: "a text that is not empty" }),
  Schema.isMaxLength(maxBodyLength, { expected: `a text of at most ${maxBodyLength} characters` }),
  Schema.isPattern(printableLines, { expected: "printable text and line breaks" })
)

/** RFC 5322, 2.1.1: a line, so also an unfolded subject, has at most 998 characters. */
const maxSubjectLength = 998

export const Notice = Schema.Struct({
  id: NoticeId,
  /** What it is, in a word for programs: `receipt`, `dunning`, `stock.reordered`. */
  kind: Token(100),
  to: Address,
  subject: Text(maxSubjectLength),
  text: Body,
  /** The same, for those who read HTML; escaped by whoever wrote it. */
  html: Schema.optionalKey(Body)
})
export type Notice = typeof Notice.Type

// --- Errors -----------------------------------------------------------------

/** The notice breaks a rule of its schema: `detail` names the field, what was expected and what came. */
export class InvalidNotice extends Schema.TaggedError<InvalidNotice>()("InvalidNotice", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/** It was not taken, and may be later: nobody was there, or whoever was asked to come back. */
export class NotSent extends Schema.TaggedError<NotSent>()("NotSent", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/** It may have been taken or not. Sent again, it goes under the same id. */
export class InDoubt extends Schema.TaggedError<InDoubt>()("InDoubt", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/** It was not taken, and never will be, as when there is no such mailbox. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/** The way there is set up wrongly: credentials, certificates, addresses. Somebody has to see to it. */
export class Misconfigured extends Schema.TaggedError<Misconfigured>()("Misconfigured", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

export class NotifierError extends Schema.TaggedError<NotifierError>()("NotifierError", {
  notice: Schema.String,
  /** Which notifier: `smtp`, `webhook`. */
  notifier: Schema.String,
  reason: Schema.Union([InvalidNotice, NotSent, InDoubt, Refused, Misconfigured])
}) {
  override get message() {
    return `${this.notice} by ${this.notifier}: ${this.reason._tag}, ${this.reason.message}`
  }
  /** Whether another attempt, unchanged, may end otherwise. */
  get isRetryable(): boolean {
    return this.reason._tag === "NotSent" || this.reason._tag === "InDoubt"
  }
}

// --- Service ----------------------------------------------------------------

export class Notifier extends Context.Service<
  Notifier,
  {
    /** Succeeds when whoever delivers it has taken it on. */
    readonly notify: (notice: Notice) => Effect.Effect<void, NotifierError>
  }
>()("florin/adapters/Notifier") {}

const check = Schema.decodeUnknownEffect(Schema.toType(Notice))

/** A notifier by how it delivers what holds to the schema; nothing else gets that far. */
export const make = <R>(
  name: string,
  deliver: (notice: Notice) => Effect.Effect<void, NotifierError["reason"], R>
): Effect.Effect<Notifier["Service"], never, R> =>
  Effect.map(Effect.context<R>(), (context) => ({
    notify: (notice) =>
      check(notice, { errors: "all" }).pipe(
        Effect.mapError(({ message }) => new InvalidNotice({ detail: message })),
        Effect.flatMap(deliver),
        Effect.provideContext(context),
        Effect.mapError((reason) => new NotifierError({ notice: String(notice.id), notifier: name, reason }))
      )
  }))
