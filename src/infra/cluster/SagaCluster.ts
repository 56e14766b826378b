/**
 * The engine under durable sagas: Effect's workflows on PostgreSQL, beside the
 * tables of florin, in tables of its own (`cluster_...`).
 *
 * `single` is for a service of one process; a process that is started after one
 * that died takes its runs over within a second, for PostgreSQL gives up the
 * locks of a connection that is gone. `many` is for several, which speak to
 * each other over sockets and take over each other's runs.
 *
 * It loads half of Effect's cluster, so it is imported where durable runs are
 * wanted, and nowhere else.
 *
 * The engine never deletes what it has done: `purge` does, for runs that have
 * ended and are kept in `florin.sagas` as far as anybody asks.
 */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import { Clock, Duration, Effect, Layer } from "effect"
import type { ConfigError } from "effect/Config"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as SingleRunner from "effect/cluster/SingleRunner"
import * as Digest from "effect/crypto/Digest"
import type { SocketServerError } from "effect/socket/SocketServer"
import { SqlClient } from "effect/sql/SqlClient"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { StorageUnavailable } from "../../adapters/Storage.ts"
import { unavailable } from "../sql/SqlStorage.ts"

/** What the runs of workflows need. */
export type Engine = WorkflowEngine

type Sharding = Partial<ShardingConfig["Service"]>

/** A durable wait ends at the first look after its time, so this is how late it may be. */
const lookEvery = { entityMessagePollInterval: "1 second", entityReplyPollInterval: "200 millis" } as const

export const single = (sharding: Sharding = {}): Layer.Layer<WorkflowEngine, ConfigError, SqlClient> =>
  ClusterWorkflowEngine.layer.pipe(
    Layer.provide(SingleRunner.layer({ runnerStorage: "sql", shardingConfig: { ...lookEvery, ...sharding } })),
    Layer.provide(Digest.layerWebCrypto)
  )

/** Who is gone is noticed within seconds instead of the minute that is usual. */
const noticeSoon = { runnerHealthCheckInterval: "2 seconds", refreshAssignmentsInterval: "1 second" } as const

export const many = (sharding: Sharding): Layer.Layer<WorkflowEngine, ConfigError | SocketServerError, SqlClient> =>
  ClusterWorkflowEngine.layer.pipe(
    Layer.provide(
      NodeClusterSocket.layer({ storage: "sql", shardingConfig: { ...lookEvery, ...noticeSoon, ...sharding } })
    )
  )

// --- Purging ----------------------------------------------------------------

/** A statement's worth: what takes a few milliseconds, so that nobody waits for it. */
const batch = 500

/** Deletes what the engine keeps of runs that ended before that moment, in milliseconds; how many runs. */
export const purge = (before: number): Effect.Effect<number, StorageUnavailable, SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const [row] = yield* sql<{ readonly count: bigint }>`
      with ended as (
        select execution, generation from florin.sagas
        where settled_millis < ${BigInt(before)} and not is_purged order by settled_millis limit ${batch}
        for update skip locked
      ), addresses as (
        select execution || '#' || each as id from ended, generate_series(1, generation) as each
      ), messages as (
        delete from cluster_messages where entity_id in (select id from addresses) returning id
      ), replies as (
        delete from cluster_replies where request_id in (select id from messages)
      ), purged as (
        update florin.sagas saga set is_purged = true from ended where saga.execution = ended.execution returning 1
      )
      select count(*) as count from purged`
    return Number(row?.count ?? 0)
  }).pipe(unavailable("purge"))

/** Longer than anybody waits for an answer that the engine still holds. */
const keepMillis = Duration.toMillis("10 minutes")

/** Purges from time to time, for as long as it runs. */
export const purging: Effect.Effect<never, never, SqlClient> = Effect.flatMap(Clock.currentTimeMillis, (now) =>
  Effect.repeat(purge(now - keepMillis), { while: (count) => count === batch })
).pipe(
  Effect.catchTag("StorageUnavailable", (error) => Effect.logWarning("ended runs could not be purged", error)),
  Effect.delay("1 minute"),
  Effect.forever
)
