/**
 * Where a step's arguments come from: the saga's input, the results of other
 * steps, an element of what is mapped over, each with a path into it, and
 * literals.
 *
 * A template is a record of those, nested as deep as it likes; resolving it
 * gives the same record with the values in their places. References know their
 * types, so that TypeScript refuses a result that is used as another type, and
 * they know which steps they name, so that the order of steps follows from
 * them.
 */

export type Source =
  | { readonly _tag: "Input" }
  | { readonly _tag: "Result"; readonly step: string }
  /** What a step maps over. */
  | { readonly _tag: "Element" }

declare const of: unique symbol

/** A value of type `A` that is there when the step begins. */
export interface Ref<out A> {
  readonly [of]: A
}

/** A reference to `A` and to whatever is in it, by its name: `authorized.reference`. */
export type Refs<A> = Ref<A> & ([A] extends [object] ? { readonly [K in keyof A]: Refs<A[K]> } : unknown)

/** What a template becomes. */
export type Resolved<Template> =
  Template extends Ref<infer A>
    ? A
    : Template extends object
      ? { readonly [K in keyof Template]: Resolved<Template[K]> }
      : Template

/** What may stand for an `A` in a template: a reference to one, one itself, or its fields each as such. */
export type Taken<A> = Ref<A> | A | (A extends object ? { readonly [K in keyof A]: Taken<A[K]> } : never)

interface Place {
  readonly source: Source
  readonly path: ReadonlyArray<string>
}

/** Places by their references; a reference itself has no fields but those of what it stands for. */
const places = new WeakMap<object, Place>()

export const refs = <A>(source: Source, path: ReadonlyArray<string> = []): Refs<A> => {
  const reference: object = new Proxy(Object.freeze({}), {
    get: (_, key) => (typeof key === "string" ? refs(source, [...path, key]) : undefined)
  })
  places.set(reference, { source, path })
  return reference as Refs<A>
}

// --- Templates --------------------------------------------------------------

/** The steps whose results a template takes, each once. */
export const stepsOf = (template: unknown): ReadonlyArray<string> => [
  ...new Set(placesIn(template).flatMap(({ source }) => (source._tag === "Result" ? [source.step] : [])))
]

const placesIn = (template: unknown): ReadonlyArray<Place> => {
  if (typeof template !== "object" || template === null) return []
  const place = places.get(template)
  return place === undefined ? Object.values(template).flatMap(placesIn) : [place]
}

/** Throws where a path leads nowhere, as a value of another shape than it was declared with does. */
export const resolve = (template: unknown, valueOf: (source: Source) => unknown): unknown => {
  if (typeof template !== "object" || template === null) return template
  const place = places.get(template)
  if (place !== undefined) return follow(valueOf(place.source), place.path)
  if (Array.isArray(template)) return template.map((each) => resolve(each, valueOf))
  if (Object.getPrototypeOf(template) !== Object.prototype) return template
  return Object.fromEntries(Object.entries(template).map(([key, each]) => [key, resolve(each, valueOf)]))
}

const follow = (value: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((at, key) => {
    if (typeof at !== "object" || at === null) throw new TypeError(`there is no ${path.join(".")} in ${String(at)}`)
    return Reflect.get(at, key)
  }, value)
