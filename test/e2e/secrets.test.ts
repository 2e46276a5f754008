import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { embeddedCluster } from '../../cluster/embedded/embedded.ts';
import { type Kubectl, kubectl } from '../../cluster/kubectl.ts';
import { repository } from '../../cluster/paths.ts';
import { run } from '../../cluster/run.ts';
import { query, tracedOrder } from '../../manifests/proof.ts';
import { cli, cluster, url } from '../support/cluster.ts';

interface Secret {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data: Readonly<Record<string, string>>;
}

const secretsOf = async ({ get }: Kubectl): Promise<readonly Secret[]> =>
  JSON.parse(await get(['secrets', '-n', 'shop', '-o', 'json'])).items;

/** The passwords of the shop and its signing key, each as it is and as a Secret holds it. */
async function passwordsOf(cluster: Kubectl): Promise<readonly { name: string; texts: readonly string[] }[]> {
  const plain = (text: string) => Buffer.from(text, 'base64').toString();
  const held = (await secretsOf(cluster)).flatMap(({ metadata: { name }, data: { password, jwks } }) => {
    if (jwks !== undefined) return [{ name, texts: [privatePart(plain(jwks)), jwks] }];
    return password === undefined ? [] : [{ name, texts: [plain(password), password] }];
  });
  expect(held.map(({ name }) => name)).toEqual([
    'analytics-service-db',
    'inventory-service-db',
    'notification-service-db',
    'order-service-db',
    'payment-service-db',
    'product-service-db',
    'rabbitmq',
    'user-service-db',
    signingKey,
  ]);
  return held;
}

const signingKey = 'user-service-keys';

/** What of a key only its owner may know; the rest of it is published. */
function privatePart(jwks: string): string {
  const { keys } = JSON.parse(jwks) as { readonly keys: readonly [{ readonly d: string }] };
  expect(keys[0].d).toMatch(/^[\w-]{43}$/);
  return keys[0].d;
}

type Passwords = Awaited<ReturnType<typeof passwordsOf>>;

/** Whose password a text has in it. The text itself is not for the report of a test. */
const toldIn = (text: string, passwords: Passwords) =>
  passwords.filter(({ texts }) => texts.some((each) => text.includes(each))).map(({ name }) => name);

/** The files that hold a password, as far as somebody can read them. */
async function filesTelling(passwords: Passwords, folder: string, as: readonly string[] = []): Promise<string[]> {
  // The patterns go over standard input. Exit code 1 means that there is none, 2 that not everything could be read.
  const grep =
    'grep --recursive --files-with-matches --fixed-strings --no-messages --exclude-dir=node_modules -f - "$0"';
  const args = [...as, 'sh', '-c', `${grep} || test $? -le ${as.length > 0 ? 2 : 1}`, folder];
  const patterns = passwords.flatMap(({ texts }) => texts).join('\n');
  return (await run('env', args, { input: patterns })).split('\n').filter((line) => line !== '');
}

/** Everything of a cluster that people look at, by where it is to be found. */
async function told(): Promise<ReadonlyMap<string, string>> {
  const kinds = (await cli.run(['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n');
  const others = kinds.filter((kind) => kind !== 'secrets').join();
  const found = new Map([['objects and events', await cli.get([others, '-A', '-o', 'yaml'])]]);
  const names = await cli.get([
    'pods',
    '-A',
    '--no-headers',
    '-o',
    'custom-columns=:.metadata.namespace,:.metadata.name',
  ]);
  for (const line of names.trim().split('\n')) {
    const [namespace = '', pod = ''] = line.split(/\s+/);
    // A pod may go meanwhile, or not have begun to log.
    const log = cli.run(['logs', '-n', namespace, pod, '--all-containers']).catch(() => '');
    found.set(`log of ${namespace}/${pod}`, await log);
  }
  const jaeger = async (path: string) =>
    (await fetch(`${url('jaeger')}/api/${path}`, { signal: AbortSignal.timeout(20_000) })).text();
  for (const service of JSON.parse(await jaeger('services')).data) {
    found.set(`traces of ${service}`, await jaeger(`traces?service=${service}&limit=200`));
  }
  return found.set('metrics', JSON.stringify(await query(url('prometheus'), '{__name__=~".+"}')));
}

describe('the passwords of the shop', () => {
  it('are in no object but their Secrets, no event, no log of a pod, no trace and no metric', async () => {
    const passwords = await passwordsOf(cli);
    // Whatever was traced before, Jaeger may have forgotten.
    await tracedOrder(url('api-gateway'), url('jaeger'));
    const places = await told();
    for (const [place, text] of places) expect(toldIn(text, passwords), place).toEqual([]);
    // What was searched was there.
    expect(places.get('objects and events')).toContain('secretKeyRef');
    expect(places.get('metrics')).toContain('http_requests_total');
    const kept = [...places.keys()];
    expect(kept).toContain('traces of order-service');
    expect(kept.filter((place) => place.startsWith('log of shop/') && places.get(place) !== '').length).toBeGreaterThan(
      5,
    );
  });
});

/** A cluster that has one of the Secrets before anything is installed. */
const target = embeddedCluster('secrets');
const theirs = kubectl(target.kubeconfig);

const chosen = randomUUID();
const theirSecret = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'rabbitmq', namespace: 'shop' },
    stringData: { username: 'somebody', password: chosen },
  },
];

