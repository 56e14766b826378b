/** `PaymentRepository` over `MemoryDatabase`: for tests, examples and the simulator. */
import { Effect, Layer, Option, Result } from "effect"
import { idOf } from "../../adapters/EventBus.ts"
import * as Repository from "../../adapters/PaymentRepository.ts"
import { PaymentRepository, PaymentRepositoryError } from "../../adapters/PaymentRepository.ts"
import type { Event, PaymentId } from "../../domain/payment/PaymentEvent.ts"
import type { PaymentView } from "../../domain/payment/PaymentView.ts"
import type { KeyRow, StreamRow } from "./MemoryDatabase.ts"
import { compound, MemoryDatabase } from "./MemoryDatabase.ts"

export const layer: Layer.Layer<PaymentRepository, never, MemoryDatabase> = Layer.effect(
  PaymentRepository,
  Effect.gen(function* () {
    const tables = yield* MemoryDatabase

    /** Everything that one statement of `create` or `append` writes. */
    const write = (payment: PaymentId, row: StreamRow, events: ReadonlyArray<Event>, view: PaymentView) => {
      const first = row.version + 1
      row.version += events.length
      row.events = [...row.events, ...events.map((event, index) => ({ version: first + index, event }))]
      tables.views.set(payment, view)
      for (const [index, event] of events.entries()) {
        const version = first + index
        const envelope = { id: idOf(payment, version), payment, merchant: row.merchant, version, event }
        tables.log.push(envelope)
        tables.outbox.push({ envelope, failures: 0, owner: undefined, until: undefined, retryAt: undefined })
      }
      for (const tell of tables.watchers) tell()
    }

    const read = (payment: PaymentId): Effect.Effect<Repository.Stream, PaymentRepositoryError> => {
      const { events, version } = tables.streams.get(payment) ?? { events: [], version: 0 }
      const gap = events.findIndex((stored, index) => stored.version !== index + 1)
      if (gap === -1 && events.length === version) {
        return Effect.succeed({ history: events.map(({ event }) => event), version })
      }
      const [expected, actual] = gap === -1 ? [version, events.length] : [gap + 1, events[gap]!.version]
      return refuse(payment, new Repository.EventContinuityError({ expected, actual }))
    }

    const create = (creation: Repository.Creation): Repository.Created => {
      const { events, fingerprint, key, lease, merchant, payment, view } = creation
      const named = compound(merchant, key)
      const taken = tables.keys.get(named)
      if (taken !== undefined) {
        return { _tag: "KeyTaken", payment: taken.payment, fingerprint: taken.fingerprint, answer: taken.view }
      }
      const keyRow: KeyRow = {
        fingerprint,
        payment,
        owner: undefined,
        until: undefined,
        view: undefined,
        answer: undefined
      }
      const row: StreamRow = {
        merchant,
        version: 0,
        events: [],
        owner: lease.owner,
        until: lease.until,
        token: 1,
        due: creation.due,
        key: keyRow
      }
      tables.keys.set(named, keyRow)
      tables.streams.set(payment, row)
      write(payment, row, events, view)
      return { _tag: "Created", token: row.token }
    }

    const append = (request: Repository.Append) => {
      const { answer, claim, due, events, expected, payment, view } = request
      const row = tables.streams.get(payment)
      if (row === undefined || row.version !== expected) {
        // A holder that was fenced off learns that, not that it lost a race it must not run again.
        return claim !== undefined && row !== undefined && row.token !== claim.token
          ? refuse(payment, new Repository.Fenced({ token: claim.token }))
          : refuse(payment, new Repository.VersionConflict({ expected }))
      }
      if (claim !== undefined) {
        if (row.token !== claim.token) return refuse(payment, new Repository.Fenced({ token: claim.token }))
        row.owner = claim.until === "released" ? undefined : row.owner
        row.until = claim.until === "released" ? undefined : claim.until
      }
      row.due = due
      row.key.view ??= answer
      write(payment, row, events, view)
      return Effect.void
    }

    const claim = (payment: PaymentId, lease: Repository.Lease, now: Repository.Lease["until"]) => {
      const row = tables.streams.get(payment)
      if (row === undefined) return Effect.succeed({ history: [], version: 0, token: 0 })
      if (row.owner !== undefined && row.owner !== lease.owner && row.until !== undefined && row.until > now) {
        return refuse(payment, new Repository.Claimed({ owner: row.owner, until: row.until }))
      }
      return Effect.map(read(payment), (stream) => {
        row.owner = lease.owner
        row.until = lease.until
        row.token += 1
        return { ...stream, token: row.token }
      })
    }

    const renew = (payment: PaymentId, token: number, until: Repository.Lease["until"]) => {
      const row = tables.streams.get(payment)
      if (row?.token !== token) return refuse(payment, new Repository.Fenced({ token }))
      row.until = until
      return Effect.void
    }

    const release = (payment: PaymentId, token: number) => {
      const row = tables.streams.get(payment)
      if (row?.token === token) {
        row.owner = undefined
        row.until = undefined
      }
      return Effect.void
    }

    const list = (
      filter: Repository.Filter,
      { cursor, limit }: { readonly limit: number; readonly cursor?: PaymentId | undefined }
    ): Repository.Page => {
      const last = cursor === undefined ? undefined : tables.views.get(cursor)
      const isBehind = (view: PaymentView) => cursor === undefined || (last !== undefined && isNewer(last, view))
      const matching = [...tables.views.values()]
        .filter((view) => matches(view, filter) && isBehind(view))
        .toSorted((a, b) => (isNewer(a, b) ? -1 : 1))
      const payments = matching.slice(0, limit)
      return { payments, cursor: matching.length > limit ? payments.at(-1)?.id : undefined }
    }

    const overdue = ({ after, before, limit, now }: Parameters<PaymentRepository["Service"]["overdue"]>[0]) =>
      [...tables.streams]
        .flatMap(([payment, { due, until }]) =>
          due !== undefined && due <= before && (until === undefined || until <= now) ? [{ payment, due }] : []
        )
        .toSorted((a, b) => a.due - b.due || (a.payment < b.payment ? -1 : 1))
        .filter(
          ({ due, payment }) => after === undefined || due > after.due || (due === after.due && payment > after.payment)
        )
        .slice(0, limit)

    return PaymentRepository.of({
      create: (creation) => Effect.sync(() => create(creation)),
      append: (request) => Effect.suspend(() => append(request)),
      load: (payment) => Effect.suspend(() => read(payment)),
      claim: (payment, lease, now) => Effect.suspend(() => claim(payment, lease, now)),
      renew: (payment, token, until) => Effect.suspend(() => renew(payment, token, until)),
      release: (payment, token) => Effect.suspend(() => release(payment, token)),
      find: (payment) => Effect.sync(() => Option.fromUndefinedOr(tables.views.get(payment))),
      list: (filter, page) => Effect.sync(() => list(filter, page)),
      overdue: (query) => Effect.sync(() => overdue(query)),
      histories: ({ after, limit }) =>
        Effect.suspend(() =>
          Effect.forEach(
            [...tables.streams.keys()]
              .filter((payment) => after === undefined || payment > after)
              .toSorted()
              .slice(0, limit),
            (payment) => Effect.map(Effect.result(read(payment)), (stream) => ({ payment, stream }))
          )
        ),
      views: ({ after, limit, upTo }) =>
        Effect.sync(() =>
          [...tables.views]
            .filter(([id]) => (after === undefined || id > after) && (upTo === undefined || id <= upTo))
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .slice(0, limit)
            .map(([payment, view]) => ({ payment, view: Result.succeed(view) }))
        ),
      count: Effect.sync(() => tables.streams.size),
      dropViews: Effect.sync(() => tables.views.clear()),
      putViews: (views) =>
        Effect.sync(() => {
          for (const view of views) {
            if ((tables.views.get(view.id)?.version ?? 0) < view.version) tables.views.set(view.id, view)
          }
        })
    })
  })
)

const refuse = (payment: PaymentId, reason: PaymentRepositoryError["reason"]) =>
  Effect.fail(new PaymentRepositoryError({ payment, reason }))

const isNewer = (one: PaymentView, other: PaymentView): boolean =>
  one.createdAt > other.createdAt || (one.createdAt === other.createdAt && one.id > other.id)

const matches = (view: PaymentView, filter: Repository.Filter): boolean =>
  (filter.merchant === undefined || view.merchant === filter.merchant) &&
  (filter.status === undefined || view.status === filter.status) &&
  (filter.customer === undefined || view.customer === filter.customer) &&
  (filter.from === undefined || view.createdAt >= filter.from) &&
  (filter.until === undefined || view.createdAt < filter.until)
