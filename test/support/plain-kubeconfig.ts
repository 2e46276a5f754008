/** A kubeconfig for an API server without TLS and without users, such as a proxy in front of a real one: JSON, which is YAML. */
export function plainKubeconfig(server: string): string {
  return JSON.stringify({
    'current-context': 'proxy',
    clusters: [{ name: 'proxy', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'proxy', user: {} }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
  });
}
