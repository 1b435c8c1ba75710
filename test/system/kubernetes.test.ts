// The cluster client against a real TLS server: connections, paging, retries, and an exact reason for whatever goes wrong.
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { IsthmusError, statusOf } from '../../src/base/errors.ts';
import { toYaml } from '../../src/base/yaml.ts';
import { createClock } from '../../src/system/clock.ts';
import { createFiles } from '../../src/system/files.ts';
import { connectCluster } from '../../src/system/kubernetes.ts';
import type { Limits } from '../../src/system/transport.ts';
import type { ClusterClient } from '../../src/system/types.ts';
import { type ApiServer, type Authority, createAuthority, sendJson, sendStatus, startApiServer } from '../helpers/api-server.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const canary = 'canary-token-5f3c';
const quick: Partial<Limits> = { connectMs: 2_000, readMs: 150, totalMs: 500, firstDelayMs: 1, maxDelayMs: 50 };
const node = (name: string) => ({ metadata: { name } });
const listOf = (items: unknown, metadata = {}) => ({ kind: 'NodeList', apiVersion: 'v1', metadata, items });

describe('the cluster client', ({ test, before, after }) => {
  let authority: Authority;
  let server: ApiServer;
  const clients: ClusterClient[] = [];

  async function client(cluster: Record<string, unknown> = {}, user: Record<string, unknown> = { token: canary }): Promise<ClusterClient> {
    const kubeconfig = join(authority.folder, 'kubeconfig');
    const entry = { server: server.url, 'certificate-authority': 'ca.crt', ...cluster };
    writeFileSync(
      kubeconfig,
      toYaml({
        clusters: [{ name: 'c', cluster: entry }],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }],
      }),
    );
    const { signal } = new AbortController();
    const options = { files: createFiles(), env: {}, clock: createClock(), signal, limits: quick };
    const made = await connectCluster({ cluster: 'east', context: 'one', kubeconfig }, options);
    clients.push(made);
    return made;
  }

  async function failureOf(body: () => unknown): Promise<IsthmusError> {
    const error = await thrownBy(body);
    assert.ok(error instanceof IsthmusError, String(error));
    assert.not.match(`${error.message} ${error.hint} ${JSON.stringify(error.cause)}`, canary);
    assert.is(error.where, 'cluster east');
    return error;
  }

  before(async () => {
    authority = createAuthority();
    server = await startApiServer(authority.issue('server'));
  });
  after(async () => {
    for (const each of clients) each.close();
    await server.stop();
    authority.remove();
  });

  test('sends the token and its name, and keeps one connection for requests in a row', async () => {
    const east = await client();
    const opened = server.connections();
    const seen: unknown[] = [];
    server.handle = (request, response) => {
      seen.push([request.headers.authorization, request.headers['user-agent']]);
      sendJson(response, { gitVersion: 'v1.34.4' });
    };

    for (let count = 0; count < 20; count++) assert.equal(await east.get('/version'), { gitVersion: 'v1.34.4' });

    assert.is(server.connections() - opened, 1);
    assert.equal(seen[0], [`Bearer ${canary}`, 'isthmus/0.0.0-dev']);
  });

  test('opens at most eight connections for any number of requests', async () => {
    const east = await client();
    const opened = server.connections();
    server.handle = (_, response) => void setTimeout(() => sendJson(response, {}), 5);

    await Promise.all(Array.from({ length: 40 }, () => east.get('/version')));

    assert.is(server.connections() - opened, 8);
  });

  test('reads gzip', async () => {
    const east = await client();
    server.handle = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(gzipSync('{"a":"b"}'));
    };

    assert.equal(await east.get('/version'), { a: 'b' });
  });

  test('tells a missing object from an error', async () => {
    const east = await client();
    server.handle = (_, response) => sendStatus(response, 404, { reason: 'NotFound' });

    assert.is(await east.get('/api/v1/namespaces/none'), undefined);
    assert.is(await east.list('/apis/none/v1/things'), undefined);
    assert.is(await east.delete('/api/v1/namespaces/none'), false);
  });

  test('lists all pages and gives items the kind that the list leaves out', async () => {
    const east = await client();
    server.handle = (request, response) => {
      const token = new URL(request.url ?? '', server.url).searchParams.get('continue');
      sendJson(response, token === null ? listOf([node('a'), node('b')], { continue: 'x&y=1' }) : listOf([node(token)]));
    };

    const nodes = await east.list('/api/v1/nodes', { labelSelector: 'a=b,c' });

    assert.equal(
      nodes?.map(({ kind, apiVersion, metadata }) => [kind, apiVersion, metadata.name]),
      [
        ['Node', 'v1', 'a'],
        ['Node', 'v1', 'b'],
        ['Node', 'v1', 'x&y=1'],
      ],
    );
    assert.is(server.requests.at(-2), 'GET /api/v1/nodes?limit=500&labelSelector=a%3Db%2Cc');
  });

  test('starts a list again when its token has expired, without keeping the first half', async () => {
    const east = await client();
    let expired = false;
    server.handle = (request, response) => {
      if (!request.url?.includes('continue')) return sendJson(response, listOf([node('a')], { continue: 't' }));
      if (expired) return sendJson(response, listOf([node('b')]));
      expired = true;
      return sendStatus(response, 410, { reason: 'Expired' });
    };

    const names = await east.collect('/api/v1/nodes', ({ metadata }) => metadata.name);

    assert.equal(names, ['a', 'b']);
  });

  test('gives up a list that expires every time', async () => {
    const east = await client();
    server.handle = (request, response) =>
      request.url?.includes('continue')
        ? sendStatus(response, 410, { reason: 'Expired', message: 'too old' })
        : sendJson(response, listOf([node('a')], { continue: 't' }));

    const error = await failureOf(() => east.list('/api/v1/nodes'));

    assert.is(error.message, 'GET /api/v1/nodes: 410 too old');
  });

  test('asks for metadata alone and for the columns of a Table', async () => {
    const east = await client();
    const accepted: unknown[] = [];
    server.handle = (request, response) => {
      accepted.push(request.headers.accept);
      if (!request.url?.includes('includeObject')) return sendJson(response, { ...listOf([node('a')]), kind: 'PartialObjectMetadataList' });
      return sendJson(response, {
        kind: 'Table',
        columnDefinitions: [{ name: 'Name' }, { name: 'IP' }],
        rows: [{ cells: ['a', '10.0.0.1'] }],
      });
    };

    const metadata = await east.list('/api/v1/pods', { metadataOnly: true });
    const table = await east.table('/api/v1/pods', ['IP', 'Missing', 'Name']);

    assert.is(metadata?.[0]?.kind, 'PartialObjectMetadata');
    assert.equal(table, [['10.0.0.1', undefined, 'a']]);
    assert.match(String(accepted[0]), 'PartialObjectMetadataList');
    assert.match(String(accepted[1]), 'as=Table;v=v1;');
  });

  for (const [title, answer] of [
    ['items that are null', listOf(null)],
    ['no items', { kind: 'NodeList', apiVersion: 'v1' }],
    ['an empty object', {}],
    ['a Status', { kind: 'Status', status: 'Success' }],
    ['an item without a name', listOf([{ metadata: {} }])],
  ] as const)
    test(`takes ${title} for an error, not for an empty list`, async () => {
      const east = await client();
      server.handle = (_, response) => sendJson(response, answer);

      const error = await failureOf(() => east.list('/api/v1/nodes'));

      assert.is(error.message, 'the answer to GET /api/v1/nodes is not a list of objects');
      assert.is(statusOf(error), undefined);
    });

  test('waits as long as a 429 asks, and repeats even a POST after it', async () => {
    const east = await client();
    let asked = 0;
    server.handle = (_, response) => {
      if (++asked > 2) return sendJson(response, { kind: 'Secret', apiVersion: 'v1', metadata: { name: 's' } }, 201);
      response.setHeader('retry-after', '0');
      return sendStatus(response, 429, { reason: 'TooManyRequests' });
    };

    const created = await east.create('/api/v1/namespaces/a/secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } });

    assert.is(created?.metadata.name, 's');
    assert.is(asked, 3);
  });

  test('repeats reads after 5xx a bounded number of times, and a POST not at all', async () => {
    const east = await client();
    let asked = 0;
    server.handle = (_, response) => {
      asked++;
      sendStatus(response, 503, { reason: 'ServiceUnavailable', message: 'apiserver is shutting down' });
    };

    const error = await failureOf(() => east.get('/version'));
    const reads = asked;
    await failureOf(() => east.create('/api/v1/secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }));

    assert.is(error.message, 'GET /version: 503 apiserver is shutting down');
    assert.is(reads, 5);
    assert.is(asked - reads, 1);
  });

  test('repeats a read whose connection was reset', async () => {
    const east = await client();
    let asked = 0;
    server.handle = (request, response) => (++asked === 1 ? void request.socket.destroy() : sendJson(response, { fine: true }));

    assert.equal(await east.get('/version'), { fine: true });
  });

  test('gives up a connection that is reset every time', async () => {
    const east = await client();
    server.handle = (request) => void request.socket.destroy();

    const error = await failureOf(() => east.get('/version'));

    assert.is(error.message, 'the connection was closed before the answer was complete');
  });

  test('does not wait for a silent server', async () => {
    const east = await client();
    server.handle = () => undefined;

    const error = await failureOf(() => east.create('/x', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }));

    assert.is(error.message, 'the API server did not answer in time');
  });

  test('does not wait for a server that drips', async () => {
    const east = await client();
    let drip: NodeJS.Timeout | undefined;
    server.handle = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      drip = setInterval(() => response.write(' '), 20);
    };

    const error = await failureOf(() => east.create('/x', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }));
    clearInterval(drip);

    assert.is(error.message, 'the API server did not answer in time');
  });

  test('says when an answer is cut short', async () => {
    const east = await client();
    server.handle = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"items":[');
    };

    const error = await failureOf(() => east.get('/version'));

    assert.is(error.message, 'the answer to GET /version is not complete JSON');
  });

  test('says when a web page answers, with success or a redirect', async () => {
    const east = await client();
    server.handle = (request, response) => {
      response.writeHead(request.url === '/moved' ? 302 : 200, { 'content-type': 'text/html', location: 'https://login.example' });
      response.end('<html>');
    };

    const page = await failureOf(() => east.get('/version'));
    const moved = await failureOf(() => east.get('/moved'));

    assert.is(page.message, 'GET /version: answered 200 with text/html, which is no answer of a Kubernetes API server');
    assert.is(moved.message, 'GET /moved: answered 302 with text/html, which is no answer of a Kubernetes API server');
  });

  test('tells a missing permission by its status', async () => {
    const east = await client();
    server.handle = (_, response) =>
      sendStatus(response, 403, { reason: 'Forbidden', message: 'nodes is forbidden: User "eve" cannot list' });

    const error = await failureOf(() => east.list('/api/v1/nodes'));

    assert.is(statusOf(error), 403);
    assert.is(error.message, 'GET /api/v1/nodes: 403 nodes is forbidden: User "eve" cannot list');
  });

  test('logs in once more after a 401, with credentials read again', async () => {
    const tokenFile = join(authority.folder, 'token');
    writeFileSync(tokenFile, 'old');
    const east = await client({}, { tokenFile: 'token' });
    server.handle = (request, response) => {
      if (request.headers.authorization === 'Bearer new') return sendJson(response, { fine: true });
      writeFileSync(tokenFile, 'new');
      return sendStatus(response, 401, { reason: 'Unauthorized' });
    };

    assert.equal(await east.get('/version'), { fine: true });
  });

  test('names the expiry of the client certificate behind a 401', async () => {
    authority.issue('me', { notAfter: '20210101000000Z' });
    const east = await client({}, { 'client-certificate': 'me.crt', 'client-key': 'me.key' });
    server.handle = (_, response) => sendStatus(response, 401, { reason: 'Unauthorized', message: 'Unauthorized' });

    const error = await failureOf(() => east.get('/version'));

    assert.match(error.message, 'the client certificate of the kubeconfig expired on 2021-01-01T00:00:00.000Z');
    assert.is(statusOf(error), 401);
  });

  test('shows who manages a field that it may not apply', async () => {
    const east = await client();
    server.handle = (request, response) => {
      assert.is(request.headers['content-type'], 'application/apply-patch+yaml');
      const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "kubectl" using v1', field: '.metadata.labels.a' }];
      sendJson(response, { kind: 'Status', reason: 'Conflict', message: 'Apply failed', details: { causes } }, 409);
    };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } };

    const error = await failureOf(() => east.apply('/api/v1/namespaces', namespace, { fieldManager: 'isthmus', dryRun: true }));

    assert.is(error.message, 'PATCH /api/v1/namespaces/a: 409 conflict with "kubectl" using v1: .metadata.labels.a');
    assert.is(server.requests.at(-1), 'PATCH /api/v1/namespaces/a?fieldManager=isthmus&force=false&dryRun=All');
  });

  test('gives back nothing for objects that changed meanwhile', async () => {
    const east = await client();
    server.handle = (_, response) => sendStatus(response, 409, { reason: 'Conflict' });
    const lease = { apiVersion: 'v1', kind: 'Lease', metadata: { name: 'a' } };

    assert.is(await east.create('/leases', lease), undefined);
    assert.is(await east.replace('/leases/a', lease), undefined);
    assert.is(await east.delete('/leases/a', { uid: 'other' }), false);
  });

  test('says which authority, names or dates of a certificate are wrong', async () => {
    const expired = await startApiServer(authority.issue('expired', { notAfter: '20210101000000Z' }));
    const elsewhere = await startApiServer(authority.issue('elsewhere', { names: 'DNS:other.example' }));
    const stranger = createAuthority();
    const foreign = await startApiServer(stranger.issue('foreign'));
    try {
      const date = await failureOf(async () => (await client({ server: expired.url })).get('/version'));
      const name = await failureOf(async () => (await client({ server: elsewhere.url })).get('/version'));
      const signer = await failureOf(async () => (await client({ server: foreign.url })).get('/version'));

      assert.is(
        date.message,
        'the certificate of the API server has expired (valid from 2020-01-01T00:00:00.000Z to 2021-01-01T00:00:00.000Z)',
      );
      assert.is(name.message, 'the certificate of the API server is for other names (DNS:other.example)');
      assert.is(signer.message, 'the certificate of the API server is not signed by the certificate authority of the kubeconfig');
    } finally {
      for (const each of [expired, elsewhere, foreign]) await each.stop();
      stranger.remove();
    }
  });

  test('takes another name for the certificate when the kubeconfig gives one', async () => {
    const elsewhere = await startApiServer(authority.issue('elsewhere2', { names: 'DNS:other.example' }));
    try {
      const east = await client({ server: elsewhere.url, 'tls-server-name': 'other.example' });

      assert.equal(await east.get('/version'), {});
    } finally {
      await elsewhere.stop();
    }
  });

  test('says when nothing listens, when the name is unknown, and when plain HTTP answers', async () => {
    const closed = await freePort();
    const plain = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    try {
      const refused = await failureOf(async () => (await client({ server: `https://127.0.0.1:${closed}` })).get('/version'));
      const http = await failureOf(async () =>
        (await client({ server: `https://127.0.0.1:${(plain.address() as AddressInfo).port}` })).get('/version'),
      );

      assert.is(refused.message, 'nothing listens at the address of the API server');
      assert.match(http.message, /^the server does not speak TLS/);
    } finally {
      await new Promise((resolve) => plain.close(resolve));
    }
  });

  test('goes through the proxy that the kubeconfig names, one tunnel for requests in a row', async () => {
    server.handle = (_, response) => sendJson(response, {});
    let tunnels = 0;
    const { createServer: createHttpServer } = await import('node:http');
    const { connect } = await import('node:net');
    const proxy = createHttpServer();
    proxy.on('connect', (_request, socket) => {
      tunnels++;
      const target = connect(server.port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      target.pipe(socket).pipe(target);
      for (const end of [socket, target]) end.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const east = await client({ 'proxy-url': `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    try {
      for (let count = 0; count < 5; count++) await east.get('/version');

      assert.is(tunnels, 1);
    } finally {
      east.close();
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  test('reads logs as text and the authority as PEM', async () => {
    const east = await client();
    server.handle = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end('line\n');
    };

    assert.is(await east.podLog('a b', 'pod', { tailLines: 5 }), 'line\n');
    assert.is(server.requests.at(-1), 'GET /api/v1/namespaces/a%20b/pods/pod/log?tailLines=5');
    await east.podLog('a', 'pod', { tailLines: 5, since: new Date('2026-11-22T12:00:00Z') });
    assert.is(server.requests.at(-1), 'GET /api/v1/namespaces/a/pods/pod/log?tailLines=5&sinceTime=2026-11-22T12%3A00%3A00.000Z');
    assert.is(east.certificateAuthority, authority.cert);
  });
});

async function freePort(): Promise<number> {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  return port;
}
