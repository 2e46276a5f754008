/** A MicroTime of Kubernetes: six digits after the point, or the API server refuses it. */
export function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
