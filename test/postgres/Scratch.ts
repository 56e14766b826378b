/**
 * Where tests keep what they throw away: in memory if there is room, because a
 * database is a thousand small files, which some disks make ten times slower.
 *
 * A directory's name has the process that made it, so that a later run can
 * clear away what a killed one left.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Linux's shared memory. A container often has 64 MB of it, less than two databases. */
const memory = "/dev/shm"

/** A run's write-ahead log may grow to 1 GB before it is recycled, beside the databases themselves. */
const minFreeBytes = 2 * 1024 ** 3

/** A server outlives its killed owner by some seconds, and leaves shared memory behind if it loses its files. */
const minAgeMillis = 60_000

const freeBytes = (path: string): number => {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    return 0
  }
}

const parent = (): string => (freeBytes(memory) >= minFreeBytes ? memory : tmpdir())

/** A new, empty directory, which is the caller's to remove. All may enter: root's servers run as another user. */
export const makeDirectory = (): string => {
  const path = mkdtempSync(join(parent(), `florin-test-${process.pid}-`))
  chmodSync(path, 0o755)
  return path
}

/** Removes the directories of processes that are gone, as far as they are ours to remove. */
export const sweep = (): void => {
  const root = parent()
  for (const entry of readdirSync(root)) {
    const pid = /^florin-test-(\d+)-/.exec(entry)?.[1]
    const path = join(root, entry)
    try {
      const isAbandoned = pid !== undefined && isGone(Number(pid)) && Date.now() - statSync(path).mtimeMs > minAgeMillis
      if (isAbandoned) rmSync(path, { recursive: true, force: true })
    } catch {
      // Another run sweeps too, or it is another user's.
    }
  }
}

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    return (error as NodeJS.ErrnoException).code === "ESRCH"
  }
}
