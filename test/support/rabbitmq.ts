import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { type Daemon, freePort, type Owner, serviceUser, startDaemon } from './daemon.ts';

export interface RabbitMqAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
}

export interface RabbitMq extends RabbitMqAddress {
  /** The broker goes away; durable queues and persistent messages stay. */
  halt(): Promise<void>;
  /** The broker comes back at the same port. */
  resume(): Promise<void>;
  restart(): Promise<void>;
  /** Ends the broker and removes its data. */
  stop(): Promise<void>;
}

const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const READY_MS = 60_000;

/** A RabbitMQ node of its own on free ports, with a user of its own (`guest` does not exist there). */
export async function startRabbitMq(): Promise<RabbitMq> {
  if (!existsSync(SERVER)) throw new Error(`${SERVER} is missing: install the Debian package rabbitmq-server`);
  const owner = serviceUser('rabbitmq');
  const folder = mkdtempSync(join(tmpdir(), 'rabbitmq-'));
  const address = {
    host: '127.0.0.1',
    port: await freePort(),
    user: 'shop',
    password: crypto.randomUUID(),
    vhost: '/',
  };
  configure(folder, owner, address);
  const env = await environment(folder, address.port);

  const start = async (): Promise<Daemon> => {
    const daemon = startDaemon('rabbitmq', SERVER, { args: [], owner, cwd: folder, env });
    await daemon.ready(() => answers(address), READY_MS);
    return daemon;
  };

  let daemon = await start();
  const halt = () => daemon.end('SIGTERM');
  const resume = async () => {
    daemon = await start();
  };
  return {
    ...address,
    halt,
    resume,
    restart: async () => {
      await halt();
      await resume();
    },
    stop: async () => {
      await daemon.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configure(folder: string, owner: Owner | undefined, address: RabbitMqAddress): void {
  const lines = [
    `listeners.tcp.default = 127.0.0.1:${address.port}`,
    `default_user = ${address.user}`,
    `default_pass = ${address.password}`,
    `default_vhost = ${address.vhost}`,
    'vm_memory_high_watermark.absolute = 512MB',
    'disk_free_limit.absolute = 50MB',
    'log.console = true',
    'log.console.level = error',
  ];
  writeFileSync(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'plugins'), '[].\n');
  if (owner) chownSync(folder, owner.uid, owner.gid);
}

/**
 * The variables that keep the node to itself: its distribution port is its only one besides AMQP, because the name
 * of the node resolves without the port mapper daemon (epmd) that Erlang would otherwise leave running.
 */
async function environment(folder: string, port: number): Promise<Record<string, string>> {
  const distribution = await freePort();
  const name = `test${port}@localhost`;
  const noPortMapper = `-sname ${name} -erl_epmd_port ${distribution}`;
  const loopbackOnly = '-kernel inet_dist_use_interface {127,0,0,1}';
  return {
    HOME: folder,
    // In the environment, because the node looks for the daemon every minute and starts it by a new runtime.
    ERL_AFLAGS: '-start_epmd false',
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_NODENAME: name,
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-noinput +S 2:2 +sbwt none ${noPortMapper} ${loopbackOnly}`,
  };
}

async function answers(address: RabbitMqAddress): Promise<boolean> {
  const { host, port, user, password, vhost } = address;
  try {
    const options = { protocol: 'amqp', hostname: host, port, username: user, password, vhost };
    const connection = await connect(options, { timeout: 2000 });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}
