import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { freePorts, retryTakenPort } from '../../../../scripts/local-services/free-port.ts';

test('a preferred port is taken when it is free, and another one when somebody listens there', async (context) => {
  const somebody = createServer();
  await new Promise<void>((resolve) => somebody.listen(0, '127.0.0.1', resolve));
  context.after(() => somebody.close());
  const { port } = somebody.address() as AddressInfo;
  const [other] = await freePorts([port]);
  assert.notEqual(other, port);
  assert.deepEqual(await freePorts([other]), [other]);
});

test('ports that are asked for together differ, and lie below those that systems give out by themselves', async () => {
  const ports = await freePorts(Array.from({ length: 20 }, () => undefined));
  assert.equal(new Set(ports).size, 20);
  assert.ok(ports.every((port) => port >= 20_000 && port < 32_000));
});

test('a start that finds its port taken is repeated, and another failure is not', async () => {
  let starts = 0;
  const result = await retryTakenPort(async () => {
    starts++;
    if (starts === 1) throw new Error('listen tcp 127.0.0.1:1: bind: address already in use');
    return starts;
  });
  assert.equal(result, 2);
  await assert.rejects(
    retryTakenPort(async () => {
      starts++;
      throw new Error('no such program');
    }),
    /no such program/,
  );
  assert.equal(starts, 3);
});

test('a port that is always taken is an error in the end', async () => {
  const taken = async () => Promise.reject(new Error('address already in use'));
  await assert.rejects(retryTakenPort(taken), /already in use/);
});
