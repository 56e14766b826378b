/**
 * A timeline as a picture: an SVG document in one string.
 *
 *     time | webhook        florin                 gateway
 *       0  |    |              o Initiated            |
 *      4ms |    |              |------ authorize ---->|
 *     90ms |    |              |                      o holds 10.00 EUR
 *    120ms |    |              |      x----- lost ----|
 *
 * Time runs downwards, every entry in a row of its own, so that no label lies
 * on another. Short times are drawn to scale, long ones as a break. Lengths are
 * pixels. It needs nothing from outside, is the same bytes for the same
 * entries, takes the font of the page that it is put into, and follows the
 * reader's choice of light or dark.
 */
import type { Entry } from "./Timeline.ts"
import { about, duration, inOrder, isLong, pathOf, toText, words } from "./Timeline.ts"

export const toSvg = (title: string, entries: ReadonlyArray<Entry>): string => {
  const rows = layOut(inOrder(entries))
  const height = (rows.at(-1)?.y ?? top) + bottom
  const id = `timeline-${title.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`
  const description = entries.length === 0 ? "Nothing happened." : toText(entries).join("\n")
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="timeline" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${id}-title ${id}-text">`,
    `<title id="${id}-title">${escape(`Timeline of ${title}`)}</title>`,
    `<desc id="${id}-text">${escape(description)}</desc>`,
    `<style>${style}</style>`,
    `<rect class="page" width="${width}" height="${height}" rx="8"/>`,
    ...lanes(rows, height),
    ...rows.flatMap(draw),
    "</svg>",
    ""
  ].join("\n")
}

// --- Layout ------------------------------------------------------------------------

const width = 1060
/** Where each lane stands; the space right of the time is as wide as a notification's label. */
const x = { time: 104, webhook: 150, florin: 400, gateway: 770 } as const
const top = 92
const bottom = 36
/** A label is 13 high and stands above its arrow: two rows never touch. */
const rowHeight = 38
/** What an answer takes, some 100 ms, is then just seen; from half a second on rows are equally far apart. */
const millisPerPixel = 12
/** More than this is not drawn to scale any more; the times beside it tell. */
const mostStretch = 48
const breakHeight = 56

interface Row {
  readonly entry: Entry
  readonly y: number
  /** Time since the first entry, said once where it reads the same. */
  readonly time: string | undefined
  /** How long nothing happened before it, where that was long. */
  readonly pauseMillis: number | undefined
  /** The call of a `Called` never left. */
  readonly unsent: boolean
  /** Some process lives after it. */
  readonly alive: boolean
}

const layOut = (entries: ReadonlyArray<Entry>): ReadonlyArray<Row> => {
  const living = new Set(processesAtStart(entries))
  let y = top
  let said = ""
  return entries.map((entry, index) => {
    const before = entries[index - 1]
    const gapMillis = before === undefined ? 0 : entry.at - before.at
    if (before !== undefined) y += rowHeight + stretch(gapMillis)
    if (entry._tag === "Booted") living.add(entry.process)
    if (entry._tag === "Died") living.delete(entry.process)
    const time = `+${since(entry.at - entries[0]!.at)}`
    const isNews = time !== said
    said = time
    return {
      entry,
      y,
      time: isNews ? time : undefined,
      pauseMillis: isLong(gapMillis) ? gapMillis : undefined,
      unsent: entry._tag === "Called" && isUnsent(entry.operation, entries.slice(index + 1)),
      alive: living.size > 0
    }
  })
}

/** To the millisecond for the first minute: after it only the pauses are long. */
const since = (millis: number): string => (millis < 60_000 ? `${(millis / 1000).toFixed(3)} s` : duration(millis))

const stretch = (gapMillis: number): number =>
  isLong(gapMillis) ? breakHeight : Math.round(Math.min(mostStretch, gapMillis / millisPerPixel))

/** Those whose first mark is their death; with no marks at all there is one, and it lives. */
const processesAtStart = (entries: ReadonlyArray<Entry>): ReadonlyArray<string | undefined> => {
  const marks = entries.filter((entry) => entry._tag === "Died" || entry._tag === "Booted")
  if (marks.length === 0) return [undefined]
  const names = [...new Set(marks.map(({ process }) => process))]
  return names.filter((name) => marks.find(({ process }) => process === name)?._tag === "Died")
}

const isUnsent = (operation: string, later: ReadonlyArray<Entry>): boolean => {
  const end = later.find((entry) => entry._tag === "Answered" && entry.operation === operation)
  return end?._tag === "Answered" && end.outcome._tag === "NotSent"
}

