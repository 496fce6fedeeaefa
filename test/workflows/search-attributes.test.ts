import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { testServices, uniqueName } from '../../scripts/local-services/test-services.ts';
import type { TestServices } from '../../scripts/local-services/test-services.ts';
import { ensureSearchAttributes } from '../../workers/search-attributes.ts';
import { registerNamespace } from './workflow-server.ts';

const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;
let services: TestServices;
let connection: Connection;
before(async () => {
  services = await testServices();
  connection = await Connection.connect({ address: services.temporalAddress });
});
after(async () => {
  await connection.close();
  await services.stop();
});

async function newNamespace(): Promise<string> {
  const namespace = uniqueName('attributes');
  await registerNamespace(connection, namespace);
  return namespace;
}

/** The connection, but its operator service refuses what is named. */
function refusing(...methods: string[]): Connection {
  const refuse = () => Promise.reject(Object.assign(new Error('no permission'), { code: 7 }));
  const operatorService = new Proxy(connection.operatorService, {
    get: (service, name) => (methods.includes(String(name)) ? refuse : Reflect.get(service, name)),
  });
  return { operatorService } as unknown as Connection;
}

test('what is missing is registered, also by several workers at once', async () => {
  const namespace = await newNamespace();
  await Promise.all([1, 2, 3].map(() => ensureSearchAttributes(connection, namespace)));
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const ours = Object.keys(customAttributes ?? {}).filter((name) => name.startsWith('Coxswain'));
  assert.equal(ours.length, 6);
});

test('a worker that may not add them stops with the command to run', async () => {
  const namespace = await newNamespace();
  const command = new RegExp(
    `temporal operator search-attribute create --namespace ${namespace} .*--name CoxswainBestScore --type Double`,
  );
  for (const methods of [['addSearchAttributes'], ['addSearchAttributes', 'listSearchAttributes']]) {
    await assert.rejects(ensureSearchAttributes(refusing(...methods), namespace), {
      code: 'SEARCH_ATTRIBUTES_MISSING',
      message: command,
    });
  }
});

test('an attribute of another type is refused by name', async () => {
  const namespace = await newNamespace();
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: { CoxswainBestScore: INDEXED_VALUE_TYPE_KEYWORD },
  });
  await assert.rejects(ensureSearchAttributes(connection, namespace), {
    code: 'SEARCH_ATTRIBUTES_MISSING',
    message: /CoxswainBestScore that is no Double/,
  });
});
