import type { ChildProcess } from 'node:child_process';
import { controllerManager, startProgram } from '../../cluster/control-plane.ts';
import type { ControlPlane } from '../support/control-plane.ts';

/**
 * Starts the controllers of Kubernetes beside a control plane, with more requests a second than they allow themselves:
 * dozens of plans at once would wait for them, and not for the operator. Dies with this process.
 */
export function startControllers({ folder, url }: ControlPlane): ChildProcess {
  const layout = { folder, host: '127.0.0.1', ports: { etcd: 0, peer: 0, api: Number(new URL(url).port) } };
  const { name, command, args } = controllerManager(layout, [
    '--secure-port=0',
    '--kube-api-qps=300',
    '--kube-api-burst=600',
    // What an autoscaler brings its Deployment to at once is part of many an end state.
    '--horizontal-pod-autoscaler-sync-period=500ms',
  ]);
  return startProgram({ name, command: 'setpriv', args: ['--pdeathsig=KILL', command, ...args] }, folder);
}
