/** Every saga that florin comes with, as stories for the explorer. */
import * as BillingStories from "./BillingStories.ts"
import * as CheckoutStories from "./CheckoutStories.ts"
import * as PayingStories from "./PayingStories.ts"
import type { Story } from "./SagaStory.ts"
import * as StockStories from "./StockStories.ts"

export const all: ReadonlyArray<Story> = [
  ...PayingStories.all,
  ...CheckoutStories.all,
  ...StockStories.all,
  ...BillingStories.all
]