// --- Lanes -------------------------------------------------------------------------

const lanes = (rows: ReadonlyArray<Row>, height: number): ReadonlyArray<string> => {
  const end = height - bottom / 2
  return [
    ...(["webhook", "florin", "gateway"] as const).flatMap((lane) => [
      `<text class="head ${lane}" x="${x[lane]}" y="36" text-anchor="middle">${lane}</text>`,
      ...(lane === "florin" ? lives(rows, end) : [line(lane, "", x[lane], 50, x[lane], end)])
    ]),
    ...rows.flatMap(pause)
  ]
}

/** Florin's lane is thick while a process lives and dotted while none does. */
const lives = (rows: ReadonlyArray<Row>, end: number): ReadonlyArray<string> => {
  const turns = rows.filter((row, index) => index > 0 && row.alive !== rows[index - 1]!.alive)
  const startsAlive = turns[0]?.alive === undefined ? (rows[0]?.alive ?? true) : !turns[0].alive
  return [{ y: 50, alive: startsAlive }, ...turns].map(({ alive, y }, index) =>
    line("florin", alive ? "" : "dead", x.florin, y, x.florin, turns[index]?.y ?? end)
  )
}

/** Two strokes through every lane, and how long nothing happened. */
const pause = ({ pauseMillis, y }: Row): ReadonlyArray<string> => {
  if (pauseMillis === undefined) return []
  const middle = y - (rowHeight + breakHeight) / 2
  return [
    ...[x.webhook, x.florin, x.gateway].map(
      (at) =>
        `<rect class="page" x="${at - 8}" y="${middle - 6}" width="16" height="12"/><path class="break" d="M${at - 8} ${middle - 3}l16 -6M${at - 8} ${middle + 9}l16 -6"/>`
    ),
    `<text class="quiet" x="${(x.webhook + x.florin) / 2}" y="${middle + 4}" text-anchor="middle">${duration(pauseMillis)} later</text>`
  ]
}

const line = (lane: string, kind: string, ...[x1, y1, x2, y2]: readonly [number, number, number, number]): string =>
  `<line class="${`lane ${lane} ${kind}`.trim()}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`

// --- Entries -----------------------------------------------------------------------

const draw = (row: Row): ReadonlyArray<string> => {
  const { entry, time, unsent, y } = row
  const clock =
    time === undefined ? [] : [`<text class="quiet" x="${x.time}" y="${y + 4}" text-anchor="end">${time}</text>`]
  switch (entry._tag) {
    case "Recorded":
      return [...clock, dot("florin", y), note(x.florin, y, entry.event._tag, about(entry.event), gatewayRoom)]
    case "Acted":
      return [...clock, dot("gateway", y), note(x.gateway, y, entry.gateway, entry.what, edgeRoom)]
    case "Called":
      return [...clock, ...arrow("florin", "gateway", y, words(entry), unsent)]
    case "Answered":
      return [...clock, ...answer(entry.outcome, pathOf(entry.operation), y)]
    case "Notified":
      return [...clock, ...arrow("webhook", "florin", y, words(entry), false)]
    case "Died":
      return [...clock, cross("bad", x.florin, y), note(x.florin, y, words(entry), "", gatewayRoom, "bad")]
    case "Booted":
      return [...clock, ring(y), note(x.florin, y, words(entry), "", gatewayRoom)]
  }
}

const answer = (
  outcome: Extract<Entry, { readonly _tag: "Answered" }>["outcome"],
  path: string,
  y: number
): ReadonlyArray<string> => {
  switch (outcome._tag) {
    case "Arrived":
      return arrow("gateway", "florin", y, `${path}: ${outcome.what}`, false)
    case "Lost":
      return arrow("gateway", "florin", y, `${path}: ${outcome.what}`, true)
    case "NotSent":
      return [dot("florin", y, "bad"), note(x.florin, y, "not sent", `${path}: ${outcome.what}`, gatewayRoom, "bad")]
  }
}

type Lane = "webhook" | "florin" | "gateway"

