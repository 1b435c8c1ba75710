// One cluster of real nodes: a control plane on the first node's machine, and its nodes, which can be rebooted, added and changed.
import { join } from 'node:path';
import { blockObjects, calicoDefinitions, type LabNode } from '../calico.ts';
import { type ApiClient, createClient } from '../client.ts';
import { configOf, ready, type Site } from '../control-plane.ts';
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
  const parts = await startMachines(place, shape);
  const { site, client, nodes, first } = parts;
  const startControl = () => startControlPlane(site, nodeOf(nodes, first.name).machine, { client, node: first });
  let apiServer = await startControl();
  await Promise.all([putCalico(client, shape), ...shape.nodes.map(({ name }) => startPrograms(parts, name))]);
  await putAll(client, dnsObjects(site, first.address));
  await nodesReady(client, shape.name, nodes);
  await Promise.all([annotate(client, shape.nodes), ...[...nodes.values()].map(({ machine }) => masqueradeReady(machine))]);
  return {
    name: shape.name,
    folder: site.folder,
    podCIDR: shape.podCIDR,
    serviceCIDR: shape.serviceCIDR,
    server: site.server,
    kubeconfig: configOf(site, 'admin'),
    client,
    get apiServer() {
      return apiServer;
    },
    nodes,
    waitForNodes: () => nodesReady(client, shape.name, nodes),
    reboot: async (name) => {
      const node = nodeOf(nodes, name);
      await node.machine.stop();
      nodes.set(name, { ...node, machine: await startNodeMachine(place, node.shape) });
      if (name === first.name) apiServer = await startControl();
      await startPrograms(parts, name);
    },
    flapLink: (name) => flapLink(nodeOf(nodes, name).machine),
    addNode: (node) => addNode(parts, node),
    moveBlock: (block, to) => moveBlock(parts, block, to),
  };
}

interface Parts {
  readonly place: NodePlace;
  readonly site: Site;
  readonly client: ApiClient;
  readonly nodes: Map<string, RealNode>;
  /** The node with the control plane. */
  readonly first: PlacedNode;
}

/** Machines with links, and everything that has to be there before a program of Kubernetes starts. */
async function startMachines(place: NodePlace, shape: ClusterShape): Promise<Parts> {
  const [first] = shape.nodes;
  if (first === undefined) throw new Error(`${shape.name} has no node`);
  const machines = await Promise.all(shape.nodes.map((node) => startNodeMachine(place, node)));
  const site = await makeSite(join(place.lab, shape.name), place.keep, shape);
  const socket = startForwarder(place.fabric.machine, site, first);
  const client = createClient(site.server, { pki: site.pki, user: 'admin', socket });
  const nodes = new Map<string, RealNode>();
  for (const [index, machine] of machines.entries()) {
    const node = shape.nodes[index];
    if (node !== undefined) nodes.set(node.name, { shape: node, machine, processes: new Map() });
  }
  return { place, site, client, nodes, first };
}

async function startPrograms({ place, site, nodes }: Parts, name: string): Promise<void> {
  const { shape: node, machine } = nodeOf(nodes, name);
  const started = await startNodePrograms(machine, { site, node, peers: peersOf(nodes), images: place.images });
  nodes.set(name, { shape: node, machine, processes: new Map(started.map((each) => [each.name, each])) });
}

async function addNode(parts: Parts, node: PlacedNode): Promise<void> {
  const { place, site, client, nodes } = parts;
  nodes.set(node.name, { shape: node, machine: await startNodeMachine(place, node), processes: new Map() });
  const blocks = node.blocks.flatMap((block) => blockObjects(node.name, block));
  await putAll(client, blocks);
  await startPrograms(parts, node.name);
  await nodesReady(client, site.name, nodes);
  await annotate(client, [node]);
  await rewire(nodes);
}

async function moveBlock({ site, client, nodes }: Parts, block: string, to: string): Promise<void> {
  const from = [...nodes.values()].find((node) => node.shape.blocks.includes(block));
  if (from === undefined) throw new Error(`no node of ${site.name} has block ${block}`);
  const target = nodeOf(nodes, to);
  const others = from.shape.blocks.filter((each) => each !== block);
  nodes.set(from.shape.name, withBlocks(from, others));
  nodes.set(to, withBlocks(target, [...target.shape.blocks, block]));
  await moveBlockObjects(client, block, { from: from.shape.name, to });
  await rewire(nodes);
}

/** Tells BIRD of every node what it and the others have now. */
async function rewire(nodes: ReadonlyMap<string, RealNode>): Promise<void> {
  await Promise.all([...nodes.values()].map((each) => changeBlocks(each.machine, each.shape, peersOf(nodes))));
}

function peersOf(nodes: ReadonlyMap<string, RealNode>): LabNode[] {
  return [...nodes.values()].map(({ shape }) => shape);
}

/** Calico's objects of a block are deleted and made again: its affinity is named after its node. */
async function moveBlockObjects(client: ApiClient, block: string, { from, to }: { from: string; to: string }): Promise<void> {
  for (const { kind, metadata } of blockObjects(from, block))
    await client.delete(`/apis/crd.projectcalico.org/v1/${kind === 'IPAMBlock' ? 'ipamblocks' : 'blockaffinities'}/${metadata.name}`);
  await putAll(client, blockObjects(to, block));
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
