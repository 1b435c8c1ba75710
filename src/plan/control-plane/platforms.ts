// How each platform is told to make a load balancer internal, and to use a fixed address. An unknown annotation is ignored by a
// platform and yields a public load balancer, so every row is what the documentation of that platform or controller says.

export interface Platform {
  /** Annotations that make the load balancer internal. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly loadBalancerClass?: string;
  /** Annotation for a fixed address; without one, `spec.loadBalancerIP` is used. */
  readonly addressAnnotation?: Readonly<Record<4 | 6, string>>;
  /** True when that annotation holds a JSON list. */
  readonly addressList?: boolean;
  /** Annotation that only the user can give, without which the load balancer would be public. */
  readonly needs?: string;
}

const bothFamilies = (annotation: string) => ({ 4: annotation, 6: annotation });

const awsScheme = { 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal' } as const;
const awsAddress = bothFamilies('service.beta.kubernetes.io/aws-load-balancer-private-ipv4-addresses');

const gke: Platform = {
  annotations: {
    'networking.gke.io/load-balancer-type': 'Internal',
    'networking.gke.io/internal-load-balancer-allow-global-access': 'true',
  },
};

const platforms: Readonly<Record<string, Platform>> = {
  // Read by the cloud controller manager and by the AWS load balancer controller alike.
  aws: {
    annotations: {
      'service.beta.kubernetes.io/aws-load-balancer-internal': 'true',
      'service.beta.kubernetes.io/aws-load-balancer-type': 'nlb',
      ...awsScheme,
    },
    addressAnnotation: awsAddress,
  },
  'aws-lbc': {
    annotations: { ...awsScheme, 'service.beta.kubernetes.io/aws-load-balancer-nlb-target-type': 'ip' },
    loadBalancerClass: 'service.k8s.aws/nlb',
    addressAnnotation: awsAddress,
  },
  'eks-auto': { annotations: awsScheme, loadBalancerClass: 'eks.amazonaws.com/nlb', addressAnnotation: awsAddress },
  azure: {
    annotations: {
      'service.beta.kubernetes.io/azure-load-balancer-internal': 'true',
      'service.beta.kubernetes.io/azure-load-balancer-health-probe-protocol': 'tcp',
    },
    addressAnnotation: {
      4: 'service.beta.kubernetes.io/azure-load-balancer-ipv4',
      6: 'service.beta.kubernetes.io/azure-load-balancer-ipv6',
    },
  },
  gke,
  gce: gke,
  ibm: { annotations: { 'service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type': 'private' } },
  openstack: { annotations: { 'service.beta.kubernetes.io/openstack-internal-load-balancer': 'true' } },
  alibaba: { annotations: { 'service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type': 'intranet' } },
  baidu: { annotations: { 'service.beta.kubernetes.io/cce-load-balancer-internal-vpc': 'true' } },
  tencent: { annotations: {}, needs: 'service.kubernetes.io/qcloud-loadbalancer-internal-subnetid' },
  huawei: { annotations: { 'kubernetes.io/elb.class': 'union' }, needs: 'kubernetes.io/elb.id' },
  oracle: { annotations: { 'service.beta.kubernetes.io/oci-load-balancer-internal': 'true' } },
  'oracle-nlb': {
    annotations: { 'oci.oraclecloud.com/load-balancer-type': 'nlb', 'oci-network-load-balancer.oraclecloud.com/internal': 'true' },
  },
  digitalocean: { annotations: { 'service.beta.kubernetes.io/do-loadbalancer-network': 'INTERNAL' } },
  hetzner: {
    annotations: {
      'load-balancer.hetzner.cloud/disable-public-network': 'true',
      'load-balancer.hetzner.cloud/use-private-ip': 'true',
    },
  },
  // Inside a network of one's own a load balancer is internal by itself; its address is checked all the same.
  vsphere: { annotations: {} },
  metallb: { annotations: {}, addressAnnotation: bothFamilies('metallb.io/loadBalancerIPs') },
  'kube-vip': { annotations: {}, addressAnnotation: bothFamilies('kube-vip.io/loadbalancerIPs') },
  cilium: { annotations: {}, addressAnnotation: bothFamilies('lbipam.cilium.io/ips') },
  calico: {
    annotations: {},
    loadBalancerClass: 'calico',
    addressAnnotation: bothFamilies('projectcalico.org/loadBalancerIPs'),
    addressList: true,
  },
  openelb: { annotations: { 'lb.kubesphere.io/v1alpha1': 'openelb' } },
  purelb: { annotations: {}, addressAnnotation: bothFamilies('purelb.io/addresses') },
  servicelb: { annotations: {} },
  keepalived: { annotations: {} },
  icp: { annotations: {} },
};

/** Annotations by which several Services may share one address, where the implementation allows it. */
export const sharingAnnotations = [
  'metallb.io/allow-shared-ip',
  'metallb.universe.tf/allow-shared-ip',
  'lbipam.cilium.io/sharing-key',
] as const;

/** What is known about a platform; undefined when nothing is. */
export function platformNamed(name: string): Platform | undefined {
  return Object.hasOwn(platforms, name) ? platforms[name] : undefined;
}

/** Every platform that has a row. */
export function platformNames(): readonly string[] {
  return Object.keys(platforms);
}
