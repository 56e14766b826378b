/** `florin` as a child process: started on a port, and found by the URL that it prints. */
import { Deferred, Effect, Option, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../cli/main.js", import.meta.url))

export class ChildEnded extends Schema.TaggedError<ChildEnded>()("ChildEnded", {
  command: Schema.String,
  said: Schema.String
}) {
  override get message() {
    return `florin ${this.command} ended before it was there: ${this.said}`
  }
}

/** Starts `florin <command>`, and waits until it says where it is; it ends with the scope. */
export const start = Effect.fnUntraced(function* (
  command: "serve" | "sandbox",
  settings: Readonly<Record<string, string>>
) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const child = yield* spawner.spawn(
    ChildProcess.make(process.execPath, [main, command], {
      env: settings,
      extendEnv: true,
      forceKillAfter: "20 seconds"
    })
  )
  const url = yield* Deferred.make<string>()
  const said: Array<string> = []
  yield* child.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => {
      const found = /listening on (http:\S+)/.exec(line)?.[1]
      return found === undefined ? Effect.void : Deferred.succeed(url, found)
    }),
    Effect.ignore,
    Effect.forkScoped
  )
  yield* child.stderr.pipe(
    Stream.decodeText(),
    Stream.runForEach((text) => Effect.sync(() => void said.push(text))),
    Effect.ignore,
    Effect.forkScoped
  )
  const ended = Effect.as(Effect.option(child.exitCode), Option.none<string>())
  const started = yield* Effect.raceFirst(Effect.map(Deferred.await(url), Option.some), ended)
  return Option.isSome(started)
    ? { url: started.value, kill: Effect.ignore(child.kill({ killSignal: "SIGKILL" })) }
    : yield* new ChildEnded({ command, said: said.join("").trim() })
})
