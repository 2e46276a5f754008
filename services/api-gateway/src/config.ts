import { baseConfig, registryConfig, url } from '@microservice-platform/common';

/** The environment of the gateway. */
export const gatewayConfig = {
  ...baseConfig,
  ...registryConfig,
  userServiceUrl: url('USER_SERVICE_URL'),
  productServiceUrl: url('PRODUCT_SERVICE_URL'),
  orderServiceUrl: url('ORDER_SERVICE_URL'),
  notificationServiceUrl: url('NOTIFICATION_SERVICE_URL'),
  inventoryServiceUrl: url('INVENTORY_SERVICE_URL'),
  paymentServiceUrl: url('PAYMENT_SERVICE_URL'),
  analyticsServiceUrl: url('ANALYTICS_SERVICE_URL'),
} as const;
