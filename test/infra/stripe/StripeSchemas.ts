/**
 * Stripe's own schemas, as validators of requests: what its OpenAPI description
 * says of the wire, and what the types of its SDK say of parameters. Nothing
 * that they do not name may be there, at any depth.
 */
import { Ajv } from "ajv"
import type { ValidateFunction } from "ajv"
import { readFileSync } from "node:fs"

interface Json {
  readonly [name: string]: unknown
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/stripe/${name}`, import.meta.url), "utf8")) as Json

const problemsOf = (validate: ValidateFunction, value: unknown): ReadonlyArray<string> =>
  validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message = "" }) => `${instancePath} ${message}`)

// --- The wire, by OpenAPI ---------------------------------------------------

interface Operation {
  readonly parameters?: ReadonlyArray<{
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema: Json
  }>
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> }
}

const paths = fixture("stripe-subset.json")["paths"] as Readonly<Record<string, Readonly<Record<string, Operation>>>>

/** An object that names its properties has no others. */
const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== "object" || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  return inner["properties"] === undefined || inner["additionalProperties"] !== undefined
    ? inner
    : { ...inner, additionalProperties: false }
}

/** Everything on the wire is text; Stripe reads it as what it is to be. */
const wire = new Ajv({ strict: false, coerceTypes: true, allErrors: true })
wire.addFormat("unix-time", { type: "number", validate: Number.isInteger })
const wireValidators = new Map<string, ValidateFunction>()

const schemaOf = (route: string): Json => {
  const [method = "", path = ""] = route.split(" ")
  const known = Object.keys(paths).find((one) => one.replace(/\{\w+\}/, "{id}") === path)
  const operation = known === undefined ? undefined : paths[known]![method.toLowerCase()]
  if (operation === undefined) throw new Error(`Stripe has no ${route}`)
  if (method === "POST") return operation.requestBody!.content["application/x-www-form-urlencoded"]!.schema
  const query = (operation.parameters ?? []).filter((parameter) => parameter.in === "query")
  return {
    type: "object",
    properties: Object.fromEntries(query.map(({ name, schema }) => [name, schema])),
    required: query.filter(({ required }) => required === true).map(({ name }) => name)
  }
}

/** What is wrong with parameters as they came, by the route with `{id}` for an id. */
export const problemsOnWire = (route: string, params: unknown): ReadonlyArray<string> => {
  const validate = wireValidators.get(route) ?? wire.compile(closed(schemaOf(route)) as Json)
  wireValidators.set(route, validate)
  return problemsOf(validate, structuredClone(params))
}

// --- Parameters, by the SDK -------------------------------------------------

const typed = new Ajv({ strict: false, allErrors: true })
typed.addSchema(fixture("stripe-node-23-params.schema.json"), "sdk")

/** What is wrong with parameters as they were given to the SDK, by the name of their type. */
export const problemsInParams = (type: string, params: unknown): ReadonlyArray<string> => {
  const validate = typed.getSchema(`sdk#/definitions/${type}`)
  if (validate === undefined) throw new Error(`the SDK has no ${type}`)
  return problemsOf(validate as ValidateFunction, JSON.parse(JSON.stringify(params)))
}
