// From two empty clusters of real nodes to BookInfo: isthmus against the manual way, each on a lab of its own in the same run.
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../src/bookinfo/ask.ts';
import { apartShape, startFurtherLoadBalancers } from '../lab/nodes/apart.ts';
import { type IstioLab, startIstioLab } from '../lab/nodes/istio-lab.ts';
import { meshShape } from '../lab/nodes/shape.ts';
import { formatSeconds, type Row } from './measure.ts';
import { byHand } from './ways/by-hand.ts';
import { byHandWithGateways } from './ways/by-hand-gateways.ts';
import { byIsthmus } from './ways/isthmus.ts';
import { type CountedPlace, createPlace } from './ways/place.ts';
import type { Place, Way } from './ways/types.ts';

interface Topology {
  /** Starts a lab that nobody has touched. */
  readonly start: () => Promise<IstioLab>;
  readonly isthmus: Way;
  readonly byHand: Way;
}

const say = (line: string) => process.stderr.write(`${line}\n`);

/** By what joins the pods of the clusters. */
const topologies = {
  routes: {
    start: () => startIstioLab({ say, empty: true, shape: meshShape({ clusters: 2, nodes: 2 }) }),
    isthmus: byIsthmus(['c1']),
    byHand,
  },
  gateways: {
    start: startApart,
    isthmus: byIsthmus(['c1', 'c2']),
    byHand: byHandWithGateways,
  },
} as const satisfies Readonly<Record<string, Topology>>;

export async function benchMesh(joinedBy: keyof typeof topologies): Promise<Row[]> {
  const topology = topologies[joinedBy];
  const isthmus = await measure(topology, topology.isthmus);
  const manual = await measure(topology, topology.byHand);
  return compare(`mesh over ${joinedBy}`, isthmus, manual);
}

/** Two clusters with the same pod CIDR and a load balancer each. */
async function startApart(): Promise<IstioLab> {
  const lab = await startIstioLab({ say, empty: true, shape: apartShape(2, [1]) });
  startFurtherLoadBalancers(lab, lab.clusters.slice(1));
  return lab;
}

interface Course {
  readonly commands: number;
  /** Seconds from the first command until the mesh was ready for applications. */
  readonly installed: number;
  /** Seconds from the first command until BookInfo had been answered by both clusters. */
  readonly answered: number;
}

/** Goes a way from the first command to the last on a lab that nobody has touched. */
async function measure({ start }: Topology, way: Way): Promise<Course> {
  const lab = await start();
  try {
    say(`${way.name}:`);
    const place = createPlace(lab, say);
    try {
      return await go(way, place);
    } finally {
      place.operator.remove();
    }
  } finally {
    await lab.stop();
  }
}

async function go(way: Way, place: CountedPlace): Promise<Course> {
  const start = performance.now();
  const since = () => (performance.now() - start) / 1000;
  await way.install(place);
  const installed = since();
  const watch = new AbortController();
  try {
    const answered = untilBothAnswer(place, watch.signal).then(since);
    await way.deploy(place);
    return { commands: place.typed(), installed, answered: await answered };
  } finally {
    watch.abort();
  }
}

/** Asks as anybody would who waits for BookInfo, beside whatever the way itself asks. */
async function untilBothAnswer({ one, two }: Place, signal: AbortSignal): Promise<void> {
  const options = { namespace: 'bookinfo', hub: '', tag: '', revision: '', primary: one.name, remote: two.name };
  const missing = new Set([one.name, two.name]);
  while (missing.size > 0 && !signal.aborted) {
    missing.delete((await ask(one.client, options)).cluster ?? '');
    await sleep(200);
  }
}

/** Commands have a budget. Seconds have none: they are those of programs, without the person who reads and types between them. */
function compare(name: string, isthmus: Course, byHand: Course): Row[] {
  const ratio = (key: keyof Course) => isthmus[key] / byHand[key];
  const times = `${ratio('installed').toFixed(2)} x and ${ratio('answered').toFixed(2)} x the seconds`;
  return [
    {
      what: `${name}, from two empty clusters to BookInfo`,
      measured: describe(isthmus),
      peer: `by hand ${describe(byHand)}`,
      budget: `${ratio('commands').toFixed(2)} x the commands, at most 0.25; ${times}`,
      met: ratio('commands') <= 0.25,
    },
  ];
}

function describe({ commands, installed, answered }: Course): string {
  return `${commands} commands, installed after ${formatSeconds(installed)}, answered after ${formatSeconds(answered)}`;
}
