import type { PodState } from '../../src/contracts/cluster.ts';
import { onlineBoutiqueApplication } from '../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { Simulation, SUB_STEP_SECONDS } from '../../src/rl/environments/online-boutique/simulation.ts';
import { Generator } from '../../src/rl/random.ts';
import { Exposition } from '../../src/twin-load/exposition.ts';
import { writeObjectSeries } from '../../src/twin-load/object-series.ts';
import { PlayedApplication } from '../../src/twin-load/played-application.ts';
import { PodLedger } from '../../src/twin-load/pod-ledger.ts';
import { PodSeries } from '../../src/twin-load/pod-series.ts';
import { millisecondsEach } from '../figure.ts';
import type { Figure } from '../figure.ts';

const namespace = 'shop';
const measurements = 20;
const stepsEach = 50;

/** Milliseconds of one step of the twin (five simulated seconds) for Online Boutique on the pods of 60 requests/s. */
export const twinLoadStep: Figure = {
  name: 'twin_load_step_ms',
  unit: 'ms',
  async measure() {
    const { play } = twinOn(1);
    const each = await millisecondsEach(measurements, 3, async () => {
      for (let step = 0; step < stepsEach; step++) play();
    });
    return each.map((milliseconds) => milliseconds / stepsEach);
  },
};

/** Milliseconds that a scrape of the twin takes on the pods of 60 requests/s. */
export const twinLoadScrape: Figure = scrapeFigure('twin_load_scrape_ms', 1);

/** The same with about 2 000 pods. */
export const twinLoadLargeScrape: Figure = scrapeFigure('twin_load_scrape_2000_pods_ms', 90);

/** CPU that playing and a scrape every 5 s take at real speed, percent of a core; reading the cluster comes on top. */
export const twinLoadCpu: Figure = {
  name: 'twin_load_cpu_percent',
  unit: '%',
  measure() {
    const { play, scrape } = twinOn(1);
    const percentOf = (steps: number): number => {
      const before = process.cpuUsage();
      for (let step = 0; step < steps; step++) {
        play();
        scrape();
      }
      const { user, system } = process.cpuUsage(before);
      return (100 * (user + system)) / 1e6 / (steps * SUB_STEP_SECONDS);
    };
    percentOf(stepsEach);
    return Promise.resolve(Array.from({ length: measurements }, () => percentOf(stepsEach)));
  },
};

function scrapeFigure(name: string, times: number): Figure {
  return {
    name,
    unit: 'ms',
    measure() {
      const { play, scrape } = twinOn(times);
      play();
      return millisecondsEach(measurements, 3, async () => scrape());
    },
  };
}

/** A twin on `times` the pods that 60 requests/s need at 60 %. */
function twinOn(times: number): { play(): void; scrape(): Buffer } {
  const { services } = onlineBoutiqueApplication;
  const counts = new Simulation(onlineBoutiqueApplication).replicasFor(60, 0.6);
  const ledger = new PodLedger({ namespace, services, playStartup: false, speed: 1 });
  const pods = services.flatMap(({ name }, s) =>
    Array.from({ length: counts[s] * times }, (_, i) => podOf(name, `${name}-7d4b9c-${i}`)),
  );
  ledger.read({ at: new Date(), nodes: [], workloads: [], pods, podsLeft: {}, events: [], gaps: [] }, 1);
  ledger.refresh(1);
  const played = new PlayedApplication(onlineBoutiqueApplication, {
    namespace,
    ingress: null,
    sloSeconds: 0.5,
    speed: 1,
    generator: new Generator(1),
  });
  const podSeries = new PodSeries();
  return {
    play: () => void played.play(60, ledger),
    scrape() {
      const exposition = new Exposition();
      played.mesh.write(exposition, 0.5);
      podSeries.write(exposition, ledger.pods, 0.5);
      writeObjectSeries(exposition, ledger);
      return Buffer.from(exposition.toString());
    },
  };
}

function podOf(workload: string, name: string): PodState {
  return {
    name,
    namespace,
    workload: `${namespace}/${workload}`,
    node: 'node-1',
    phase: 'Running',
    ready: true,
    terminating: false,
    createdAt: new Date(0),
    readyAt: new Date(0),
    cpuMillicores: null,
    memoryBytes: null,
  };
}
