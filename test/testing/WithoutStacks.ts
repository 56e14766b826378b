/**
 * Tests that make thousands of errors on purpose, and read none of their stacks:
 * without them they take half as long. A failed assertion still says what it
 * expected and what it got.
 */
import { afterAll, beforeAll } from "@effect/vitest"

export const withoutStacks = () => {
  const { stackTraceLimit } = Error
  beforeAll(() => {
    Error.stackTraceLimit = 0
  })
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit
  })
}
