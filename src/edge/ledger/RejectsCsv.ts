/** Refused rows as CSV: `file,line,reason`. Quotes as in RFC 4180. */
import type { Refused } from "./RunSummary.ts"

export const header = "file,line,reason\n"

export const row = ({ file, line, reason }: Refused): string => `${field(file)},${line},${reason}\n`

const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