/** The command lines of all processes of the machine, those inside the node too, looked at again and again. */
function watchCommandLines(): { seen: ReadonlySet<string>; end: () => void } {
  const seen = new Set<string>();
  const look = () => {
    for (const entry of readdirSync('/proc')) {
      if (!/^\d/.test(entry)) continue;
      try {
        seen.add(readFileSync(`/proc/${entry}/cmdline`, 'utf8'));
      } catch {
        // It has ended.
      }
    }
  };
  // Less than any command lives that is started for a Secret: kubectl takes 50 ms to begin.
  const timer = setInterval(look, 10);
  return { seen, end: () => clearInterval(timer) };
}

const up = () =>
  run(process.execPath, [join(repository, 'cluster/main.ts'), 'up', target.name], { timeoutMs: 280_000 });

const versionsOf = async () =>
  (await secretsOf(theirs)).map(({ metadata: { name, resourceVersion } }) => ({ name, resourceVersion }));

describe.skipIf(cluster.way !== 'embedded')('make up (watched from the machine of an embedded node)', () => {
  afterAll(() => target.stop());

  it('makes the passwords that are missing, tells nobody, and never touches one that is there', async () => {
    await target.start((_, work) => work(() => {}));
    for (const object of theirSecret) await theirs.create(JSON.stringify(object));
    const before = (await versionsOf())[0];

    const watch = watchCommandLines();
    const said = await up().finally(watch.end);
    expect(said).toMatch(/order .* was answered 201/);

    const passwords = await passwordsOf(theirs);
    expect(toldIn(chosen, passwords)).toEqual(['rabbitmq']);
    const made = passwords
      .filter(({ name }) => name !== 'rabbitmq' && name !== signingKey)
      .map(({ texts: [text = ''] }) => text);
    expect(made.every((password) => /^[\w-]{24}$/.test(password))).toBe(true);
    expect(new Set(made).size).toBe(7);

    expect(toldIn(said, passwords)).toEqual([]);
    const lines = [...watch.seen];
    expect(lines.filter((line) => /kubectl.*\0create\0-f\0-/.test(line))).not.toEqual([]);
    expect(lines.filter((line) => /postgres|rabbitmq/.test(line)).length).toBeGreaterThan(5);
    const telling = lines.filter((line) => toldIn(line, passwords).length > 0).map((line) => line.split('\0')[0]);
    expect(telling).toEqual([]);

    const folder = dirname(target.kubeconfig);
    // The API server's store has them, and whoever is not root cannot read it.
    expect((await filesTelling(passwords, join(folder, 'etcd'))).length).toBeGreaterThan(0);
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    expect(await filesTelling(passwords, folder, nobody)).toEqual([]);
    const places = [join(folder, 'logs'), join(folder, 'supervisor.log'), repository];
    for (const place of places) expect(await filesTelling(passwords, place), place).toEqual([]);

    const versions = await versionsOf();
    expect(versions).toContainEqual(before);
    await up();
    expect(await versionsOf()).toEqual(versions);
  });
});
