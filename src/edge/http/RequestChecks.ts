/** What stands before every endpoint, as the contract names it: whoever calls needs to know what it may answer. */
import { HttpApiMiddleware } from "effect/http-api"
import * as Problem from "./Problem.ts"

/** Turns what a schema found wrong with a request into a problem. */
export class InvalidRequests extends HttpApiMiddleware.Service<InvalidRequests>()("florin/edge/http/InvalidRequests", {
  error: [Problem.InvalidRequest, Problem.InternalError]
}) {}

/** Reads a request's body before anything else does. */
export class RequestBody extends HttpApiMiddleware.Service<RequestBody>()("florin/edge/http/RequestBody", {
  error: [Problem.InvalidRequest, Problem.CardNumberRefused, Problem.BodyTooLarge, Problem.NotJson]
}) {}
