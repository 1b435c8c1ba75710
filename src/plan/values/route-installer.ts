// Values of chart route-installer: types the plan, and becomes the chart's values.schema.json.
import * as z from 'zod';
import { Address, Cidr, HelmGlobal, Image, ImagePullSecrets } from './common.ts';

/** Nodes above which there are no Jobs: the keeper alone installs the routes. */
export const maxJobNodes = 200;

const cidrs = (what: string) => z.array(Cidr).readonly().default([]).describe(what);

export const RouteInstallerValues = z
  .strictObject({
    global: HelmGlobal,
    clusterName: z.string().min(1).max(63).describe('Name of this cluster in the mesh'),
    mode: z
      .enum(['install', 'remove'])
      .default('install')
      .describe('install keeps the routes; remove takes every route of ours from the nodes, before the release is uninstalled'),
    protocol: z.int().min(5).max(254).default(157).describe('Route protocol number that marks routes as ours'),
    routes: z
      .array(z.strictObject({ dst: Cidr, via: Address, mtu: z.int().min(576).max(65535).optional() }).readonly())
      .readonly()
      .default([])
      .describe('Routes of every node: pod block of another cluster, address of the node it lives on'),
    onlink: z.boolean().default(false).describe('Accept next hops that the kernel sees on no link'),
    guard: z
      .strictObject({
        remotePodCIDRs: cidrs('Routes must lie inside these'),
        localPodCIDRs: cidrs('Routes must not touch these'),
        serviceCIDRs: cidrs('Routes must not touch these'),
        nodeCIDRs: cidrs('Routes must not touch these: nodes and API servers'),
      })
      .readonly()
      .prefault({}),
    withdrawal: z
      .strictObject({
        maxPercent: z
          .int()
          .min(0)
          .max(100)
          .default(30)
          .describe('Largest share of the routes that one change may withdraw, percent, rounded up'),
        allowMass: z.boolean().default(false).describe('Accept a larger removal this once'),
      })
      .readonly()
      .prefault({}),
    nodes: z
      .array(z.string().min(1).max(253))
      .readonly()
      .default([])
      .describe(`Nodes that get a Job; none when empty or above ${maxJobNodes}`),
    masquerade: z
      .strictObject({ exemptCIDRs: cidrs('Remote pod CIDRs for which the agent keeps a nat RETURN rule (flannel)') })
      .readonly()
      .prefault({}),
    ipPools: z
      .array(z.strictObject({ name: z.string().min(1).max(253), cidr: Cidr }).readonly())
      .readonly()
      .default([])
      .describe('Disabled Calico IPPools for remote pod CIDRs: they keep pod addresses from being masqueraded'),
    ipPoolApiVersion: z
      .enum(['crd.projectcalico.org/v1', 'projectcalico.org/v3'])
      .default('crd.projectcalico.org/v1')
      .describe('API that holds Calico objects in this cluster'),
    image: Image.prefault({ registry: 'registry.istio.io', repository: 'release/proxyv2', tag: '1.30.3' }).describe(
      'Needs a POSIX shell, awk and iproute2',
    ),
    imagePullSecrets: ImagePullSecrets,
    job: z
      .strictObject({
        backoffLimit: z.int().min(0).default(3).describe('Retries per node'),
        activeDeadlineSeconds: z.int().min(10).default(300).describe('Seconds a Job may take'),
      })
      .readonly()
      .prefault({}),
    keeper: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Run the DaemonSet that puts routes back'),
        intervalSeconds: z.int().min(1).max(300).default(30).describe('Seconds between two looks when nothing happens'),
        maxUnavailable: z
          .string()
          .regex(/^[1-9][0-9]*%?$/)
          .default('10%')
          .describe('Pods that may be replaced at once, a number or percent'),
        priorityClassName: z.string().default('system-node-critical').describe('Priority of the pods; empty for none'),
        resources: z
          .looseObject({})
          .readonly()
          .default({ requests: { cpu: '5m', memory: '16Mi' }, limits: { memory: '128Mi' } })
          .describe('Resource requests and limits'),
      })
      .readonly()
      .prefault({}),
    nodeSelector: z
      .record(z.string(), z.string())
      .readonly()
      .default({ 'kubernetes.io/os': 'linux' })
      .describe('Nodes that the keeper runs on'),
    tolerations: z
      .array(z.looseObject({}).readonly())
      .readonly()
      .default([{ operator: 'Exists' }])
      .describe('Taints that Jobs and keeper tolerate'),
  })
  .readonly();

export type RouteInstallerValues = z.infer<typeof RouteInstallerValues>;
