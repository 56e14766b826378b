/** What customers order of the paying sagas that run on PostgreSQL. */
import { Address } from "../../../src/adapters/Notifier.ts"
import { MethodToken } from "../../../src/domain/payment/Gateway.ts"
import { MerchantId } from "../../../src/domain/payment/PaymentEvent.ts"
import { LocationId, ProductId } from "../../../src/domain/reservation/StockEvent.ts"
import type { Cart } from "../../../src/orchestration/paying/Checkout.ts"
import type { Cards } from "../../../src/orchestration/paying/MultiAttempt.ts"
import type { PaymentOrder } from "../../../src/orchestration/paying/PaymentOrder.ts"
import { keyOf } from "../../../src/orchestration/paying/PaymentOrder.ts"

const order = (reference: string, token: string): PaymentOrder => ({
  merchant: MerchantId.make("shop"),
  reference,
  amount: { currency: "EUR", minor: 80_00n },
  method: MethodToken.make(token),
  notify: Address.make("ada@example.org")
})

const declined = "tok_declined_insufficient_funds"

export const beans = { product: ProductId.make("beans"), location: LocationId.make("north") }
export const stocked = 10

export const plain = order("plain", "tok_visa")
export const cards: Cards = { order: order("cards", declined), backups: [MethodToken.make("tok_visa")] }
export const cart: Cart = {
  order: order("cart", "tok_visa"),
  lines: [{ stock: beans, quantity: 4 }],
  shipTo: "Ada, Turin"
}
export const poor = order("poor", declined)
/** What the shop answers the last one's question by. */
export const question = keyOf(poor)
