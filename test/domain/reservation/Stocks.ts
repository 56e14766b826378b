/** Short names for the tests of stock. */
import { Instant } from "../../../src/domain/Instant.ts"
import type { ReorderPolicy } from "../../../src/domain/reservation/Reorder.ts"
import type { Command } from "../../../src/domain/reservation/StockCommand.ts"
import { OperationKey, OrderId, ReservationId } from "../../../src/domain/reservation/StockEvent.ts"

type Of<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

export const at = (moment: number) => Instant.make(1000 + moment)
export const key = (name: string) => OperationKey.make(name)
export const reservation = (name: string) => ReservationId.make(name)
export const order = (name: string) => OrderId.make(name)

/** The key of each is its kind and what it is about, so that two of the same are a repeat. */
export const reserve = (name: string, quantity: number, until?: number, moment = 0): Of<"ReserveStock"> => ({
  _tag: "ReserveStock",
  key: key(`reserve-${name}`),
  at: at(moment),
  reservation: reservation(name),
  quantity,
  ...(until === undefined ? {} : { until: at(until) })
})
export const release = (name: string, moment = 0): Of<"ReleaseStock"> => ({
  _tag: "ReleaseStock",
  key: key(`release-${name}`),
  at: at(moment),
  reservation: reservation(name)
})
export const consume = (name: string, moment = 0): Of<"ConsumeStock"> => ({
  _tag: "ConsumeStock",
  key: key(`consume-${name}`),
  at: at(moment),
  reservation: reservation(name)
})
export const receive = (name: string, quantity: number, ofOrder?: string, moment = 0): Of<"ReceiveStock"> => ({
  _tag: "ReceiveStock",
  key: key(`receive-${name}`),
  at: at(moment),
  quantity,
  ...(ofOrder === undefined ? {} : { order: order(ofOrder) })
})
export const adjust = (name: string, by: number, moment = 0): Of<"AdjustStock"> => ({
  _tag: "AdjustStock",
  key: key(`adjust-${name}`),
  at: at(moment),
  by,
  reason: "count"
})
export const orderStock = (
  name: string,
  quantity: number,
  reorderPoint: number,
  askAt = 10,
  moment = 0
): Of<"OrderStock"> => ({
  _tag: "OrderStock",
  key: key(`order-${name}`),
  at: at(moment),
  order: order(name),
  quantity,
  askAt: at(askAt),
  reorderPoint
})
export const delay = (name: string, askAt: number, moment = 0): Of<"DelayOrder"> => ({
  _tag: "DelayOrder",
  key: key(`delay-${name}-${askAt}`),
  at: at(moment),
  order: order(name),
  askAt: at(askAt)
})
export const cancel = (name: string, moment = 0): Of<"CancelOrder"> => ({
  _tag: "CancelOrder",
  key: key(`cancel-${name}`),
  at: at(moment),
  order: order(name)
})
export const bar = (barred: string, moment = 0): Of<"BarOperation"> => ({
  _tag: "BarOperation",
  key: key(barred),
  at: at(moment)
})
export const expire = (moment: number): Of<"ExpireReservations"> => ({ _tag: "ExpireReservations", at: at(moment) })
export const watch = (name: string, policy?: ReorderPolicy, moment = 0): Of<"SetReorderPolicy"> => ({
  _tag: "SetReorderPolicy",
  key: key(`watch-${name}`),
  at: at(moment),
  ...(policy === undefined ? {} : { policy })
})
export const putOff = (name: string, until: number, moment = 0): Of<"PutOffReorder"> => ({
  _tag: "PutOffReorder",
  key: key(`put-off-${name}`),
  at: at(moment),
  until: at(until)
})
