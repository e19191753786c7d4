export interface SendOptions {
  /** Milliseconds that one try may take. Default 5000. */
  timeout?: number;
  /** Tries in all, the first one counted. Default 3. */
  retries?: number;
  /** HTTP header fields for the shim. Only traceparent and tracestate travel on with the event. */
  headers?: Record<string, string | number | undefined>;
}

export interface SendEventOptions extends SendOptions {
  /** Members that stand beside `event` and `payload` at the top level of the event. */
  extra?: Record<string, unknown>;
  /** The event's id, to repeat an event whose call was rejected. Default: a new UUIDv7. */
  id?: string;
}

export interface BatchItem {
  event: string;
  payload: object;
  id?: string;
  [member: string]: unknown;
}

export interface SendResult {
  success: true;
  id: string;
  /** True when the event waits in the shim's reserve because Kafka is away: durable all the same. */
  buffered: boolean;
}

export interface BatchResult {
  success: true;
  accepted: number;
  /** How many of them wait in the reserve. */
  buffered: number;
  /** In the order of the events. */
  ids: string[];
}

export type ErrorCode =
  | 'E-SHIM-AWAY'
  | 'E-SHIM-BUSY'
  | 'E-EVENT-REFUSED'
  | 'E-AUTH'
  | 'E-NOT-A-SHIM'
  | 'E-DASH-DOWN'
  | 'E-CONFIG';

export interface EventFault {
  index?: number;
  pointer?: string;
  code?: string;
  detail?: string;
}

/** The events were not accepted. Repeat with the same `ids` when `retryable`. */
export class EsteiraError extends Error {
  readonly name: 'EsteiraError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly status?: number;
  readonly attempts?: number;
  /** What the shim found wrong, item by item. */
  readonly errors?: EventFault[];
  /** Events of this call that were not accepted. */
  readonly ids?: string[];
  /** Batches: how many events were accepted before the failure. */
  readonly accepted?: number;
  /** Milliseconds that the shim asks to wait; 0 when it does not say. */
  readonly retryAfter?: number;
  /** RFC 3339; with E-DASH-DOWN. */
  readonly offlineSince?: string;
  readonly cause?: Error;
}

export interface DashboardStatus {
  status: string;
  version?: string;
  uptime_s?: number;
  events?: number;
  last_event_at?: string | null;
  [member: string]: unknown;
}

export interface DashboardMetrics {
  users?: { total: number; active_24h: number; new_today: number };
  orders?: { total: number; paid: number; revenue: string; currency: string };
  messages?: {
    total: number;
    received: number;
    sent: number;
    delivered: number;
    read: number;
    failed: number;
  };
  errors?: { total: number };
  events?: { total: number; by_type: Record<string, number> };
  [member: string]: unknown;
}

/**
 * Sends one event through the belt. Resolves once the event is durable. Rejects with a TypeError
 * (code E-EVENT-SHAPE, E-JSON-DEPTH or E-OPTION) before anything is sent, or with EsteiraError.
 */
export function sendEventToDashboard(
  event: string,
  payload: object,
  options?: SendEventOptions,
): Promise<SendResult>;

/** Sends many events in their order. All of them are checked before the first one is sent. */
export function sendBatchEvents(
  events: readonly BatchItem[],
  options?: SendOptions,
): Promise<BatchResult>;

export function getDashboardStatus(): Promise<DashboardStatus>;

export function getDashboardMetrics(): Promise<DashboardMetrics>;

declare const esteira: {
  sendEventToDashboard: typeof sendEventToDashboard;
  sendBatchEvents: typeof sendBatchEvents;
  getDashboardStatus: typeof getDashboardStatus;
  getDashboardMetrics: typeof getDashboardMetrics;
  EsteiraError: typeof EsteiraError;
};
export default esteira;
