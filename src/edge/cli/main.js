#!/usr/bin/env node
/**
 * Starts the `florin` command.
 *
 * Node keeps what it compiled of it in the system's temporary directory, which
 * halves the time that a command takes to start. So nothing is imported before,
 * and this file is JavaScript: for a first one in TypeScript, Node would load
 * its compiler each time.
 */
import { enableCompileCache } from "node:module"

enableCompileCache()
const { run } = await import("./FlorinProgram.ts")
run()
