/**
 * A saga as a Mermaid flowchart, for a document or a screen.
 *
 * Steps are boxes, the pivot a hexagon, best effort rounded; a saga within is a
 * box around its steps. An arrow is a result that is taken, a dotted one an
 * order without data. The step whose result is the saga's has a thick border.
 *
 * Names are letters, digits, "-" and "_" (`SagaGraph.check`), so nothing of
 * them is ever Mermaid's own syntax.
 *
 * Source: https://mermaid.js.org/syntax/flowchart.html
 */
import type { SagaGraph, StepNode } from "../../domain/saga/SagaGraph.ts"
import type { SagaBody } from "./SagaStep.ts"

export const diagram = ({ graph }: Pick<SagaBody<unknown>, "graph">): string =>
  ["flowchart TD", ...linesOf(graph, "").map((line) => `  ${line}`), ""].join("\n")

const linesOf = (graph: SagaGraph, path: string): ReadonlyArray<string> => [
  ...graph.steps.flatMap((step) => boxOf(step, path)),
  ...graph.steps.flatMap((step) => arrowsTo(step, path)),
  ...(path === "" ? [`style ${idOf(path, graph.returns)} stroke-width:3px`] : [])
]

const boxOf = (step: StepNode, path: string): ReadonlyArray<string> => {
  const id = idOf(path, step.name)
  if (step.nested === undefined) return [`${id}${shapeOf(step)}`]
  return [
    `subgraph ${id}["${step.name}: ${step.nested.name}"]`,
    ...linesOf(step.nested, `${path}${step.name}/`).map((line) => `  ${line}`),
    "end"
  ]
}

const shapeOf = ({ isMapped, isPause, kind, name }: StepNode): string => {
  const label = `"${name}${isMapped ? " (each)" : ""}${isPause ? " (waits)" : ""}"`
  switch (kind) {
    case "pivot":
      return `{{${label}}}`
    case "bestEffort":
      return `(${label})`
    case "compensatable":
      return `[${label}]`
  }
}

/** A step that takes a result and waits for the same step has one arrow. */
const arrowsTo = ({ name, takes, waitsFor }: StepNode, path: string): ReadonlyArray<string> => [
  ...takes.map((from) => `${idOf(path, from)} --> ${idOf(path, name)}`),
  ...waitsFor.filter((from) => !takes.includes(from)).map((from) => `${idOf(path, from)} -.-> ${idOf(path, name)}`)
]

/** Prefixed, because a step may be named like one of Mermaid's words ("end"). */
const idOf = (path: string, step: string): string => `s_${path.replaceAll("/", "_in_")}${step}`
