/** A problem as a response, with `Retry-After` where asking again is the answer. */
import { Effect } from "effect"
import type { HttpServerResponse } from "effect/http"
import { HttpServerRespondable, HttpServerResponse as Response } from "effect/http"
import type { Problem } from "./Problem.ts"

/** Seconds after which asking again makes sense: most payments come to rest within one. */
const retryAfterSeconds = "1"

export const of = (problem: Problem): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.map(HttpServerRespondable.toResponse(problem), (response) =>
    problem._tag === "RequestInFlight" || problem._tag === "Unavailable" || problem._tag === "Overloaded"
      ? Response.setHeader(response, "retry-after", retryAfterSeconds)
      : response
  )
