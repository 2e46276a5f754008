import { isCommand } from './commands.ts';

/** Why an embedded cluster cannot run on this machine; empty when it can. All reasons at once, each with its remedy. */
export function obstacles(): string[] {
  const found: string[] = [];
  if (process.platform !== 'linux') found.push(`this is ${process.platform}: an embedded cluster needs Linux`);
  if (process.getuid?.() !== 0) found.push('not root: run it as root, for example with sudo');
  if (!['x64', 'arm64'].includes(process.arch))
    found.push(`${process.arch} processors are not supported: x64 or arm64 is`);
  for (const [command, remedy] of Object.entries(neededCommands)) {
    if (!isCommand(command)) found.push(`${command} is not on the path: ${remedy}`);
  }
  return found;
}

const neededCommands = {
  go: 'install Go 1.26 or newer, or put the one that is there on the path of root',
  npm: 'install Node 20 or newer with npm',
  'apt-get': 'an embedded cluster takes its small parts from Debian packages, so it needs Debian',
} as const;

const nameForm = /^[a-z][a-z0-9-]{0,19}$/;

/** @throws Error when a cluster cannot have that name: it becomes a folder, a cgroup and part of an argument */
export function checkName(name: string): string {
  if (!nameForm.test(name)) {
    throw new Error(`NAME=${name}: use 1 to 20 small letters, digits and dashes, a letter first`);
  }
  return name;
}
