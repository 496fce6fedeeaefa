import { MongoBulkWriteError, MongoError, MongoErrorLabel, MongoNetworkError, MongoServerError } from 'mongodb';
import { CoxswainError } from '../../contracts/errors.ts';

/** Server codes that pass by themselves: elections, shutdowns, timeouts and write concerns that could not be met. */
const passingCodes: ReadonlySet<unknown> = new Set([
  6, 7, 50, 64, 89, 91, 100, 134, 189, 202, 262, 9001, 10107, 11600, 11602, 13435, 13436,
]);
/** Errors of the driver itself that say the same; not all of their classes are exported. */
const passingNames: ReadonlySet<string> = new Set([
  'MongoServerSelectionError',
  'MongoOperationTimeoutError',
  'MongoWaitQueueTimeoutError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoServerClosedError',
  'MongoClientClosedError',
  'MongoPoolClosedError',
  'MongoExpiredSessionError',
]);
/** Errors of the socket that the driver hands on as they are. */
const socketCodes =
  /^(EPIPE|ECONN[A-Z]+|ETIMEDOUT|E(HOST|NET)UNREACH|ENOTFOUND|EAI_AGAIN|ERR_(STREAM|SOCKET)_[A-Z_]+)$/;
const refusedCredentialCodes: ReadonlySet<unknown> = new Set([13, 18, 8000]);
const outOfDiskSpaceCode = 14031;
const duplicateKeyCode = 11000;

/** True when the write was refused because a unique key is taken. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === duplicateKeyCode;
}

/** True when every document that an unordered insert left out was there already. */
export function isOnlyDuplicates(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError)) return false;
  const writeErrors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  if (error.result.getWriteConcernError() !== undefined) return false;
  return writeErrors.length > 0 && writeErrors.every(({ code }) => code === duplicateKeyCode);
}

/** True when the server was not reached, did not answer in time, or says that it will be back. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof MongoError)) return isSocketError(error);
  return (
    error instanceof MongoNetworkError ||
    passingNames.has(error.name) ||
    error.hasErrorLabel(MongoErrorLabel.RetryableWriteError) ||
    passingCodes.has(error.code) ||
    /database is locked/.test(error.message)
  );
}

/** A bulk write hides what happened to its connection inside an error that says that the server refused it. */
function unwrapped(error: unknown): unknown {
  const inner: unknown = error instanceof MongoBulkWriteError ? error.errorResponse : undefined;
  return inner instanceof Error ? inner : error;
}

function isSocketError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && socketCodes.test(error.code);
}

/** The error of the driver as one of ours. `address` is shown to people and holds no credentials. */
export function translateMongoError(thrown: unknown, address: string): unknown {
  const error = unwrapped(thrown);
  if (!(error instanceof MongoError || isSocketError(error))) return thrown;
  const code: unknown = 'code' in error ? error.code : undefined;
  if (refusedCredentialCodes.has(code)) {
    const message = `MongoDB at ${address} refused the credentials: ${error.message}. Check the user, password and role in MONGODB_URL.`;
    return new CoxswainError('CONFIG_INVALID', message, { cause: error });
  }
  if (code === outOfDiskSpaceCode || /disk is full|no space left/i.test(error.message)) {
    return new CoxswainError('STORAGE_FULL', `The disk of MongoDB at ${address} is full. Free space.`, {
      cause: error,
    });
  }
  if (isUnreachable(error)) {
    const message = `MongoDB at ${address} cannot be reached: ${error.message}. Check MONGODB_URL and that the server runs.`;
    return new CoxswainError('STORE_UNAVAILABLE', message, { cause: error });
  }
  return new CoxswainError('INTERNAL', `MongoDB at ${address} refused an operation: ${error.message}`, {
    cause: error,
  });
}

/** `port` whose methods throw our errors in place of the driver's. */
export function withOurErrors<Port extends object>(port: Port, address: string): Port {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...parameters: unknown[]): Promise<unknown> => {
        try {
          return await Reflect.apply(member, target, parameters);
        } catch (error) {
          throw translateMongoError(error, address);
        }
      };
    },
  });
}
