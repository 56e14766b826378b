import { assert, describe, it } from "@effect/vitest"
import { OperationId } from "../../../src/domain/payment/Operation.ts"
import * as AdyenKey from "../../../src/infra/adyen/AdyenKey.ts"

const longest = `pay_${"z".repeat(40)}`

describe("AdyenKey", () => {
  it("is the operation's id where that fits into 64 characters", () => {
    for (const id of [
      "pay_1/auth/1",
      "pay_1/auth/1/confirm/2",
      `${longest}/auth/10/confirm/10`,
      `${longest}/a/${"1".repeat(17)}`
    ]) {
      assert.strictEqual(AdyenKey.of(OperationId.make(id)), id)
    }
  })

  it("is a hash where it does not: the same for the same id, at most 64 visible characters, and no id", () => {
    const id = OperationId.make(`${longest}/a/${"1".repeat(18)}`)
    assert.strictEqual(id.length, 65)
    // echo -n "$id" | sha256sum | xxd -r -p | base64 | tr '+/' '-_'
    assert.strictEqual(AdyenKey.of(id), "sha256-O7WokPq1pTnqv_z1imnjApW8-3WMG1tLQT-rztN9qkY")
    const ids = Array.from({ length: 2000 }, (_, index) => OperationId.make(`${longest}/refund/${10 ** 12 + index}`))
    const keys = ids.map(AdyenKey.of)
    assert.isTrue(ids.every(({ length }) => length > 64))
    assert.strictEqual(new Set(keys).size, keys.length)
    for (const key of keys) {
      assert.match(key, /^[!-~]{1,64}$/)
      assert.throws(() => OperationId.make(key))
    }
  })
})
