/**
 * What goes wrong, as data: at which crossing of which boundary, and how.
 *
 * A crossing is one call of an adapter. Crossings are counted over the whole
 * run, over all processes, from 1, in the order in which they begin. `before`
 * is before anything has happened on the other side, `after` is when it has and
 * the answer has not arrived yet.
 */
export type Point = "before" | "after"

export type Fault =
  /** The process is no more: its memory is gone, none of its finalizers runs, what it stored stays. */
  | { readonly _tag: "Die" }
  /** The adapter's own failure: of a store that it does not answer, of a gateway that the connection is gone. */
  | { readonly _tag: "Fail" }
  /** The adapter refuses although nothing speaks against it: a conflict of versions, a lock that is lost. */
  | { readonly _tag: "Refuse" }
  | { readonly _tag: "Delay"; readonly millis: number }
  /** The process stands still for so long and then goes on as if nothing had been, as after a SIGSTOP. */
  | { readonly _tag: "Stall"; readonly millis: number }
  /** The process's clock is set: forwards, or backwards. */
  | { readonly _tag: "ClockJump"; readonly millis: number }

export interface PlannedFault {
  readonly crossing: number
  readonly point: Point
  readonly fault: Fault
}

/** `PaymentRepository.append`. */
export type Boundary = `${string}.${string}`

export interface Crossing {
  readonly ordinal: number
  readonly boundary: Boundary
  /** The process that crosses. */
  readonly process: string
}

/** What goes wrong at a crossing; asked twice for each, before and after. */
export type FaultPlan = (crossing: Crossing, point: Point) => Fault | undefined

export const none: FaultPlan = () => undefined

export const planned = (faults: ReadonlyArray<PlannedFault>): FaultPlan => {
  const byCrossing = new Map(faults.map((planned) => [`${planned.crossing} ${planned.point}`, planned.fault]))
  return ({ ordinal }, point) => byCrossing.get(`${ordinal} ${point}`)
}

/** As a person writes it: `12 before PaymentRepository.append: Die`. */
export const toText = ({ crossing, fault, point }: PlannedFault, boundary = ""): string =>
  `${crossing} ${point}${boundary === "" ? "" : ` ${boundary}`}: ${fault._tag}${"millis" in fault ? ` ${fault.millis} ms` : ""}`
