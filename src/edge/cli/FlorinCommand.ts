/** `florin` and all of its commands, as its help and its completions tell of them. */
import * as Commands from "./Commands.ts"

export const command = Commands.florin(await Commands.load([]))
