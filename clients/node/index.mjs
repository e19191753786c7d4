import esteira from './index.js';

export const {
  sendEventToDashboard,
  sendBatchEvents,
  getDashboardStatus,
  getDashboardMetrics,
  EsteiraError,
} = esteira;
export default esteira;
