/** Imaging orders of the hospital, without identity and without HL7. */
export {
  expireOrders,
  orderOf,
  recordOrder,
  studiesOfVisit,
  type ImagingOrder,
  type OrderPriority,
  type OrderState,
  type OrderStatement,
} from './order.store.js';
export { stampOf, type Stamp } from './order-stamp.js';
export { recordMove, type PatientMove } from './patient-moves.js';