/** From lane to lane, its label above it; a broken one ends in a cross half-way. */
const arrow = (from: Lane, to: Lane, y: number, label: string, broken: boolean): ReadonlyArray<string> => {
  const way = x[to] > x[from] ? 1 : -1
  const [start, end] = [x[from] + 6 * way, x[to] - 6 * way]
  const middle = (start + end) / 2
  const room = Math.abs(end - start) - 2 * margin
  const text = `<text class="${broken ? "bad" : "label"}" x="${middle}" y="${broken ? y - 12 : y - 7}" text-anchor="middle">${escape(fit(label, room))}</text>`
  if (broken) {
    return [
      `<path class="arrow bad" d="M${start} ${y}H${middle - 8 * way}"/>`,
      `<path class="arrow bad lost" d="M${middle + 8 * way} ${y}H${end}"/>`,
      cross("bad", middle, y),
      text
    ]
  }
  return [
    `<path class="arrow ${from}" d="M${start} ${y}H${end - 6 * way}"/>`,
    `<path class="tip ${from}" d="M${end} ${y}l${-9 * way} -5v10z"/>`,
    text
  ]
}

const dot = (lane: Lane, y: number, kind: string = lane): string =>
  `<circle class="dot ${kind}" cx="${x[lane]}" cy="${y}" r="5"/>`
const ring = (y: number): string => `<circle class="ring" cx="${x.florin}" cy="${y}" r="6"/>`
const cross = (kind: string, at: number, y: number): string =>
  `<path class="cross ${kind}" d="M${at - 6} ${y - 6}l12 12m0 -12l-12 12"/>`

/** Beside a mark: what in bold, then the rest. */
const note = (at: number, y: number, what: string, rest: string, room: number, kind = "label"): string => {
  const [bold, plain] = [fit(what, room), fit(rest, room - widthOf(what))]
  const tail = plain === "" ? "" : ` <tspan class="rest">${escape(plain)}</tspan>`
  return `<text class="${kind}" x="${at + margin}" y="${y + 4}"><tspan class="what">${escape(bold)}</tspan>${tail}</text>`
}

// --- Text --------------------------------------------------------------------------

const margin = 14
const gatewayRoom = x.gateway - x.florin - 2 * margin
const edgeRoom = width - x.gateway - 2 * margin

/** A wide average letter of a sans at 13 pixels, so that what fits here fits in any of them. */
const letterWidth = 7.4
const widthOf = (text: string): number => (text.length + 1) * letterWidth

const fit = (text: string, room: number): string => {
  const most = Math.max(1, Math.floor(room / letterWidth))
  // Half of a surrogate pair would be no letter.
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/u, "")}…`
}

/** As XML text; what XML cannot hold at all shows as a replacement. */
const escape = (text: string): string =>
  text
    .replaceAll(/[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")

/**
 * Every pair of colours has a contrast of at least 4.5 to its page (WCAG 2.2,
 * 1.4.3). Only a document of its own brings its font, so that one inside a page
 * takes the page's.
 */
const style = `
svg:root { font-family: system-ui, sans-serif }
.timeline { --page: #ffffff; --ink: #1c2128; --quiet: #59636e; --faint: #b7bec7; --florin: #0a58ad; --gateway: #8a4600; --webhook: #6a3aa2; --bad: #b3201a }
@media (prefers-color-scheme: dark) {
  .timeline { --page: #14181d; --ink: #e8ebef; --quiet: #9aa4af; --faint: #4a535d; --florin: #6db3ff; --gateway: #f0a860; --webhook: #c39bf5; --bad: #ff8078 }
}
.timeline text { font-size: 13px; fill: var(--ink) }
.timeline .head { font-size: 15px; font-weight: 600 }
.timeline .quiet, .timeline .rest { fill: var(--quiet) }
.timeline .what { font-weight: 600 }
.timeline text.bad { fill: var(--bad) }
.timeline .page { fill: var(--page) }
.timeline .florin { --own: var(--florin) }
.timeline .gateway { --own: var(--gateway) }
.timeline .webhook { --own: var(--webhook) }
.timeline .bad { --own: var(--bad) }
.timeline text.head { fill: var(--own) }
.timeline .lane { stroke: var(--faint); stroke-width: 1.5 }
.timeline .lane.florin { stroke: var(--own); stroke-width: 3; stroke-opacity: 0.45 }
.timeline .lane.dead { stroke-width: 2; stroke-dasharray: 2 6 }
.timeline .break { fill: none; stroke: var(--quiet); stroke-width: 1.5 }
.timeline .arrow { fill: none; stroke: var(--own); stroke-width: 1.75 }
.timeline .arrow.lost { stroke-dasharray: 3 6; stroke-opacity: 0.7 }
.timeline .tip { fill: var(--own) }
.timeline .dot { fill: var(--own); stroke: var(--page); stroke-width: 1.5 }
.timeline .ring { fill: var(--page); stroke: var(--florin); stroke-width: 2.5 }
.timeline .cross { fill: none; stroke: var(--own); stroke-width: 2.5; stroke-linecap: round }
`
