import * as MemoryStockRepository from "../../../src/infra/memory/MemoryStockRepository.ts"
import * as StockRepositoryContract from "../../../src/testing/contract/StockRepositoryContract.ts"

StockRepositoryContract.suite("memory", MemoryStockRepository.layer)
