/** Whose payments this service takes, lists and tells of. */
import { Context } from "effect"
import type { MerchantId } from "../../domain/payment/PaymentEvent.ts"

export class Merchant extends Context.Service<Merchant, MerchantId>()("florin/edge/http/Merchant") {}
