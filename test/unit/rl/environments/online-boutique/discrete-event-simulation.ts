/**
 * An independent judge of the fluid model: the same application simulated request by request. Shares no code with it.
 *
 * Every request walks through its call tree depth first; a call waits in its service's one queue (first come, first
 * served) until a server of a ready pod is free, holds it for a random service time (exponential, or Erlang-k for a
 * squared coefficient of variation of 1/k), and then makes its own calls, holding no server meanwhile.
 */
import type { Application, CallParameters } from '../../../../../src/rl/environments/online-boutique/application.ts';
import type { Generator } from '../../../../../src/rl/random.ts';

/** A change of a service's replicas at a moment; new pods serve after the service's start-up delay. */
export interface Scaling {
  readonly atSeconds: number;
  readonly service: string;
  readonly replicas: number;
}

export interface SimulatedPeriod {
  /** Requests of each type that arrived in the period. */
  readonly arrivals: readonly number[];
  /** Latencies of the requests that arrived in the period, seconds, sorted. Infinity = not completed by the end. */
  readonly latencies: Float64Array;
  /** Requests completed in the period, and calls completed per service. */
  readonly completedRequests: number;
  readonly completedCalls: Record<string, number>;
  readonly meanBusyServers: Record<string, number>;
  /** Mean time from coming to a service to being served there, of the calls served in the period; NaN without any. */
  readonly meanOwnSeconds: Record<string, number>;
}

interface Request {
  readonly arrivedAt: number;
  readonly period: number;
  readonly path: readonly number[];
  position: number;
  /** When it came to the service that it is at. */
  cameAt: number;
}

/** @param rates requests per second in each period. Time goes on for `drainSeconds` after the last one. */
export function simulateRequests(options: {
  application: Application;
  replicas: Record<string, number>;
  rates: readonly number[];
  periodSeconds: number;
  scalings?: readonly Scaling[];
  drainSeconds?: number;
  generator: Generator;
}): SimulatedPeriod[] {
  const { application, rates, periodSeconds, generator } = options;
  const names = application.services.map((service) => service.name);
  const paths = application.requests.map((request) => walk(request.call, names));
  const end = rates.length * periodSeconds;
  const events = new EventHeap();
  const capacity = application.services.map((service) => options.replicas[service.name] * service.serversPerPod);
  const busy = names.map(() => 0);
  const queues = names.map(() => new Fifo());
  const replicas = names.map((name) => options.replicas[name]);
  const latencies: number[][] = rates.map(() => []);
  const arrivals = rates.map(() => application.requests.map(() => 0));
  const completedRequests = rates.map(() => 0);
  const completedCalls = rates.map(() => names.map(() => 0));
  const busyTime = rates.map(() => names.map(() => 0));
  const ownTime = rates.map(() => names.map(() => 0));
  let inFlight = 0;

  const schedule = (time: number, run: (now: number) => void): void => events.push(time, run);
  const serveNext = (s: number, now: number): void => {
    while (busy[s] < capacity[s] && queues[s].length > 0) begin(s, queues[s].shift(), now);
  };
  const begin = (s: number, request: Request, now: number): void => {
    busy[s]++;
    const duration = serviceTime(application.services[s].serviceSeconds, application.services[s].serviceScv, generator);
    const period = Math.floor(now / periodSeconds);
    if (period < rates.length) busyTime[period][s] += duration;
    schedule(now + duration, (time) => {
      busy[s]--;
      const at = Math.floor(time / periodSeconds);
      if (at < rates.length) {
        completedCalls[at][s]++;
        ownTime[at][s] += time - request.cameAt;
      }
      serveNext(s, time);
      schedule(time + application.services[s].networkSeconds, (later) => advance(request, later));
    });
  };
  const advance = (request: Request, now: number): void => {
    request.position++;
    if (request.position === request.path.length) {
      inFlight--;
      latencies[request.period].push(now - request.arrivedAt);
      const at = Math.floor(now / periodSeconds);
      if (at < rates.length) completedRequests[at]++;
      return;
    }
    const s = request.path[request.position];
    request.cameAt = now;
    if (busy[s] < capacity[s]) begin(s, request, now);
    else queues[s].push(request);
  };
  const arrive = (now: number): void => {
    const period = Math.floor(now / periodSeconds);
    const type = pick(application, generator);
    inFlight++;
    arrivals[period][type]++;
    advance({ arrivedAt: now, period, path: paths[type], position: -1, cameAt: now }, now);
  };

  rates.forEach((rate, period) => {
    if (rate === 0) return;
    let time = period * periodSeconds + generator.exponential() / rate;
    while (time < (period + 1) * periodSeconds) {
      schedule(time, arrive);
      time += generator.exponential() / rate;
    }
  });
  for (const scaling of options.scalings ?? []) {
    const s = names.indexOf(scaling.service);
    const service = application.services[s];
    schedule(scaling.atSeconds, (now) => {
      const change = scaling.replicas - replicas[s];
      replicas[s] = scaling.replicas;
      if (change < 0) capacity[s] += change * service.serversPerPod;
      else
        schedule(now + service.startupSeconds, (ready) => {
          capacity[s] += change * service.serversPerPod;
          serveNext(s, ready);
        });
    });
  }
  events.runUntil(end + (options.drainSeconds ?? 0));

  return rates.map((_, period) => ({
    arrivals: arrivals[period],
    latencies: Float64Array.from([
      ...latencies[period],
      ...Array.from({ length: period === rates.length - 1 ? inFlight : 0 }, () => Infinity),
    ]).sort(),
    completedRequests: completedRequests[period],
    completedCalls: Object.fromEntries(names.map((name, s) => [name, completedCalls[period][s]])),
    meanBusyServers: Object.fromEntries(names.map((name, s) => [name, busyTime[period][s] / periodSeconds])),
    meanOwnSeconds: Object.fromEntries(names.map((name, s) => [name, ownTime[period][s] / completedCalls[period][s]])),
  }));
}

