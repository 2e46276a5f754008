import { baseConfig, url } from '@microservice-platform/common';

/** The environment of the gateway. */
export const gatewayConfig = {
  ...baseConfig,
  productServiceUrl: url('PRODUCT_SERVICE_URL'),
  orderServiceUrl: url('ORDER_SERVICE_URL'),
  notificationServiceUrl: url('NOTIFICATION_SERVICE_URL'),
} as const;
