/** The version in the manifest that florin was started from. */
import manifest from "../../../package.json" with { type: "json" }

export const version: string = manifest.version
