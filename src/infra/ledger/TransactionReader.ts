/**
 * A transaction file, chunk by chunk, into the books.
 *
 * Chunks may end anywhere. What is left of a line is kept for the next one, so
 * memory does not depend on the file: a line that is too long is skipped to its
 * newline and refused.
 *
 * With `packed`, what happened is also handed on in groups for a journal, and
 * with `from`, what was handed on before is only checked: the bytes before that
 * position have to be those that were read then.
 *
 * Form: see `domain/ledger/TransactionText`.
 */
import { crc32 } from "node:zlib"
import * as LedgerJournal from "../../adapters/LedgerJournal.ts"
import * as TransactionRow from "../../domain/ledger/TransactionRow.ts"
import type { ColumnarBooks } from "./ColumnarBooks.ts"
import type { EventGroup } from "./EventPacker.ts"
import { EventPacker } from "./EventPacker.ts"
import * as RowBlock from "./RowBlock.ts"
import * as RowCode from "./RowCode.ts"
import { maxLineBytes, RowParser } from "./RowParser.ts"

export interface Options {
  readonly books: ColumnarBooks
  /** Hears of each row that was refused, in order; `code` is a `RowCode`. */
  readonly refused: (line: number, code: number) => void
  /** Takes what was applied, while `take` or `cut` runs. */
  readonly packed?: ((group: EventGroup) => void) | undefined
  /** How far this source was taken before. */
  readonly from?: LedgerJournal.SourcePosition | undefined
}

/** Why a file is not read any further. */
export type Fault =
  | { readonly _tag: "BadHeader"; readonly line: number; readonly found: string }
  /** What was taken of the source before is not what it begins with now. */
  | { readonly _tag: "SourceChanged"; readonly from: LedgerJournal.SourcePosition }

const newline = 10
/** As much of a bad header as a message has room for. */
const maxFound = 80

export class TransactionReader {
  readonly #books: ColumnarBooks
  readonly #refused: (line: number, code: number) => void
  readonly #packer: EventPacker | undefined
  readonly #from: LedgerJournal.SourcePosition
  readonly #block = RowBlock.make()
  /** A line that is not whole yet, with room for the newline that the last one of a file may lack. */
  readonly #carry = Buffer.alloc(maxLineBytes + 2)
  #carried = 0
  /** The line that is not whole yet is too long, and none of it is kept. */
  #isTooLong = false
  #parser: RowParser | undefined
  #line = 0
  /** Of what was taken before: how much was seen again, and its checksum. */
  #seen = 0
  #checksum = 0
  #isContinued = false
  readonly #counts = new Float64Array(RowCode.count)
  #fault: Fault | undefined

  constructor({ books, from = LedgerJournal.start, packed, refused }: Options) {
    this.#books = books
    this.#refused = refused
    this.#from = from
    this.#packer = packed === undefined ? undefined : new EventPacker(from, packed)
  }

  /** Why nothing more is read. */
  get fault(): Fault | undefined {
    return this.#fault
  }

