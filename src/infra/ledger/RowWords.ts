/** The five words that a row's type can be, in bytes, found four letters at a time. */

const four = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

const letters = (text: string): number => four(Buffer.from(text), 0)

const depo = letters("depo")
const osit = letters("osit")
const withdraw = letters("with")
const draw = letters("draw")
const awal = letters("awal")
const disp = letters("disp")
const pute = letters("pute")
const reso = letters("reso")
const olve = letters("olve")
const char = letters("char")
const geba = letters("geba")
const back = letters("back")

/** Letters of each, by kind. */
export const lengths = Uint8Array.of(0, 7, 10, 7, 7, 10)
const longest = 10

/** The kind (`RowBlock`) whose word begins at `at`, 0 when none does. */
export const kindAt = (bytes: Uint8Array, at: number): number => {
  // A word at the very end of the bytes is left to a slower way, so that nothing is read beyond them.
  if (at + longest > bytes.length) return 0
  switch (four(bytes, at)) {
    case depo:
      return four(bytes, at + 3) === osit ? 1 : 0
    case withdraw:
      return four(bytes, at + 4) === draw && four(bytes, at + 6) === awal ? 2 : 0
    case disp:
      return four(bytes, at + 3) === pute ? 3 : 0
    case reso:
      return four(bytes, at + 3) === olve ? 4 : 0
    case char:
      return four(bytes, at + 4) === geba && four(bytes, at + 6) === back ? 5 : 0
    default:
      return 0
  }
}
