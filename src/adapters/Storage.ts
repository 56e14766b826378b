/** What every store may fail with, whichever technique is behind it. */
import * as Schema from "effect/Schema"

/**
 * The store gave no answer. A write may have taken effect or not: whoever
 * repeats it must be able to find out, which is why appends are conditional.
 */
export class StorageUnavailable extends Schema.TaggedError<StorageUnavailable>()("StorageUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `${this.operation}: the store did not answer`
  }
}