function walk(call: CallParameters, names: readonly string[]): number[] {
  const path: number[] = [];
  for (let time = 0; time < (call.times ?? 1); time++) {
    path.push(names.indexOf(call.service));
    for (const inner of call.calls ?? []) path.push(...walk(inner, names));
  }
  return path;
}

function pick(application: Application, generator: Generator): number {
  let left = generator.uniform() * application.requests.reduce((sum, request) => sum + request.weight, 0);
  return application.requests.findIndex((request) => (left -= request.weight) < 0);
}

function serviceTime(mean: number, scv: number, generator: Generator): number {
  const phases = Math.round(1 / scv);
  let sum = 0;
  for (let phase = 0; phase < phases; phase++) sum += generator.exponential();
  return (mean * sum) / phases;
}

class Fifo {
  private items: Request[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  push(request: Request): void {
    this.items.push(request);
  }

  shift(): Request {
    const request = this.items[this.head++];
    if (this.head > 4096 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return request;
  }
}

class EventHeap {
  private readonly times: number[] = [];
  private readonly runs: ((now: number) => void)[] = [];

  push(time: number, run: (now: number) => void): void {
    let i = this.times.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.times[parent] <= time) break;
      this.times[i] = this.times[parent];
      this.runs[i] = this.runs[parent];
      i = parent;
    }
    this.times[i] = time;
    this.runs[i] = run;
  }

  runUntil(end: number): void {
    while (this.times.length > 0 && this.times[0] <= end) {
      const time = this.times[0];
      const run = this.runs[0];
      this.removeFirst();
      run(time);
    }
  }

  private removeFirst(): void {
    const time = this.times.pop()!;
    const run = this.runs.pop()!;
    const size = this.times.length;
    if (size === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && this.times[child + 1] < this.times[child]) child++;
      if (this.times[child] >= time) break;
      this.times[i] = this.times[child];
      this.runs[i] = this.runs[child];
      i = child;
    }
    this.times[i] = time;
    this.runs[i] = run;
  }
}
