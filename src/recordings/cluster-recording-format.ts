import { serviceSeries } from '../contracts/cluster-metrics.ts';
import type {
  ClusterRecording,
  RecordedEdge,
  RecordedService,
  RecordingGap,
  ServiceSeries,
} from '../contracts/cluster-metrics.ts';
import { CoxswainError } from '../contracts/errors.ts';

/*
 * Format, all numbers little-endian:
 *
 * 1. bytes 0–3    the letters CXCR
 * 2. bytes 4–7    uint32, version of the format: 1
 * 3. bytes 8–11   uint32, length of the metadata in bytes, a multiple of 4
 * 4. metadata     UTF-8 JSON, names in the order of `metadataOf`, filled up with spaces
 * 5. columns      one float32 a bin each, NaN as 0x7fc00000: requests/s and p95 of the users; of each service its series
 *                 in the order of `serviceSeries`; of each edge calls/s, error rate, mean
 *
 * Nothing in it depends on when or where it was written, so the same recording has the same content address.
 */
const magic = 'CXCR';
const version = 1;
const headerBytes = 12;
const nanBits = 0x7fc00000;

const edgeSeries = ['callsPerSecond', 'errorRate', 'meanSeconds'] as const;

/** Everything of a recording but its series. */
interface Metadata extends Pick<
  ClusterRecording,
  'namespace' | 'dialect' | 'startSeconds' | 'binSeconds' | 'bins' | 'entry'
> {
  readonly services: readonly Omit<RecordedService, 'series'>[];
  readonly edges: readonly Pick<RecordedEdge, 'source' | 'target' | 'protocol'>[];
  readonly gaps: readonly RecordingGap[];
}

/**
 * The bytes of a recording; equal recordings give equal bytes.
 * @throws RangeError when a series has another length than `bins`.
 */
export function encodeClusterRecording(recording: ClusterRecording): Uint8Array {
  const columns = columnsOf(recording);
  const wrong = columns.find((column) => column.length !== recording.bins);
  if (wrong) throw new RangeError(`a series has ${wrong.length} bins in a recording of ${recording.bins}`);
  const metadata = padded(JSON.stringify(metadataOf(recording)));
  const start = headerBytes + metadata.length;
  const bytes = new Uint8Array(start + 4 * recording.bins * columns.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic));
  view.setUint32(4, version, true);
  view.setUint32(8, metadata.length, true);
  bytes.set(metadata, headerBytes);
  let at = start;
  for (const column of columns) {
    for (const value of column) {
      // An engine may write NaN in any of its forms.
      if (Number.isNaN(value)) view.setUint32(at, nanBits, true);
      else view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return bytes;
}

/**
 * The recording in `bytes`.
 * @throws CoxswainError ARTIFACT_CORRUPT when they are no recording of a cluster, of another version, cut off, or when
 * metadata and series do not fit together.
 */
export function decodeClusterRecording(bytes: Uint8Array): ClusterRecording {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerBytes || new TextDecoder().decode(bytes.subarray(0, 4)) !== magic)
    throw corrupt(`expected the letters ${magic} at the start`);
  if (view.getUint32(4, true) !== version)
    throw corrupt(`expected version ${version}, found ${view.getUint32(4, true)}; record it again with this Coxswain`);
  const start = headerBytes + view.getUint32(8, true);
  if (start % 4 !== 0 || start > bytes.length) throw corrupt(`cut off after ${bytes.length} bytes`);
  const metadata = parseMetadata(bytes.subarray(headerBytes, start));
  const { bins, services, edges } = metadata;
  const columns = 2 + services.length * serviceSeries.length + edges.length * edgeSeries.length;
  if (bytes.length - start !== 4 * bins * columns)
    throw corrupt(`${columns} series of ${bins} bins need ${4 * bins * columns} bytes, found ${bytes.length - start}`);
  let at = start;
  const column = (): Float32Array => {
    const values = new Float32Array(bins);
    for (let bin = 0; bin < bins; bin++, at += 4) values[bin] = view.getFloat32(at, true);
    return values;
  };
  return {
    ...metadata,
    requestsPerSecond: column(),
    p95Seconds: column(),
    services: services.map((service) => ({ ...service, series: namedColumns(serviceSeries, column) })),
    edges: edges.map((edge) => ({ ...edge, ...namedColumns(edgeSeries, column) })),
  };
}

