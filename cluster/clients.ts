import { isCommand } from './commands.ts';
import { builtTool } from './toolchain.ts';

/**
 * The path of a program that talks to clusters: the one that was built here, or the machine's own.
 * @throws Error when there is neither
 */
export function client(name: 'kubectl' | 'helm' | 'kind'): string {
  const found = builtTool(name) ?? (isCommand(name) ? name : undefined);
  if (found === undefined) throw new Error(`${name} is not on the path: install it, or build it with make tools`);
  return found;
}
