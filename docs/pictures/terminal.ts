// Draws a terminal recording: runs commands in a shell, and writes what they print, when they print it, as an animated SVG.
//   node docs/pictures/terminal.ts docs/pictures/make-up.svg 'make up' 'kubectl get microservices -n shop'
// Where nothing moves (print, reduced motion), the picture shows the last state.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

interface Line {
  readonly text: string;
  readonly atMs: number;
  readonly typed: boolean;
}

/** How many times faster than it was the recording is shown. */
const speed = 6;

const [file, ...commands] = process.argv.slice(2);
if (file === undefined || commands.length === 0) throw new Error('usage: terminal.ts <file.svg> <command>...');

const started = performance.now();
const lines: Line[] = [];
for (const command of commands) {
  const at = performance.now() - started;
  lines.push({ text: `$ ${command}`, atMs: at, typed: true });
  await printed(command, (text) => lines.push({ text, atMs: performance.now() - started, typed: false }));
  lines.push({ text: '', atMs: performance.now() - started, typed: false });
}
writeFileSync(file, drawn(lines.slice(0, -1)));

function printed(command: string, onLine: (line: string) => void): Promise<void> {
  const child = spawn('sh', ['-c', `${command} 2>&1`], { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => {
    console.log(line);
    onLine(line);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}: nothing is drawn`)),
    );
  });
}

function drawn(recorded: readonly Line[]): string {
  const longest = Math.max(...recorded.map(({ text }) => text.length));
  const [width, height] = [Math.ceil(longest * 7.85) + 40, recorded.length * 19 + 36];
  const rows = recorded.map(({ text, atMs, typed }, row) => {
    const style = `animation-delay:${(atMs / speed / 1000).toFixed(2)}s`;
    return `<text xml:space="preserve" x="20" y="${row * 19 + 32}" class="${typed ? 'typed' : 'out'}" style="${style}">${escaped(text)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-size="13">
<!-- Recorded by docs/pictures/terminal.ts, shown ${speed} times as fast: do not edit. -->
<title>${escaped(commands.join('; '))}</title>
<style>
  rect { fill: #10151b } text { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; fill: #c9d1d9 }
  text.typed { fill: #7ee787 }
  @media (prefers-reduced-motion: no-preference) { text { animation: appear 0.01s linear backwards } }
  @keyframes appear { from { opacity: 0 } to { opacity: 1 } }
</style>
<rect width="${width}" height="${height}" rx="8"/>
${rows.join('\n')}
</svg>
`;
}

function escaped(text: string): string {
  // Columns stay columns: not every viewer keeps plain spaces apart.
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll(' ', '\u00a0');
}
