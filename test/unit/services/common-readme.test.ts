import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { analyticsConfig } from '../../../services/analytics-service/src/config.ts';
import { gatewayConfig } from '../../../services/api-gateway/src/config.ts';
import type { ConfigSchema } from '../../../services/common/src/config/config.ts';
import {
  configChoice,
  configEtcdChoice,
  configFilesChoice,
} from '../../../services/common/src/config/config-choice.ts';
import { timeouts } from '../../../services/common/src/serving/timeouts.ts';
import { telemetryConfig } from '../../../services/common/src/telemetry/telemetry-config.ts';
import { inventoryConfig } from '../../../services/inventory-service/src/config.ts';
import { loadgenConfig } from '../../../services/loadgen/src/config.ts';
import { notificationConfig } from '../../../services/notification-service/src/config.ts';
import { orderConfig } from '../../../services/order-service/src/config.ts';
import { paymentConfig } from '../../../services/payment-service/src/config.ts';
import { productConfig } from '../../../services/product-service/src/config.ts';
import { userConfig } from '../../../services/user-service/src/config.ts';

const readme = readFileSync(new URL('../../../services/README.md', import.meta.url), 'utf8');

describe("the services' README", () => {
  it('names every variable that a service reads, and no other', () => {
    const schemas: ConfigSchema[] = [
      telemetryConfig,
      configChoice,
      configFilesChoice,
      configEtcdChoice,
      analyticsConfig,
      gatewayConfig,
      inventoryConfig,
      loadgenConfig,
      notificationConfig,
      orderConfig,
      paymentConfig,
      productConfig,
      userConfig,
    ];
    const read = schemas.flatMap((schema) => Object.values(schema).map(({ variable }) => variable));
    const table = readme.slice(readme.indexOf('## Environment'), readme.indexOf('## Running one'));
    const named = table.match(/`[A-Z_]{4,}`/g)?.map((it) => it.replaceAll('`', ''));
    expect(new Set(named)).toEqual(new Set(read));
  });

  it('states the limits that are set', () => {
    const { readMs, answerMs, takeMs, keepAliveMs, checkMs } = timeouts;
    expect([readMs, answerMs, takeMs, keepAliveMs, checkMs]).toEqual([5_000, 10_000, 1_000, 120_000, 2_000]);
    for (const claim of ['within 5 s, or 408', 'within 10 s, or 503', 'one more second', ' 120 s ', 'has 2 s']) {
      expect(readme).toContain(claim);
    }
  });
});
