/**
 * Stripe's form encoding: `a[b][0]=c` is `{ a: { b: ["c"] } }`. All leaves are text.
 *
 * Keys are taken as they come, so that a parameter that Stripe does not know
 * is seen by whoever checks them.
 */

export type Param = string | ParamList | Params
export interface ParamList extends ReadonlyArray<Param> {}
export interface Params {
  readonly [name: string]: Param
}

interface Node {
  [name: string]: string | Node
}

export const decode = (text: string): Params => {
  const root: Node = Object.create(null) as Node
  for (const [key, value] of new URLSearchParams(text)) {
    const [first = "", ...rest] = key.split("[").map((part) => part.replace(/\]$/, ""))
    let node = root
    let name = first
    for (const next of rest) {
      const inner = node[name]
      const child: Node = typeof inner === "object" ? inner : (Object.create(null) as Node)
      node[name] = child
      node = child
      // `a[]=x&a[]=y`: each takes the next place.
      name = next === "" ? String(Object.keys(child).length) : next
    }
    node[name] = value
  }
  return asParams(root)
}

const asParams = (node: Node): Params =>
  Object.fromEntries(Object.entries(node).map(([name, value]) => [name, asParam(value)]))

const asParam = (value: string | Node): Param => {
  if (typeof value === "string") return value
  const names = Object.keys(value)
  const isList = names.length > 0 && names.every((name, index) => name === String(index))
  return isList ? names.map((name) => asParam(value[name]!)) : asParams(value)
}

/** One text for one set of parameters, whatever their order. */
export const canonical = (param: Param): string => {
  if (typeof param === "string") return JSON.stringify(param)
  if (isList(param)) return `[${param.map(canonical).join()}]`
  const names = Object.keys(param).toSorted()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(param[name]!)}`).join()}}`
}

const isList = (param: ParamList | Params): param is ParamList => Array.isArray(param)

// --- Reading ----------------------------------------------------------------

export const text = (params: Params, name: string): string | undefined => {
  const value = params[name]
  return typeof value === "string" && value !== "" ? value : undefined
}

export const isTrue = (params: Params, name: string): boolean => params[name] === "true"

export const inner = (params: Params, name: string): Params => {
  const value = params[name]
  return typeof value === "object" && !isList(value) ? value : {}
}

export const list = (params: Params, name: string): ReadonlyArray<Param> => {
  const value = params[name]
  return typeof value === "object" && isList(value) ? value : []
}

/** A map of texts, such as metadata. */
export const texts = (params: Params, name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(inner(params, name)).filter((entry): entry is [string, string] => typeof entry[1] === "string")
  )
