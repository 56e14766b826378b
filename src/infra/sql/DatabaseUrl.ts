/** What a PostgreSQL server's URL must look like, and how to show one: it may hold a password. */
import * as Schema from "effect/Schema"

/** The URL cannot be used as it is. It may hold a password, so it is not repeated here. */
export class DatabaseUrlError extends Schema.TaggedError<DatabaseUrlError>()("DatabaseUrlError", {
  detail: Schema.String
}) {
  override get message() {
    return `DATABASE_URL: ${this.detail}`
  }
}

/** What is wrong with the URL, without repeating it; `undefined` when nothing is. */
export const complaint = (url: string): string | undefined => {
  if (!URL.canParse(url)) return "expected a URL such as postgres://user:password@host:5432/database"
  const { protocol } = new URL(url)
  return protocol === "postgres:" || protocol === "postgresql:"
    ? undefined
    : `expected postgres:// or postgresql://, got ${protocol}//`
}

const mask = "***"

/** Parameters of the query that hold a secret. */
const secretParameters = ["password", "sslpassword"]

/** The URL without its secrets; nothing of what is no URL, for nobody knows where its secrets are. */
export const masked = (text: string): string => {
  if (!URL.canParse(text)) return mask
  const url = new URL(text)
  if (url.password !== "") url.password = mask
  for (const name of secretParameters) if (url.searchParams.has(name)) url.searchParams.set(name, mask)
  return url.href
}
