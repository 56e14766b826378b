/** `florin` as a process of its own: started, talked to over HTTP, killed. Everything waited for has a bound. */
import { Effect, Schedule } from "effect"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const main = join(root, "src/edge/cli/main.js")

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface FlorinProcess {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Promise<Ended>
}

/** Settings that no test wants to wait for or to meet another on. */
const quick = { PORT: "0", FLORIN_RECOVERY_MILLIS: "200", FLORIN_LEASE_MILLIS: "1500", FLORIN_ANSWER_MILLIS: "8000" }

/** Runs `florin <args>`; it is killed with the scope, if it has not ended. */
export const spawnFlorin = (args: ReadonlyArray<string>, settings: Record<string, string>) =>
  spawnCommand(process.execPath, [main, ...args], settings)

const spawnCommand = (file: string, args: ReadonlyArray<string>, settings: Record<string, string>) =>
  Effect.acquireRelease(
    Effect.sync((): FlorinProcess => {
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...quick, ...settings }
      const child = spawn(file, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] })
      const output = { stdout: "", stderr: "" }
      child.stdout.on("data", (chunk) => (output.stdout += chunk))
      child.stderr.on("data", (chunk) => (output.stderr += chunk))
      const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, ...output })))
      return { child, ended, stdout: () => output.stdout, stderr: () => output.stderr }
    }),
    ({ child, ended }) =>
      Effect.promise(() => {
        child.kill("SIGKILL")
        return ended
      })
  )

export interface Service extends FlorinProcess {
  readonly url: string
}

/** Starts one and waits until it says where it is. */
export const start = (command: "serve" | "sandbox", settings: Record<string, string>) =>
  Effect.flatMap(spawnFlorin([command], settings), located)

/** The same as `npm start`; `child` is npm. */
export const npmStart = (settings: Record<string, string>) =>
  Effect.flatMap(spawnCommand("npm", ["start"], settings), located)

const located = Effect.fnUntraced(function* (florin: FlorinProcess) {
  const url = yield* eventually("a URL", () => {
    if (florin.child.exitCode !== null) throw new Error(`florin ended: ${florin.stderr()}`)
    return /listening on (http:\S+)/.exec(florin.stdout())?.[1]
  })
  return { ...florin, url }
})

export const kill = ({ child, ended }: FlorinProcess, signal: NodeJS.Signals) =>
  Effect.promise(() => {
    child.kill(signal)
    return ended
  })

/** Asks until there is an answer. */
export const eventually = <A>(what: string, probe: () => A | undefined | Promise<A | undefined>) =>
  Effect.promise(async () => probe()).pipe(
    Effect.repeat({ until: (found) => found !== undefined, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => Effect.die(new Error(`waited in vain: ${what}`)) }),
    Effect.map((found) => found as A)
  )

// --- Talking to it ----------------------------------------------------------

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** `undefined` when nobody answered. */
export const tryCall = async (
  { url }: Service,
  method: string,
  path: string,
  { body, key }: { readonly body?: unknown; readonly key?: string } = {}
): Promise<Reply | undefined> => {
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
    return { status: response.status, headers: response.headers, body: (await response.json()) as Reply["body"] }
  } catch {
    return undefined
  }
}

export const call = (...request: Parameters<typeof tryCall>) =>
  Effect.promise(async () => {
    const reply = await tryCall(...request)
    if (reply === undefined) throw new Error(`no answer from ${request[0].url}${request[2]}`)
    return reply
  })

export const order = (token: string) => ({ amount: 1099, currency: "EUR", paymentMethods: [token] })

/** A creation that goes on asking, under its key, until there is an answer that stands. */
export const pay = (service: () => Service, key: string, token: string) =>
  eventually(`payment ${key}`, async () => {
    const reply = await tryCall(service(), "POST", "/v1/payments", { key, body: order(token) })
    return reply?.status === 201 ? reply : undefined
  })
