import { CoxswainError } from '../../contracts/errors.ts';
import type { ArtifactReference, ArtifactStore } from '../../contracts/stores.ts';
import { artifactCorrupt, artifactNotFound, artifactPath, matchesReference, referenceOf } from './content-address.ts';
import type { S3Answer, S3Credentials, S3Request, S3RequestOptions } from './s3-requests.ts';
import { askS3 } from './s3-requests.ts';

/** A bucket and how to reach it. */
export interface S3ArtifactStoreOptions {
  /** Address of an S3-compatible server; null = Amazon's of the region. */
  readonly endpoint: string | null;
  readonly bucket: string;
  /** Put before every key; empty = none. */
  readonly prefix?: string;
  readonly region: string;
  readonly credentials: S3Credentials;
  /**
   * Whether the bucket is named in the path or in the host. Default: in the path with an endpoint of one's own or a
   * bucket with dots (which no certificate covers), else in the host.
   */
  readonly addressing?: 'path' | 'virtual-host';
  /** Default 10 000, plus a millisecond per 1 000 bytes. */
  readonly attemptTimeoutMs?: number;
  /** Default 5. */
  readonly tries?: number;
  /** Default 200. */
  readonly backoffMs?: number;
  /** Default: Node's. */
  readonly fetch?: typeof globalThis.fetch;
}

const fullCodes: ReadonlySet<string> = new Set(['QuotaExceeded', 'XMinioStorageFull', 'StorageFull']);

/**
 * Artifacts in an S3 bucket, at `prefix/sha256/ab/cdef…`. Bytes are sent with their SHA-256, which the server checks
 * before it shows them to anybody. CONFIG_INVALID when an option cannot be used, or when the server refuses the
 * credentials, the bucket or the region.
 */
export function createS3ArtifactStore(options: S3ArtifactStoreOptions): ArtifactStore {
  const prefix = (options.prefix ?? '').replace(/^\/+|\/+$/g, '');
  if (!/^[\w.\-/]*$/.test(prefix) || prefix.split('/').some((part) => part === '..' || part === '.')) {
    throw new CoxswainError('CONFIG_INVALID', `S3 prefix ${prefix}: use letters, digits, dots, dashes and slashes.`);
  }
  const { tries = 5, attemptTimeoutMs = 10_000, backoffMs = 200, fetch = globalThis.fetch } = options;
  const { region, credentials } = options;
  const requests = { bucketUrl: bucketUrlOf(options), region, credentials, tries, attemptTimeoutMs, backoffMs, fetch };
  return new S3ArtifactStore(requests, prefix === '' ? '' : `${prefix}/`);
}

class S3ArtifactStore implements ArtifactStore {
  private readonly options: S3RequestOptions;
  private readonly prefix: string;

  constructor(options: S3RequestOptions, prefix: string) {
    this.options = options;
    this.prefix = prefix;
  }

  async put(bytes: Uint8Array): Promise<ArtifactReference> {
    const reference = referenceOf(bytes);
    const put = this.putRequest(reference, bytes);
    const answer = await this.ask({ ...put, headers: { ...put.headers, 'if-none-match': '*' } });
    if (answer.status === 200) return reference;
    if (answer.status === 412 && (await this.isIntact(reference))) return reference;
    // 412: what lies there is damaged. 501: the server knows no conditions; the same key has the same bytes anyway.
    if (answer.status !== 412 && answer.status !== 501) throw this.refused(put, answer);
    const replaced = await this.ask(put);
    if (replaced.status !== 200) throw this.refused(put, replaced);
    return reference;
  }

