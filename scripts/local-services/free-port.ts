import { randomInt } from 'node:crypto';
import type { Server } from 'node:net';
import { createServer } from 'node:net';

const loopback = '127.0.0.1';
const attempts = 3;

/**
 * Ports below those that systems give out by themselves: a server that is started again on its port must find it free,
 * and not taken meanwhile by somebody's outgoing connection or by what asked the system for any port.
 */
const ownRange = { from: 20_000, to: 32_000 };

/**
 * TCP ports of the loopback address that nobody listens on, each another: a preferred one when it is free, any other
 * where it is taken or none is preferred.
 */
export async function freePorts(preferred: readonly (number | undefined)[]): Promise<number[]> {
  const servers: Server[] = [];
  for (const port of preferred) {
    servers.push((port === undefined ? undefined : await listen(port)) ?? (await listenAnywhere()));
  }
  const ports = servers.map(portOf);
  await Promise.all(servers.map(close));
  return ports;
}

/**
 * Calls `start` again, so that it takes other ports, when it failed because somebody took a port between looking and
 * listening.
 */
export async function retryTakenPort<Result>(start: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === attempts || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

async function listenAnywhere(): Promise<Server> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const server = await listen(randomInt(ownRange.from, ownRange.to));
    if (server !== undefined) return server;
  }
  throw new Error(`There is no free TCP port between ${ownRange.from} and ${ownRange.to} on ${loopback}.`);
}

/** Undefined when the port is taken. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: loopback, exclusive: true }, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port.');
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
