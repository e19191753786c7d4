// The same names as index.d.ts; by import there is a default export too, which holds the functions.

import * as names from './index.js';

export * from './index.js';

declare const esteira: Pick<
  typeof names,
  | 'sendEventToDashboard'
  | 'sendBatchEvents'
  | 'getDashboardStatus'
  | 'getDashboardMetrics'
  | 'EsteiraError'
>;
export default esteira;
