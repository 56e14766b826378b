/** A subscription's notices as letters, told as a best effort: whoever has no address is told nothing. */
import { DateTime, Effect, Schema } from "effect"
import type { Notice } from "../../adapters/Notifier.ts"
import { Address, NoticeId, Notifier } from "../../adapters/Notifier.ts"
import * as Money from "../../domain/Money.ts"
import type { SubscriptionNotice } from "../../domain/subscription/SubscriptionNotice.ts"

/** Tells them one after the other, and stops at the first that cannot be told; says how many there were. */
export const tell = Effect.fn("SubscriptionNotices.tell")(function* (notices: ReadonlyArray<SubscriptionNotice>) {
  const notifier = yield* Notifier
  const letters = notices.flatMap(letterOf)
  yield* Effect.forEach(letters, (letter) => notifier.notify(letter), { discard: true })
  return letters.length
})

const isAddress = Schema.is(Address)

export const letterOf = (notice: SubscriptionNotice): ReadonlyArray<Notice> => {
  const { email, id, kind, plan } = notice
  if (email === undefined || !isAddress(email)) return []
  const { subject, text } = words(notice)
  return [
    {
      id: NoticeId.make(`subscription/${id}`),
      kind: `subscription.${kind}`,
      to: email,
      subject: `${plan}: ${subject}`,
      text
    }
  ]
}

const words = ({ amount, failure, invoice, kind, retriesAt, zone }: SubscriptionNotice) => {
  const sum = amount === undefined ? "" : `${Money.format(amount)} ${amount.currency}`
  switch (kind) {
    case "receipt":
      return { subject: "your receipt", text: `We have received ${sum} for invoice ${invoice}. Thank you.` }
    case "chargeFailed": {
      const again =
        retriesAt === undefined
          ? "Please give us another payment method."
          : `We will try again on ${DateTime.formatIsoDate(DateTime.makeZonedUnsafe(retriesAt, { timeZone: zone }))}.`
      return {
        subject: "your payment failed",
        text: `${sum} for invoice ${invoice} could not be charged (${failure?.code}). ${again}`
      }
    }
    case "pastDue":
      return { subject: "your subscription is past due", text: `${sum} for invoice ${invoice} is still open.` }
    case "paused":
      return { subject: "your subscription is paused", text: "It goes on as soon as you resume it." }
    case "cancelled":
      return { subject: "your subscription is cancelled", text: "Nothing more will be charged." }
    case "ended":
      return { subject: "your subscription has ended", text: "Nothing more will be charged." }
  }
}
