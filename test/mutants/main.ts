// Breaks the operator on purpose, one defect at a time, in a copy, and sees whether a test turns red. Survivors are either
// a hole in the tests or no defect. `--only TEXT` takes those whose name has it; `--write` renews docs/mutants.md.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, mutants } from './mutants.ts';

const root = join(import.meta.dirname, '../..');
/** Where defects are met that the tests asked first do not see. (Unit tests of the services do not run in a copy.) */
const everything = 'api/';
const longestMs = 900_000;
/** Of a single file; a healthy one takes a quarter of it. A mutant may well run in circles. */
const longestOfFileMs = { unit: 60_000, api: 400_000 };

interface Fate {
  readonly mutant: Mutant;
  /** The first tests that turned red; undefined for a survivor. */
  readonly caughtBy: string | undefined;
  readonly seconds: number;
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, write: { type: 'boolean' } } });
const chosen = mutants.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0) throw new Error(`no mutant has ${JSON.stringify(values.only)} in its name`);
const begun = performance.now();
const copy = copied();
/** Ends the tests that run, with all that they started. */
let endOfTests: () => unknown = () => undefined;
process.once('exit', () => {
  endOfTests();
  rmSync(copy, { recursive: true, force: true });
});
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const fates: Fate[] = [];
for (const [index, mutant] of chosen.entries()) {
  const fate = await fateOf(mutant);
  fates.push(fate);
  const outcome = fate.caughtBy === undefined ? 'SURVIVED' : `caught by ${fate.caughtBy}`;
  console.log(`${index + 1}/${chosen.length}  ${mutant.name}: ${outcome} (${fate.seconds} s)`);
}
const survivors = fates.filter(({ caughtBy }) => caughtBy === undefined);
const minutes = Math.round((performance.now() - begun) / 60_000);
console.log(`\n${fates.length - survivors.length} of ${fates.length} caught, in ${minutes} minutes`);
for (const { mutant } of survivors) console.log(`survived: ${mutant.name} (${mutant.file})`);
if (values.write) writeFileSync(join(root, 'docs/mutants.md'), report());
process.exitCode = survivors.length > fates.length / 10 ? 1 : 0;

/** The files of the repository as they are now, committed or not, with the packages of this one. */
function copied(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
  for (const file of files.split('\0').filter(Boolean)) {
    cpSync(join(root, file), join(folder, file), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

async function fateOf(mutant: Mutant): Promise<Fate> {
  const started = performance.now();
  const file = join(copy, 'operator/src', mutant.file);
  const healthy = readFileSync(file, 'utf8');
  writeFileSync(file, broken(mutant, healthy));
  try {
    let caughtBy: string | undefined;
    for (const tests of [...mutant.ask.map((name) => `${name}.test.ts`), everything]) {
      if (!(await isGreen(tests))) {
        caughtBy = tests;
        break;
      }
    }
    return { mutant, caughtBy, seconds: Math.round((performance.now() - started) / 1000) };
  } finally {
    writeFileSync(file, healthy);
  }
}

/** @throws Error when the text is not there exactly once: the operator has changed, and this mutant has to follow */
function broken({ name, file, from, to }: Mutant, healthy: string): string {
  const times = healthy.split(from).length - 1;
  if (times !== 1) throw new Error(`${name}: its text is ${times} times in operator/src/${file}, not once`);
  return healthy.replace(from, () => to);
}

/** Whether these tests pass, in time; they end with the first that does not. */
async function isGreen(tests: string): Promise<boolean> {
  const project = tests.startsWith('unit/') ? 'unit' : 'api';
  const args = ['run', '--config', 'test/vitest.config.ts', '--project', project, '--bail', '1', '--retry', '0'];
  const child = spawn(join(root, 'node_modules/.bin/vitest'), [...args, `test/${tests}`], {
    cwd: copy,
    stdio: 'ignore',
    detached: true, // a group of its own, which can be ended as a whole
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
  });
  const ms = tests.endsWith('/') ? longestMs : longestOfFileMs[project];
  endOfTests = () => child.pid !== undefined && child.exitCode === null && process.kill(-child.pid, 'SIGKILL');
  const late = setTimeout(() => endOfTests(), ms);
  const [code] = await once(child, 'exit');
  clearTimeout(late);
  return code === 0;
}

function report(): string {
  const rows = fates.map(
    ({ mutant, caughtBy, seconds }) =>
      `| ${mutant.name} | \`operator/src/${mutant.file}\` | ${caughtBy === undefined ? '**nobody**' : `\`test/${caughtBy}\``} | ${seconds} |`,
  );
  return `# Mutants

<!-- Written by \`make mutants\`; do not edit. -->

The operator, broken on purpose: each row is one defect of a kind that operators in the field had, made in a copy, and the
first tests that turned red. ${fates.length - survivors.length} of ${fates.length} were caught, in ${minutes} minutes on ${cpus().length} cores.

| Defect | In | Caught by | Seconds |
| --- | --- | --- | --- |
${rows.join('\n')}
${survivors.flatMap(({ mutant: { name, ifItSurvives } }) => (ifItSurvives === undefined ? [] : [`\n**${name}.** ${ifItSurvives}\n`])).join('')}`;
}
