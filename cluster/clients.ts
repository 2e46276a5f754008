import { isCommand } from './commands.ts';
import { builtTool } from './toolchain.ts';

/** What is missing of the programs that every cluster but an embedded one, for which they are built, is talked to with. */
export function missingClients(): { readonly text: string }[] {
  return (['kubectl', 'helm'] as const)
    .filter((name) => builtTool(name) === undefined && !isCommand(name))
    .map((name) => ({ text: `${name} is not on the path: install it, or build it with make tools` }));
}

/**
 * The path of a program that talks to clusters: the one that was built here, or the machine's own.
 * @throws Error when there is neither
 */
export function client(name: 'kubectl' | 'helm' | 'kind'): string {
  const found = builtTool(name) ?? (isCommand(name) ? name : undefined);
  if (found === undefined) throw new Error(`${name} is not on the path: install it, or build it with make tools`);
  return found;
}
