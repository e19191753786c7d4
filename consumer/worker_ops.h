/* What the consumer tells at consumer.ops_listen: /healthz, /readyz, /metrics. */
#pragma once

#include "base/err.h"

struct est_ops;
struct worker;

est_err worker_ops_open(struct worker *w, struct est_ops **ret, struct est_why *reterr);
