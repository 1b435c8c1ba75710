// loadMesh: what it reads, and for every kind of mistake the exact error.
import fc from 'fast-check';
import { formatError, IsthmusError } from '../../src/base/errors.ts';
import { toYaml } from '../../src/base/yaml.ts';
import { eraOf, loadMesh } from '../../src/spec/load.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const header = 'apiVersion: isthmus/v1\nkind: Mesh\nmetadata: {name: bookinfo}\nistio: {version: 1.30.3}\n';
const primary = '  - {name: cluster1, role: primary, context: icp-1}\n';

function load(text: string) {
  return loadMesh(text, 'mesh.yaml', '/home/me');
}

/** A mesh whose only cluster stands on line 6 and has these fields besides its name, role and context. */
function one(fields: string): string {
  return `${header}clusters:\n  - name: cluster1\n    role: primary\n    context: icp-1\n    ${fields}\n`;
}

/** A primary on line 6 and a remote from line 7 on, with these fields. */
function remote(fields: string): string {
  return `${header}clusters:\n${primary}  - name: cluster2\n    role: remote\n    ${fields}\n`;
}

function named(name: string): string {
  return `${header}clusters:\n  - name: ${name}\n    role: primary\n    context: icp-1\n`;
}

function rest(fields: string): string {
  return `${header}clusters:\n${primary}${fields}\n`;
}

const label = 'must be lower-case letters, digits and dashes, and start and end with a letter or digit';
const podCIDR = 'clusters.0.podCIDRs.0';
const unused = 'which no cluster can use';

type Row = readonly [what: string, text: string, error: string];

