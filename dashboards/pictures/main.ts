// Draws every dashboard with what a cluster has of the last quarter of an hour: docs/pictures/dashboards/*.svg.
//   make pictures NAME=default
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedCluster } from '../../cluster/embedded/embedded.ts';
import { kindCluster } from '../../cluster/kind/kind.ts';
import { dashboards } from '../files.ts';
import { drawn } from './page.ts';

const [name = 'default', minutes = '15'] = process.argv.slice(2);
const kind = kindCluster(name);
const urls = (kind.isRunning() ? kind : embeddedCluster(name)).urls();
const prometheus = urls.get('prometheus');
if (prometheus === undefined) throw new Error(`the cluster ${name} does not run; start it with make up`);

const folder = join(import.meta.dirname, '../../docs/pictures/dashboards');
const step = 15;
const end = Math.floor(Date.now() / 1000 / step) * step;
const scene = {
  sources: { prometheus, jaeger: urls.get('jaeger'), loki: urls.get('loki') },
  range: { start: end - Number(minutes) * 60, end, step },
  choices: { namespace: 'shop', service: 'order-service' },
};
mkdirSync(folder, { recursive: true });
for (const [file, dashboard] of Object.entries(dashboards)) {
  const picture = await drawn(dashboard, scene);
  writeFileSync(join(folder, `${file}.svg`), picture);
  console.log(`${file}.svg: ${Math.round(picture.length / 1000)} kB`);
}
