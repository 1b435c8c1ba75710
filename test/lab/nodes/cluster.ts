// One cluster of real nodes: a control plane on the first node's machine, and its nodes, which can be rebooted, added and changed.
import { join } from 'node:path';
import { blockObjects, calicoDefinitions, type LabNode } from '../calico.ts';
import { type ApiClient, createClient } from '../client.ts';
import { configOf, ready } from '../control-plane.ts';
import { putCalicoObjects } from '../load.ts';
import { putAll } from '../objects.ts';
import type { LabProcess } from '../process.ts';
import { makeSite, startControlPlane, startForwarder } from './control.ts';
import { dnsObjects } from './dns.ts';
import { flapLink } from './fabric.ts';
import type { Machine } from './machine.ts';
import { masqueradeReady } from './masquerade.ts';
import { changeBlocks, type NodePlace, startNodeMachine, startNodePrograms } from './node.ts';
import { type ClusterShape, type PlacedNode, subnet } from './shape.ts';

export interface RealNode {
  /** Name, address and blocks as they are now. */
  readonly shape: PlacedNode;
  readonly machine: Machine;
  readonly processes: ReadonlyMap<string, LabProcess>;
}

export interface RealCluster {
  readonly name: string;
  readonly folder: string;
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  /** URL of the API server, on the first node's address. */
  readonly server: string;
  /** Path of the administrator's kubeconfig, for programs in the lab's network; its context is the cluster's name. */
  readonly kubeconfig: string;
  /** Works from anywhere, and whatever the nodes suffer. */
  readonly client: ApiClient;
  readonly apiServer: LabProcess;
  /** Nodes by name, in order; the first has the control plane. */
  readonly nodes: ReadonlyMap<string, RealNode>;
  /** Cuts a node's power and starts it again. Returns when its programs run; waitForNodes tells when it is Ready. */
  reboot(name: string): Promise<void>;
  flapLink(name: string): Promise<void>;
  /** A node joins, known to BIRD and Calico like the others. */
  addNode(node: PlacedNode): Promise<void>;
  /** A block goes to another node; pods that have addresses of it lose them. */
  moveBlock(block: string, to: string): Promise<void>;
  /** Returns when every node is Ready. */
  waitForNodes(): Promise<void>;
}

/** Starts a cluster; returns when its nodes are Ready and pods can be made. */
export async function startRealCluster(place: NodePlace, shape: ClusterShape): Promise<RealCluster> {
  const { lab, keep, fabric, images } = place;
  const folder = join(lab, shape.name);
  const nodes = new Map<string, RealNode>();
  const peers = () => [...nodes.values()].map((node) => node.shape);
  const [first] = shape.nodes;
  if (first === undefined) throw new Error(`${shape.name} has no node`);
  const boot = await Promise.all(shape.nodes.map(async (node) => ({ node, machine: await startNodeMachine(place, node) })));
  for (const { node, machine } of boot) nodes.set(node.name, { shape: node, machine, processes: new Map() });
  const site = await makeSite(folder, keep, shape);
  const socket = startForwarder(fabric.machine, site, first);
  const client = createClient(site.server, { pki: site.pki, user: 'admin', socket });
  const startControl = () => startControlPlane(site, nodeOf(nodes, first.name).machine, { client, node: first });
  let apiServer = await startControl();

  const startPrograms = async (name: string) => {
    const { shape: node, machine } = nodeOf(nodes, name);
    const started = await startNodePrograms(machine, { site, node, peers: peers(), images });
    nodes.set(name, { shape: node, machine, processes: new Map(started.map((each) => [each.name, each])) });
  };
  await Promise.all([putCalico(client, shape), ...shape.nodes.map(({ name }) => startPrograms(name))]);
  await putAll(client, dnsObjects(site, first.address));
  const waitForNodes = () => nodesReady(client, shape.name, nodes);
  await waitForNodes();
  await Promise.all([annotate(client, peers()), ...[...nodes.values()].map(({ machine }) => masqueradeReady(machine))]);
  const rewire = () => Promise.all([...nodes.values()].map((each) => changeBlocks(each.machine, each.shape, peers())));

  return {
    name: shape.name,
    folder,
    podCIDR: shape.podCIDR,
    serviceCIDR: shape.serviceCIDR,
    server: site.server,
    kubeconfig: configOf(site, 'admin'),
    client,
    get apiServer() {
      return apiServer;
    },
    nodes,
    waitForNodes,
    reboot: async (name) => {
      const node = nodeOf(nodes, name);
      await node.machine.stop();
      nodes.set(name, { ...node, machine: await startNodeMachine(place, node.shape) });
      if (name === first.name) apiServer = await startControl();
      await startPrograms(name);
    },
    flapLink: (name) => flapLink(nodeOf(nodes, name).machine),
    addNode: async (node) => {
      nodes.set(node.name, { shape: node, machine: await startNodeMachine(place, node), processes: new Map() });
      await putAll(
        client,
        node.blocks.flatMap((block) => blockObjects(node.name, block)),
      );
      await startPrograms(node.name);
      await waitForNodes();
      await annotate(client, [node]);
      await rewire();
    },
    moveBlock: async (block, to) => {
      const from = [...nodes.values()].find((node) => node.shape.blocks.includes(block));
      if (from === undefined) throw new Error(`no node of ${shape.name} has block ${block}`);
      const target = nodeOf(nodes, to);
      nodes.set(
        from.shape.name,
        withBlocks(
          from,
          from.shape.blocks.filter((each) => each !== block),
        ),
      );
      nodes.set(to, withBlocks(target, [...target.shape.blocks, block]));
      for (const { kind, metadata } of blockObjects(from.shape.name, block))
        await client.delete(`/apis/crd.projectcalico.org/v1/${kind === 'IPAMBlock' ? 'ipamblocks' : 'blockaffinities'}/${metadata.name}`);
      await putAll(client, blockObjects(to, block));
      await rewire();
    },
  };
}

function withBlocks(node: RealNode, blocks: readonly string[]): RealNode {
  return { ...node, shape: { ...node.shape, blocks } };
}

function nodeOf(nodes: ReadonlyMap<string, RealNode>, name: string): RealNode {
  const node = nodes.get(name);
  if (node === undefined) throw new Error(`no node is called ${name}`);
  return node;
}

async function putCalico(client: ApiClient, shape: ClusterShape): Promise<void> {
  await putAll(client, calicoDefinitions());
  await putCalicoObjects(client, shape);
}

/** What Calico's node agent notes on each node about its address. */
async function annotate(client: ApiClient, nodes: readonly LabNode[]): Promise<void> {
  for (const { name, address } of nodes) {
    const annotations = { 'projectcalico.org/IPv4Address': `${address}/${subnet.prefix}` };
    await client.mergePatch(`/api/v1/nodes/${name}`, { metadata: { annotations } });
  }
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Waits for all nodes, but not for one that cannot come because a program of it has ended. */
async function nodesReady(client: ApiClient, cluster: string, nodes: ReadonlyMap<string, RealNode>): Promise<void> {
  const processes = [...nodes.values()].flatMap((node) => [...node.processes.values()]);
  await ready(processes, `the nodes of ${cluster} to be Ready`, async () => {
    const found = (await client.list('/api/v1/nodes')) as unknown as NodeObject[];
    const isReady = ({ status }: NodeObject) => status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
    const names = new Set(found.filter(isReady).map(({ metadata }) => metadata.name));
    return [...nodes.keys()].every((name) => names.has(name));
  });
}
