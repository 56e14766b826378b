/**
 * What Stripe answers: an object, or an error in its one form. `Refused` is
 * thrown by whatever works on a request and caught by the machine.
 */

export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [name: string]: Json }
export type JsonObject = { readonly [name: string]: Json }

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonObject
}

export interface ErrorFields {
  readonly type: string
  readonly code?: string
  readonly message: string
  readonly param?: string
  readonly decline_code?: string
  readonly advice_code?: string
  readonly charge?: string
  readonly payment_intent?: JsonObject
}

export class Refused extends Error {
  readonly status: number
  readonly fields: ErrorFields
  /** A request that was refused before anything was begun stores nothing under its key. */
  readonly begun: boolean

  constructor(status: number, fields: ErrorFields, begun = false) {
    super(fields.message)
    this.status = status
    this.fields = fields
    this.begun = begun
  }
}

export const errorBody = (fields: ErrorFields, requestId: string): JsonObject => ({
  error: { ...fields, request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}` }
})

const invalid = "invalid_request_error"

export const invalidRequest = (message: string, fields: Partial<ErrorFields> = {}): Refused =>
  new Refused(400, { type: invalid, message, ...fields })

/** A request that was looked at by what it is about, and refused for its state. */
export const wrongState = (message: string, fields: Partial<ErrorFields> = {}): Refused =>
  new Refused(400, { type: invalid, message, ...fields }, true)

export const missing = (param: string): Refused =>
  invalidRequest(`Missing required param: ${param}.`, { code: "parameter_missing", param })

export const unknownParameter = (param: string): Refused =>
  invalidRequest(`Received unknown parameter: ${param}`, { code: "parameter_unknown", param })

export const notInteger = (param: string, value: string): Refused =>
  invalidRequest(`Invalid integer: ${value}`, { code: "parameter_invalid_integer", param })

export const noSuch = (object: string, id: string, param: string): Refused =>
  new Refused(404, { type: invalid, code: "resource_missing", param, message: `No such ${object}: '${id}'` })