  async get(reference: ArtifactReference): Promise<Uint8Array> {
    const key = this.keyOf(reference);
    if (key === null) throw artifactNotFound(reference, this.options.bucketUrl);
    const request: S3Request = { method: 'GET', key, maxBytes: reference.bytes };
    const answer = await this.ask(request);
    // A missing bucket is 404 too, and so is, for some servers, a user whom they do not know.
    if (answer.status === 404 && (answer.code === 'NoSuchKey' || answer.code === '')) {
      throw artifactNotFound(reference, this.options.bucketUrl);
    }
    if (answer.status !== 200) throw this.refused(request, answer);
    if (answer.body === null || !matchesReference(answer.body, reference)) {
      throw artifactCorrupt(reference, this.options.bucketUrl);
    }
    return answer.body;
  }

  async has(reference: ArtifactReference): Promise<boolean> {
    const answer = await this.head(reference);
    return answer !== null && Number(answer.headers.get('content-length')) === reference.bytes;
  }

  private async isIntact(reference: ArtifactReference): Promise<boolean> {
    const answer = await this.head(reference);
    const checksum = answer?.headers.get('x-amz-checksum-sha256') ?? null;
    if (answer === null || Number(answer.headers.get('content-length')) !== reference.bytes) return false;
    return checksum === null || checksum === base64Of(reference);
  }

  private async head(reference: ArtifactReference): Promise<S3Answer | null> {
    const key = this.keyOf(reference);
    if (key === null) return null;
    const request: S3Request = { method: 'HEAD', key, headers: { 'x-amz-checksum-mode': 'ENABLED' } };
    const answer = await this.ask(request);
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw this.refused(request, answer);
    return answer;
  }

  private putRequest(reference: ArtifactReference, body: Uint8Array): S3Request {
    const headers = {
      'content-type': 'application/octet-stream',
      'x-amz-checksum-sha256': base64Of(reference),
    };
    return { method: 'PUT', key: this.keyOf(reference)!, headers, body };
  }

  private ask(request: S3Request): Promise<S3Answer> {
    return askS3(request, this.options);
  }

  private keyOf(reference: ArtifactReference): string | null {
    const path = artifactPath(reference);
    return path === null ? null : this.prefix + path;
  }

  private refused({ method, key }: S3Request, { status, code, message }: S3Answer): CoxswainError {
    const what = `${method} ${this.options.bucketUrl}/${key}: status ${status} ${code} ${message}`.trim();
    if (status === 507 || fullCodes.has(code)) {
      return new CoxswainError('STORAGE_FULL', `The S3 server has no room left. ${what}`);
    }
    const isSetting = status < 400 || status === 401 || status === 403 || status === 404 || status === 400;
    if (!isSetting) return new CoxswainError('INTERNAL', `S3 refused a request. ${what}`);
    const help = 'Check bucket, region and endpoint of COXSWAIN_ARTIFACTS, and the keys with what they may do.';
    return new CoxswainError('CONFIG_INVALID', `S3 refused a request. ${help} ${what}`);
  }
}

function base64Of(reference: ArtifactReference): string {
  return Buffer.from(reference.sha256, 'hex').toString('base64');
}

function bucketUrlOf({ endpoint, bucket, region, addressing }: S3ArtifactStoreOptions): string {
  const invalid = (problem: string): CoxswainError => new CoxswainError('CONFIG_INVALID', `S3 ${problem}`);
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw invalid(`bucket ${bucket} is not a bucket's name.`);
  if (!/^[a-z0-9-]+$/.test(region)) throw invalid(`region ${region} is not a region's name, such as us-east-1.`);
  const server = endpoint ?? `https://s3.${region}.amazonaws.com`;
  if (!URL.canParse(server) || !/^https?:\/\//.test(server)) {
    throw invalid(`endpoint ${server} is not an http:// or https:// address.`);
  }
  const url = new URL(server);
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw invalid('endpoint must not hold credentials or parameters.');
  }
  const inHost = addressing ?? (endpoint === null && !bucket.includes('.') ? 'virtual-host' : 'path');
  const base = url.pathname.replace(/\/+$/, '');
  return inHost === 'virtual-host'
    ? `${url.protocol}//${bucket}.${url.host}${base}`
    : `${url.protocol}//${url.host}${base}/${bucket}`;
}
