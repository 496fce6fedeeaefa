import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoBulkWriteError, MongoNetworkError, MongoServerError } from 'mongodb';
import { CoxswainError } from '../../../../src/contracts/errors.ts';
import { isDuplicateKey, translateMongoError, withOurErrors } from '../../../../src/store/mongo/mongo-errors.ts';

const address = 'db.example:27017';

function translated(error: unknown): CoxswainError {
  const translation = translateMongoError(error, address);
  assert.ok(translation instanceof CoxswainError);
  assert.ok(translation.message.includes(address), translation.message);
  assert.equal(translation.retryable, !['CONFIG_INVALID'].includes(translation.code));
  return translation;
}

function serverError(code: number, message = 'some message'): MongoServerError {
  return new MongoServerError({ code, message });
}

test('what passes by itself is STORE_UNAVAILABLE', () => {
  const socketClosed = Object.assign(new Error('ended by the other party'), { code: 'EPIPE' });
  const errors = [
    new MongoNetworkError('connection closed'),
    serverError(10107, 'not primary'),
    serverError(11600, 'interrupted at shutdown'),
    serverError(1, 'database is locked (5) (SQLITE_BUSY)'),
    socketClosed,
    new MongoBulkWriteError(new MongoNetworkError('connect ECONNREFUSED') as never, {} as never),
    new MongoBulkWriteError(socketClosed as never, {} as never),
  ];
  for (const error of errors) assert.equal(translated(error).code, 'STORE_UNAVAILABLE', error.message);
});

test('refused credentials are CONFIG_INVALID', () => {
  for (const code of [13, 18])
    assert.equal(translated(serverError(code, 'Authentication failed.')).code, 'CONFIG_INVALID');
});

test('a full disk is STORAGE_FULL', () => {
  assert.equal(translated(serverError(14031)).code, 'STORAGE_FULL');
  assert.equal(translated(serverError(1, 'database or disk is full (13)')).code, 'STORAGE_FULL');
});

test("any other refusal is INTERNAL with the server's words", () => {
  const translation = translated(serverError(2, 'unknown operator: $foo'));
  assert.equal(translation.code, 'INTERNAL');
  assert.match(translation.message, /unknown operator: \$foo/);
});

test('errors that are not of the driver stay as they are', () => {
  for (const error of [new CoxswainError('STALE_ATTEMPT', 'stop'), new TypeError('x is not a function'), 'text']) {
    assert.equal(translateMongoError(error, address), error);
  }
});

test('only a taken unique key counts as a duplicate', () => {
  assert.equal(isDuplicateKey(serverError(11000)), true);
  assert.equal(isDuplicateKey(serverError(11600)), false);
  assert.equal(isDuplicateKey(Object.assign(new Error('x'), { code: 11000 })), false);
});

test('a wrapped port keeps its results and translates its errors', async () => {
  class Port {
    private readonly greeting = 'hello';
    async greet(name: string): Promise<string> {
      if (name === '') throw new MongoNetworkError('gone');
      return `${this.greeting} ${name}`;
    }
  }
  const port = withOurErrors(new Port(), address);
  assert.equal(await port.greet('you'), 'hello you');
  await assert.rejects(port.greet(''), { code: 'STORE_UNAVAILABLE' });
});
