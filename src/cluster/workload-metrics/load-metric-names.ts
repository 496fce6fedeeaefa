import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { CoxswainError } from '../../contracts/errors.ts';
import { standardMetricNames } from './metric-names.ts';
import type { MetricNames } from './metric-names.ts';

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/);
/** Goes into an expression as it is, so it can be nothing but a name. */
const metricName = z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
const values = z.array(z.string()).min(1);
const labelFilter = z.record(labelName, z.union([z.string(), values, z.strictObject({ not: values })]));
const workloadLabels = z.strictObject({ name: labelName, namespace: labelName.nullable() });

const side = z
  .strictObject({
    filter: labelFilter,
    durationBuckets: metricName,
    durationSum: metricName,
    durationCount: metricName,
  })
  .partial();

const calls = z
  .strictObject({
    requests: metricName,
    errors: z.array(z.union([z.strictObject({ filter: labelFilter }), z.strictObject({ metric: metricName })])),
    server: side,
    client: side.nullable(),
    durationSecondsPerUnit: z.number().positive(),
    tcpConnections: metricName.nullable(),
    mutualTls: labelFilter.nullable(),
    source: workloadLabels,
    target: workloadLabels,
    outside: z.array(z.string()),
    protocolLabel: labelName.nullable(),
  })
  .partial();

const pods = z
  .strictObject({
    namespaceLabel: labelName,
    podLabel: labelName,
    containerFilter: labelFilter,
    cpuSeconds: metricName,
    memoryBytes: metricName,
    receivedBytes: metricName,
    sentBytes: metricName,
  })
  .partial();

const replicas = z.array(
  z.strictObject({
    namespaceLabel: labelName,
    nameLabel: labelName,
    replicas: metricName,
    readyReplicas: metricName,
  }),
);

/** What a file of names may hold; what it leaves out keeps its standard name. */
const schema = z
  .strictObject({ calls: z.strictObject({ istio: calls, opentelemetry: calls }).partial(), pods, replicas })
  .partial();

/**
 * The names of series: the standard ones, but for those that a JSON file gives otherwise.
 * @param path of the file that COXSWAIN_METRICS_NAMES names; null = none.
 * @throws CoxswainError CONFIG_INVALID when the file cannot be read, is no JSON, or has a field that is not allowed.
 */
export function loadMetricNames(path: string | null): MetricNames {
  if (path === null) return standardMetricNames;
  const parsed = schema.safeParse(jsonIn(path));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path: field, message }) => `${field.join('.') || 'it'}: ${message}`);
    throw invalid(path, `is wrong at ${problems.join('; ')}; docs/guides/metrics-sources.md lists its fields`);
  }
  const { calls: named, pods: podNames, replicas: replicaNames } = parsed.data;
  const standard = standardMetricNames;
  return {
    calls: {
      istio: withCalls(standard.calls.istio, named?.istio),
      opentelemetry: withCalls(standard.calls.opentelemetry, named?.opentelemetry),
    },
    pods: { ...standard.pods, ...podNames },
    replicas: replicaNames ?? standard.replicas,
  };
}

type CallNames = MetricNames['calls']['istio'];

function withCalls(standard: CallNames, named: z.output<typeof calls> = {}): CallNames {
  const { server, client, ...others } = named;
  return {
    ...standard,
    ...others,
    server: { ...standard.server, ...server },
    client: client === null ? null : { ...(standard.client ?? standard.server), ...client },
  };
}

function jsonIn(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw invalid(path, `cannot be read as JSON (${cause instanceof Error ? cause.message : String(cause)})`);
  }
}

function invalid(path: string, problem: string): CoxswainError {
  return new CoxswainError('CONFIG_INVALID', `COXSWAIN_METRICS_NAMES: the file ${path} ${problem}.`);
}
