import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { analyticsRoutes } from '../../../services/analytics-service/src/handlers.ts';
import { contractRoute } from '../../../services/common/src/serving/contract.ts';
import { problems } from '../../../services/common/src/serving/problem.ts';
import { service } from '../../../services/common/src/serving/service.ts';
import { reservationRoutes, stockRoutes } from '../../../services/inventory-service/src/handlers.ts';
import { notificationRoutes } from '../../../services/notification-service/src/handlers.ts';
import { orderRoutes } from '../../../services/order-service/src/handlers.ts';
import { paymentRoutes } from '../../../services/payment-service/src/handlers.ts';
import { productRoutes } from '../../../services/product-service/src/handlers.ts';
import { userRoutes } from '../../../services/user-service/src/handlers.ts';
import { contractOf } from '../../support/openapi.ts';
import type { RestService } from '../../support/whole-shop.ts';

const place = (name: string) => new URL(`../../../services/${name}`, import.meta.url);

const apps: ReturnType<typeof service>[] = [];
const empty = (name: string) => {
  const app = service({ name, version: '0', logLevel: 'silent', checks: {} });
  apps.push(app);
  return app;
};
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** None of what a service stands on is touched while its routes are only listed. */
const nothing = {} as never;
const routes: Record<RestService, (app: ReturnType<typeof service>) => void> = {
  'user-service': (app) => userRoutes(app, nothing),
  'product-service': (app) => productRoutes(app, nothing),
  'order-service': (app) => orderRoutes(app, nothing),
  'inventory-service': (app) => {
    stockRoutes(app, nothing);
    reservationRoutes(app, nothing);
  },
  'payment-service': (app) => paymentRoutes(app, nothing),
  'notification-service': (app) => notificationRoutes(app, nothing),
  'analytics-service': (app) => analyticsRoutes(app, nothing),
};

describe.each(Object.entries(routes))('the contract of %s', (name, addRoutes) => {
  it('has every route of the service, in every version, and no other', async () => {
    const app = empty(name);
    const found: string[] = [];
    app.addHook('onRoute', ({ method, url }) => {
      for (const it of [method].flat()) {
        if (it !== 'HEAD') found.push(`${it} ${url.replace(/:(\w+)/g, '{$1}')}`); // wherever GET is, so is HEAD
      }
    });
    addRoutes(app);
    await app.ready();
    expect(Object.keys(contractOf(name)).sort()).toEqual(found.sort());
  });

  it('says how each operation refuses what is not as described, and that it may not be possible now', () => {
    for (const [operation, { parameters = [], requestBody, responses }] of Object.entries(contractOf(name))) {
      const asked = [
        ...(parameters.length > 0 || requestBody !== undefined ? ['400'] : []),
        ...(requestBody === undefined ? [] : ['413', '415']),
        '503',
      ];
      expect(Object.keys(responses), operation).toEqual(expect.arrayContaining(asked));
    }
  });
});

describe('a contract', () => {
  it('has the whole list of problems', () => {
    const { Problem } = parse(readFileSync(place('common/problems.yaml'), 'utf8')) as {
      Problem: { properties: { code: { enum: string[] } } };
    };
    expect(Problem.properties.code.enum).toEqual(Object.keys(problems));
  });

  it('is answered by its service, as is what it refers to', async () => {
    const app = empty('user-service');
    contractRoute(app, place('user-service/openapi.yaml'));
    for (const [url, file] of [
      ['/openapi.yaml', 'user-service/openapi.yaml'],
      ['/common/problems.yaml', 'common/problems.yaml'],
    ] as const) {
      const answer = await app.inject({ url });
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/yaml']);
      expect(answer.body).toBe(readFileSync(place(file), 'utf8'));
    }
  });
});
