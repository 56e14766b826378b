/**
 * Where a journal is kept, as a person names it: a directory, a PostgreSQL
 * server's URL, or `embedded`, the database under `--data-dir`. A database
 * holds several ledgers by their names; a directory holds one.
 *
 * What a place needs is loaded when it is opened: a journal in a directory does
 * not wait for the database's client.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { LedgerJournal } from "../../adapters/LedgerJournal.ts"
import { LedgerSnapshots } from "../../adapters/LedgerSnapshots.ts"
import type { Cut } from "../../infra/ledger/FileJournal.ts"
import * as Settings from "../Settings.ts"

/** The ledger of a database where no other is named: that of the service's merchant where none is named either. */
export const standardLedger = Settings.table.merchant.byDefault

export type Place =
  | { readonly _tag: "Directory"; readonly path: string }
  | { readonly _tag: "Database"; readonly database: Settings.Database; readonly ledger: string }

/** What was said cannot be a journal's place. It may hold a password, so it is not repeated. */
export class PlaceRefused extends Schema.TaggedError<PlaceRefused>()("PlaceRefused", { detail: Schema.String }) {
  override get message() {
    return `--journal: ${this.detail}`
  }
}

const embedded = "embedded"

/** A place from its words; without words, the database of the settings. */
export const parse = Effect.fnUntraced(function* (given: string | undefined, ledger: string | undefined) {
  if (given === undefined || given === embedded || /^\w[\w+.-]*:\/\//.test(given)) {
    const settings = yield* Settings.database
    const url =
      given === undefined ? settings.url : given === embedded ? Option.none() : Option.some(Redacted.make(given))
    const place: Place = { _tag: "Database", database: { ...settings, url }, ledger: ledger ?? standardLedger }
    return place
  }
  if (given === "") return yield* new PlaceRefused({ detail: "expected a directory, a postgres:// URL or `embedded`" })
  if (ledger !== undefined) {
    return yield* new PlaceRefused({ detail: "a directory holds one ledger, so --ledger has no meaning there" })
  }
  return { _tag: "Directory", path: given } satisfies Place
})

export interface Opened {
  readonly journal: LedgerJournal["Service"]
  readonly snapshots: LedgerSnapshots["Service"]
  /** What had been torn off the journal's end, and was cut. */
  readonly cut: Cut | undefined
}

const services = Effect.all({ journal: LedgerJournal, snapshots: LedgerSnapshots })

/** To append to, made if it is not there, until the scope closes. */
export const write = Effect.fnUntraced(function* (place: Place) {
  if (place._tag === "Directory") {
    const [FileJournal, FileSnapshots] = yield* files
    const { cut, journal } = yield* FileJournal.make({ directory: place.path })
    const context = yield* Layer.build(FileSnapshots.layer(place.path))
    const snapshots = yield* Effect.provide(LedgerSnapshots, context)
    return { journal, snapshots, cut } satisfies Opened
  }
  const { Database, SqlMigrations, ...sql } = yield* databases
  const client = Database.layer(place.database, SqlMigrations.migrate)
  const context = yield* Layer.build(Layer.provide(stores(sql, place.ledger), client))
  return { ...(yield* Effect.provide(services, context)), cut: undefined } satisfies Opened
})

/** To read from, also while somebody writes there. Nothing is made, and nothing is changed. */
export const read = Effect.fnUntraced(function* (place: Place) {
  if (place._tag === "Directory") {
    const [FileJournal, FileSnapshots] = yield* files
    const layer = Layer.mergeAll(FileJournal.reader(place.path), FileSnapshots.layer(place.path))
    const context = yield* Layer.build(layer)
    return { ...(yield* Effect.provide(services, context)), cut: undefined } satisfies Opened
  }
  const { Database, ...sql } = yield* databases
  const context = yield* Layer.build(Layer.provide(stores(sql, place.ledger), Database.existing(place.database)))
  return { ...(yield* Effect.provide(services, context)), cut: undefined } satisfies Opened
})

const files = Effect.promise(() =>
  Promise.all([import("../../infra/ledger/FileJournal.ts"), import("../../infra/ledger/FileSnapshots.ts")])
)

const databases = Effect.promise(async () => {
  const [Database, SqlLedgerJournal, SqlLedgerSnapshots, SqlMigrations] = await Promise.all([
    import("../Database.ts"),
    import("../../infra/sql/SqlLedgerJournal.ts"),
    import("../../infra/sql/SqlLedgerSnapshots.ts"),
    import("../../infra/sql/SqlMigrations.ts")
  ])
  return { Database, SqlLedgerJournal, SqlLedgerSnapshots, SqlMigrations }
})

type Sql = Pick<Effect.Success<typeof databases>, "SqlLedgerJournal" | "SqlLedgerSnapshots">

const stores = ({ SqlLedgerJournal, SqlLedgerSnapshots }: Sql, ledger: string) =>
  Layer.mergeAll(SqlLedgerJournal.layer({ ledger }), SqlLedgerSnapshots.layer({ ledger }))
