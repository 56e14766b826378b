/** A `redis-server` of its own for a test: on a free port of loopback, with a password, and nothing of it on disk. */
import { Effect, Redacted, Schedule } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import * as Peers from "../../peers/Peers.ts"

export const password = "correct-horse"

const freePort = Effect.promise(async () => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? address.port : 0
})

/** A port that was free may be taken before the server has it: then it ends, and another is tried. */
const started = Effect.gen(function* () {
  const port = yield* freePort
  const settings = { port, bind: "127.0.0.1", save: "", appendonly: "no", requirepass: password, dir: tmpdir() }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  return yield* Effect.tryPromise(
    () =>
      new Promise<{ readonly port: number; readonly child: ReturnType<typeof spawn> }>((resolve, reject) => {
        const child = spawn(Peers.find(Peers.redis, process.env)!, args, { stdio: ["ignore", "pipe", "inherit"] })
        child.stdout.on("data", (text) => {
          if (String(text).includes("Ready to accept connections")) resolve({ port, child })
        })
        child.once("error", reject)
        child.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)))
      })
  )
}).pipe(Effect.retry({ times: 3, schedule: Schedule.spaced("50 millis") }), Effect.orDie)

/** Ended by its pid with the scope; `pause` makes it silent without closing anything. */
export const make = Effect.gen(function* () {
  const { child, port } = yield* Effect.acquireRelease(started, ({ child }) =>
    Effect.promise(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill("SIGKILL")
      await once(child, "exit")
    })
  )
  return {
    url: Redacted.make(`redis://:${password}@127.0.0.1:${port}/0`),
    port,
    pause: Effect.sync(() => void child.kill("SIGSTOP")),
    resume: Effect.sync(() => void child.kill("SIGCONT")),
    kill: Effect.promise(async () => {
      child.kill("SIGKILL")
      await once(child, "exit")
    })
  }
})
