/** The data sources, each by the variable of a dashboard that chooses one: any Grafana has them under names of its own. */
export const metrics = { type: 'prometheus', uid: '${metrics}' };
export const traces = { type: 'jaeger', uid: '${traces}' };
export const logs = { type: 'loki', uid: '${logs}' };
