#!/usr/bin/env node
// The experiments on delivery.
//
//   ./run chaos delivery [--short] [--only NAME] [--seed N] [--runs N] [--list]
//
// --runs: how many members `kill` kills.
//
// --short: seconds instead of minutes, and without judging rates (other tests run beside it).

import * as account from './delivery_account.mjs';
import * as cost from './delivery_cost.mjs';
import * as group from './delivery_group.mjs';
import * as lanes from './delivery_lanes.mjs';
import * as rate from './delivery_rate.mjs';
import * as trace from './delivery_trace.mjs';
import * as verdicts from './delivery_verdicts.mjs';
import { runExperiments } from './experiments.mjs';

// alone: also in short; it kills or freezes Kafka itself, or judges how long something takes.
await runExperiments({
  poison: { run: verdicts.poison },
  poison_items: { run: verdicts.poisonItems },
  auth_401: { run: verdicts.auth401 },
  route_404: { run: verdicts.route404 },
  fast_retries: { run: verdicts.fastRetries },
  retry_after: { run: rate.retryAfter },
  budget: { run: rate.budget },
  outage_probes: { run: rate.outageProbes },
  priority: { run: rate.priority },
  kill: { run: group.kill, alone: true },
  members: { run: group.members },
  frozen_broker: { run: group.frozenBroker, alone: true },
  stuck_key: { run: lanes.stuckKey },
  hanging_type: { run: lanes.hangingType, alone: true },
  slow_answers: { run: lanes.slowAnswers },
  two_destinations: { run: lanes.twoDestinations, alone: true },
  trace: { run: trace.traced },
  dlq_replay: { run: trace.replayed, long: true },
  per_type_settings: { run: lanes.perTypeSettings },
  metrics_journal: { run: account.metricsJournal },
  account: { run: account.account },
  memory: { run: cost.memory },
  cpu: { run: cost.cpu },
});
