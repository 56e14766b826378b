/** What somebody may have meant who wrote a name that does not exist. */

/** The fewest letters to add, take away or change on the way from one word to the other. */
const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const changed = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, changed))
    }
    row = next
  }
  return row[to.length]!
}

/** One slip in four letters is a slip; more is another word. */
const slipsPerLetter = 0.25

/** The name that is nearest, if it is near. */
export const nearest = (given: string, names: Iterable<string>): string | undefined => {
  const [best] = [...names].map((name) => ({ name, far: distance(given, name) })).toSorted((a, b) => a.far - b.far)
  return best !== undefined && best.far <= Math.ceil(given.length * slipsPerLetter) ? best.name : undefined
}

/** `; did you mean "serve"?`, or nothing. */
export const didYouMean = (given: string, names: Iterable<string>): string => {
  const name = nearest(given, names)
  return name === undefined ? "" : `; did you mean ${name}?`
}