function columnsOf({ requestsPerSecond, p95Seconds, services, edges }: ClusterRecording): Float32Array[] {
  return [
    requestsPerSecond,
    p95Seconds,
    ...services.flatMap(({ series }) => serviceSeries.map((name) => series[name])),
    ...edges.flatMap((edge) => edgeSeries.map((name) => edge[name])),
  ];
}

function namedColumns<Name extends ServiceSeries>(
  names: readonly Name[],
  column: () => Float32Array,
): Record<Name, Float32Array> {
  return Object.fromEntries(names.map((name) => [name, column()])) as Record<Name, Float32Array>;
}

/** With its fields in a fixed order, and none besides. */
function metadataOf(recording: ClusterRecording): Metadata {
  const { namespace, dialect, startSeconds, binSeconds, bins, entry, services, edges, gaps } = recording;
  return {
    ...{ namespace, dialect, startSeconds, binSeconds, bins, entry },
    services: services.map((service) => ({
      workload: service.workload,
      cpuRequestMillicores: service.cpuRequestMillicores,
      cpuLimitMillicores: service.cpuLimitMillicores,
      memoryRequestBytes: service.memoryRequestBytes,
      memoryLimitBytes: service.memoryLimitBytes,
      minReplicas: service.minReplicas,
      maxReplicas: service.maxReplicas,
      startupSeconds: service.startupSeconds,
    })),
    edges: edges.map(({ source, target, protocol }) => ({ source, target, protocol })),
    gaps: gaps.map(({ what, from, to }) => ({ what, from, to })),
  };
}

function padded(text: string): Uint8Array {
  const { length } = new TextEncoder().encode(text);
  return new TextEncoder().encode(text + ' '.repeat((4 - (length % 4)) % 4));
}

function parseMetadata(bytes: Uint8Array): Metadata {
  const metadata = parseJson(bytes);
  if (!fits(metadata, metadataShape)) throw corrupt('its metadata lacks a field or holds a wrong one');
  return metadata as Metadata;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw corrupt('its metadata is no JSON', error);
  }
}

/** What a value must be. An object has exactly the given fields. */
type Shape = ((value: unknown) => boolean) | readonly [Shape] | { readonly [field: string]: Shape };

const text: Shape = (value) => typeof value === 'string';
const count: Shape = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const amount: Shape = (value) => typeof value === 'number' && value >= 0;
const amountOrNull: Shape = (value) => value === null || (typeof value === 'number' && value >= 0);
const oneOf = (...allowed: string[]): Shape => ((value: unknown) => allowed.includes(value as string)) as Shape;

const metadataShape: Shape = {
  namespace: text,
  dialect: oneOf('istio', 'opentelemetry'),
  startSeconds: count,
  binSeconds: count,
  bins: count,
  entry: text,
  services: [
    {
      workload: text,
      cpuRequestMillicores: amountOrNull,
      cpuLimitMillicores: amountOrNull,
      memoryRequestBytes: amountOrNull,
      memoryLimitBytes: amountOrNull,
      minReplicas: amountOrNull,
      maxReplicas: amountOrNull,
      startupSeconds: [amount],
    },
  ],
  edges: [{ source: text, target: text, protocol: oneOf('http', 'grpc', 'tcp') }],
  gaps: [{ what: text, from: count, to: count }],
};

function fits(value: unknown, shape: Shape): boolean {
  if (typeof shape === 'function') return shape(value);
  if (Array.isArray(shape)) return Array.isArray(value) && value.every((one) => fits(one, (shape as [Shape])[0]));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const fields = Object.entries(shape as Record<string, Shape>);
  return (
    Object.keys(value).length === fields.length &&
    fields.every(([name, field]) => Object.hasOwn(value, name) && fits((value as Record<string, unknown>)[name], field))
  );
}

function corrupt(reason: string, cause?: unknown): CoxswainError {
  const message = `This is not a recording of a cluster that can be read: ${reason}.`;
  return new CoxswainError('ARTIFACT_CORRUPT', message, { cause });
}
