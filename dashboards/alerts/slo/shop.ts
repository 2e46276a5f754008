/** The series of a service, for stories. */
export const answers = (status: string) =>
  `http_requests_total{job="microservices",namespace="shop",service="cart",pod="a",method="GET",endpoint="/cart",status="${status}"}`;

/** Its requests that took so long at most; +Inf is also their number. */
export const times = (le: string) =>
  `http_request_duration_seconds_${le === '+Inf' ? 'count' : 'bucket'}{job="microservices",namespace="shop",service="cart",pod="a",method="GET",endpoint="/cart"${le === '+Inf' ? '' : `,le="${le}"`}}`;

/** What it promises, as the operator exports it. */
export function promise(objective: string, slo = 'availability', le?: string): Readonly<Record<string, string>> {
  const labels = `exported_namespace="shop",name="cart",slo="${slo}"${le === undefined ? '' : `,le="${le}"`}`;
  return {
    [`microservice_platform_slo_objective{job="operator",namespace="platform",pod="o",${labels}}`]: `${objective}x1200`,
  };
}

/** The labels of an alert about that promise. */
export const availability = { namespace: 'shop', service: 'cart', slo: 'availability' } as const;
