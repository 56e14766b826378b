/** `Notifier` that keeps what it was told, each notice once, for tests and for trying things out. */
import { Context, Effect, Layer } from "effect"
import * as Notifiers from "../../adapters/Notifier.ts"
import type { Notice, NoticeId } from "../../adapters/Notifier.ts"
import { Notifier } from "../../adapters/Notifier.ts"

/** What was told, by its id, in the order in which it was first told. */
export class SentNotices extends Context.Service<SentNotices, Map<NoticeId, Notice>>()(
  "florin/infra/memory/MemoryNotifier/SentNotices"
) {}

export const layer: Layer.Layer<Notifier | SentNotices> = Layer.effectContext(
  Effect.gen(function* () {
    const sent = new Map<NoticeId, Notice>()
    const notifier = yield* Notifiers.make("memory", (notice) => Effect.sync(() => void sent.set(notice.id, notice)))
    return Context.make(Notifier, notifier).pipe(Context.add(SentNotices, sent))
  })
)