  /** Rows by what became of them: their `RowCode`. */
  get counts(): ReadonlyArray<number> {
    return [...this.#counts]
  }

  /** Lines that were read, blank ones and the header too. */
  get line(): number {
    return this.#line
  }

  /** Takes the next bytes, which it does not keep; false when nothing more is wanted because of a fault. */
  take(bytes: Buffer): boolean {
    if (this.#fault !== undefined) return false
    let at = this.#again(bytes)
    if (this.#fault !== undefined) return false
    if (this.#isContinued) at = this.#continue(bytes, at)
    if (this.#carried > 0 || this.#isTooLong) at = this.#finish(bytes, at)
    const end = bytes.lastIndexOf(newline) + 1
    if (at < end) this.#lines(bytes, at, end, end)
    this.#keep(bytes, Math.max(at, end))
    return this.#fault === undefined
  }

  /** The source has ended; false because of a fault, and a file without a header is one. */
  end(): boolean {
    if (this.#fault !== undefined) return false
    if (this.#seen < this.#from.byte) this.#fault ??= { _tag: "SourceChanged", from: this.#from }
    if (this.#isTooLong) this.#endLong(Buffer.alloc(0))
    if (this.#carried > 0) {
      const end = this.#carried
      this.#carry[end] = newline
      this.#carried = 0
      this.#lines(this.#carry, 0, end + 1, end)
    }
    if (this.#parser === undefined) this.#badHeader("")
    this.cut()
    return this.#fault === undefined
  }

  /**
   * Hands over the events so far as a group; to be called between two chunks, for a source that pauses. False where it
   * cannot: of a long line, bytes are counted before it ends.
   */
  cut(): boolean {
    if (this.#fault !== undefined || this.#isTooLong) return false
    this.#packer?.cut()
    return true
  }

  // --- Lines ----------------------------------------------------------------

  /** Whole lines; of the bytes up to `end`, those up to `counted` are the source's. */
  #lines(bytes: Buffer, from: number, end: number, counted: number): void {
    let at = from
    while (at < end && this.#fault === undefined) {
      const begin = at
      let lines = 1
      if (this.#parser === undefined) {
        at = this.#header(bytes, at)
      } else {
        at = this.#parser.parse(bytes, at, end, this.#block)
        this.#books.applyRows(this.#block)
        this.#packer?.pack(this.#block)
        this.#tell(this.#block)
        lines = this.#block.lines
      }
      this.#line += lines
      this.#advance(bytes.subarray(begin, Math.min(at, counted)), lines)
    }
  }

  /** Who was refused, and how many of each there are. */
  #tell({ count, words }: RowBlock.RowBlock): void {
    const end = count * RowBlock.wordsPerRow
    for (let at = 0; at < end; at += RowBlock.wordsPerRow) {
      const code = words[at + RowBlock.code]! & RowCode.reasonBits
      this.#counts[code]! += 1
      if (code !== RowCode.applied) this.#refused(this.#line + words[at + RowBlock.line]!, code)
    }
  }

  /** The line at `at`, which is the header unless it is blank. */
  #header(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(newline, at)
    const whole = bytes.toString("utf8", at, Math.min(end, at + maxLineBytes + 1))
    const text = this.#line === 0 ? whole.replace(/^\u{feff}/u, "") : whole
    if (TransactionRow.isBlank(text)) return end + 1
    const header = end - at > maxLineBytes ? undefined : TransactionRow.header(text)
    if (header === undefined) this.#badHeader(text)
    else {
      const maxClient = this.#books.options.wideClients ? TransactionRow.wide : TransactionRow.narrow
      this.#parser = new RowParser({ header, maxClient })
    }
    return end + 1
  }

  #badHeader(text: string): void {
    this.#fault ??= { _tag: "BadHeader", line: text === "" ? 1 : this.#line + 1, found: text.trim().slice(0, maxFound) }
  }

  #advance(bytes: Uint8Array, lines: number): void {
    // What is only seen again is in the position that the packer began with.
    if (this.#seen >= this.#from.byte) this.#packer?.advance(bytes, lines)
  }

  // --- Lines over the end of a chunk ----------------------------------------

  /** The rest of a line that began in a chunk before. */
  #finish(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(newline, from) + 1
    if (end === 0) return from
    const rest = bytes.subarray(from, end)
    if (!this.#isTooLong && this.#carried + rest.length - 1 <= maxLineBytes) {
      rest.copy(this.#carry, this.#carried)
      const whole = this.#carried + rest.length
      this.#carried = 0
      this.#lines(this.#carry, 0, whole, whole)
    } else {
      this.#advance(this.#carry.subarray(0, this.#carried), 0)
      this.#carried = 0
      this.#endLong(rest)
    }
    return end
  }

  /** The beginning of a line, from `from` to the end of the bytes. */
  #keep(bytes: Buffer, from: number): void {
    if (from >= bytes.length || this.#fault !== undefined) return
    const rest = bytes.subarray(from)
    if (!this.#isTooLong && this.#carried + rest.length <= maxLineBytes) {
      rest.copy(this.#carry, this.#carried)
      this.#carried += rest.length
      return
    }
    this.#isTooLong = true
    this.#advance(this.#carry.subarray(0, this.#carried), 0)
    this.#carried = 0
    this.#advance(rest, 0)
  }

  #endLong(rest: Uint8Array): void {
    this.#isTooLong = false
    if (this.#parser === undefined) return this.#badHeader("a line that is too long")
    this.#line += 1
    this.#counts[RowCode.malformedRow]! += 1
    this.#refused(this.#line, RowCode.malformedRow)
    this.#advance(rest, 1)
  }

  // --- What was taken before ------------------------------------------------

  /** Checks bytes that were taken before, and answers where those begin that were not. */
  #again(bytes: Buffer): number {
    if (this.#seen >= this.#from.byte) return 0
    const end = Math.min(bytes.length, this.#from.byte - this.#seen)
    const again = bytes.subarray(0, end)
    this.#checksum = crc32(again, this.#checksum)
    if (this.#parser === undefined) this.#seek(again)
    this.#seen += end
    if (this.#seen < this.#from.byte) return end
    if (this.#checksum !== this.#from.checksum) this.#fault ??= { _tag: "SourceChanged", from: this.#from }
    this.#isContinued = again[end - 1] !== newline
    this.#line = this.#from.line
    return end
  }

  /** The header among bytes that were taken before. */
  #seek(again: Buffer): void {
    let at = this.#carried > 0 ? this.#finish(again, 0) : 0
    while (this.#parser === undefined && this.#fault === undefined) {
      const end = again.indexOf(newline, at) + 1
      if (end === 0) return this.#keep(again, at)
      this.#lines(again, at, end, end)
      at = end
    }
  }

  /** The last line taken before had no newline; now one may follow it, and nothing else. */
  #continue(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      if (bytes[at] === newline) {
        this.#isContinued = false
        this.#advance(bytes.subarray(from, at + 1), 0)
        return at + 1
      }
      if (!TransactionRow.isBlank(String.fromCharCode(bytes[at]!))) {
        this.#fault ??= { _tag: "SourceChanged", from: this.#from }
        return bytes.length
      }
    }
    this.#advance(bytes.subarray(from), 0)
    return bytes.length
  }
}