/** Number of the kind of bad input where the row belongs to one, the text, and what stands after `Error: mesh.yaml:`. */
const rows: Readonly<Record<string, readonly Row[]>> = {
  'CIDRs and addresses': [
    ['host bits', one('podCIDRs: [10.0.0.1/16]'), `9:16: ${podCIDR}: "10.0.0.1/16" has host bits set; did you mean 10.0.0.0/16?`],
    ['everything', one('podCIDRs: [0.0.0.0/0]'), `9:16: ${podCIDR}: "0.0.0.0/0" is wider than /8`],
    ['everything, IPv6', one('podCIDRs: ["::/0"]'), `9:16: ${podCIDR}: "::/0" is wider than /16`],
    ['half of everything', one('podCIDRs: [0.0.0.0/1]'), `9:16: ${podCIDR}: "0.0.0.0/1" is wider than /8`],
    ['wider than /8', one('podCIDRs: [10.0.0.0/7]'), `9:16: ${podCIDR}: "10.0.0.0/7" is wider than /8`],
    ['wider than /16', one('podCIDRs: ["fc00::/15"]'), `9:16: ${podCIDR}: "fc00::/15" is wider than /16`],
    [
      'IPv4-mapped IPv6',
      one('podCIDRs: ["::ffff:10.0.0.0/104"]'),
      `9:16: ${podCIDR}: "::ffff:10.0.0.0/104" IPv4-mapped IPv6 is not allowed; write the IPv4 form`,
    ],
    ['leading zeros', one('podCIDRs: [010.0.0.0/8]'), `9:16: ${podCIDR}: "010.0.0.0/8" is not an IP address`],
    ['two octets', one('podCIDRs: [10.1/16]'), `9:16: ${podCIDR}: "10.1/16" is not an IP address`],
    ['hexadecimal', one('podCIDRs: [0x0a000001/8]'), `9:16: ${podCIDR}: "0x0a000001/8" is not an IP address`],
    ['a prefix with a zero', one('podCIDRs: [10.0.0.0/08]'), `9:16: ${podCIDR}: "10.0.0.0/08" has no plain number as prefix length`],
    ['a prefix with a sign', one('podCIDRs: [10.0.0.0/+8]'), `9:16: ${podCIDR}: "10.0.0.0/+8" has no plain number as prefix length`],
    ['a prefix with letters', one('podCIDRs: [10.0.0.0/26abc]'), `9:16: ${podCIDR}: "10.0.0.0/26abc" has no plain number as prefix length`],
    [
      'spaces around the prefix',
      one('podCIDRs: ["10.0.0.0/ 26 "]'),
      `9:16: ${podCIDR}: "10.0.0.0/ 26 " has no plain number as prefix length`,
    ],
    ['no prefix', one('podCIDRs: [10.0.0.0]'), `9:16: ${podCIDR}: "10.0.0.0" has no prefix length; write for example 10.1.0.0/16`],
    ['an IPv4 prefix over 32', one('podCIDRs: [10.0.0.0/33]'), `9:16: ${podCIDR}: "10.0.0.0/33" has a prefix longer than 32`],
    ['an IPv6 prefix over 128', one('podCIDRs: ["fd00::/129"]'), `9:16: ${podCIDR}: "fd00::/129" has a prefix longer than 128`],
    ['link-local IPv6', one('podCIDRs: ["fe80::/64"]'), `9:16: ${podCIDR}: "fe80::/64" lies in fe80::/10 (link-local), ${unused}`],
    ['loopback', one('podCIDRs: [127.0.0.0/8]'), `9:16: ${podCIDR}: "127.0.0.0/8" lies in 127.0.0.0/8 (loopback), ${unused}`],
    [
      'link-local',
      one('serviceCIDRs: [169.254.0.0/16]'),
      `9:20: clusters.0.serviceCIDRs.0: "169.254.0.0/16" lies in 169.254.0.0/16 (link-local), ${unused}`,
    ],
    ['multicast', one('podCIDRs: [224.1.0.0/16]'), `9:16: ${podCIDR}: "224.1.0.0/16" lies in 224.0.0.0/4 (multicast), ${unused}`],
    ['reserved', one('podCIDRs: [240.0.0.0/8]'), `9:16: ${podCIDR}: "240.0.0.0/8" lies in 240.0.0.0/4 (reserved), ${unused}`],
    [
      'documentation',
      one('podCIDRs: [203.0.113.0/24]'),
      `9:16: ${podCIDR}: "203.0.113.0/24" lies in 203.0.113.0/24 (documentation), ${unused}`,
    ],
    ['an empty list', one('podCIDRs: []'), '9:15: clusters.0.podCIDRs: must not be empty; leave it out to use what is found'],
    ['text for a list', one('podCIDRs: 10.1.0.0/16'), '9:15: clusters.0.podCIDRs: must be a list; write [10.1.0.0/16]'],
    ['the same CIDR twice', one('podCIDRs: [10.1.0.0/16, 10.1.0.0/16]'), '9:29: clusters.0.podCIDRs.1: 10.1.0.0/16 is there twice'],
    ['a nested CIDR', one('podCIDRs: [10.1.0.0/16, 10.1.2.0/24]'), '9:29: clusters.0.podCIDRs.1: 10.1.2.0/24 lies inside 10.1.0.0/16'],
    [
      'a CIDR around another',
      one('podCIDRs: [10.1.2.0/24, 10.1.0.0/16]'),
      '9:16: clusters.0.podCIDRs.0: 10.1.2.0/24 lies inside 10.1.0.0/16',
    ],
    [
      'a zone',
      remote('context: b\n    remotePilotAddress: fe80::1%eth0'),
      '10:25: clusters.1.remotePilotAddress: "fe80::1%eth0" addresses with a zone are not allowed',
    ],
  ],
  'the control plane address': [
    [
      'loopback',
      remote('context: b\n    remotePilotAddress: 127.0.0.1'),
      `10:25: clusters.1.remotePilotAddress: "127.0.0.1" lies in 127.0.0.0/8 (loopback), ${unused}`,
    ],
    [
      'unspecified',
      remote('context: b\n    remotePilotAddress: ["::"]'),
      `10:26: clusters.1.remotePilotAddress.0: "::" lies in ::/128 (unspecified), ${unused}`,
    ],
    [
      'a malformed address',
      remote('context: b\n    remotePilotAddress: 10.0.0.256'),
      '10:25: clusters.1.remotePilotAddress: "10.0.0.256" is not an IP address',
    ],
    [
      'an upper-case host name',
      remote('context: b\n    remotePilotAddress: Istiod.example.com'),
      '10:25: clusters.1.remotePilotAddress: "Istiod.example.com" is neither an IP address nor a host name in lower case',
    ],
    [
      'two families',
      remote('context: b\n    remotePilotAddress: [10.0.0.5, "fd00::5"]'),
      '10:25: clusters.1.remotePilotAddress: mixes IPv4 and IPv6; all must be of one family',
    ],
    [
      'the same address twice',
      remote('context: b\n    remotePilotAddress: ["fd00::5", "fd00:0::5"]'),
      '10:37: clusters.1.remotePilotAddress.1: is there twice',
    ],
    ['an empty list', remote('context: b\n    remotePilotAddress: []'), '10:25: clusters.1.remotePilotAddress: must not be empty'],
    [
      'a map',
      remote('context: b\n    remotePilotAddress: {ip: 10.0.0.5}'),
      '10:25: clusters.1.remotePilotAddress: must be text, not a map',
    ],
    [
      'a primary with one',
      one('remotePilotAddress: 10.0.0.5'),
      '9:5: clusters.0.remotePilotAddress: is only for remotes; this cluster is a primary',
    ],
  ],
  names: [
    [
      'a repeated name',
      `${header}clusters:\n${primary}  - {name: cluster1, role: remote, context: b}\n`,
      '7:12: clusters.1.name: is also the name of the cluster at mesh.yaml:6:5',
    ],
    ['a name that differs by case', named('Cluster1'), `6:11: clusters.0.name: ${label}, not "Cluster1"`],
    ['a long name', named('a'.repeat(41)), '6:11: clusters.0.name: is longer than 40 characters'],
    ['an empty name', named('""'), `6:11: clusters.0.name: ${label}, not ""`],
    ['only dashes', named('"---"'), `6:11: clusters.0.name: ${label}, not "---"`],
    ['null', named('null'), '6:11: clusters.0.name: must be text, not nothing'],
    ['a tilde', named('~'), '6:11: clusters.0.name: must be text, not nothing'],
    ['1e3', named('1e3'), '6:11: clusters.0.name: must be text, but 1e3 is read as a number; write "1e3"'],
    ['0x1F', named('0x1F'), '6:11: clusters.0.name: must be text, but 0x1F is read as a number; write "0x1F"'],
    ['true', named('true'), '6:11: clusters.0.name: must be text, but true is read as a boolean; write "true"'],
    ['.inf', named('.inf'), '6:11: clusters.0.name: must be text, but .inf is read as a number; write ".inf"'],
    ['1_000', named('1_000'), `6:11: clusters.0.name: ${label}, not "1_000"`],
    ['a time', named('12:30:45'), `6:11: clusters.0.name: ${label}, not "12:30:45"`],
    ['a newline at the end', named('"cluster1\\n"'), `6:11: clusters.0.name: ${label}, not "cluster1\\u{a}"`],
    ['a quote', named("'a\"b'"), `6:11: clusters.0.name: ${label}, not "a"b"`],
    ['a template', named('"{{ .Values.x }}"'), `6:11: clusters.0.name: ${label}, not "{{ .Values.x }}"`],
    ['a comment', named('"a #b"'), `6:11: clusters.0.name: ${label}, not "a #b"`],
    ['a backtick', named('`id`'), '6:11: a value starts with a character that YAML reserves; put it in quotes'],
    ['a flag', named('--kubeconfig=/x'), `6:11: clusters.0.name: ${label}, not "--kubeconfig=/x"`],
    ['a short flag', named('-n'), `6:11: clusters.0.name: ${label}, not "-n"`],
    ['a command', named('$(id)'), `6:11: clusters.0.name: ${label}, not "$(id)"`],
    ['a second command', named(';rm'), `6:11: clusters.0.name: ${label}, not ";rm"`],
    ['a list of pairs', named('a,b=c'), `6:11: clusters.0.name: ${label}, not "a,b=c"`],
    ['a Cyrillic letter', named('clust\u{435}r1'), `6:11: clusters.0.name: ${label}, not "clust\\u{435}r1"`],
    ['a zero-width space', named('cluster\u{200b}1'), `6:11: clusters.0.name: ${label}, not "cluster\\u{200b}1"`],
    ['a right-to-left mark', named('"\u{202e}cluster1"'), `6:11: clusters.0.name: ${label}, not "\\u{202e}cluster1"`],
    ['a decomposed letter', named('e\u{301}'), `6:11: clusters.0.name: ${label}, not "e\\u{301}"`],
    ['an emoji', named('\u{1f600}'), `6:11: clusters.0.name: ${label}, not "\\u{1f600}"`],
    ['__proto__', named('__proto__'), `6:11: clusters.0.name: ${label}, not "__proto__"`],
    ['constructor', named('constructor'), '6:11: clusters.0.name: is a reserved word'],
    ['toString', named('toString'), `6:11: clusters.0.name: ${label}, not "toString"`],
    ['a flag as context', remote('context: -n'), '9:14: clusters.1.context: must not start with a dash'],
    [
      'an invisible character in a context',
      remote('context: "a\u{200b}"'),
      '9:14: clusters.1.context: must not hold control or invisible characters',
    ],
    ['a NUL in a path', remote('facts: "a\\0b"'), '9:12: clusters.1.facts: must not hold control or invisible characters'],
    ['an absolute facts file', remote('facts: /etc/passwd'), '9:12: clusters.1.facts: must be relative to the folder of mesh.yaml'],
    [
      'a path with a tilde',
      remote('context: b\n    kubeconfig: ~/.kube/config'),
      '10:17: clusters.1.kubeconfig: is not expanded by a shell; write the path without ~',
    ],
  ],
  'the text': [
    ['an empty file', '', ' the file is empty'],
    ['comments alone', '# a mesh\n', ' the file is empty'],
    ['a document marker', '---\n', ' the file is empty'],
    ['a list', '- a\n', '1:1: must be a map, not a list'],
    ['a scalar', 'mesh\n', '1:1: must be a map, not "mesh"'],
    ['two documents', `${rest('')}---\n${rest('')}`, '8:1: holds several documents; one is expected'],
    ['a repeated key', `${rest('')}kind: Mesh\n`, '8:1: the key kind is there twice, first at mesh.yaml:2:1'],
    ['a tab', `${header}clusters:\n\t- name: a\n`, '6:1: Tabs are not allowed as indentation'],
    ['a tag', one('network: !!python/name x'), '9:28: the tag !!python/name is not allowed'],
    ['a merge key', one('<<: {network: a}'), '9:5: merge keys (<<) are not supported; write the values out'],
    ['the key __proto__', one('loadBalancer: {annotations: {__proto__: x}}'), '9:34: the key __proto__ is not allowed'],
    ['10,000 brackets', '['.repeat(10_000), '1:66: is nested more than 64 levels deep'],
    ['an alias bomb', `a: &a [${'x,'.repeat(5000)}]\nb: [*a, *a, *a]\n`, '2:9: aliases add more than 10000 values'],
    ['5 MB', `#${'x'.repeat(5_000_000)}`, ' is larger than 4 MiB'],
  ],
  keys: [
    ['a key in other case', one('podCidrs: [10.1.0.0/16]'), '9:5: clusters.0.podCidrs: is not a known key; did you mean podCIDRs?'],
    ['a key with a letter less', one('podCIDR: [10.1.0.0/16]'), '9:5: clusters.0.podCIDR: is not a known key; did you mean podCIDRs?'],
    [
      'a key with a Cyrillic letter',
      one('pod\u{421}IDRs: [10.1.0.0/16]'),
      '9:5: clusters.0.pod\\u{421}IDRs: is not a known key; did you mean podCIDRs?',
    ],
    [
      'an endless key',
      rest(`"${'k'.repeat(500)}": 1`),
      `7:1: ${'k'.repeat(60)}...: is not a known key; known here are apiVersion, kind, metadata, istio, clusters, routes, internalCIDRs, ignore`,
    ],
    ['an endless CIDR', one(`podCIDRs: [${'1'.repeat(5000)}/8]`), `9:16: ${podCIDR}: "${'1'.repeat(60)}..." is not an IP address`],
    ['swapped letters', rest('routse: {}'), '7:1: routse: is not a known key; did you mean routes?'],
    [
      'a key of a node',
      one('nodes: [{name: n1, adress: 10.0.0.1, address: 10.0.0.1}]'),
      '9:24: clusters.0.nodes.0.adress: is not a known key; did you mean address?',
    ],
    [
      'an unlike key',
      rest('routes: {x: 1}'),
      '7:10: routes.x: is not a known key; known here are provider, keeper, protocol, image, namespace, onlink',
    ],
    [
      'constructor as key',
      rest('constructor: 1'),
      '7:1: constructor: is not a known key; known here are apiVersion, kind, metadata, istio, clusters, routes, internalCIDRs, ignore',
    ],
    [
      'an annotation that is none',
      one('loadBalancer: {annotations: {a b: x}}'),
      '9:34: clusters.0.loadBalancer.annotations.a b: "a b" is no name of an annotation',
    ],
    [
      'the address of a Service that is none',
      one('loadBalancer: {addresses: {istio-pilot-ilb: 10.0.0.5}}'),
      '9:32: clusters.0.loadBalancer.addresses.istio-pilot-ilb: there is no such load balancer here; there are istiod-ilb, istio-eastwestgateway',
    ],
    [
      'constructor as ILB',
      one('loadBalancer: {addresses: {constructor: 10.0.0.5}}'),
      '9:32: clusters.0.loadBalancer.addresses.constructor: "constructor" is a reserved word',
    ],
  ],
  types: [
    ['a missing role', `${header}clusters:\n  - {name: a, context: b}\n`, '6:5: clusters.0.role: is required: primary or remote'],
    [
      'a mistyped role',
      `${header}clusters:\n${primary}  - {name: a, role: remot, context: b}\n`,
      '7:21: clusters.1.role: must be primary or remote, not "remot"; did you mean remote?',
    ],
    [
      'another apiVersion',
      rest('').replace('isthmus/v1', 'isthmus/v2'),
      '1:13: apiVersion: must be isthmus/v1, not "isthmus/v2"; did you mean isthmus/v1?',
    ],
    [
      'a number as annotation',
      one('loadBalancer: {annotations: {a: 15012}}'),
      '9:37: clusters.0.loadBalancer.annotations.a: must be text, but 15012 is read as a number; write "15012"',
    ],
    ['text as number', rest('routes: {protocol: "157"}'), '7:20: routes.protocol: must be a whole number, not "157"'],
    ['a fraction', rest('routes: {protocol: 1.5}'), '7:20: routes.protocol: must be a whole number, not 1.5'],
    ['more than a number holds', rest('routes: {protocol: 1e400}'), '7:20: routes.protocol: must be a whole number, not 1e400'],
    ['a negative number', rest('routes: {protocol: -1}'), '7:20: routes.protocol: must be 5 to 254, not -1'],
    ['a number too high', rest('routes: {protocol: 255}'), '7:20: routes.protocol: must be 5 to 254, not 255'],
    ['yes for true', rest('routes: {keeper: yes}'), '7:18: routes.keeper: must be true or false, not "yes"'],
    ['a list for a map', rest('routes: [bgp]'), '7:9: routes: must be a map, not a list'],
    [
      'an API server without TLS',
      one('apiServer: http://10.0.0.1:6443'),
      '9:16: clusters.0.apiServer: must be an https URL such as https://10.0.0.1:6443',
    ],
    ['an API server with credentials', one('apiServer: https://a:b@10.0.0.1'), '9:16: clusters.0.apiServer: must not hold credentials'],
    [
      'an API server with a query',
      one('apiServer: https://10.0.0.1/?a=b'),
      '9:16: clusters.0.apiServer: must not have a query or a fragment',
    ],
    [
      'an unsupported Istio',
      rest('').replace('1.30.3', '1.23.9'),
      '4:18: istio.version: "1.23.9" is not supported; Istio 0.8.x and 1.24 or later are',
    ],
    [
      'an older Istio',
      rest('').replace('1.30.3', '1.0.0'),
      '4:18: istio.version: "1.0.0" is not supported; Istio 0.8.x and 1.24 or later are',
    ],
    ['half a version', rest('').replace('1.30.3', '"1.30"'), '4:18: istio.version: "1.30" is not a full version such as 1.30.3'],
    [
      'a version as number',
      rest('').replace('1.30.3', '1.30'),
      '4:18: istio.version: must be text, but 1.30 is read as a number; write "1.30"',
    ],
    ['a version with a v', rest('').replace('1.30.3', 'v1.30.3'), '4:18: istio.version: "v1.30.3" is not a full version such as 1.30.3'],
    [
      'a revision of Istio 0.8',
      rest('').replace('1.30.3', '0.8.0, revision: blue'),
      '4:35: istio.revision: Istio 0.8.0 has no revisions; leave it out',
    ],
    [
      'a root of trust for Istio 0.8',
      rest('').replace('1.30.3', '0.8.0, ca: keys'),
      '4:29: istio.ca: Citadel of Istio 0.8.0 signs with a certificate of its own; leave it out',
    ],
    [
      'ambient for Istio 0.8',
      rest('').replace('1.30.3', '0.8.0, dataplane: ambient'),
      '4:36: istio.dataplane: Istio 0.8.0 has no ambient; leave it out',
    ],
    [
      'a hub with a scheme',
      rest('').replace('1.30.3', '1.30.3, hub: https://a/b'),
      '4:31: istio.hub: must be a registry and path without https://, not "https://a/b"',
    ],
    ['a finding that is none', rest('ignore: [IST0101]'), '7:10: ignore.0: must be a finding code such as ISM031, not "IST0101"'],
  ],
  'route protocol numbers of others': [
    [
      'that of plain routes',
      rest('routes: {protocol: 3}'),
      '7:20: routes.protocol: 3 belongs to plain `ip route add` (boot); take a free one such as 157',
    ],
    [
      'that of BIRD',
      rest('routes: {protocol: 12}'),
      '7:20: routes.protocol: 12 belongs to BIRD, which Calico runs; take a free one such as 157',
    ],
    [
      'that of Felix',
      rest('routes: {protocol: 80}'),
      '7:20: routes.protocol: 80 belongs to Calico Felix, which deletes every route of this number that it does not want; take a free one such as 157',
    ],
    [
      'that of BGP daemons',
      rest('routes: {protocol: 186}'),
      '7:20: routes.protocol: 186 belongs to BGP daemons; take a free one such as 157',
    ],
  ],
  clusters: [
    ['none', `${header}clusters: []\n`, '5:11: clusters: names no cluster'],
    ['a missing list', header, '1:1: clusters: is required: a list'],
    [
      'no primary',
      `${header}clusters:\n  - {name: a, role: remote, context: a}\n`,
      '6:3: clusters: names no primary; one cluster must have role: primary',
    ],
    [
      'no source',
      remote('network: network1'),
      '7:5: clusters.1: names no source; add context, facts, or nodes (with icpConfig where there is one)',
    ],
    ['a kubeconfig alone', remote('kubeconfig: k'), '7:5: clusters.1: names a kubeconfig but no context'],
    ['a config.yaml of ICP alone', remote('icpConfig: c'), '7:5: clusters.1: icpConfig does not name the nodes; add nodes'],
    ['one context twice', remote('context: icp-1'), '9:14: clusters.1.context: is also the context of the cluster at mesh.yaml:6:5'],
    [
      'one facts file twice',
      `${header}clusters:\n  - {name: a, role: primary, facts: f}\n  - {name: b, role: remote, facts: f}\n`,
      '7:36: clusters.1.facts: is also the facts of the cluster at mesh.yaml:6:5',
    ],
    [
      'a control plane of its own',
      remote('context: b\n    controlPlane: cluster2'),
      '10:19: clusters.1.controlPlane: names the cluster itself; a remote is served by a primary',
    ],
    [
      'a mistyped control plane',
      remote('context: b\n    controlPlane: clutser1'),
      '10:19: clusters.1.controlPlane: there is no cluster "clutser1"; did you mean cluster1?',
    ],
    [
      'an unknown control plane',
      remote('context: b\n    controlPlane: \u{430}'),
      '10:19: clusters.1.controlPlane: there is no cluster "\\u{430}"; primaries are cluster1',
    ],
    [
      'a remote as control plane',
      `${remote('context: b')}  - {name: c, role: remote, context: c, controlPlane: cluster2}\n`,
      '10:55: clusters.2.controlPlane: cluster2 is not a primary',
    ],
    [
      'a control plane of a primary',
      one('controlPlane: cluster1'),
      '9:5: clusters.0.controlPlane: is only for remotes; this cluster is a primary',
    ],
    [
      'a load balancer of a remote with Istio 0.8',
      remote('context: b\n    loadBalancer: {platform: aws}').replace('1.30.3', '0.8.0'),
      '10:5: clusters.1.loadBalancer: is only for primaries; this cluster is a remote and gets no ILB',
    ],
    [
      'an ILB of a remote',
      remote('context: b\n    loadBalancer: {addresses: {istiod-ilb: 10.0.0.5}}'),
      '10:32: clusters.1.loadBalancer.addresses.istiod-ilb: there is no such load balancer here; there is istio-eastwestgateway',
    ],
  ],
  nodes: [
    [
      'a repeated node',
      remote('nodes: [{name: 10.0.0.1}, {name: 10.0.0.1}]'),
      '9:38: clusters.1.nodes.1.name: is also the name of the node at mesh.yaml:9:13',
    ],
    [
      'a repeated address',
      remote('nodes: [{name: 10.0.0.1}, {name: n, address: 10.0.0.1}]'),
      '9:50: clusters.1.nodes.1.address: is also the address of the node at mesh.yaml:9:13',
    ],
    [
      'a node without an address',
      remote('nodes: [{name: n1}]'),
      '9:13: clusters.1.nodes.0: node n1 needs an address, because its name is none',
    ],
    [
      'a loopback address',
      remote('nodes: [{name: n1, address: 127.0.0.1}]'),
      `9:33: clusters.1.nodes.0.address: "127.0.0.1" lies in 127.0.0.0/8 (loopback), ${unused}`,
    ],
    [
      'an upper-case node',
      remote('nodes: [{name: N1, address: 10.0.0.1}]'),
      '9:20: clusters.1.nodes.0.name: must be a node name: lower-case letters, digits, dots and dashes, not "N1"',
    ],
    ['no node', remote('nodes: []'), '9:12: clusters.1.nodes: must not be empty; leave it out to use what is found'],
  ],
};

