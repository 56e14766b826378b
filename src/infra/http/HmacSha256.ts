/** HMAC-SHA256 by Node's own OpenSSL. */
import { createHmac } from "node:crypto"
import type { Hmac } from "../../domain/webhook/StandardWebhooks.ts"

export const hmac: Hmac = (key, content) => createHmac("sha256", key).update(content).digest()
