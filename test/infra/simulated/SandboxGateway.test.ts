import { Layer } from "effect"
import * as MemorySandboxBooks from "../../../src/infra/simulated/MemorySandboxBooks.ts"
import { capabilities } from "../../../src/infra/simulated/SandboxGateway.ts"
import * as SqlSandboxBooks from "../../../src/infra/simulated/SqlSandboxBooks.ts"
import * as PaymentGatewayContract from "../../../src/testing/contract/PaymentGatewayContract.ts"
import * as Fixture from "./SandboxFixture.ts"

const sql = SqlSandboxBooks.layer.pipe(Layer.provide(Layer.fresh(Fixture.database)))

PaymentGatewayContract.suite(
  "sandbox in process, books in memory",
  Fixture.inProcess().pipe(Layer.provide(MemorySandboxBooks.layer())),
  capabilities
)

PaymentGatewayContract.suite(
  "sandbox in process, books in PostgreSQL",
  Fixture.inProcess().pipe(Layer.provide(sql)),
  capabilities
)

PaymentGatewayContract.suite(
  "sandbox over HTTP, books in memory",
  Fixture.overHttp().pipe(Layer.provide(MemorySandboxBooks.layer())),
  capabilities
)

PaymentGatewayContract.suite(
  "sandbox over HTTP, books in PostgreSQL",
  Fixture.overHttp().pipe(Layer.provide(sql)),
  capabilities
)

/** A gateway that promises as little as it may. */
const plain = {
  ...capabilities,
  autoCapture: true,
  partialCapture: false,
  multipleCaptures: false,
  partialRefund: false
}

PaymentGatewayContract.suite(
  "sandbox in process, with fewer promises",
  Fixture.inProcess({ capabilities: plain }).pipe(Layer.provide(MemorySandboxBooks.layer())),
  plain
)

PaymentGatewayContract.suite(
  "sandbox over HTTP, with fewer promises",
  Fixture.overHttp(plain).pipe(Layer.provide(MemorySandboxBooks.layer())),
  plain
)

const once = { ...capabilities, multipleCaptures: false }

PaymentGatewayContract.suite(
  "sandbox in process, with one capture a hold",
  Fixture.inProcess({ capabilities: once }).pipe(Layer.provide(MemorySandboxBooks.layer())),
  once
)