function messageOf(error: unknown): string {
  if (!(error instanceof IsthmusError)) throw error;
  assert.is(error.kind, 'usage');
  return formatError(error);
}

describe('loadMesh', ({ test }) => {
  for (const [group, list] of Object.entries(rows)) {
    for (const [what, text, error] of list) {
      test(`refuses in ${group}: ${what}`, async () => {
        const thrown = await thrownBy(() => load(text));

        assert.is(messageOf(thrown), `Error: mesh.yaml:${error}\n`);
      });
    }
  }

  test('fills in defaults and keeps what it was read from', () => {
    const text = remote('context: icp-2');

    const loaded = load(text);

    assert.is(loaded.text, text);
    assert.is(loaded.folder, '/home/me');
    assert.is(loaded.locate(['clusters', 1, 'context']), 'mesh.yaml:9:14');
    assert.equal(loaded.mesh.clusters[1], {
      name: 'cluster2',
      role: 'remote',
      context: 'icp-2',
      loadBalancer: { annotations: {}, addresses: {} },
    });
    assert.equal(loaded.mesh.routes, { provider: 'routes', keeper: true, protocol: 157, namespace: 'isthmus-system', onlink: false });
    assert.equal(loaded.mesh.istio, {
      version: '1.30.3',
      namespace: 'istio-system',
      revision: '',
      trustDomain: 'cluster.local',
      dataplane: 'sidecar',
      install: false,
      adopt: false,
      values: {},
    });
  });

  test('reports all mistakes at once, in the order of the file, of shape and of meaning', async () => {
    const text = `${header}clusters:\n  - {name: a, role: primary, controlPlane: b}\n  - {name: b, role: remote, contxt: x}\n  - {name: a, role: remote, context: -n}\n  - {name: a, role: remote, context: c}\nroutes: {protocol: 80}\n`;

    const thrown = await thrownBy(() => load(text));

    assert.is(
      messageOf(thrown),
      [
        'Error: mesh.yaml: 6 mistakes',
        '  mesh.yaml:6:5: clusters.0: names no source; add context, facts, or nodes (with icpConfig where there is one)',
        '  mesh.yaml:6:30: clusters.0.controlPlane: is only for remotes; this cluster is a primary',
        '  mesh.yaml:7:29: clusters.1.contxt: is not a known key; did you mean context?',
        '  mesh.yaml:8:38: clusters.2.context: must not start with a dash',
        '  mesh.yaml:9:12: clusters.3.name: is also the name of the cluster at mesh.yaml:6:5',
        '  mesh.yaml:10:20: routes.protocol: 80 belongs to Calico Felix, which deletes every route of this number that it does not want; take a free one such as 157',
        '',
      ].join('\n'),
    );
  });

  test('shows the first twenty of many mistakes', async () => {
    const thrown = await thrownBy(() => load(rest(`ignore: [${'x, '.repeat(25)}]`)));

    const lines = messageOf(thrown).trimEnd().split('\n');
    assert.is(lines.length, 22);
    assert.is(lines[0], 'Error: mesh.yaml: 25 mistakes');
    assert.is(lines.at(-1), '  and 5 more');
  });

  test('reads CRLF, a byte order mark and a missing final newline', () => {
    const text = `\u{feff}${rest('').trimEnd().replaceAll('\n', '\r\n')}`;

    assert.equal(load(text).mesh, load(rest('')).mesh);
  });

  test('keeps names that YAML 1.1 would change', () => {
    const names = ['no', 'yes', 'on', 'off', 'y', 'n', '2024-01-01', '"1e3"', '"null"', '"123"'];

    assert.equal(
      names.map((name) => load(named(name)).mesh.clusters[0]?.name),
      ['no', 'yes', 'on', 'off', 'y', 'n', '2024-01-01', '1e3', 'null', '123'],
    );
  });

  const accepted: readonly (readonly [string, string])[] = [
    ['adjacent CIDRs', one('podCIDRs: [10.1.0.0/17, 10.1.128.0/17]')],
    ['both families in one cluster', one('podCIDRs: [10.1.0.0/16, "fd00:10:1::/48"]')],
    ['a shared address range', one('podCIDRs: [100.64.0.0/10]')],
    ['public addresses', one('podCIDRs: [20.1.0.0/16]')],
    ['tiny pod CIDRs', one('podCIDRs: [10.1.0.0/31, 10.2.0.0/32]')],
    ['everyone as source range', one('loadBalancer: {sourceRanges: [0.0.0.0/0]}')],
    ['annotations named after object members', one('loadBalancer: {annotations: {constructor: x, toString: y}}')],
    ['several control plane addresses', remote('context: b\n    remotePilotAddress: [10.0.0.5, 10.0.0.6]')],
    ['a host name as control plane address', remote('context: b\n    remotePilotAddress: istiod.example.com')],
    ['an absolute kubeconfig', remote('context: b\n    kubeconfig: /home/a/.kube/config')],
    ['one context of two kubeconfigs', remote('context: icp-1\n    kubeconfig: other')],
    ['an empty load balancer of a remote', remote('context: b\n    loadBalancer: {}')],
    ['a cluster known by facts', remote('facts: facts/cluster2.yaml')],
    ['a pre-release of Istio', rest('').replace('1.30.3', '1.31.0-beta.0')],
    ['Istio 2', rest('').replace('1.30.3', '2.0.0')],
    ['aliases', rest('internalCIDRs: &x []\nignore: *x')],
  ];
  for (const [what, text] of accepted) {
    test(`accepts ${what}`, () => {
      assert.is(load(text).mesh.metadata.name, 'bookinfo');
    });
  }

  test('accepts one cluster, and fifty', () => {
    const remotes = Array.from({ length: 49 }, (_, index) => `  - {name: remote${index}, role: remote, context: c${index}}\n`);

    assert.is(load(rest('')).mesh.clusters.length, 1);
    assert.is(load(`${header}clusters:\n${primary}${remotes.join('')}`).mesh.clusters.length, 50);
  });

  test('knows the era of every supported Istio', () => {
    const versions = ['0.8.0', '0.8.4', '1.24.0', '1.30.3', '2.0.0'];

    assert.equal(
      versions.map((version) => eraOf(load(rest('').replace('1.30.3', version)).mesh)),
      ['classic', 'classic', 'modern', 'modern', 'modern'],
    );
  });

  test('leaves the prototype of objects alone', () => {
    load(one('loadBalancer: {annotations: {constructor: x}}'));

    assert.is(({} as Record<string, unknown>)['x'], undefined);
    assert.type({}.constructor, 'function');
  });

  test('throws nothing but IsthmusError for any change of a mesh', () => {
    const mesh = {
      apiVersion: 'isthmus/v1',
      kind: 'Mesh',
      metadata: { name: 'bookinfo' },
      istio: { version: '1.30.3', revision: 'blue' },
      clusters: [
        { name: 'a', role: 'primary', context: 'a', podCIDRs: ['10.1.0.0/16'], loadBalancer: { addresses: { 'istiod-ilb': '10.0.0.5' } } },
        { name: 'b', role: 'remote', controlPlane: 'a', remotePilotAddress: ['10.0.0.5'], nodes: [{ name: 'n', address: '10.0.0.1' }] },
      ],
      routes: { protocol: 157, keeper: true },
      ignore: ['ISM031'],
    };
    const junk = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('__proto__', 'constructor', '10.0.0.0/33', 'fe80::1%x', 'https://[', 1e308, {}, [], [[]], null),
    );

    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(fc.nat(7), { maxLength: 5 }), junk), { minLength: 1, maxLength: 3 }), (changes) => {
        const changed = changes.reduce<unknown>((value, [path, replacement]) => replaceAt(value, path, replacement), mesh);
        try {
          load(toYaml(changed));
        } catch (error) {
          assert.instance(error, IsthmusError);
          assert.match(formatError(error as IsthmusError), /^Error: mesh\.yaml:/);
        }
      }),
      { seed: 5, numRuns: 600 },
    );
  });
});

/** Replaces the value reached by taking the n-th child at each step. */
function replaceAt(value: unknown, [step, ...more]: readonly number[], replacement: unknown): unknown {
  if (step === undefined || typeof value !== 'object' || value === null) return replacement;
  const entries = Object.entries(value);
  const chosen = entries[step % Math.max(entries.length, 1)]?.[0];
  const changed = entries.map(([key, child]) => [key, key === chosen ? replaceAt(child, more, replacement) : child] as const);
  return Array.isArray(value) ? changed.map(([, child]) => child) : Object.fromEntries(changed);
}
