// IBM Cloud Private's cluster/config.yaml, as far as it tells what the network is.
import * as z from 'zod';
import { formatCidr } from '../base/cidr.ts';
import { usageError } from '../base/errors.ts';
import { parseYaml, type YamlSource } from '../base/yaml.ts';
import { parseNetwork } from './cidrs.ts';
import type { Observed } from './schema.ts';

const IcpConfig = z.object({
  network_type: z.string().nullish(),
  network_cidr: z.string().nullish(),
  service_cluster_ip_range: z.string().nullish(),
  calico_ipip_enabled: z.boolean().nullish(),
  calico_ipip_mode: z.string().nullish(),
});
type IcpConfig = z.infer<typeof IcpConfig>;

export interface IcpFacts {
  readonly podCIDRs?: Observed<readonly string[]>;
  readonly serviceCIDRs?: Observed<readonly string[]>;
  readonly cni?: Observed<{ readonly name: string; readonly encapsulation: string; readonly flat: boolean }>;
  readonly platform: Observed<string>;
  readonly loadBalancer: Observed<string>;
}

/**
 * Reads the installer's configuration of IBM Cloud Private 2.1 and later. Its ranges may have host bits set
 * (`10.0.0.1/24` is the shipped default), which Kubernetes takes for the network around.
 * @throws IsthmusError (usage) with the position when the file is not such a configuration
 */
export function parseIcpConfig(text: string, file: string): IcpFacts {
  const source = parseYaml(text, file);
  const config = IcpConfig.safeParse(source.value);
  if (!config.success) {
    const [issue] = config.error.issues;
    throw usageError(`is not a cluster/config.yaml of IBM Cloud Private: ${issue?.message ?? 'unknown reason'}`, {
      where: source.locate((issue?.path ?? []).filter((key) => typeof key !== 'symbol')),
    });
  }
  const podCIDRs = rangeOf(source, config.data, 'network_cidr');
  const serviceCIDRs = rangeOf(source, config.data, 'service_cluster_ip_range');
  const cni = cniOf(source, config.data);
  return {
    ...(podCIDRs === undefined ? {} : { podCIDRs }),
    ...(serviceCIDRs === undefined ? {} : { serviceCIDRs }),
    ...(cni === undefined ? {} : { cni }),
    platform: { value: 'icp', source: file },
    loadBalancer: { value: 'keepalived', source: `${file}: IBM Cloud Private keeps its addresses with keepalived` },
  };
}

function rangeOf(
  source: YamlSource,
  config: IcpConfig,
  key: 'network_cidr' | 'service_cluster_ip_range',
): Observed<readonly string[]> | undefined {
  const text = config[key];
  if (text === undefined || text === null) return undefined;
  const cidr = parseNetwork(text);
  const where = source.locate([key]);
  if (typeof cidr === 'string') throw usageError(`${key} ${JSON.stringify(text)} ${cidr}`, { where });
  return { value: [formatCidr(cidr)], source: `${where} ${key}` };
}

/** Calico with IPIP is what ICP installs unless told otherwise; other network types are not ours to judge. */
function cniOf(source: YamlSource, config: IcpConfig): IcpFacts['cni'] {
  const type = config.network_type;
  if (type === undefined || type === null) return undefined;
  const where = `${source.locate(['network_type'])} network_type`;
  if (type !== 'calico') return { value: { name: type, encapsulation: 'unknown', flat: false }, source: where };
  const wrapped = config.calico_ipip_enabled !== false && config.calico_ipip_mode?.toLowerCase() !== 'never';
  return { value: { name: 'calico', encapsulation: wrapped ? 'ipip' : 'none', flat: true }, source: where };
}
